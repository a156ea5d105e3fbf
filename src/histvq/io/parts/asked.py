"""What a file does not say and nobody may guess: its frame rate, its unit."""

from pathlib import Path

from histvq.errors import FileFormatError

_UNITS = {
    "mm": ("millimetre", "millimeter"),
    "cm": ("centimetre", "centimeter"),
    "m": ("metre", "meter"),
    "inch": ("in", "inches"),
    "px": ("pixel",),
}
_NAMES = {
    spelling: unit
    for unit, words in _UNITS.items()
    for word in (unit, *words)
    for spelling in (word, f"{word}s")
} | {"ms": "ms"}  # milliseconds, not metres


class NotSaidError(FileFormatError):
    """A file does not say something, and it was not given either.

    Attributes:
        option: Name of the reader's option that would say it.
    """

    def __init__(self, message: str, *, option: str) -> None:
        super().__init__(message)
        self.option = option


def given_fps(fps: float | None, path: Path, *, format: str) -> float:
    """The frame rate as given.

    Raises:
        NotSaidError: If it was not.
    """
    if fps is None:
        raise NotSaidError(
            f"{path}: no frame rate in {format} files. Pass fps= (--fps), as fps=60", option="fps"
        )
    return fps


def given_unit(unit: str | None, path: Path, *, format: str, example: str = "mm") -> str:
    """The unit as given, under its short name.

    Raises:
        NotSaidError: If it was not.
    """
    if unit is None or not unit.strip():
        raise NotSaidError(
            f"{path}: no unit in {format} files. Pass unit= (--unit), as unit={example!r}; "
            "unit='unknown' takes the numbers as they are",
            option="unit",
        )
    return unit_name(unit)


def unit_name(unit: str) -> str:
    """The short name of a unit of length, `mm` for `Millimeters`; other units as they are."""
    unit = unit.strip()
    return _NAMES.get(unit.lower(), unit)
