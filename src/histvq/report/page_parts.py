"""What the page says in tables, bars and words, ready to be put into the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from histvq.report.analysis import Card, transitions
from histvq.report.key import Key
from histvq.segments import Segmentation

if TYPE_CHECKING:
    import pandas as pd

LISTED = 12  # recordings or people named on a card
WITH_NAMES = 12  # so many actions have their names as heads of columns, more their numbers


@dataclass(frozen=True)
class Histogram:
    """Bars of equal width from 0 on; what lies beyond the last edge is counted in the last one."""

    width_s: float
    counts: tuple[int, ...]
    overflow: bool

    @property
    def tallest(self) -> int:
        """The highest count, and 1 at least."""
        return max(1, *self.counts)

    @property
    def total(self) -> int:
        """How many lengths there are."""
        return sum(self.counts)

    @property
    def in_words(self) -> str:
        """All of it for those who cannot see it."""
        bins = [self.bin_in_words(place) for place, count in enumerate(self.counts) if count]
        return f"{self.total} segments: {', '.join(bins)}."

    def bin_in_words(self, place: int) -> str:
        """One bar."""
        start = f"{self.width_s * place:.3g}"
        if self.overflow and place == len(self.counts) - 1:
            return f"{self.counts[place]} of {start} s or more"
        return f"{self.counts[place]} of {start} to {self.width_s * (place + 1):.3g} s"

    @property
    def end_s(self) -> float:
        """Where the last bar ends."""
        return self.width_s * len(self.counts)


def histogram(lengths_s: np.ndarray, *, width_s: float, n_bins: int) -> Histogram:
    """How many lengths lie in each bin."""
    places = np.minimum((lengths_s / width_s + 1e-9).astype(int), n_bins - 1)
    beyond = bool((lengths_s > width_s * n_bins * (1 + 1e-9)).any())
    return Histogram(
        width_s, tuple(np.bincount(places, minlength=n_bins).astype(int).tolist()), beyond
    )


def duration_histogram(lengths_s: np.ndarray, *, n_bins: int = 10) -> Histogram:
    """Lengths of one action's segments, in bins of a round width; the longest tenth in the last."""
    end = float(np.quantile(lengths_s, 0.9)) if len(lengths_s) else 1.0
    width = round_up(end / n_bins)
    return histogram(lengths_s, width_s=width, n_bins=max(4, int(end / width) + 1))


def round_up(value: float) -> float:
    """The next number that is 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999999))


def occurs_in(seconds: Mapping[str, float]) -> dict[str, Any]:
    """Where an action occurs, most first, and how many more places there are than are listed."""
    ranked = sorted(seconds.items(), key=lambda item: -item[1])
    longest = ranked[0][1] if ranked else 1.0
    return {
        "rows": [(name, value, value / longest) for name, value in ranked[:LISTED]],
        "more": max(0, len(ranked) - LISTED),
        "n": len(ranked),
    }


def distinct_in_words(distinctness: float | None) -> str:
    """A silhouette in words, milder than those usual for clusters: of movements they are low."""
    if distinctness is None:
        return ""
    for bound, word in ((0.5, "stands apart"), (0.25, "distinct"), (0.0, "weakly distinct")):
        if distinctness >= bound:
            return word
    return "hardly distinct"


def card_parts(card: Card, usage: Mapping[Any, Any] | None) -> dict[str, Any]:
    """One action's card as the template wants it."""
    return {
        "code": card.action,
        "usage": usage,
        "clips": card.clips,
        "histogram": duration_histogram(np.asarray(card.durations_s, dtype=float)),
        "recordings": occurs_in(card.seconds_in),
        "people": occurs_in(card.seconds_of),
        "distinctness": card.distinctness,
        "distinct": distinct_in_words(card.distinctness),
        "nearest": card.nearest,
        "remark": card.remark,
    }


def matrix(table: "pd.DataFrame", codes: Sequence[int]) -> list[list[float]]:
    """A table of transitions as rows (action) of columns (next); 0 where it never happens."""
    found = {
        (int(row["action"]), int(row["next"])): float(row["share"])
        for row in table.to_dict("records")
    }
    return [[found.get((row, column), 0.0) for column in codes] for row in codes]


def transition_parts(answers: Sequence[Segmentation], key: Key) -> dict[str, Any] | None:
    """What follows what as a table with a row and a column an action; None where nothing does."""
    table = transitions(answers)
    if not len(table):
        return None
    codes = sorted(key.looks)
    shares = matrix(table, codes)
    names = [key.short_names[code] for code in codes]
    few = len(codes) <= WITH_NAMES
    labelled = [f"{code}  {name}" for code, name in zip(codes, names, strict=True)]
    return {
        "rows": names if few else labelled,
        "columns": names if few else [str(code) for code in codes],
        "shares": shares,
        "texts": percents(shares),
    }


def percents(shares: Sequence[Sequence[float]]) -> list[list[str]]:
    """Shares as they stand in a table; nothing where nothing is."""
    return [[f"{100 * share:.0f}" if share else "" for share in row] for row in shares]
