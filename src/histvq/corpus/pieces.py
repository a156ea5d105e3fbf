"""A corpus in pieces: groups of files that one worker answers for at a time."""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from histvq.io.parts.finding import Entry

# So many pieces are enough to keep workers evenly busy, and for a kill to cost little.
ENOUGH = 1500
MOST = 64


@dataclass(frozen=True, slots=True)
class Piece:
    """Some files, in order.

    Attributes:
        key: By which its answers are found again: the same for the same files, model and options.
        entries: The files.
    """

    key: str
    entries: tuple[Entry, ...]


def usual_size(n_files: int) -> int:
    """About how many files a piece of so large a corpus is to have: a power of two."""
    size = 1
    while size < MOST and 2 * size * ENOUGH <= n_files:
        size *= 2
    return size


def cut(entries: Sequence[Entry], *, size: int, about: str) -> Iterator[Piece]:
    """Consecutive files as pieces of about `size`, twice that at most.

    A piece ends where a digest of a file's own name says so, so that a file more or less changes
    the piece it is in, and seldom the next.

    Args:
        entries: All files, in order.
        size: As `usual_size`.
        about: What else answers depend on: model, options.
    """
    start = 0
    for place, entry in enumerate(entries, start=1):
        ends = zlib.crc32(entry.path.encode("utf-8", "surrogateescape")) % size == 0
        if ends or place - start == 2 * size or place == len(entries):
            yield piece_of(entries[start:place], about=about)
            start = place


def piece_of(entries: Sequence[Entry], *, about: str) -> Piece:
    """These files as one piece."""
    said = "\0".join([about, *(repr(entry) for entry in entries)])
    digest = hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()
    return Piece(digest[:32], tuple(entries))
