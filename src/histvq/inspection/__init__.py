"""What there is to know of recordings before anything is learned from them, and what looks wrong."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from histvq.annotation import Annotation
from histvq.inputs import can_centre
from histvq.inspection.sides import swapped_sides
from histvq.inspection.suspicions import CHECKS, longest_run
from histvq.recording import Recording
from histvq.transforms.time import PASSED

__all__ = ["Inspection", "changes_before", "inspect_recording", "swapped_sides"]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was understood of one recording.

    Attributes:
        recording: Its id.
        file: Where it was read from.
        format: Name of the reader.
        person: Who is being recorded, where the file says.
        n_frames: Frames.
        duration_s: Seconds.
        fps: Frames a second.
        joints: Names of the joints.
        channels: Names of the channels.
        n_persons: How many people's joints there are.
        unit: Unit of the positions, or of sensors.
        missing: Share of the frames in which a joint lacks a channel, by joint.
        longest_gap_s: Longest stretch of that, by joint.
        n_actions: Actions labelled in the file; None where it has no labels.
        suspicious: What looks wrong, a sentence each.
        history: What reading has done to the data.
    """

    recording: str
    file: str | None
    format: str
    person: str | None
    n_frames: int
    duration_s: float
    fps: float
    joints: tuple[str, ...]
    channels: tuple[str, ...]
    n_persons: int
    unit: str
    missing: dict[str, float]
    longest_gap_s: dict[str, float]
    n_actions: int | None
    suspicious: tuple[str, ...]
    history: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """The same in what JSON knows."""
        return asdict(self)


def inspect_recording(
    recording: Recording, annotation: Annotation | None = None, *, format: str = ""
) -> Inspection:
    """What can be said of one recording by itself."""
    gone = np.isnan(recording.skeleton).any(axis=2)
    gaps = [longest_run(gone[:, joint]) / recording.fps for joint in range(gone.shape[1])]
    share = gone.mean(axis=0) if len(gone) else np.zeros(gone.shape[1])
    found = None if annotation is None else len(set(annotation.labels.tolist()) - {-1})
    return Inspection(
        recording=recording.id,
        file=recording.source,
        format=format,
        person=recording.person,
        n_frames=recording.n_frames,
        duration_s=recording.duration_s,
        fps=recording.fps,
        joints=recording.joint_names,
        channels=recording.channel_names,
        n_persons=len(set(recording.joint_persons or (0,))),
        unit=recording.unit,
        missing=dict(zip(recording.joint_names, share.tolist(), strict=True)),
        longest_gap_s=dict(zip(recording.joint_names, gaps, strict=True)),
        n_actions=found,
        suspicious=tuple(words for check in CHECKS for words in check(recording)),
        history=recording.history,
    )


def changes_before(recordings: Sequence[Recording]) -> list[str]:
    """What every method does to these recordings by itself before it looks at them, a line each."""
    fullest = max(recordings, key=lambda recording: len(recording.joint_names))
    lines = []
    if len({recording.unit for recording in recordings}) > 1:
        lines.append(
            f"positions in {fullest.unit}, as in {fullest.id}; other lengths are converted"
        )
    slowest = min(recording.fps for recording in recordings)
    if any(recording.fps != slowest for recording in recordings):
        lines.append(
            f"{slowest:g} frames a second for all, without aliases "
            f"(low-pass at {PASSED * slowest:g} Hz first)"
        )
    if any(recording.joint_names != fullest.joint_names for recording in recordings):
        lines.append(
            f"joints in the order of {fullest.id}; a joint that others lack is missing in them"
        )
    if all(can_centre(recording) for recording in recordings):
        roots = [
            n for n, p in zip(fullest.joint_names, fullest.parents or (), strict=True) if p < 0
        ]
        lines.append(f"positions relative to {', '.join(roots)} (--set centre=false keeps them)")
    if any(np.isnan(recording.skeleton).any() for recording in recordings):
        lines.append(
            "gaps stay gaps and are left out of account (--transform fill-gaps=0.25 fills)"
        )
    return lines
