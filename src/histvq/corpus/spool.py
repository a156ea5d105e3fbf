"""Arrays of all pieces in one mapped file, so that their size is no matter of memory."""

import tempfile
from pathlib import Path
from typing import Self

import numpy as np

from histvq.errors import NotWrittenError

_ALIGNED = 8


class Spool:
    """A file without a name, gone with the process, in the folder of the results.

    One file, not one a piece: a process may hold open a thousand or so.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._size = 0
        self._mapped: np.ndarray | None = None

    def put(self, array: np.ndarray) -> tuple[str, int, int]:
        """Keep a one-dimensional array.

        Returns:
            What `get` must be told to have it again.

        Raises:
            NotWrittenError: If there is no room for it.
        """
        content = array.tobytes()
        padded = content + bytes(-len(content) % _ALIGNED)
        try:
            self._file.write(padded)
        except OSError as error:
            raise NotWrittenError(error.errno, error.strerror, str(self._folder)) from error
        place = (array.dtype.str, self._size, len(content))
        self._size += len(padded)
        return place

    def get(self, place: tuple[str, int, int]) -> np.ndarray:
        """An array that was kept, mapped."""
        dtype, start, n_bytes = place
        if not n_bytes:
            return np.empty(0, dtype)
        if self._mapped is None:
            self._file.flush()
            self._mapped = np.asarray(np.memmap(self._file, np.uint8, "r", shape=(self._size,)))
        return self._mapped[start : start + n_bytes].view(dtype)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
