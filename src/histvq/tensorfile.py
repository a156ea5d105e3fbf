"""Arrays of a safetensors file from anybody.

The library holds what a header claims against the file before it makes anything. Here the file's size and
that of its header are bounded first, and what the library lets through is brought in order.
"""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from histvq.errors import FileFormatError

HEADER_BYTES = 2**22  # a hundred times what any model of ours has
FILE_BYTES = 2**32


def read_safetensors(
    place: str | Path, *, at_most_bytes: int = FILE_BYTES
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of a file by name, and the words its writer left beside them.

    Args:
        place: The file.
        at_most_bytes: A larger file is refused unread.

    Raises:
        FileFormatError: If it is missing, damaged or too large.
    """
    path = Path(place)
    try:
        _check_size(path, at_most_bytes)
        with safe_open(path, framework="numpy") as file:
            arrays = {name: _in_order(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
            return arrays, dict(file.metadata() or {})
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise FileFormatError(f"{path}: cannot be read ({what}); save it again") from error


def _check_size(path: Path, at_most_bytes: int) -> None:
    """Raise ValueError if the file, or what it says is its header, is too large."""
    n_bytes = path.stat().st_size
    if n_bytes > at_most_bytes:
        raise ValueError(f"{n_bytes:,} bytes, where {at_most_bytes:,} are the most")
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > HEADER_BYTES:
        raise ValueError("no safetensors file, or one cut short")


def _in_order(array: np.ndarray) -> np.ndarray:
    """The array, whose bytes may be neither True nor False where it says it is of those."""
    return array.view(np.uint8) != 0 if array.dtype == np.bool_ else array
