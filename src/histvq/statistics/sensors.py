"""Which channels of a recording come from which inertial sensor."""

from collections.abc import Callable
from dataclasses import dataclass

from histvq.recording import Recording, quantity_of
from histvq.windows import turning


@dataclass(frozen=True)
class Sensors:
    """Channels of an inertial recording, by their places.

    Attributes:
        quantities: Name of each quantity, and its channels.
        held: Channels whose mean tells a posture: all but rates of turning, which average to nothing.
        accelerometer: Its three channels, or none.
        gyroscope: Likewise.
    """

    quantities: dict[str, list[int]]
    held: list[int]
    accelerometer: list[int]
    gyroscope: list[int]

    @classmethod
    def of(cls, recording: Recording) -> "Sensors":
        """Those of a recording; of several alike, the first one."""
        names = recording.channel_names
        quantities: dict[str, list[int]] = {}
        for channel, name in enumerate(names):
            quantities.setdefault(quantity_of(name), []).append(channel)

        def triple(fits: Callable[[str], bool]) -> list[int]:
            return next((cs for q, cs in quantities.items() if fits(q) and len(cs) == 3), [])

        return cls(
            quantities=quantities,
            held=[c for c, name in enumerate(names) if not turning(quantity_of(name))],
            accelerometer=triple(_accelerates),
            gyroscope=triple(turning),
        )

    @property
    def pairs(self) -> tuple[list[int], list[int]]:
        """Every axis of the accelerometer with every axis of the gyroscope."""
        a, g = self.accelerometer, self.gyroscope
        return [axis for axis in a for _ in g], [axis for _ in a for axis in g]

    @property
    def quantity_places(self) -> list[int]:
        """Of each channel, the place of its quantity among all of them."""
        places = {c: place for place, cs in enumerate(self.quantities.values()) for c in cs}
        return [places[channel] for channel in range(len(places))]


def is_inertial(recording: Recording) -> bool:
    """Whether there is an accelerometer or a gyroscope among its channels, and no position."""
    quantities = {quantity_of(name).lower() for name in recording.channel_names}
    return any(_accelerates(q) or turning(q) for q in quantities) and "position" not in quantities


def _accelerates(quantity: str) -> bool:
    return quantity.lower().startswith("acc")
