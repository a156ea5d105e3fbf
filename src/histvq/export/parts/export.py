"""What an export is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Export:
    """One format for other tools.

    A new format is one file that makes such an object, and one line in `histvq.export.EXPORTS`.

    Attributes:
        description: What people call it.
        place: Name of the file or folder it makes, inside the folder of all exports.
        write: `write(place, answers, *, recordings=(), media=None)`; returns the place.
    """

    description: str
    place: str
    write: Callable[..., Path]
