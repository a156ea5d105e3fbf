"""Which clips of an action to show: typical ones, borderline ones, and some by chance."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from histvq.report.analysis.spans import LONGEST_CLIP_S, Spans

Kind = Literal["typical", "borderline", "random"]

# Shorter than this nobody sees what is done. It stands for a second, of which a rate like 58.8 frames
# a second may leave a little less.
SEEN_S = 0.9
# Of an action without such a piece, shorter ones are shown down to this.
GLIMPSED_S = 0.25
_FEWEST_FRAMES = 2


@dataclass(frozen=True)
class Clip:
    """A piece of a recording to look at: frames from `start` up to, not including, `stop`."""

    recording_id: str
    start: int
    stop: int
    kind: Kind


@dataclass(frozen=True, eq=False)
class Ranking:
    """What is known of each piece that a clip could be.

    Attributes:
        far: The smaller, the more typical; NaN where nothing is known.
        margin: The smaller, the less clearly it is this action and no other; NaN likewise.
        visible: Whether there is anything to see.
        person: Number of who is seen; people without a name count by their recording.
    """

    far: np.ndarray
    margin: np.ndarray
    visible: np.ndarray
    person: np.ndarray


def to_be_seen(pieces: Spans, visible: np.ndarray, mine: np.ndarray) -> np.ndarray:
    """Places of an action's pieces that are long enough, or the least too short ones.

    Args:
        pieces: Of all actions.
        visible: Whether there is anything to see in each.
        mine: Places of this action's pieces.
    """
    mine = mine[visible[mine] & (pieces.stop[mine] - pieces.start[mine] >= _FEWEST_FRAMES)]
    for shortest in (SEEN_S, GLIMPSED_S):
        if len(long := mine[pieces.seconds[mine] >= shortest]):
            return long
    return mine[:0]


def choose(
    candidates: np.ndarray,
    pieces: Spans,
    ranking: Ranking,
    lengths: np.ndarray,
    *,
    n: int,
    generator: np.random.Generator,
) -> list[tuple[int, Kind]]:
    """Places of the pieces to show of one action, and why each: at most `n` of a kind, none twice.

    Typical: of the half nearest to the action's middle those in segments of a usual length, from
    different people, recordings and segments as far as there are several, the nearest first.
    Borderline: likewise from the quarter with the smallest margin, the smallest first. Random: from
    what is left, drawn by chance, where every second has the same chance.

    Args:
        candidates: As `to_be_seen` gives them.
        pieces: Of all actions.
        ranking: Likewise.
        lengths: Seconds of each segment.
        n: How many of a kind.
        generator: Chance.
    """
    # Drawn before anything is chosen: what is typical of an action does not change its chances.
    turns = generator.exponential(size=len(candidates)) / pieces.seconds[candidates]
    lot = candidates[np.argsort(turns, kind="stable")]
    typical = _varied(_typical(candidates, pieces, ranking.far, lengths), pieces, ranking, n=n)
    unclear = _smallest_quarter(candidates, ranking.margin)
    unclear = unclear[~np.isin(unclear, typical)]
    borderline = _varied(unclear, pieces, ranking, n=n)
    left = lot[~np.isin(lot, [*typical, *borderline])]
    return [
        *((place, "typical") for place in typical),
        *((place, "borderline") for place in borderline),
        *((place, "random") for place in left[:n].tolist()),
    ]


def _typical(
    candidates: np.ndarray, pieces: Spans, far: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """The nearer half, nearest first; of a usual length, unless none of them is."""
    known = candidates[~np.isnan(far[candidates])]
    if not len(known):
        return known
    ordered = known[np.argsort(far[known], kind="stable")]
    near = ordered[: -(-len(ordered) // 2)]
    shortest, longest = _usual_lengths(lengths[np.unique(pieces.segment[candidates])])
    length = lengths[pieces.segment[near]]
    usual = near[(length >= shortest) & (length <= longest)]
    return usual if len(usual) else near


def _usual_lengths(lengths: np.ndarray) -> tuple[float, float]:
    """Between which lengths the segments are in which the middle half of an action's time goes by.

    By time, not by number: of an action that flickers most segments are short, but not most of it.
    Segments longer than a clip are all as good: nobody sees more of them.
    """
    ordered = np.sort(lengths)
    passed = np.cumsum(ordered)
    shortest, longest = ordered[np.searchsorted(passed, [0.25 * passed[-1], 0.75 * passed[-1]])]
    return min(shortest, LONGEST_CLIP_S), longest


def _smallest_quarter(candidates: np.ndarray, margin: np.ndarray) -> np.ndarray:
    known = candidates[~np.isnan(margin[candidates])]
    ordered = known[np.argsort(margin[known], kind="stable")]
    return ordered[: -(-len(ordered) // 4)]


def _varied(ordered: np.ndarray, pieces: Spans, ranking: Ranking, *, n: int) -> list[int]:
    """The first, then always the first of whoever, and of what, has been shown least."""
    chosen: list[int] = []
    groups = (pieces.segment, pieces.recording, ranking.person)  # the last weighs most
    while len(chosen) < n and len(ordered):
        shown = [(ids[ordered][:, None] == ids[chosen]).sum(axis=1) for ids in groups]
        best = int(np.lexsort((np.arange(len(ordered)), *shown))[0])
        chosen.append(int(ordered[best]))
        ordered = np.delete(ordered, best)
    return chosen
