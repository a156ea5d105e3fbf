"""Where the files of a dataset lie, and what tells that they are the right ones."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file of a dataset that can be fetched without a person.

    Attributes:
        url: Where to fetch it, by http or https; of a git repository, at a fixed commit.
        path: Where to put it, under the dataset's folder; with slashes.
        size: Bytes, where known.
        sha256: Its SHA-256, where known.
        packed: Whether it is an archive to unpack in the dataset's folder.
    """

    url: str
    path: str
    size: int | None = None
    sha256: str | None = None
    packed: bool = False


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """What many files together should be.

    Attributes:
        pattern: Pattern of their names, as `Seq*_*.csv`.
        n_files: How many there are.
        sha256: One SHA-256 over name and bytes of each, in order of the names.
    """

    pattern: str
    n_files: int
    sha256: str

    def fault(self, folder: Path) -> str:
        """What is wrong with these files in a folder; empty where they are as they should be."""
        files = sorted(folder.rglob(self.pattern))
        if len(files) != self.n_files:
            return f"{folder}: {len(files)} files {self.pattern}, expected {self.n_files}"
        if (found := fingerprint(files)) != self.sha256:
            return (
                f"{folder}: the {self.n_files} files {self.pattern} are not those this version of "
                f"histvq knows: SHA-256 over all is {found}, expected {self.sha256}. Results may "
                "differ from published ones"
            )
        return ""


def fingerprint(files: Iterable[Path]) -> str:
    """One SHA-256 for several files: over name and bytes of each, in order of the names."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.name):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
