"""Positions: how each joint is held, and how fast it moves along each axis.

A window weighs frames by a Gaussian. Axes count apart: a knee that goes up and down is not one that goes
to and fro. Other quantities beside positions, such as turns of a joint, are treated alike.
"""

from collections.abc import Sequence

import numpy as np

from histvq.recording import Recording
from histvq.statistics.channels import Kind, Measured, Tempo, log_above
from histvq.statistics.memory import movement_memory
from histvq.statistics.smoothing import SPREAD_OF_A_BOX, velocities, weighted_mean
from histvq.windowing import Windows

# Chosen on the CMU exercises, 1 to 2; taken over for PRECOG.
SPEED_WEIGHT = 2.0


def weights(recording: Recording) -> dict[str, float]:
    """Means, then log speeds."""
    names = recording.channel_names
    return {f"{name}_mean": 1.0 for name in names} | {
        f"{name}_log_speed": SPEED_WEIGHT for name in names
    }


def measure(recording: Recording, windows: Windows) -> Measured:
    """Mean place and root mean square speed of each joint along each axis.

    Args:
        recording: Positions relative to the root.
        windows: A window is as wide as a Gaussian with the spread of a box of that length. A joint of
            which the box itself shows nothing was not measured, though the Gaussian reaches further.
    """
    spread = windows.window_frames * SPREAD_OF_A_BOX
    # What lies between two frames goes to the later one, also where rounding pulls it down.
    at = np.minimum((windows.middles + 1e-9).astype(int), recording.n_frames - 1)
    shape = (windows.n_patches, *recording.skeleton.shape[1:])
    means, speeds = np.empty(shape), np.empty(shape)
    for joint in range(shape[1]):  # one by one: copies of a long recording are large
        places = recording.skeleton[:, joint]
        before = np.concatenate([[0], (~np.isnan(places)).any(axis=1).cumsum()])
        unseen = before[windows.stops] == before[windows.starts]
        means[:, joint] = weighted_mean(places, spread)[at]
        moved = velocities(places, fps=recording.fps)
        speeds[:, joint] = np.sqrt(weighted_mean(moved**2, spread)[at])
        means[unseen, joint] = speeds[unseen, joint] = np.nan
    return Measured({"mean": means}, speeds)


def finish(recording: Recording, measured: Measured, still: np.ndarray) -> np.ndarray:
    """Means, and logarithms of the speeds."""
    return np.concatenate([measured.plain["mean"], log_above(measured.spreads, still)], axis=2)


def tempo(recordings: Sequence[Recording]) -> Tempo:
    """Windows as long as people go on moving as they do, four patches in each.

    A change costs what 0.3 windows cost: within it, a patch or two that look otherwise are no action.
    """
    memory = movement_memory(recordings)
    return Tempo(patch_seconds=memory / 4, window_seconds=memory, stay=1.2)


# A tenth, not a hundredth as for sensors: tracked positions are noisier, their differences more so.
POSITIONS = Kind(weights, measure, finish, tempo, still_share=0.1)
