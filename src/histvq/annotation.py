"""True labels of one recording, kept apart from the motion so that no method can peek."""

from dataclasses import dataclass

import numpy as np

from histvq.errors import FileFormatError


@dataclass(frozen=True, kw_only=True, eq=False)
class Annotation:
    """One true label per frame of a recording.

    Attributes:
        recording_id: Id of the recording it belongs to.
        labels: Integer (frame,): index into `actions`; -1 where nobody said.
        actions: Names of the actions, the same tuple for every recording of a dataset.
        fps: Frames a second of the labels.
    """

    recording_id: str
    labels: np.ndarray
    actions: tuple[str, ...]
    fps: float

    def __post_init__(self) -> None:
        labels = np.asarray(self.labels)
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
            raise FileFormatError(
                f"annotation of {self.recording_id!r}: labels of shape {labels.shape} and type "
                f"{labels.dtype}; expected one integer a frame"
            )
        if len(labels) and (labels.min() < -1 or labels.max() >= len(self.actions)):
            raise FileFormatError(
                f"annotation of {self.recording_id!r}: labels from {labels.min()} to "
                f"{labels.max()}, but there are {len(self.actions)} actions (-1 = not labelled)"
            )
        object.__setattr__(self, "labels", labels.astype(np.int32, copy=False))

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.labels)
