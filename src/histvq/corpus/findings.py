"""What came of the files of a piece, as it is kept in words beside the arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from histvq.io.parts.finding import Look


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A recording that was read.

    Attributes:
        id: As its file says; unique in its file alone.
        source: The file, as it was named.
        fps: Frames a second of the recording.
        answer_fps: Likewise of its answer.
        person: Who is being recorded, by its answer.
        layout: Number of its joints and channels among `Findings.layouts`.
        empty: Whether every value of it is missing.
        names: Number of its answer's names among `Findings.names`.
        truth: Number of the names of its true actions among `Findings.actions`; None without a truth.
        truth_fps: Rate of its true labels.
        why: Why it was not answered; None where it was.
        usage: Whether that is a fault in what was asked.
    """

    id: str
    source: str
    fps: float
    answer_fps: float = 0.0
    person: str | None = None
    layout: int = 0
    empty: bool = False
    names: int = 0
    truth: int | None = None
    truth_fps: float = 0.0
    why: str | None = None
    usage: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFindings:
    """What came of a file.

    Attributes:
        look: What it is.
        state: Size and time when it was read; None where that is not known.
        fault: Why it could not be read; empty where it could.
        warnings: What its reader warned of.
        recordings: One, or one a person, in order.
    """

    look: Look
    state: tuple[int, int] | None = None
    fault: str = ""
    warnings: tuple[str, ...] = ()
    recordings: tuple[Answered, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether anything in it could not be read or answered."""
        return bool(
            self.look.fault or self.fault or any(one.why is not None for one in self.recordings)
        )


@dataclass(frozen=True, kw_only=True)
class Text:
    """Some of the answers, one after another, whose rows in tables are text already.

    Attributes:
        n_answers: How many these are.
        columns: Of their rows of frames.
    """

    n_answers: int
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What came of a piece, but for the labels.

    Attributes:
        files: In step with the entries of the piece.
        layouts: Joint names and channel names, each pair once.
        names: Names of actions and of subactions, each pair once.
        actions: Names of true actions, each tuple once.
        said: What was warned of in answering.
        texts: Of all answers, in order.
    """

    files: tuple[FileFindings, ...]
    layouts: Sequence[tuple[tuple[str, ...], tuple[str, ...]]] = ()
    names: Sequence[tuple[Mapping[int, str], Mapping[int, str]]] = ()
    actions: Sequence[tuple[str, ...]] = ()
    said: tuple[str, ...] = ()
    texts: tuple[Text, ...] = ()

    def as_words(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "files": [_in_words(file) for file in self.files],
            "layouts": self.layouts,
            "names": [[list(n.items()) for n in pair] for pair in self.names],
            "actions": self.actions,
            "said": self.said,
            "texts": [asdict(text) for text in self.texts],
        }

    @classmethod
    def of_words(cls, words: Mapping[str, Any]) -> "Findings":
        """What `as_words` gave."""
        return cls(
            files=tuple(_file(one) for one in words["files"]),
            layouts=[(tuple(joints), tuple(channels)) for joints, channels in words["layouts"]],
            names=[(dict(names), dict(fine)) for names, fine in words["names"]],
            actions=[tuple(names) for names in words["actions"]],
            said=tuple(words["said"]),
            texts=tuple(
                Text(n_answers=t["n_answers"], columns=tuple(t["columns"])) for t in words["texts"]
            ),
        )


@dataclass
class Once:
    """Values that are kept once, by their number."""

    values: list[Any] = field(default_factory=list)

    def number(self, value: Any) -> int:
        """The number of a value; it is kept if it is new."""
        if value not in self.values:
            self.values.append(value)
        return self.values.index(value)


# Of thousands, so as rows: their names once each would be most of it.
_ANSWERED = tuple(one.name for one in fields(Answered))
_values = attrgetter(*_ANSWERED)
# There are few that differ.
_look = lru_cache(maxsize=256)(Look)


def _in_words(file: FileFindings) -> list[Any]:
    look = file.look
    recordings = [_values(one) for one in file.recordings]
    about = [look.format, look.fault, look.beside]
    return [about, file.state, file.fault, file.warnings, recordings]


def _file(words: Sequence[Any]) -> FileFindings:
    look, state, fault, warnings, recordings = words
    return FileFindings(
        look=_look(*look),
        state=None if state is None else tuple(state),
        fault=fault,
        warnings=tuple(warnings),
        recordings=tuple(
            Answered(**dict(zip(_ANSWERED, values, strict=True))) for values in recordings
        ),
    )
