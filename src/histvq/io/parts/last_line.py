"""Whether the last number of a text file may be cut short."""

import warnings
from pathlib import Path

from histvq.errors import DataWarning


def warn_if_cut(text: str, path: Path) -> None:
    """Warn of a last line without line end, unless its last two numbers have as many decimals.

    A file cut within its last number has all its lines and numbers; only the missing line end
    tells. But some programs never write it; most of them give all numbers the same decimals.
    """
    if not text or text[-1].isspace():
        return
    last_two = text[-200:].split()[-2:]
    decimals = [len(number.partition(".")[2]) for number in last_two]
    if len(decimals) < 2 or decimals[1] < max(decimals[0], 1):
        warnings.warn(
            f"{path.name}: the last line has no line end, so its last number, {last_two[-1][-20:]}, "
            "may be cut short. Fetch the file again, or add the line end if it is whole",
            DataWarning,
            stacklevel=4,
        )
