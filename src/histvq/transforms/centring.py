"""Positions relative to a joint, of a recording whose frames may come block by block."""

from collections.abc import Sequence

import numpy as np

from histvq.errors import ConfigError
from histvq.recording import Recording


class Centring:
    """Takes each person's centre off the positions; the centre itself becomes 0.

    While a centre is not measured it stays missing, and the other joints are taken relative to where it
    must have been: between measured frames along a straight line, before the first and after the last
    where it was then; if it is never measured, at the mean of the joints that are, axis by axis. So
    frames wait until the centre is measured again, or the recording ends.

    Args:
        recording: Says what joints, channels and people there are; its frames are not looked at.
        centres: Joints to centre on; of each person's, the first.
        space: Places of the channels that are positions.

    Raises:
        ConfigError: If a person has no such joint.
    """

    def __init__(
        self, recording: Recording, centres: Sequence[int], *, space: Sequence[int]
    ) -> None:
        persons = np.array(recording.joint_persons or [0] * len(recording.joint_names))
        self._space = np.array(space)
        self._joints = [np.flatnonzero(persons == person) for person in np.unique(persons)]
        self._centres: list[int] = []
        for person in np.unique(persons):
            centre = next((joint for joint in centres if persons[joint] == person), None)
            if centre is None:
                raise ConfigError(
                    f"recording {recording.id!r}: person {person} has no joint to centre on; give the "
                    "root the parent -1, name a joint each person has, or turn centring off"
                )
            self._centres.append(centre)
        self._shape = (len(recording.joint_names), len(recording.channel_names))
        shape = (len(self._centres), len(self._space))
        self._waiting: list[np.ndarray] = []
        self._n_waiting = 0
        # Of the frames that wait, how many there are up to the last with the centre, axis by axis.
        self._ready = np.zeros(shape, int)
        # Where a centre was last, of the frames given back: their places, counted from what waits.
        self._before = np.full(shape, np.nan, np.float32)
        self._before_at = np.zeros(shape, int)

    def push(self, frames: np.ndarray) -> np.ndarray:
        """Take more frames, (frame, joint, channel); the next centred ones that can be told."""
        if not len(frames):
            return frames
        known = ~np.isnan(self._paths(frames))
        latest = np.where(known.any(axis=0), len(frames) - known[::-1].argmax(axis=0), 0)
        self._ready = np.where(latest > 0, self._n_waiting + latest, self._ready)
        self._waiting.append(frames)
        self._n_waiting += len(frames)
        if n_frames := int(self._ready.min()):
            return self._centred(n_frames)
        self._waiting[-1] = frames.copy()  # whose it is may be changed meanwhile
        return frames[:0]

    def finish(self) -> np.ndarray:
        """All frames left."""
        return self._centred(self._n_waiting)

    def _paths(self, frames: np.ndarray) -> np.ndarray:
        """Where the centres are, (frame, person, space)."""
        return frames[:, self._centres][:, :, self._space]

    def _centred(self, n_frames: int) -> np.ndarray:
        """The first frames of those that wait, which wait no longer."""
        if len(self._waiting) > 1:
            self._waiting = [np.concatenate(self._waiting)]
        if not self._waiting:
            return np.zeros((0, *self._shape), np.float32)
        frames = self._waiting[0]
        paths = self._paths(frames)
        centred = frames[:n_frames].copy()
        for person, joints in enumerate(self._joints):
            place = np.ix_(np.arange(n_frames), joints, self._space)
            measured = centred[place]
            for axis in range(len(self._space)):
                path = self._path(paths[:, person, axis], measured[:, :, axis], person, axis)
                measured[:, :, axis] -= path[:, None]
            centred[place] = measured
        self._ready = np.maximum(self._ready - n_frames, 0)
        self._before_at -= n_frames
        self._waiting = [frames[n_frames:].copy()] if len(frames) > n_frames else []
        self._n_waiting = len(frames) - n_frames
        return centred

    def _path(self, centre: np.ndarray, joints: np.ndarray, person: int, axis: int) -> np.ndarray:
        """Where a centre is along an axis, in each of the frames whose joints are given."""
        n_frames = len(joints)
        at = np.flatnonzero(~np.isnan(centre))
        values = centre[at]
        before = self._before[person, axis]
        if not np.isnan(before):
            at = np.concatenate([[self._before_at[person, axis]], at])
            values = np.concatenate([[before], values])
        if not len(at):
            count = (~np.isnan(joints)).sum(axis=1)
            return np.nansum(joints, axis=1) / np.maximum(count, 1).astype(np.float32)
        if len(given := np.flatnonzero(at < n_frames)):
            self._before[person, axis] = values[given[-1]]
            self._before_at[person, axis] = at[given[-1]]
        return np.interp(np.arange(n_frames), at, values).astype(np.float32)
