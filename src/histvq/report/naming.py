"""Answers with the names a person gives, and with actions of one name made one."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from histvq.segments import LEVELS, Segmentation, names_of, segment_name

# Line ends and what no editor shows.
UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Named:
    """What a person says of one code; None where nothing is said. Colours are `#rrggbb`."""

    name: str | None = None
    colour: str | None = None


@dataclass(frozen=True)
class Names:
    """Code -> what a person says of it. Codes of one name have one colour."""

    actions: Mapping[int, Named] = field(default_factory=dict)
    subactions: Mapping[int, Named] = field(default_factory=dict)

    def of(self, level: str) -> Mapping[int, Named]:
        """Those of a level, `action` or `subaction`."""
        return self.actions if level == "action" else self.subactions


def as_predicted(answers: Iterable[Segmentation]) -> list[Segmentation]:
    """The answers as the method gave them, whatever a person named or merged since."""
    return [answer if answer.predicted is None else answer.predicted for answer in answers]


def renamed(answers: Sequence[Segmentation], names: Names) -> list[Segmentation]:
    """The answers with these names, and with actions of one name made one.

    An action that has no name here keeps what its method calls it, or is `action 3`; that counts as
    its name when names are compared. Actions of one name get the lowest of their codes. Names the
    answers were given before count for nothing: `predicted` of an answer is where this begins.
    """
    answers = as_predicted(answers)
    merged = {level: _merged(answers, names, level) for level in LEVELS}
    if all(merge.changes_nothing for merge in merged.values()):
        return answers
    actions, fine = (merged[level] for level in LEVELS)
    return [
        replace(
            answer,
            actions=actions(answer.actions),
            subactions=None if answer.subactions is None else fine(answer.subactions),
            names=actions.names,
            subaction_names=fine.names,
            predicted=answer,
        )
        for answer in answers
    ]


@dataclass(frozen=True)
class _Merge:
    """What becomes of the codes of a level.

    Attributes:
        into: Code -> the code it becomes, where that is another.
        names: Code -> name, where it is not just a number.
        own: The names the method gave.
    """

    into: Mapping[int, int]
    names: Mapping[int, str]
    own: Mapping[int, str]

    @property
    def changes_nothing(self) -> bool:
        return not self.into and self.names == self.own

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        made = codes.copy()
        for code, other in self.into.items():
            made[codes == code] = other
        return made


def _merged(answers: Sequence[Segmentation], names: Names, level: str) -> _Merge:
    own = names_of(answers, level)
    said = names.of(level)
    lowest: dict[str, int] = {}
    into: dict[int, int] = {}
    called: dict[int, str] = {}
    for code in sorted({*own, *said, *codes_in(answers, level)}):
        default = own.get(code, segment_name(level, code))
        name = (said[code].name if code in said else None) or default
        if (first := lowest.setdefault(name, code)) != code:
            into[code] = first
        elif code in own or name != default:
            called[code] = name
    return _Merge(into, called, own)


def codes_in(answers: Iterable[Segmentation], level: str) -> set[int]:
    """Codes that occur."""
    found = (answer.labels(level) for answer in answers)
    return {
        code for labels in found if labels is not None for code in np.unique(labels).tolist()
    } - {-1}
