"""The files of a piece on the machine that reads them, and what people call them."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from histvq.io.parts.finding import Entry
from histvq.remote import Copies, copies, is_remote


class Near:
    """Where files are here, and how texts about them name them.

    Attributes:
        base: The folder from which paths begin that are not absolute.
        copies: Of what lies at addresses; None where nothing does.
    """

    def __init__(self, base: str, copies: Copies | None) -> None:
        self.base = base
        self.copies = copies

    def path(self, entry: Entry) -> Path:
        """The file, or a copy of what is at its address, with what is read along with it.

        Raises:
            FileFormatError, OSError: If it cannot be brought.
        """
        if self.copies is None or not is_remote(entry.path):
            return Path(os.path.join(self.base, entry.path))
        for address in entry.along:
            self.copies.bring(address)
        return self.copies.bring(entry.path)

    def words(self, text: str, entry: Entry) -> str:
        """A text with the file's name as it was given."""
        if is_remote(entry.path):
            return text if self.copies is None else self.copies.in_words(text)
        return text if os.path.isabs(entry.path) else as_typed(text, self.base)


def as_typed(text: str, base: str) -> str:
    """A text with paths from a folder on, where they were given so."""
    return text.replace(os.path.join(base, ""), "")


@contextmanager
def near(base: str, paths: Iterable[str]) -> Iterator[Near]:
    """While this lasts, files are at hand; copies are gone at the end."""
    if not any(map(is_remote, paths)):
        yield Near(base, None)
        return
    with copies() as made:
        yield Near(base, made)
