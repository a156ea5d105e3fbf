"""A fitted method on disk: a folder with safetensors and JSON, never pickle."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from histvq.errors import FileFormatError
from histvq.reading import read_json
from histvq.tensorfile import read_safetensors
from histvq.writing import together, write_bytes, write_text

FORMAT = 1
TENSORS, TRANSFORMS, DESCRIPTION = "model.safetensors", "transforms.json", "model.json"
# All that a model consists of; the file that says what it is comes last.
FILES = (TENSORS, TRANSFORMS, DESCRIPTION)
# By which the description knows its arrays; models from before there was one lack it.
DIGEST = "tensors_sha256"


def write_model(
    path: str | Path, *, description: Mapping[str, Any], tensors: Mapping[str, np.ndarray]
) -> None:
    """Write a model folder: its files take their places together.

    Args:
        path: The folder, made where it does not exist.
        description: JSON-ready; says the method's name under `method`.
        tensors: Learned arrays by name.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    content = save(arrays)
    about = {"format": FORMAT, **description, DIGEST: hashlib.sha256(content).hexdigest()}
    text = json.dumps(about, indent=2, allow_nan=False) + "\n"
    with together(path, FILES) as place:
        write_bytes(place / TENSORS, content)
        write_text(place / DESCRIPTION, text)


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
    _check_pair(Path(path) / TENSORS, description.pop(DIGEST, None))
    return description


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """The learned arrays of a model folder.

    Raises:
        FileFormatError: If the file is missing or damaged.
    """
    tensors, _ = read_safetensors(Path(path) / TENSORS)
    return tensors


def _check_pair(tensors: Path, expected: str | None) -> None:
    """Raise unless these are the arrays the description is of: a kill between two renames parts them."""
    if expected is None or not tensors.is_file():
        return
    with tensors.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise FileFormatError(
            f"{tensors}: not the arrays that {DESCRIPTION} is about; the file was damaged, or writing "
            "the model was broken off. Save the model again"
        )
