"""What the page says in tables, bars and words, ready to be put into the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from histvq.report.analysis import Card

LISTED = 12  # recordings or people named on a card
MAX_BINS = 30


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


def in_wider_bins(lengths: "pd.DataFrame", fps: float) -> dict[str, Any] | None:
    """A table of `segment_lengths` with true ones, in bins wide enough to be drawn (paper, Fig. 3).

    As many times wider as keeps them to 30, with the longest 2 % in the last one.

    Returns:
        `true` and `found` as histograms, and how many `frames` a bin has; None where nothing is known.
    """
    counts = lengths[["true", "found"]].to_numpy()
    shares = np.cumsum(counts.sum(axis=1)) / max(counts.sum(), 1)
    if not counts.sum():
        return None
    enough = int(np.searchsorted(shares, 0.98)) + 1
    times = -(-enough // MAX_BINS)
    n_bins = min(-(-len(counts) // times), -(-enough // times) + 1)
    frames = int(lengths["stop_frame"].iloc[0]) * times
    places = np.minimum(np.arange(len(counts)) // times, n_bins - 1)
    beyond = len(counts) > n_bins * times
    true, found = (np.bincount(places, column, minlength=n_bins).astype(int) for column in counts.T)
    made = [Histogram(frames / fps, tuple(c.tolist()), beyond) for c in (true, found)]
    return {"true": made[0], "found": made[1], "frames": frames}


def spread_over(per_recording: "pd.DataFrame | None", *, n: int = 5) -> list[tuple[str, float]]:
    """Recordings from the worst MoF to the best, evenly spread, to be drawn as the paper's Fig. 4."""
    if per_recording is None or "mof" not in per_recording or not len(per_recording):
        return []
    column = per_recording["mof"].dropna().sort_values(kind="stable")
    if not len(column):
        return []
    chosen = dict.fromkeys(np.linspace(0, len(column) - 1, n).round().astype(int).tolist())
    return [(str(column.index[place]), float(column.iloc[place])) for place in chosen]


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


def card_parts(card: "Card", usage: Mapping[Any, Any] | None) -> dict[str, Any]:
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


def matrix(
    table: "pd.DataFrame", codes: Sequence[int], *, value: str = "share"
) -> list[list[float]]:
    """A table of transitions as rows (action) of columns (next); 0 where it never happens."""
    found = {
        (int(row["action"]), int(row["next"])): float(row[value])
        for row in table.to_dict("records")
    }
    return [[found.get((row, column), 0.0) for column in codes] for row in codes]


def confusion_parts(table: "pd.DataFrame") -> dict[str, Any]:
    """A table of counts with the share of each row, which is what is coloured."""
    counts = table.to_numpy(dtype=float)
    sums = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0)
    return {
        "rows": [str(name) for name in table.index],
        "columns": [str(name) for name in table.columns],
        "counts": counts.astype(int).tolist(),
        "shares": shares.tolist(),
        "texts": [[f"{100 * share:.0f}" if share else "" for share in row] for row in shares],
    }
