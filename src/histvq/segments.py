"""Labels and segments, and a method's answer for one recording."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Segment = tuple[int, int, int]

LEVELS = ("action", "subaction")


def to_segments(labels: np.ndarray) -> list[Segment]:
    """Maximal runs of one label as (start, stop, label), start inclusive, stop exclusive."""
    labels = np.asarray(labels)
    if not len(labels):
        return []
    cuts = np.flatnonzero(np.diff(labels)) + 1
    starts = np.concatenate(([0], cuts))
    stops = np.concatenate((cuts, [len(labels)]))
    return list(zip(starts.tolist(), stops.tolist(), labels[starts].tolist(), strict=True))


def to_labels(segments: Iterable[Segment]) -> np.ndarray:
    """The labels whose runs these segments are: the inverse of `to_segments`."""
    segments = list(segments)
    lengths = [stop - start for start, stop, _ in segments]
    return np.repeat(np.array([label for *_, label in segments], dtype=np.int32), lengths)


@dataclass(frozen=True, kw_only=True, eq=False)
class Segmentation:
    """A method's answer for one recording: one label a frame.

    Attributes:
        recording_id: Id of the recording.
        fps: Frames a second of the recording.
        actions: Integer (frame,): action code; -1 where nothing can be said.
        subactions: Likewise for the finest level, or None for methods of one level.
        confidence: Float (frame,) in [0, 1], or None; the method says what it means.
        person: Who is being recorded, where known.
        names: Code -> name of the action, where it has one; empty for clusters nobody named.
        subaction_names: Likewise for the finest level.
        predicted: The answer as the method gave it, where a person has named or merged its actions
            since (`histvq.report.names.renamed`).
    """

    recording_id: str
    fps: float
    actions: np.ndarray
    subactions: np.ndarray | None = None
    confidence: np.ndarray | None = None
    person: str | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    subaction_names: Mapping[int, str] = field(default_factory=dict)
    predicted: "Segmentation | None" = None

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.actions)

    def labels(self, level: str = "action") -> np.ndarray | None:
        """Labels of one level, `action` or `subaction`; None where the method has no such level."""
        return self.actions if level == "action" else self.subactions

    def name_of(self, label: int, level: str = "action") -> str:
        """What a code is called: the action it stands for, or a number until a person names it."""
        known = (self.names if level == "action" else self.subaction_names).get(label)
        return segment_name(level, label) if known is None else known

    def segments(self, level: str | None = None) -> "pd.DataFrame":
        """Segments as a table, one row each; both levels unless one is named.

        Columns: recording, individual, level, segment, start_frame, stop_frame, start_s, stop_s,
        duration_s, label, name, confidence, parent. Frames are half-open, times in seconds;
        `parent` of a subaction is the number of the action segment it lies in (the first, should it
        cross a border), none where no action is. Frames labelled -1 are not listed.
        """
        import pandas as pd

        wanted = LEVELS if level is None else (level,)
        rows = [row for name in wanted for row in self.rows(name)]
        return pd.DataFrame(rows, columns=SEGMENT_COLUMNS)

    def rows(self, level: str) -> list[tuple[object, ...]]:
        """The rows of that table for one level."""
        labels = self.labels(level)
        if labels is None:
            return []
        segments = [s for s in to_segments(labels) if s[2] >= 0]
        parents: Sequence[int | None] = [None] * len(segments)
        if level == "subaction":
            known = [s for s in to_segments(self.actions) if s[2] >= 0]
            starts = np.array([start for start, _, _ in known])
            parents = [
                place if (place := int(np.searchsorted(starts, s[0], "right")) - 1) >= 0
                and s[0] < known[place][1] else None
                for s in segments
            ]  # fmt: skip
        return [
            (
                self.recording_id, self.person or "", level, number, start, stop,
                start / self.fps, stop / self.fps, (stop - start) / self.fps, label,
                self.name_of(label, level), self._mean_confidence(start, stop), parent,
            )
            for number, ((start, stop, label), parent) in enumerate(
                zip(segments, parents, strict=True)
            )
        ]  # fmt: skip

    def _mean_confidence(self, start: int, stop: int) -> float | None:
        return None if self.confidence is None else float(self.confidence[start:stop].mean())


SEGMENT_COLUMNS = [
    "recording", "individual", "level", "segment", "start_frame", "stop_frame", "start_s", "stop_s",
    "duration_s", "label", "name", "confidence", "parent",
]  # fmt: skip


def segment_name(level: str, label: int) -> str:
    """The name a code has until a person gives it a better one."""
    return f"{level} {label}"


def names_of(answers: Iterable[Segmentation], level: str = "action") -> dict[int, str]:
    """What the codes of answers of one method are called; empty where they are clusters nobody named."""
    return {
        code: name
        for answer in answers
        for code, name in (answer.names if level == "action" else answer.subaction_names).items()
    }
