"""What every worker must know: sent to each once."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from histvq.corpus.seen import Claim
from histvq.errors import FileFormatError
from histvq.modelfile import FILES, read_description

# Of the piece files; another one lets all be done again.
FORMAT = 2


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How files are to be read, on whatever machine.

    Attributes:
        format: As for `histvq.io.read_many`.
        people: Likewise.
        options: For the readers.
        base: The folder from which paths begin that are not absolute.
    """

    format: str | None = None
    people: str = "together"
    options: Mapping[str, Any] = field(default_factory=dict)
    base: str = field(default_factory=os.getcwd)


@dataclass(frozen=True)
class SavedModel:
    """A model's folder as bytes.

    Attributes:
        files: Content by name.
        method: Of a class of one's own: that class, as `module:Class`.
        digest: By which it is known.
    """

    files: Mapping[str, bytes]
    method: str | None
    digest: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of the workers.

    Attributes:
        claim: The folder that piece files go to, as it is to be seen.
        reading: How files are read.
        model: What answers.
    """

    claim: Claim
    reading: Reading
    model: SavedModel

    @property
    def about(self) -> str:
        """What answers depend on besides the files."""
        said = {
            "format": FORMAT,
            "histvq": metadata.version("histvq"),
            "model": self.model.digest,
            "reading": asdict(self.reading),
        }
        return json.dumps(said, sort_keys=True, default=str)


def saved_model(folder: str | Path, method: str | None = None) -> SavedModel:
    """A saved model, to be sent.

    Raises:
        FileFormatError: If the folder holds no model.
    """
    read_description(folder)  # tells what is wrong with it
    try:
        found = {
            name: (Path(folder) / name).read_bytes()
            for name in FILES
            if (Path(folder) / name).is_file()
        }
    except OSError as error:
        raise FileFormatError(f"{folder}: cannot be read ({error.strerror})") from error
    digest = hashlib.sha256(repr(method).encode())
    for name, content in found.items():
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return SavedModel(found, method, digest.hexdigest())
