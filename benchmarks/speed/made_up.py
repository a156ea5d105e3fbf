"""Answers, truth and motion of any length, made up at once: what `scaling.py` measures with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from histvq import Recording, Segmentation
from histvq.annotation import Annotation

FPS = 60.0
N_ACTIONS, ALPHA = 12, 2
SUBACTION_S = 2.5  # mean length; a few subactions of one action follow one another
PLACES = (
    1024  # different signals; motion is looked up, so that making it costs less than what is timed
)


@dataclass(frozen=True)
class Data:
    """What people did, what was found, and the motion, as every step may need them."""

    answers: Sequence[Segmentation]
    annotations: Sequence[Annotation]
    recordings: Sequence[Recording]

    @property
    def n_frames(self) -> int:
        return sum(answer.n_frames for answer in self.answers)

    @property
    def n_joints(self) -> int:
        return len(self.recordings[0].joint_names)

    @cached_property
    def megabytes(self) -> float:
        """Of the motion as float32."""
        return sum(recording.skeleton.nbytes for recording in self.recordings) / 1e6


def made_up(n_recordings: int, seconds: float, *, n_joints: int = 6, n_channels: int = 6) -> Data:
    """So many recordings of this length: answers two levels deep, half a second off the truth."""
    actions = tuple(f"action number {code}" for code in range(N_ACTIONS))
    names = [f"recording {place:05d}" for place in range(n_recordings)]
    people = [f"person {place % 18}" for place in range(n_recordings)]
    n_frames = round(seconds * FPS)
    # All recordings show the same motion, so that a hundred hours fit into memory: nobody looks twice.
    skeleton = motion(n_frames, n_joints, n_channels)
    data = Data([], [], [])
    for place, (name, person) in enumerate(zip(names, people, strict=True)):
        random = np.random.default_rng(place)
        subactions, confidence = _labels(n_frames, random)
        late = np.roll(subactions, round(FPS / 2)) // ALPHA
        wrong = np.repeat(random.random(n_frames // 300 + 1) < 0.1, 300)[:n_frames]
        late[wrong] = (late[wrong] + 1) % N_ACTIONS
        data.answers.append(
            Segmentation(
                recording_id=name, fps=FPS, actions=subactions // ALPHA, subactions=subactions,
                confidence=confidence, person=person,
            )
        )  # fmt: skip
        data.annotations.append(
            Annotation(recording_id=name, labels=late, actions=actions, fps=FPS)
        )
        data.recordings.append(recording_of(name, skeleton, person))
    return data


def recording_of(name: str, skeleton: np.ndarray, person: str | None = None) -> Recording:
    """Positions where there are three channels, else an inertial sensor's six."""
    axes = ("x", "y", "z")
    sensors = [f"{quantity}_{axis}" for quantity in ("acc", "gyro") for axis in axes]
    n_joints, n_channels = skeleton.shape[1:]
    return Recording(
        id=name, skeleton=skeleton, fps=FPS, person=person,
        joint_names=tuple(f"part{joint}" for joint in range(n_joints)),
        channel_names=axes if n_channels == 3 else tuple(sensors[:n_channels]),
        parents=tuple(range(-1, n_joints - 1)) if n_channels == 3 else None,
        unit="mm" if n_channels == 3 else "counts",
    )  # fmt: skip


def motion(n_frames: int, n_joints: int, n_channels: int) -> np.ndarray:
    """Noise and waves, different in every window; float32 (frame, joint, channel)."""
    random = np.random.default_rng(0)
    table = random.normal(scale=200, size=(PLACES, n_joints * n_channels)).astype(np.float32)
    at = (np.arange(n_frames) * 7 + np.arange(n_frames) // 600 * 13) % PLACES
    return table[at].reshape(n_frames, n_joints, n_channels)


def _labels(n_frames: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Subactions of some seconds each and how sure they are."""
    count = int(n_frames / FPS / SUBACTION_S * 1.5) + 20
    lengths = np.maximum(random.exponential(SUBACTION_S * FPS, count), FPS / 2).astype(int)
    codes = random.integers(0, N_ACTIONS * ALPHA, count)
    sure = random.random(count)
    return (
        np.repeat(codes, lengths)[:n_frames].astype(np.int32),
        np.repeat(sure, lengths)[:n_frames].astype(np.float32),
    )
