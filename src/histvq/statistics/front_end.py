"""From recordings to recordings of window statistics: a frame a patch, channels of variance 1 or so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from histvq.recording import Recording
from histvq.statistics.channels import Kind, Tempo
from histvq.statistics.inertial import INERTIAL
from histvq.statistics.positions import POSITIONS
from histvq.statistics.sensors import is_inertial
from histvq.windowing import Windows, known_mean
from histvq.windows import means_by_person, scale_of, sizes_of

KINDS: dict[str, Kind] = {"inertial": INERTIAL, "positions": POSITIONS}
Whose = Literal["person", "recording", "none"]


def kind_of(recording: Recording) -> str:
    """`inertial` for accelerometers and gyroscopes, else `positions`."""
    return "inertial" if is_inertial(recording) else "positions"


def tempo_of(recordings: Sequence[Recording]) -> Tempo:
    """The scales of time that suit these recordings; positions must be relative to the root."""
    return KINDS[kind_of(recordings[0])].tempo(recordings)


@dataclass(frozen=True, eq=False)
class FrontEnd:
    """Makes statistics of recordings, as it was fitted to do.

    Attributes:
        kind: Of `KINDS`.
        patch_seconds: Time from patch to patch.
        window_seconds: Length of the window around the middle of each.
        own_mean: Whose mean is taken off: each `person`'s, each `recording`'s, or `none`.
        still: (joint, spread): how still is still.
        persons: Whose means are known; the one without a name stands for all whose name is not.
        means: (person, joint, channel): what is taken off for each.
        factor: (joint, channel): what the rest is divided by; infinite where nothing ever changes.
    """

    kind: str
    patch_seconds: float
    window_seconds: float
    own_mean: Whose
    still: np.ndarray
    persons: tuple[str, ...]
    means: np.ndarray
    factor: np.ndarray

    @property
    def rate(self) -> float:
        """Patches a second."""
        return 1 / self.patch_seconds

    @property
    def plain(self) -> dict[str, Any]:
        """All of it but the arrays, to be saved."""
        return {
            "kind": self.kind,
            "patch_seconds": self.patch_seconds,
            "window_seconds": self.window_seconds,
            "own_mean": self.own_mean,
            "persons": list(self.persons),
        }

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays, to be saved."""
        return {"still": self.still, "means": self.means, "factor": self.factor}

    @classmethod
    def restored(cls, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> "FrontEnd":
        """The front end whose `plain` and `arrays` these are."""
        return cls(
            kind=plain["kind"],
            patch_seconds=plain["patch_seconds"],
            window_seconds=plain["window_seconds"],
            own_mean=plain["own_mean"],
            persons=tuple(plain["persons"]),
            still=arrays["still"],
            means=arrays["means"],
            factor=arrays["factor"],
        )

    def __call__(self, recording: Recording) -> Recording:
        """The statistics of a recording, a frame a patch; NaN where nothing of a joint was measured.

        Of a recording with fewer frames a second than patches, each frame is a patch.
        """
        kind = KINDS[self.kind]
        measured = kind.measure(
            recording, _windows(recording, self.patch_seconds, self.window_seconds)
        )
        return self._scaled(recording, kind.finish(recording, measured, self.still))

    def _scaled(self, recording: Recording, channels: np.ndarray) -> Recording:
        """A recording of these channels; 0 where one is unknown but others of the joint are known."""
        weights = KINDS[self.kind].weights(recording)
        rest = channels - self._own_mean(recording, channels)
        rest *= np.array(list(weights.values())) / self.factor
        np.nan_to_num(rest, copy=False)
        rest[np.isnan(channels).all(axis=2)] = np.nan
        return recording.noted(
            f"statistics of {self.window_seconds:g} s every {self.patch_seconds:g} s",
            skeleton=rest.astype(np.float32),
            channel_names=tuple(weights),
            fps=min(self.rate, recording.fps),
            unit="unknown",
        )

    def _own_mean(self, recording: Recording, channels: np.ndarray) -> np.ndarray:
        """What is usual of whoever is being recorded; of people in general, where they are new.

        Not of the one recording there is of somebody new: it is too little to tell who moves from what
        is being done.
        """
        if self.own_mean == "recording":
            return known_mean(channels)
        usual = known_mean(self.means)
        whose = _whose(recording, self.own_mean)
        if whose not in self.persons:
            return usual
        own = self.means[self.persons.index(whose)]
        return np.where(np.isnan(own), usual, own)


def fit_front_end(
    recordings: Sequence[Recording],
    *,
    kind: str,
    patch_seconds: float,
    window_seconds: float,
    own_mean: Whose = "person",
) -> tuple[FrontEnd, list[Recording]]:
    """What is usual in these recordings, and their statistics.

    Args:
        recordings: Alike in joints and channels; positions relative to the root.
        kind: Of `KINDS`.
        patch_seconds: Time from patch to patch.
        window_seconds: Length of the window around the middle of each.
        own_mean: Whose mean is taken off each channel: each `person`'s (how sensors sit, how a body is
            built), each `recording`'s, or `none`. People whose name is not known count as one.
    """
    channels, still = _channels(recordings, KINDS[kind], patch_seconds, window_seconds)
    flat = [c.reshape(len(c), -1) for c in channels]
    means = means_by_person(flat, [_whose(recording, own_mean) for recording in recordings])
    shape = channels[0].shape[1:]
    unscaled = FrontEnd(
        kind=kind,
        patch_seconds=patch_seconds,
        window_seconds=window_seconds,
        own_mean=own_mean,
        still=still,
        persons=tuple(means),
        means=np.stack(list(means.values())).reshape(-1, *shape),
        factor=np.ones(shape),
    )
    pairs = list(zip(recordings, channels, strict=True))
    rest = [(c - unscaled._own_mean(r, c)).reshape(len(c), -1) for r, c in pairs]
    factor = scale_of(rest, sizes_of(flat)).reshape(shape)
    del rest  # as large as the recordings made
    front_end = replace(unscaled, factor=factor)
    return front_end, [front_end._scaled(r, c) for r, c in pairs]


def _channels(
    recordings: Sequence[Recording], kind: Kind, patch_seconds: float, window_seconds: float
) -> tuple[list[np.ndarray], np.ndarray]:
    """Channels of each recording, and how still is still."""
    measured = [kind.measure(r, _windows(r, patch_seconds, window_seconds)) for r in recordings]
    usual = sizes_of([m.spreads.reshape(len(m.spreads), -1) for m in measured])
    still = kind.still_share * usual.reshape(measured[0].spreads.shape[1:])
    channels = [kind.finish(r, m, still) for r, m in zip(recordings, measured, strict=True)]
    return channels, still


def _windows(recording: Recording, patch_seconds: float, window_seconds: float) -> Windows:
    return Windows.of(
        recording.n_frames,
        fps=recording.fps,
        patch_seconds=patch_seconds,
        window_seconds=window_seconds,
    )


def _whose(recording: Recording, own_mean: Whose) -> str:
    """Name under which a recording's mean is kept."""
    return (recording.person or "") if own_mean == "person" else ""
