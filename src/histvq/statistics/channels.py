"""What a kind of data says of the channels its windows give."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from histvq.recording import Recording
from histvq.windowing import Windows


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured in the windows of one recording; NaN where nothing was.

    Attributes:
        plain: By name, (patch, joint, value): what needs no knowledge of other recordings.
        spreads: (patch, joint, spread): at least 0; how still is still is told from all of them.
    """

    plain: dict[str, np.ndarray]
    spreads: np.ndarray


@dataclass(frozen=True)
class Tempo:
    """Scales of time.

    Attributes:
        patch_seconds: Time from patch to patch.
        window_seconds: Length of the window around the middle of each.
        stay: Price of a change of action, in patches at their usual squared distance to their action.
    """

    patch_seconds: float
    window_seconds: float
    stay: float


@dataclass(frozen=True, eq=False)
class Kind:
    """How the channels of one kind of data are made.

    Attributes:
        weights: From a recording, for its channels: the name of each channel it will have, and how much
            it weighs once it is scaled to a standard deviation of 1.
        measure: From a recording and its windows.
        finish: From what was measured and (joint, spread), how still is still, to (patch, joint,
            channel). Called after all recordings were measured.
        tempo: What scales of time suit these recordings, where nobody says.
        still_share: What is below this share of a joint's usual spread counts as still.
    """

    weights: Callable[[Recording], dict[str, float]]
    measure: Callable[[Recording, Windows], Measured]
    finish: Callable[[Recording, Measured, np.ndarray], np.ndarray]
    tempo: Callable[[Sequence[Recording]], Tempo]
    still_share: float


def log_above(spreads: np.ndarray, still: np.ndarray) -> np.ndarray:
    """Logarithm of spreads to which stillness was added; NaN for what is still throughout the data."""
    with np.errstate(divide="ignore"):
        logs = np.log(spreads + still)
    return np.where(np.isneginf(logs), np.nan, logs)
