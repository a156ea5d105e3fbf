"""What every score is computed from: matched and true labels, frame by frame, with their runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int


@dataclass(frozen=True, eq=False)
class Runs:
    """Segments of all recordings, in order: one entry of each array a segment."""

    start: Int[np.ndarray, " segment"]
    stop: Int[np.ndarray, " segment"]
    label: Int[np.ndarray, " segment"]
    recording: Int[np.ndarray, " segment"]

    @property
    def length(self) -> Int[np.ndarray, " segment"]:
        """Frames in each segment."""
        return self.stop - self.start

    def per_recording(
        self, values: Int[np.ndarray, " segment"], n_recordings: int
    ) -> list[np.ndarray]:
        """These values of the segments, one array a recording."""
        return np.split(values, np.searchsorted(self.recording, np.arange(1, n_recordings)))


@dataclass(frozen=True, eq=False)
class LabelPairs:
    """Matched and true labels of every scored frame, recordings end to end.

    Frames without a true label are left out, and both segmentations are cut there: nobody said
    that an action carries on across them. A frame without an answer (-1) stays: it is wrong, and a
    run of such frames is a segment that matches nothing.

    Attributes:
        matched: Label of the action a frame's cluster was matched with; anything else (-1, or
            the number of actions and above) equals no true label.
        true: True label.
        cut: True where a run ends by force: at a recording's first frame, after left-out frames.
        bounds: Frames before each recording, and the total.
        recordings: Ids.
        activities: The activity each recording belongs to (JSD averages within one first).
    """

    matched: Int[np.ndarray, " frame"]
    true: Int[np.ndarray, " frame"]
    cut: Bool[np.ndarray, " frame"]
    bounds: Int[np.ndarray, " recording_and_end"]
    recordings: tuple[str, ...]
    activities: tuple[str, ...]

    @classmethod
    def build(
        cls,
        matched: Sequence[Int[np.ndarray, " frame"]],
        true: Sequence[Int[np.ndarray, " frame"]],
        *,
        recordings: Sequence[str] | None = None,
        activities: Sequence[str] | None = None,
    ) -> "LabelPairs":
        """Lay recordings end to end and leave out the frames nobody labelled (true label -1).

        Args:
            matched: Of all recordings in order, in whatever parts.
            true: One array a recording.
            recordings: Ids.
            activities: As above.
        """
        labels = np.concatenate(true)
        kept = labels >= 0
        ends = np.cumsum([0, *map(len, true)]).tolist()
        bounds = np.cumsum([0, *(np.count_nonzero(kept[a:b]) for a, b in pairwise(ends))])
        cut = ~np.concatenate(([False], kept[:-1]))[kept]
        cut[bounds[:-1][np.diff(bounds) > 0]] = True
        return cls(
            matched=np.concatenate(matched)[kept],
            true=labels[kept],
            cut=cut,
            bounds=bounds,
            recordings=tuple(recordings or map(str, range(len(true)))),
            activities=tuple(activities or ["all"] * len(true)),
        )

    def only(self, recording: int) -> "LabelPairs":
        """One recording by itself."""
        start, stop = self.bounds[recording : recording + 2]
        return LabelPairs(
            matched=self.matched[start:stop],
            true=self.true[start:stop],
            cut=self.cut[start:stop],
            bounds=np.array([0, stop - start]),
            recordings=self.recordings[recording : recording + 1],
            activities=self.activities[recording : recording + 1],
        )

    @property
    def n_frames(self) -> int:
        """Scored frames."""
        return len(self.true)

    @property
    def n_recordings(self) -> int:
        """Recordings, those without a scored frame included."""
        return len(self.recordings)

    @cached_property
    def matched_runs(self) -> Runs:
        """Segments of the answer."""
        return self._runs(self.matched)

    @cached_property
    def true_runs(self) -> Runs:
        """Segments of the truth."""
        return self._runs(self.true)

    def _runs(self, labels: Int[np.ndarray, " frame"]) -> Runs:
        starts = self.cut.copy()
        starts[1:] |= labels[1:] != labels[:-1]
        start = np.flatnonzero(starts)
        stop = np.append(start, len(labels))[1:]
        # "right" steps over recordings without a scored frame, which share a bound with the next.
        recording = np.searchsorted(self.bounds, start, side="right") - 1
        return Runs(start=start, stop=stop, label=labels[start], recording=recording)
