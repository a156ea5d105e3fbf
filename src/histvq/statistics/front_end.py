"""From recordings to recordings of window statistics: a frame a patch, channels of variance 1 or so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from histvq.recording import Recording
from histvq.statistics.channels import Kind, Measured, Tempo
from histvq.statistics.inertial import INERTIAL, is_inertial
from histvq.statistics.positions import POSITIONS
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
        """The statistics of a recording, a frame a patch; NaN where nothing of a joint was measured."""
        kind = KINDS[self.kind]
        return self._scaled(
            recording, kind.finish(recording, self._measured(recording), self.still)
        )

    def _measured(self, recording: Recording) -> Measured:
        windows = Windows.of(
            recording.n_frames,
            fps=recording.fps,
            patch_seconds=self.patch_seconds,
            window_seconds=self.window_seconds,
        )
        return KINDS[self.kind].measure(recording, windows)

    def _scaled(self, recording: Recording, channels: np.ndarray) -> Recording:
        weights = KINDS[self.kind].weights(recording)
        known = ~np.isnan(channels).all(axis=2, keepdims=True)
        rest = (channels - self._own_mean(recording, channels)) / self.factor
        rest = np.nan_to_num(rest * np.array(list(weights.values())))
        return recording.noted(
            f"statistics of {self.window_seconds:g} s every {self.patch_seconds:g} s",
            skeleton=np.where(known, rest, np.nan).astype(np.float32),
            channel_names=tuple(weights),
            fps=self.rate,
            unit="unknown",
        )

    def _own_mean(self, recording: Recording, channels: np.ndarray) -> np.ndarray:
        """What is usual of whoever is being recorded; of people in general, where they are new.

        Not of the one recording there is of somebody new: it is too little to tell who moves from what
        is being done.
        """
        if self.own_mean == "recording":
            return known_mean(channels)
        whose = _whose(recording, self.own_mean)
        if whose in self.persons:
            return np.asarray(self.means[self.persons.index(whose)])
        return known_mean(self.means)


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
    described = KINDS[kind]
    nothing = np.zeros((1, 1))
    blank = FrontEnd(kind, patch_seconds, window_seconds, own_mean, nothing, (), nothing, nothing)
    measured = [blank._measured(recording) for recording in recordings]
    spreads = np.concatenate([m.spreads for m in measured])
    still = described.still_share * np.nan_to_num(np.sqrt(known_mean(spreads**2)))
    channels = [
        described.finish(recording, m, still)
        for recording, m in zip(recordings, measured, strict=True)
    ]
    shape = channels[0].shape[1:]
    flat = [c.reshape(len(c), -1) for c in channels]
    whose = [_whose(recording, own_mean) for recording in recordings]
    means = means_by_person(flat, whose)
    rest = [
        f - (known_mean(f) if own_mean == "recording" else means[name])
        for f, name in zip(flat, whose, strict=True)
    ]
    front_end = FrontEnd(
        kind=kind,
        patch_seconds=patch_seconds,
        window_seconds=window_seconds,
        own_mean=own_mean,
        still=still,
        persons=tuple(means),
        means=np.stack(list(means.values())).reshape(-1, *shape),
        factor=scale_of(rest, sizes_of(flat)).reshape(shape),
    )
    made = [front_end._scaled(r, c) for r, c in zip(recordings, channels, strict=True)]
    return front_end, made


def _whose(recording: Recording, own_mean: Whose) -> str:
    """Name under which a recording's mean is kept."""
    return (recording.person or "") if own_mean == "person" else ""
