"""A fitted method on disk: a folder with safetensors and JSON, never pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from histvq.errors import FileFormatError
from histvq.reading import read_json
from histvq.tensorfile import read_safetensors
from histvq.writing import atomically, write_text

FORMAT = 1
TENSORS, DESCRIPTION = "model.safetensors", "model.json"


def write_model(
    path: str | Path, *, description: Mapping[str, Any], tensors: Mapping[str, np.ndarray]
) -> None:
    """Write a model folder; each file appears whole or not at all.

    Args:
        path: The folder, made where it does not exist.
        description: JSON-ready; says the method's name under `method`.
        tensors: Learned arrays by name.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    atomically(folder / TENSORS, lambda part: save_file(arrays, part))
    text = json.dumps({"format": FORMAT, **description}, indent=2, allow_nan=False) + "\n"
    write_text(folder / DESCRIPTION, text)


def read_description(path: str | Path) -> dict[str, Any]:
    """What a model folder says of itself.

    Raises:
        FileFormatError: If it is no model folder, or one of a newer version.
    """
    place = Path(path) / DESCRIPTION
    if not place.is_file():
        inner = Path(path) / "model"
        hint = f"; did you mean {inner}?" if (inner / DESCRIPTION).is_file() else ""
        raise FileFormatError(f"{path}: no {DESCRIPTION} in it, so it is not a saved model{hint}")
    try:
        description: dict[str, Any] = read_json(place, finite=True)
        version = int(description["format"])
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise FileFormatError(f"{place}: not the description of a model ({error})") from error
    if version > FORMAT:
        raise FileFormatError(
            f"{place}: written by a newer histvq (format {version}, this one reads up to {FORMAT}); "
            "upgrade with pip install -U histvq"
        )
    return description


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """The learned arrays of a model folder.

    Raises:
        FileFormatError: If the file is missing or damaged.
    """
    tensors, _ = read_safetensors(Path(path) / TENSORS)
    return tensors
