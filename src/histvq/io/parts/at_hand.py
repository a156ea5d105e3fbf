"""Paths and addresses as paths of this machine, for as long as they are read."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from histvq.errors import FileFormatError
from histvq.remote import Address, Copies, as_path, copies, is_remote


@dataclass(frozen=True)
class AtHand:
    """Files and folders of this machine, and how they are called.

    Attributes:
        paths: What was given, addresses as copies.
        faults: What could not be brought, and why.
        copies: Those that were made; None where no address was given.
    """

    paths: list[Path]
    faults: dict[Path, str]
    copies: Copies | None

    def name(self, path: Path) -> Path:
        """The address of a copy; another path as it is."""
        return path if self.copies is None else as_path(self.copies.in_words(str(path)))

    def words(self, text: str) -> str:
        """A text that calls copies by their addresses."""
        return text if self.copies is None else self.copies.in_words(text)


@contextmanager
def at_hand(paths: str | Path | Iterable[str | Path]) -> Iterator[AtHand]:
    """Bring what lies at addresses; an address that gives nothing is among the faults.

    Raises:
        ConfigError: If no file can be brought from there at all, as without a package or credentials.
        HistvqError: Those raised while this lasts, in words of addresses.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if not any(map(is_remote, given)):
        yield AtHand(list(map(Path, given)), {}, None)
        return
    with copies() as made, made.errors_in_words():
        here, faults = [], dict[Path, str]()
        for path in given:
            try:
                here.append(made.bring(str(path)) if is_remote(path) else Path(path))
            except (FileFormatError, OSError) as error:
                faults[Address(path)] = str(error)
        faults |= {Address(address): str(error) for address, error in made.faults.items()}
        yield AtHand(here, faults, made)
