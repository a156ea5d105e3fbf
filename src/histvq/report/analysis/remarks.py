"""What people should know of an action before they give it a name."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from histvq.report.analysis.card import Card

# An action that has less than this part of an equal share of the time hardly ever occurs.
RARE = 0.1
# Segments shorter than this are flicker, where they are many and more than half.
FLICKER_S = 0.5
MANY = 5


@dataclass(frozen=True)
class Whole:
    """All answers together: how many recordings, people known by name, labelled seconds, actions."""

    n_recordings: int
    n_people: int
    seconds: float
    n_actions: int


def remarks_on(card: Card, whole: Whole, name_of: Callable[[int], str]) -> list[str]:
    """What there is to remark on an action, the gravest first."""
    if not len(card.durations_s):
        return ["never occurs"]
    found = [
        _whose_alone(card, whole),
        _indistinct(card, name_of),
        _rare(sum(card.seconds_in.values()), whole),
        _flickering(card.durations_s),
    ]
    return [words for words in found if words]


def why_unseen(visible_s: np.ndarray) -> str:
    """Why there are no clips of an action: seconds of each piece of it that could be seen."""
    if not len(visible_s):
        return "no clips: its recordings are not at hand, or nothing was measured while it goes on"
    return f"no clips: too short to see, {visible_s.max():.2f} s at most"


def _whose_alone(card: Card, whole: Whole) -> str:
    """As `usage_table` flags it: more often an artefact than something people do."""
    if len(card.seconds_in) == 1 < whole.n_recordings:
        return f"only in recording {next(iter(card.seconds_in))}"
    if len(card.seconds_of) == 1 < whole.n_people:
        return f"only in person {next(iter(card.seconds_of))}"
    return ""


def _indistinct(card: Card, name_of: Callable[[int], str]) -> str:
    if card.distinctness is None or card.distinctness >= 0:
        return ""
    nearest = "" if card.nearest is None else f": nearest to it is {name_of(card.nearest)}"
    return f"hardly distinct{nearest}"


def _rare(seconds: float, whole: Whole) -> str:
    if seconds >= RARE * whole.seconds / whole.n_actions:
        return ""
    return f"hardly ever occurs: {seconds:.1f} s, {seconds / whole.seconds:.1%} of the time"


def _flickering(durations_s: np.ndarray) -> str:
    short = int((durations_s < FLICKER_S).sum())
    if short < MANY or 2 * short <= len(durations_s):
        return ""
    return f"flickers: {short} of {len(durations_s)} segments are shorter than {FLICKER_S:g} s"
