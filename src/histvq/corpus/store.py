"""Where the answers of pieces lie: one safetensors file a piece, whole or not there.

Its arrays are the answers, its words as JSON all the rest. No file is ever unpickled.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save

from histvq.errors import FileFormatError
from histvq.tensorfile import read_safetensors
from histvq.writing import write_bytes

Arrays = Mapping[str, np.ndarray]
WORDS = "piece"


@dataclass(frozen=True)
class Store:
    """A folder that all machines see.

    Attributes:
        place: The folder.
    """

    place: str

    def read(self, name: str) -> bytes | None:
        """A small file; None where there is none."""
        try:
            return (Path(self.place) / name).read_bytes()
        except OSError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all; one that a loss of power damages is made anew."""
        write_bytes(Path(self.place) / name, content, lasting=False)

    def put(self, key: str, arrays: Arrays, about: Mapping[str, Any]) -> None:
        """Keep what came of a piece."""
        words = json.dumps(about, ensure_ascii=True, allow_nan=False)
        whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        self.write(_name(key), save(whole, metadata={WORDS: words}))

    def get(self, key: str) -> tuple[Arrays, dict[str, Any]] | None:
        """What came of a piece; None where it is not there, or no longer whole."""
        place = Path(self.place) / _name(key)
        if not place.is_file():
            return None
        try:
            arrays, words = read_safetensors(place)
            return arrays, json.loads(words[WORDS])
        except (FileFormatError, SafetensorError, KeyError, ValueError, RecursionError):
            return None

    def remove(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.place, ignore_errors=True)


def _name(key: str) -> str:
    return f"{key}.safetensors"
