"""What was found held against what people did: lengths, strips and confusion."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from histvq.annotation import Annotation
from histvq.report.analysis import segment_lengths
from histvq.report.page_parts import Histogram, percents
from histvq.segments import Segmentation

if TYPE_CHECKING:
    import pandas as pd

MAX_BINS = 30


def against_truth(
    answers: Sequence[Segmentation],
    known: Mapping[str, Annotation],
    scores: object | None,
    places: Mapping[str, int],
) -> dict[str, Any]:
    """Segment lengths as the paper's Fig. 3, strips as its Fig. 4, and confusion, as far as is known."""
    rates = [answer.fps for answer in answers if answer.recording_id in known]
    lengths = segment_lengths(answers, known.values()) if rates else None
    per_recording = getattr(scores, "per_recording", None)
    spread = spread_over(per_recording(["mof"]) if callable(per_recording) else None)
    confusion = getattr(scores, "confusion", None)
    return {
        "lengths": None if lengths is None else in_wider_bins(lengths, float(np.median(rates))),
        "compared": [
            {"recording": name, "place": places[name], "mof": mof}
            for name, mof in spread
            if name in places and name in known
        ],
        "confusion": confusion_parts(confusion()) if callable(confusion) else None,
    }


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


def confusion_parts(table: "pd.DataFrame") -> dict[str, Any]:
    """A table of counts with the share of each row, which is what is coloured."""
    counts = table.to_numpy(dtype=float)
    sums = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0)
    return {
        "rows": [str(name) for name in table.index],
        "columns": [str(name) for name in table.columns],
        "shares": shares.tolist(),
        "texts": percents(shares.tolist()),
    }
