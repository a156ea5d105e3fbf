"""A recording and its actions in Rerun (rerun.io), a viewer of data in time."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.recording import Recording
from histvq.report.palette import look_of
from histvq.segments import LEVELS, Segmentation, to_segments

EXTRA = 'viewing needs rerun-sdk: pip install "histvq[rerun]"'
_TIME, _FRAME = "time", "frame"
_POSITIONS = {("x", "y"): "2D", ("x", "y", "z"): "3D"}


class Viewer:
    """Where a recording is shown: Rerun's window, or a file it opens.

    Args:
        out: An `.rrd` file to write, as `histvq.writing.beside` gives a place for; None opens the window.

    Raises:
        ConfigError: If the extra is not installed.
    """

    def __init__(self, out: str | Path | None = None) -> None:
        try:
            self._rerun: Any = import_module("rerun")
        except ImportError as error:
            raise ConfigError(EXTRA) from error
        self._stream = self._rerun.RecordingStream("histvq")
        if out is None:
            self._stream.spawn()
        else:
            self._stream.save(str(out))

    def show(
        self, recording: Recording, answer: Segmentation, truth: Annotation | None = None
    ) -> None:
        """Show the motion, its joints in the colour of the action, and what goes on, as text.

        Positions in two or three dimensions are points, with bones where joints have parents; other
        channels are curves. Paths are the recording's id, then `skeleton`, or joint and channel, and
        `action`, `subaction` and `true_action`.
        """
        axes = _POSITIONS.get(recording.channel_names)
        for frame in range(recording.n_frames):
            self._at(frame, recording.fps)
            if axes:
                self._skeleton(recording, frame, axes, look_of(int(answer.actions[frame])).colour)
            else:
                self._curves(recording, frame)
        for strip, name, frame in _changes(answer, truth):
            self._at(frame, recording.fps)
            self._log([recording.id, strip], self._rerun.TextDocument(name))
        self._stream.flush()

    def _at(self, frame: int, fps: float) -> None:
        self._stream.set_time(_TIME, duration=frame / fps)
        self._stream.set_time(_FRAME, sequence=frame)

    def _log(self, path: list[str], thing: object) -> None:
        self._stream.log(path, thing)  # of a list Rerun escapes the parts itself

    def _skeleton(self, recording: Recording, frame: int, axes: str, colour: str) -> None:
        points = recording.skeleton[frame]
        seen = ~np.isnan(points).any(axis=1)
        names = [name for name, is_seen in zip(recording.joint_names, seen, strict=True) if is_seen]
        bones = [
            points[[joint, parent]]
            for joint, parent in enumerate(recording.parents or ())
            if parent >= 0 and seen[joint] and seen[parent]
        ]
        made = getattr(self._rerun, f"Points{axes}"), getattr(self._rerun, f"LineStrips{axes}")
        shade = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
        path = [recording.id, "skeleton"]
        shown = {"colors": [shade], "labels": names, "show_labels": False}
        self._log([*path, "joints"], made[0](points[seen], **shown))
        if recording.parents is not None:
            self._log([*path, "bones"], made[1](bones, colors=[shade]))

    def _curves(self, recording: Recording, frame: int) -> None:
        for joint, values in zip(recording.joint_names, recording.skeleton[frame], strict=True):
            for channel, value in zip(recording.channel_names, values.tolist(), strict=True):
                if not np.isnan(value):
                    self._log([recording.id, joint, channel], self._rerun.Scalars(value))


def _changes(answer: Segmentation, truth: Annotation | None) -> Iterator[tuple[str, str, int]]:
    """What goes on from which frame on, strip by strip; empty where nobody says."""
    for level in LEVELS:
        labels = answer.labels(level)
        for start, _, label in [] if labels is None else to_segments(labels):
            yield level, answer.name_of(label, level) if label >= 0 else "", start
    if truth is not None:
        for start, _, label in to_segments(truth.labels):
            yield "true_action", truth.actions[label] if label >= 0 else "", start
