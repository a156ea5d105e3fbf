"""Where the answers of pieces lie: one safetensors file a piece, whole or not there.

Its arrays are the answers, its words as JSON all the rest. No file is ever unpickled.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from histvq.errors import FileFormatError
from histvq.remote import is_remote, listed, read_bytes, remove
from histvq.remote import write_bytes as put_at
from histvq.tensorfile import read_safetensors
from histvq.writing import write_bytes

Arrays = Mapping[str, np.ndarray]
WORDS = "piece"


@dataclass(frozen=True)
class Store:
    """A folder that all machines see.

    Attributes:
        place: Its whole path, or its address.
    """

    place: str

    def read(self, name: str) -> bytes | None:
        """What is in a small file; None where there is none."""
        if is_remote(self.place):
            return read_bytes(f"{self.place}/{name}")
        try:
            return (Path(self.place) / name).read_bytes()
        except OSError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all; one that a loss of power damages is made anew."""
        if is_remote(self.place):
            put_at(f"{self.place}/{name}", content)
        else:
            write_bytes(Path(self.place) / name, content, lasting=False)

    def put(self, key: str, arrays: Arrays, about: Mapping[str, Any]) -> None:
        """Keep what came of a piece."""
        words = json.dumps(about, ensure_ascii=True, allow_nan=False)
        whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        self.write(_name(key), save(whole, metadata={WORDS: words}))

    def get(self, key: str) -> tuple[Arrays, dict[str, Any]] | None:
        """What came of a piece; None where it is not there, or no longer whole."""
        if not is_remote(self.place):
            return _read(Path(self.place) / _name(key))
        content = self.read(_name(key))
        if content is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            return _read(write_bytes(Path(folder) / "piece", content, lasting=False))

    def remove(self) -> None:
        """Remove all of it."""
        if not is_remote(self.place):
            shutil.rmtree(self.place, ignore_errors=True)
            return
        with suppress(FileFormatError):  # there is none
            for address in listed(self.place):
                remove(address)


def _name(key: str) -> str:
    return f"{key}.safetensors"


def _read(file: Path) -> tuple[Arrays, dict[str, Any]] | None:
    if not file.is_file():
        return None
    try:
        arrays, words = read_safetensors(file)
        return arrays, json.loads(words[WORDS])
    except (FileFormatError, KeyError, ValueError, RecursionError):
        return None
