"""A corpus answered for on a cluster: listed here, read and answered there, put together here."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from histvq import io
from histvq.cluster import Cluster, Failed, work_through
from histvq.corpus.asked import Asked, Reading, SavedModel
from histvq.corpus.findings import FileFindings, Findings
from histvq.corpus.gathering import Gathered, Gathering
from histvq.corpus.listing import all_places
from histvq.corpus.pieces import Piece, cut, piece_of, usual_size
from histvq.corpus.seen import claimed, store_in
from histvq.corpus.spool import Spool
from histvq.corpus.store import Arrays, Store
from histvq.corpus.working import ASKED, Done, answered
from histvq.errors import ConfigError, HistvqError
from histvq.io.parts.finding import Look

SIZE = "size.txt"
# After so many recordings of which none takes an option, none will.
ENOUGH_TO_TELL = 64

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Work:
    """What was done for a corpus.

    Attributes:
        n_files: How many files there are.
        n_before: How many of them were done by an earlier command.
    """

    gathered: Gathered
    n_files: int
    n_before: int


@contextmanager
def answers_of(
    cluster: Cluster,
    model: SavedModel,
    files: Sequence[str | Path],
    folder: Path,
    *,
    out: Path | None = None,
    reading: Reading,
    strict: bool = False,
    left_out: Mapping[str, str] = {},
    progress: Progress | None = None,
) -> Iterator[Work]:
    """Answers for all these files and folders; their labels are mapped, and there until the block ends.

    What was finished stays in `folder/pieces`, and is not done again by the same command; see `cleared`.

    Args:
        cluster: Whose workers see the files and the folder.
        model: What answers.
        files: Files and folders.
        folder: Of the results, there already.
        out: Where that is brought in the end, if it is an address: pieces are kept there.
        reading: How to read the files.
        strict: Raise at whatever file that cannot be read or answered, after all were tried.
        left_out: As for `Gathering.end`.
        progress: Called with how many files are done and how many there are.

    Raises:
        ConfigError: If workers do not see the folder, or an option is none of these files' readers'.
        HistvqError: If nothing can be read or answered.
    """
    readers = io.readers_for(reading.format)
    io.check_people(reading.people)
    named = list(all_places(files, readers, format=reading.format))
    entries = [entry for place in named for entry in place.entries]
    asked = Asked(claim=claimed(out or folder), reading=reading, model=model)
    store, about = asked.claim.store, asked.about
    pieces = list(cut(entries, size=_size(store, len(entries)), about=about))
    cluster.share(ASKED, asked)
    watch = _Watch(reading, len(entries), progress)
    given_up = dict(_worked_through(cluster, pieces, watch, about=about))
    with Spool(folder) as spool:
        gathering = Gathering(spool)
        for piece in pieces:
            for part, findings in _parts(piece, given_up):
                arrays, findings = ({}, findings) if findings else _written(store, part)
                gathering.add(findings, arrays)
        gathered = gathering.end(
            named, format=reading.format, options=reading.options, strict=strict, left_out=left_out
        )
        work = Work(gathered, len(entries), watch.n_before)
        # What is said of each file takes as much room as all that is still to come.
        del gathering, gathered, pieces, entries, named, given_up
        yield work


def cleared(out: Path) -> None:
    """Remove the pieces, once the run's folder holds all that was in them."""
    store_in(out).remove()


def _written(store: Store, piece: Piece) -> tuple[Arrays, Findings]:
    found = store.get(piece.key)
    if found is None:
        raise HistvqError(
            f"{store.place}: the answers for {piece.entries[0].path} are not there, though a worker "
            "wrote them. Give the same command again"
        )
    return found[0], Findings.of_words(found[1])


def _size(store: Store, n_files: int) -> int:
    """How many files a piece has: as before, or a few files more might let all be done again."""
    try:
        return max(1, int(store.read(SIZE) or b""))
    except ValueError:
        size = usual_size(n_files)
        store.write(SIZE, str(size).encode())
        return size


class _Watch:
    """What is heard of pieces while they are worked through."""

    def __init__(self, reading: Reading, n_files: int, progress: Progress | None) -> None:
        self.reading, self.n_files, self.progress = reading, n_files, progress
        self.n_done = self.n_before = self.n_recordings = 0
        self.formats: dict[str, None] = {}

    def heard(self, done: Done) -> None:
        """Raise if nothing can be done at all."""
        if done.refused is not None:
            raise (ConfigError if done.usage else HistvqError)(done.refused)
        self.n_before += done.n_files * done.before
        self.n_recordings += done.n_recordings
        self.formats |= dict.fromkeys(done.formats)
        if self.n_recordings >= ENOUGH_TO_TELL:
            io.check_options(self.reading.options, self.formats)
            self.n_recordings = -(10**18)  # once
        self.passed(done.n_files)

    def passed(self, n_files: int) -> None:
        self.n_done += n_files
        if self.progress is not None:
            self.progress(self.n_done, self.n_files)


def _worked_through(
    cluster: Cluster, pieces: Sequence[Piece], watch: _Watch, *, about: str
) -> Iterator[tuple[str, list[tuple[Piece, Findings | None]]]]:
    """Have all pieces done; of those that cannot be, their files one by one, by the pieces' keys."""
    failed = _failed(cluster, pieces, watch)
    singles = {
        piece.key: [piece_of([entry], about=about) for entry in piece.entries]
        for piece, _ in failed
    }
    each = [one for ones in singles.values() if len(ones) > 1 for one in ones]
    alone = [(piece, why) for piece, why in failed if len(piece.entries) == 1]
    given_up = dict(alone + _failed(cluster, each, watch))
    watch.passed(len(given_up))
    for key, ones in singles.items():
        yield key, [(one, given_up.get(one)) for one in ones]


def _failed(
    cluster: Cluster, pieces: Sequence[Piece], watch: _Watch
) -> list[tuple[Piece, Findings]]:
    """Have pieces done; gives those of which nothing came, with what is to be said of a file."""
    failed = []
    for piece, done in work_through(cluster, answered, pieces, n_tasks=len(pieces)):
        if isinstance(done, Failed):
            look = Look(fault=_given_up(piece, done))
            failed.append((piece, Findings(files=(FileFindings(look=look),))))
        else:
            watch.heard(done)
    return failed


def _given_up(piece: Piece, failed: Failed) -> str:
    path = piece.entries[0].path
    if failed.lost_workers:
        return (
            f"{path}: the processes that were to read and answer it ended, each time it was tried, most "
            "likely for lack of memory. Cut it into several, or give workers more memory"
        )
    return f"{path}: given up after several tries ({failed.why}); please report it"


def _parts(
    piece: Piece, given_up: Mapping[str, list[tuple[Piece, Findings | None]]]
) -> Iterable[tuple[Piece, Findings | None]]:
    return given_up.get(piece.key, [(piece, None)])
