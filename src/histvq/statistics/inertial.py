"""Inertial sensors: posture, energy, how fast they shake, how they swing, and the ground's vertical speed.

Each block of channels weighs as much as its size says: see `WEIGHTS`. Windows are boxes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from histvq.blocks import blocks
from histvq.recording import Recording, quantity_of
from histvq.statistics.channels import Kind, Measured, Tempo, log_above
from histvq.statistics.resting import vertical_speed
from histvq.windowing import Windows, known_mean, middle_of, moments

# Share of the variance that the channels of a block have together, of each quantity or pair of quantities.
# `posture` has 1 for each axis. Chosen on the odd-numbered people of HuGaDB.
WEIGHTS = {"energy": 1.0, "shake": 0.5, "swing": 1.0, "coupling": 2.0, "vertical": 2.0}
# What is below this share of a sensor's usual spread swings in no particular way.
LIVELY = 0.03
# Numbers of a recording that are looked at in one go.
VALUES_A_BLOCK = 2**18


@dataclass(frozen=True)
class Layout:
    """Which channels a recording has.

    Attributes:
        n_channels: All of them.
        quantities: Name of each quantity, and its channels.
        held: Channels whose mean tells a posture: all but rates of turning, which average to nothing.
        accelerometer: Its three channels, or none.
        gyroscope: Likewise.
    """

    n_channels: int
    quantities: dict[str, list[int]]
    held: list[int]
    accelerometer: list[int]
    gyroscope: list[int]

    @classmethod
    def of(cls, recording: Recording) -> "Layout":
        """That of a recording."""
        quantities: dict[str, list[int]] = {}
        for channel, name in enumerate(recording.channel_names):
            quantities.setdefault(quantity_of(name), []).append(channel)

        def triple(fits: Sequence[str]) -> list[int]:
            found = [c for q, c in quantities.items() if q.lower().startswith(tuple(fits))]
            return next((channels for channels in found if len(channels) == 3), [])

        turning = {c for q, cs in quantities.items() if _turns(q) for c in cs}
        return cls(
            n_channels=len(recording.channel_names),
            quantities=quantities,
            held=[c for c in range(len(recording.channel_names)) if c not in turning],
            accelerometer=triple(("acc",)),
            gyroscope=triple(_TURNING),
        )

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Every axis of the accelerometer with every axis of the gyroscope, if there are both."""
        return [(a, g) for a in self.accelerometer for g in self.gyroscope]


_TURNING = ("gyr", "angular", "rot")


def is_inertial(recording: Recording) -> bool:
    """Whether there is an accelerometer or a gyroscope among its channels, and no position."""
    quantities = {quantity_of(name).lower() for name in recording.channel_names}
    return (
        any(q.startswith(("acc", *_TURNING)) for q in quantities) and "position" not in quantities
    )


def _turns(quantity: str) -> bool:
    return quantity.lower().startswith(_TURNING)


def weights(recording: Recording) -> dict[str, float]:
    """Posture, energy, shake, swing, coupling and vertical speed, as far as there are sensors for them."""
    layout, names = Layout.of(recording), recording.channel_names
    of_each = {
        "energy": [f"{quantity}_log_spread" for quantity in layout.quantities],
        "shake": [f"{quantity}_log_shake" for quantity in layout.quantities],
        "swing": [f"{names[c]}_swing" for c in layout.gyroscope],
        "coupling": [f"{names[a]}_with_{names[g]}" for a, g in layout.pairs],
        "vertical": ["vertical_speed"] if layout.accelerometer else [],
    }
    shared = ("swing", "coupling", "vertical")  # by the channels of the block
    return {f"{names[c]}_mean": 1.0 for c in layout.held} | {
        name: float(np.sqrt(WEIGHTS[block] / (len(members) if block in shared else 1)))
        for block, members in of_each.items()
        for name in members
    }


def measure(recording: Recording, windows: Windows) -> Measured:
    """Moments of the windows of a recording.

    Plain are, in this order: means of the channels that have one, third central moments of the gyroscope,
    covariances of both sensors, their standard deviations axis by axis, vertical speed. Spreads are the
    standard deviations of each quantity, its axes taken together, then those of its change a second.
    """
    layout = Layout.of(recording)
    n, middle = layout.n_channels, middle_of(_blocks(recording))
    n_cubes, n_pairs = len(layout.gyroscope), len(layout.pairs)
    # Where an axis never was measured there is no middle, and nothing to be told.
    sides = [*layout.accelerometer, *layout.gyroscope]
    n_plain = len(layout.held) + n_cubes + n_pairs + len(sides) + bool(layout.accelerometer)
    n_joints = len(recording.joint_names)
    plain = np.empty((windows.n_patches, n_joints, n_plain))
    spreads = np.empty((windows.n_patches, n_joints, 2 * len(layout.quantities)))

    def derived() -> Iterator[np.ndarray]:
        return _derived(recording, layout, middle)

    for rows, mean, variance in moments(derived, windows.starts, windows.stops):
        first, cubes, products, _ = np.split(mean, np.cumsum([n, n_cubes, n_pairs]), axis=2)
        turned, square = first[:, :, layout.gyroscope], variance[:, :, layout.gyroscope]
        a, g = ([pair[side] for pair in layout.pairs] for side in (0, 1))
        plain[rows, :, : n_plain - bool(layout.accelerometer)] = np.concatenate(
            [
                (first + middle)[:, :, layout.held],
                cubes - 3 * turned * square - turned**3,
                products - first[:, :, a] * first[:, :, g],
                np.sqrt(variance[:, :, sides]),
            ],
            axis=2,
        )
        for which, channels in enumerate(layout.quantities.values()):
            spreads[rows, :, which] = np.sqrt(known_mean(variance[:, :, channels], axis=2))
            changes = np.array(channels) + n + n_cubes + n_pairs
            spreads[rows, :, which + len(layout.quantities)] = np.sqrt(
                known_mean(variance[:, :, changes], axis=2)
            )
    if layout.accelerometer:
        plain[:, :, -1] = _vertical(recording, layout, windows)
    return Measured(plain, spreads)


def _blocks(recording: Recording) -> Iterator[np.ndarray]:
    length = max(1, VALUES_A_BLOCK // max(1, recording.skeleton[0].size))
    return blocks(recording.skeleton, n_rows=length)


def _derived(recording: Recording, layout: Layout, middle: np.ndarray) -> Iterator[np.ndarray]:
    """Block by block: the channels around their middle, cubes of the gyroscope's, products of an axis of
    the accelerometer with one of the gyroscope, and changes of the channels a second.
    """
    before = np.full((1, *middle.shape), np.nan)
    a, g = ([pair[side] for pair in layout.pairs] for side in (0, 1))
    for block in _blocks(recording):
        values = block - middle
        changes = np.diff(np.concatenate([before, values]), axis=0) * recording.fps
        before = values[-1:]
        products = values[:, :, a] * values[:, :, g]
        yield np.concatenate([values, values[:, :, layout.gyroscope] ** 3, products, changes], 2)


def _vertical(recording: Recording, layout: Layout, windows: Windows) -> np.ndarray:
    """Mean vertical speed of each window, (patch, sensor)."""
    speed, first = vertical_speed(recording.skeleton[:, :, layout.accelerometer], fps=recording.fps)
    before = np.concatenate([np.zeros((1, speed.shape[1])), speed.cumsum(axis=0)])
    starts = np.searchsorted(first, windows.starts, "right") - 1
    stops = np.maximum(np.searchsorted(first, windows.stops - 1, "right"), starts + 1)
    return (before[stops] - before[starts]) / (stops - starts)[:, None]


def finish(recording: Recording, measured: Measured, still: np.ndarray) -> np.ndarray:
    """The channels `weights` names.

    A swing is the skewness of an axis of the gyroscope, a coupling the correlation of an axis of the
    accelerometer with one of the gyroscope; both are near 0 where there is less movement than `LIVELY`
    asks for. How fast a sensor shakes is the logarithm of its rate of change over its spread.
    """
    layout = Layout.of(recording)
    quantities, held = list(layout.quantities), len(layout.held)
    n_cubes, n_pairs = len(layout.gyroscope), len(layout.pairs)
    sizes = np.cumsum([held, n_cubes, n_pairs, len(layout.accelerometer), n_cubes])
    means, cubes, together, of_a, of_g, vertical = np.split(measured.plain, sizes, axis=2)
    logs = log_above(measured.spreads, still)
    energy, rates = np.split(logs, [len(quantities)], axis=2)
    # `still` is the share `still_share` of what is usual.
    usual = still * (LIVELY / INERTIAL.still_share)
    lively = {c: usual[:, [q]] for q, cs in enumerate(layout.quantities.values()) for c in cs}

    def floor(channels: Sequence[int]) -> np.ndarray:
        return (
            np.concatenate([lively[c] for c in channels], axis=1) if len(channels) else usual[:, :0]
        )

    of_pair = [
        np.sqrt(side**2 + floor(channels) ** 2)
        for side, channels in ((of_a, layout.accelerometer), (of_g, layout.gyroscope))
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        swing = cubes / of_pair[1] ** 3
        scale = (
            (of_pair[0][:, :, :, None] * of_pair[1][:, :, None, :]).reshape(together.shape)
            if n_pairs
            else together
        )
        coupling = together / scale
    return np.concatenate([means, energy, rates - energy, swing, coupling, vertical], axis=2)


def tempo(recordings: Sequence[Recording]) -> Tempo:
    """Two seconds hold a stride or two, and a change costs nothing.

    Not as with positions: how wildly sensors are moved goes on for as long as people walk or run.
    """
    return Tempo(patch_seconds=0.5, window_seconds=2.0, stay=0.0)


INERTIAL = Kind(weights, measure, finish, tempo, still_share=0.01)
