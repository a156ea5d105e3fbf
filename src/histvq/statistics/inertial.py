"""Inertial sensors: posture, energy, shaking, swing, coupling, and how fast the ground goes up or down.

Windows are boxes: every frame in them weighs the same.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from histvq.blocks import blocks
from histvq.recording import Recording
from histvq.statistics.channels import Kind, Measured, Tempo, log_above
from histvq.statistics.resting import vertical_speed
from histvq.statistics.sensors import Sensors
from histvq.windowing import Windows, known_mean, middle_of, moments

# Variance of each channel of a block, and the one that all channels of a block share. Chosen on the
# odd-numbered people of HuGaDB.
OF_EACH = {"posture": 1.0, "energy": 1.0, "shake": 0.5}
SHARED = {"swing": 1.0, "coupling": 2.0, "vertical": 2.0}
# What is below the first share of a sensor's usual spread counts as still; what is below the second has
# no swing or coupling to speak of.
STILL, LIVELY = 0.01, 0.03
# Numbers of a recording that are looked at in one go.
VALUES_A_BLOCK = 2**18


def weights(recording: Recording) -> dict[str, float]:
    """Each block of channels that there are sensors for, one after the other."""
    sensors, names = Sensors.of(recording), recording.channel_names
    members = {
        "posture": [f"{names[c]}_mean" for c in sensors.held],
        "energy": [f"{quantity}_log_spread" for quantity in sensors.quantities],
        "shake": [f"{quantity}_log_shake" for quantity in sensors.quantities],
        "swing": [f"{names[c]}_swing" for c in sensors.gyroscope],
        "coupling": [f"{names[a]}_with_{names[g]}" for a, g in zip(*sensors.pairs, strict=True)],
        "vertical": ["vertical_speed"] if sensors.accelerometer else [],
    }
    variances = OF_EACH | {
        block: share / max(len(members[block]), 1) for block, share in SHARED.items()
    }
    return {name: float(np.sqrt(variances[block])) for block in members for name in members[block]}


def measure(recording: Recording, windows: Windows) -> Measured:
    """Moments of the windows of a recording.

    Plain are: `mean` of the channels that tell a posture; `third`, central moments of the gyroscope's
    axes; `together`, covariances of the accelerometer's axes with them; `acceleration` and `turning`,
    standard deviations of the axes; `vertical`, speed. Spreads are the standard deviations of each
    quantity, its axes taken together, then those of its change a second.

    Covariances take it that both sensors of a joint miss the same frames.
    """
    sensors = Sensors.of(recording)
    gyroscope, (a, g) = sensors.gyroscope, sensors.pairs
    vertical = _vertical(recording, windows)
    # Powers and products are of what lies around the middle, or they would cost the digits.
    middle = middle_of(_blocks(recording))

    def centred() -> Iterator[np.ndarray]:
        return (block - middle for block in _blocks(recording))

    mean, variance = _moments(windows, centred)
    cubes = _moments(windows, lambda: (_cube(b[:, :, gyroscope]) for b in centred()))[0]
    products = _moments(windows, lambda: (b[:, :, a] * b[:, :, g] for b in centred()))[0]
    of_change = _moments(windows, lambda: _changes(recording))[1]
    turned, square = mean[:, :, gyroscope], variance[:, :, gyroscope]
    acceleration = np.sqrt(variance[:, :, sensors.accelerometer])
    unfelt = np.isnan(acceleration).any(axis=2, keepdims=True)
    plain = {
        "mean": (mean + middle)[:, :, sensors.held],
        "third": cubes - 3 * turned * square - turned**3,
        "together": products - mean[:, :, a] * mean[:, :, g],
        "acceleration": acceleration,
        "turning": np.sqrt(square),
        "vertical": np.where(unfelt, np.nan, vertical),
    }
    squares = [
        known_mean(values[:, :, channels], axis=2)
        for values in (variance, of_change)
        for channels in sensors.quantities.values()
    ]
    return Measured(plain, np.sqrt(np.stack(squares, axis=2)))


def _cube(values: np.ndarray) -> np.ndarray:
    return values * values * values  # many times as fast as a power


def _moments(
    windows: Windows, frames: Callable[[], Iterator[np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each window, (patch, joint, value)."""
    parts = list(moments(frames, windows.starts, windows.stops))
    return np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts])


def _blocks(recording: Recording) -> Iterator[np.ndarray]:
    length = max(1, VALUES_A_BLOCK // recording.skeleton[0].size)
    return blocks(recording.skeleton, n_rows=length)


def _changes(recording: Recording) -> Iterator[np.ndarray]:
    """Block by block, by how much a second each channel changed since the frame before."""
    before = np.full((1, *recording.skeleton.shape[1:]), np.nan)
    for block in _blocks(recording):
        values = np.concatenate([before, block])  # float64, as `before` is
        yield np.diff(values, axis=0) * recording.fps
        before = values[-1:]


def _vertical(recording: Recording, windows: Windows) -> np.ndarray:
    """Mean vertical speed of each window, (patch, joint, 1); (patch, joint, 0) without accelerometer."""
    accelerometer = Sensors.of(recording).accelerometer
    if not accelerometer:
        return np.empty((windows.n_patches, len(recording.joint_names), 0))
    felt = np.empty(recording.skeleton.shape[:2])
    done = 0
    for block in _blocks(recording):
        rows = slice(done, done + len(block))
        felt[rows] = np.linalg.norm(block[:, :, accelerometer].astype(np.float64), axis=2)
        done += len(block)
    speed, first = vertical_speed(felt, fps=recording.fps)
    starts = np.searchsorted(first, windows.starts, "right") - 1
    stops = np.searchsorted(first, windows.stops - 1, "right")
    before = np.concatenate([np.zeros_like(speed[:1]), speed.cumsum(axis=0)])
    mean = (before[stops] - before[starts]) / (stops - starts)[:, None]
    return np.asarray(mean[:, :, None])


def finish(recording: Recording, measured: Measured, still: np.ndarray) -> np.ndarray:
    """The channels `weights` names.

    A swing is the skewness of an axis of the gyroscope, a coupling the correlation of an axis of the
    accelerometer with one of the gyroscope; both are near 0 where there is less movement than `LIVELY`
    asks for. How fast a sensor shakes is the logarithm of its rate of change over its spread.
    """
    sensors, plain = Sensors.of(recording), measured.plain
    energy, rates = np.split(log_above(measured.spreads, still), 2, axis=2)
    lively = still[:, sensors.quantity_places] * (LIVELY / STILL)  # (joint, channel)
    acceleration = np.hypot(plain["acceleration"], lively[:, sensors.accelerometer])
    turning = np.hypot(plain["turning"], lively[:, sensors.gyroscope])
    # Each axis of the one with every axis of the other, in the order of `Sensors.pairs`.
    of_pairs = np.repeat(acceleration, turning.shape[2], axis=2)
    of_pairs *= np.tile(turning, acceleration.shape[2])
    swing = _share(plain["third"], _cube(turning))
    coupling = np.clip(_share(plain["together"], of_pairs), -1, 1)
    return np.concatenate(
        [plain["mean"], energy, rates - energy, swing, coupling, plain["vertical"]], axis=2
    )


def _share(values: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The one over the other; NaN where the sensor was still throughout the data."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        shares = values / whole
    shares[np.isinf(shares)] = np.nan
    return shares


def tempo(recordings: Sequence[Recording]) -> Tempo:
    """A second and a half holds a stride, four patches a second tell when it changes, which is free.

    Not as with positions: how wildly sensors are moved goes on for as long as people walk or run, so
    how long movement lasts says nothing here. Chosen on the odd-numbered people of HuGaDB.
    """
    return Tempo(patch_seconds=0.25, window_seconds=1.5, stay=0.0)


INERTIAL = Kind(weights, measure, finish, tempo, still_share=STILL)
