"""On a worker: the files of a piece read and answered, and what came of them kept."""

import os
import tempfile
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from histvq import io
from histvq.blocks import all_missing
from histvq.cluster import shared
from histvq.corpus.asked import Asked, Reading, SavedModel
from histvq.corpus.findings import Answered, FileFindings, Findings, Once, Text
from histvq.corpus.joined import joined
from histvq.corpus.near import Near, near
from histvq.corpus.pieces import Piece
from histvq.corpus.seen import check_seen
from histvq.corpus.store import Store
from histvq.corpus.texts import rows_of
from histvq.errors import ConfigError, DataWarning, FileFormatError, HistvqError, NotWrittenError
from histvq.io.parts.attempting import attempt, state_of
from histvq.io.parts.finding import Entry, Look, Readers, looked_at
from histvq.io.parts.reader import Pair
from histvq.models import load_model
from histvq.outcomes import AT_ONCE, Outcome, outcomes
from histvq.remote import is_remote
from histvq.segmenter import Segmenter
from histvq.segments import Segmentation
from histvq.writing import write_bytes

ASKED = "corpus"
# Motion that is held to be answered at once; of a longer recording, that one alone.
HELD_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Done:
    """What the client hears of a piece.

    Attributes:
        n_files: How many files it has.
        n_recordings: How many were answered.
        formats: Of its files.
        before: Whether it was done before.
        refused: Why nothing can be done at all, on whatever piece; None where it can.
        usage: Whether that is a fault in what was asked.
    """

    n_files: int
    n_recordings: int = 0
    formats: tuple[str, ...] = ()
    before: bool = False
    refused: str | None = None
    usage: bool = False


def answered(piece: Piece) -> Done:
    """Answer for the files of a piece, unless that was done before, and keep the answers.

    A file that cannot be read or answered costs itself alone.
    """
    asked: Asked = shared(ASKED)
    try:
        return _answered(piece, asked, asked.claim.store)
    except (HistvqError, NotWrittenError) as error:
        return Done(len(piece.entries), refused=str(error), usage=isinstance(error, ConfigError))


def _answered(piece: Piece, asked: Asked, store: Store) -> Done:
    check_seen(asked.claim)
    if (kept := _kept(piece, asked, store)) is not None:
        return _done(kept, before=True)
    # Warnings are caught process by process, so that threads would catch one another's.
    with _ONE_AT_A_TIME:
        arrays, findings = _findings(piece, asked)
    store.put(piece.key, arrays, findings.as_words())
    return _done(findings)


_ONE_AT_A_TIME = threading.Lock()


def _done(findings: Findings, *, before: bool = False) -> Done:
    found = [file.look.format for file in findings.files]
    return Done(
        len(findings.files),
        sum(one.why is None for file in findings.files for one in file.recordings),
        tuple(dict.fromkeys(name for name in found if name)),
        before,
    )


def _kept(piece: Piece, asked: Asked, store: Store) -> Findings | None:
    """What came of the piece before, if all of it was answered and no file has changed since."""
    found = store.get(piece.key)
    if found is None:
        return None
    findings = Findings.of_words(found[1])
    for entry, file in zip(piece.entries, findings.files, strict=True):
        if file.failed or file.state != _state(entry, asked.reading.base):
            return None
    return findings


def _state(entry: Entry, base: str) -> tuple[int, int] | None:
    """What is another once a file was written to; of one at an address that is not known."""
    return None if is_remote(entry.path) else state_of(Path(os.path.join(base, entry.path)))


def _findings(piece: Piece, asked: Asked) -> tuple[dict[str, np.ndarray], Findings]:
    reading = asked.reading
    readers = io.readers_for(reading.format)
    made = _Making(_model(asked.model))
    with near(reading.base, [entry.path for entry in piece.entries]) as here:
        for entry in piece.entries:
            made.add(*_of_file(entry, here, reading, readers))
    return made.end()


def _of_file(
    entry: Entry, here: Near, reading: Reading, readers: Readers
) -> tuple[FileFindings, list[Pair]]:
    """Look at a file, and read it if it is a recording."""
    said = partial(here.words, entry=entry)
    state = _state(entry, reading.base)
    try:
        path = here.path(entry)
    except (FileFormatError, OSError) as error:
        return FileFindings(look=Look(fault=said(str(error)))), []
    look = looked_at(replace(entry, path=str(path)), readers, format=reading.format)
    look = replace(look, fault=said(look.fault) if look.fault else None)
    if not look.format:
        return FileFindings(look=look, state=state), []
    apart = reading.people == "apart"
    read = attempt(io.find_reader(look.format), path, reading.options, apart=apart)
    file = FileFindings(
        look=look,
        state=state,
        fault=said(read.fault),
        warnings=tuple(map(said, read.warnings)),
    )
    return file, [
        (replace(recording, source=said(recording.source or str(path))), truth)
        for recording, truth in read.pairs
    ]


class _Making:
    """What comes of a piece while its files are read, with a bound on the motion that is held."""

    def __init__(self, model: Segmenter) -> None:
        self.model = model
        self.files: list[FileFindings] = []
        self.labels: list[dict[str, np.ndarray]] = []  # a recording each
        self.texts: list[Text] = []
        self.rows: dict[str, np.ndarray] = {}
        self.layouts, self.names, self.actions = Once(), Once(), Once()
        self.said: dict[str, None] = {}
        self.held: list[tuple[int, Pair]] = []  # number of the file, and what it gave
        self.n_bytes = 0

    def add(self, file: FileFindings, pairs: Sequence[Pair] = ()) -> None:
        n_bytes = sum(recording.skeleton.nbytes for recording, _ in pairs)
        if self.n_bytes + n_bytes > HELD_BYTES or len(self.held) + len(pairs) > AT_ONCE:
            self.answer()
        self.held += [(len(self.files), pair) for pair in pairs]
        self.n_bytes += n_bytes
        self.files.append(file)

    def answer(self) -> None:
        """Answer for what is held, and let go of it."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataWarning)
            found = list(outcomes(self.model, [recording for _, (recording, _) in self.held]))
        self.said |= dict.fromkeys(
            str(w.message) for w in caught if issubclass(w.category, DataWarning)
        )
        for (place, pair), outcome in zip(self.held, found, strict=True):
            file = self.files[place]
            one = self.about(pair, outcome)
            self.files[place] = replace(file, recordings=(*file.recordings, one))
        self.write([one for one in found if not isinstance(one, HistvqError)])
        self.held, self.n_bytes = [], 0

    def write(self, answers: Sequence[Segmentation]) -> None:
        """Make the rows that the answers for what is held have in the run's tables."""
        if not answers:
            return
        truth = [truth for _, (_, truth) in self.held if truth is not None]
        columns, frames, segments = rows_of(answers, truth)
        number = len(self.texts)
        self.rows |= {f"{number}.{FRAMES}": frames, f"{number}.{SEGMENTS}": segments}
        self.texts.append(Text(n_answers=len(answers), columns=columns))

    def about(self, pair: Pair, outcome: Outcome) -> Answered:
        """What there is to say of a recording; its labels are put among the arrays."""
        recording, truth = pair
        labels: dict[str, np.ndarray] = {}
        self.labels.append(labels)
        about = Answered(
            id=recording.id,
            source=recording.source or recording.id,
            fps=recording.fps,
            layout=self.layouts.number((recording.joint_names, recording.channel_names)),
            empty=all_missing(recording.skeleton),
        )
        if isinstance(outcome, HistvqError):
            return replace(about, why=str(outcome), usage=isinstance(outcome, ConfigError))
        for name in LABELS:
            if (array := getattr(outcome, name)) is not None:
                labels[name] = np.asarray(array)
        about = replace(
            about,
            answer_fps=outcome.fps,
            person=outcome.person,
            names=self.names.number((dict(outcome.names), dict(outcome.subaction_names))),
        )
        if truth is None:
            return about
        labels["truth"] = truth.labels
        return replace(about, truth=self.actions.number(truth.actions), truth_fps=truth.fps)

    def end(self) -> tuple[dict[str, np.ndarray], Findings]:
        self.answer()
        return {**joined(self.labels), **self.rows}, Findings(
            files=tuple(self.files),
            layouts=self.layouts.values,
            names=self.names.values,
            actions=self.actions.values,
            said=tuple(self.said),
            texts=tuple(self.texts),
        )


LABELS = ("actions", "subactions", "confidence")
FRAMES, SEGMENTS = "frames", "segments"

_LOADED: dict[str, Segmenter] = {}


def _model(saved: SavedModel) -> Segmenter:
    """The model, loaded once for all pieces of a command."""
    if saved.digest not in _LOADED:
        _LOADED.clear()  # of a command before
        with tempfile.TemporaryDirectory() as folder:
            for name, content in saved.files.items():
                write_bytes(Path(folder) / name, content)
            _LOADED[saved.digest] = load_model(folder, method=saved.method)
    return _LOADED[saved.digest]
