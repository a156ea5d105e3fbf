"""Segment-length bias: are the segments as long as true ones are?"""

from collections import defaultdict
from typing import Literal

import numpy as np
from jaxtyping import Int
from scipy.spatial.distance import jensenshannon

from histvq.metrics.pairs import LabelPairs

BIN_FRAMES = 20
# Of histograms that are made at once.
MOST_CELLS = 1_000_000


def length_bias(pairs: LabelPairs, *, bins: Literal["all", "true"] = "all") -> float:
    """Jensen-Shannon distance between predicted and true segment lengths, times 100; 0 is best.

    One distance a recording, averaged within each activity; activities are then averaged by their
    scored frames. Recordings without a scored frame are left out. Which action a segment has does
    not count. A bin spans 20 frames whatever the frame rate, so compare at one rate only.

    Source: HVQ's metric as HiST-VQ section 4.1 describes it. Base 2, since the published 97.4
        exceeds what natural logarithms allow (83.3). The paper leaves the bins' ends open; here
        they include the lower and leave out the upper: [0, 20), [20, 40), ...

    Args:
        pairs: Matched and true labels.
        bins: `all` covers every length. `true` ends at the recording's longest true segment and
            leaves out longer predicted ones, as SMQ's published code seems to; where none is left,
            the distance is 100.
    """
    means, frames = _activity_means(pairs, bins=bins)
    return float(np.average(list(means.values()), weights=[frames[name] for name in means]))


def length_bias_by_activity(
    pairs: LabelPairs, *, bins: Literal["all", "true"] = "all"
) -> dict[str, float]:
    """`length_bias` of each activity by itself: the mean over its recordings."""
    return _activity_means(pairs, bins=bins)[0]


def length_bias_by_action(pairs: LabelPairs, *, actions: tuple[str, ...]) -> dict[str, float]:
    """Distance between the lengths of all predicted and all true segments of each action, times 100.

    Over all recordings together, as one recording holds too few segments of an action. 100 where an
    action was never predicted. Not in the paper, whose figure does not ask which action a segment has.
    """
    matched, true = pairs.matched_runs, pairs.true_runs
    found = {}
    for number, action in enumerate(actions):
        predicted = matched.length[matched.label == number]
        expected = true.length[true.label == number]
        if len(expected):
            both = len(predicted) > 0
            found[action] = 100 * length_distance(predicted, expected) if both else 100.0
    return found


def _activity_means(
    pairs: LabelPairs, *, bins: Literal["all", "true"]
) -> tuple[dict[str, float], dict[str, int]]:
    """Mean distance times 100 and scored frames of each activity."""
    distances = defaultdict(list)
    frames: dict[str, int] = defaultdict(int)
    found = _distances(pairs) if bins == "all" else _distances_one_by_one(pairs)
    n_frames = np.diff(pairs.bounds)
    for activity, distance, n in zip(
        pairs.activities, found.tolist(), n_frames.tolist(), strict=True
    ):
        if n:
            distances[activity].append(distance)
            frames[activity] += n
    return {name: 100 * float(np.mean(distances[name])) for name in frames}, frames


def _distances_one_by_one(pairs: LabelPairs) -> np.ndarray:
    """`length_distance` of each recording, with bins up to its longest true segment; NaN for none."""
    matched, true = (
        runs.per_recording(runs.length, pairs.n_recordings)
        for runs in (pairs.matched_runs, pairs.true_runs)
    )
    return np.array(
        [
            length_distance(m, t, bins="true") if len(t) else np.nan
            for m, t in zip(matched, true, strict=True)
        ]
    )


def _distances(pairs: LabelPairs) -> np.ndarray:
    """`length_distance` of each recording, NaN for none; those of equally many bins at once."""
    sides = pairs.matched_runs, pairs.true_runs
    n_bins = np.zeros(pairs.n_recordings, dtype=np.int64)
    for runs in sides:
        np.maximum.at(n_bins, runs.recording, runs.length // BIN_FRAMES + 1)
    order = np.argsort(n_bins, kind="stable")
    rank = np.argsort(order)
    ranked = [_by_rank(rank[runs.recording], runs.length) for runs in sides]
    found = np.full(pairs.n_recordings, np.nan)
    for n in np.unique(n_bins[n_bins > 0]).tolist():
        first, last = np.searchsorted(n_bins, [n, n + 1], sorter=order).tolist()
        size = max(1, MOST_CELLS // n)
        for start in range(first, last, size):
            stop = min(start + size, last)
            tables = [_histograms(*side, start, stop, n_bins=n) for side in ranked]
            with np.errstate(invalid="ignore"):
                found[order[start:stop]] = jensenshannon(*tables, base=2, axis=1)
    # As in `length_distance`.
    return np.where(n_bins > 0, np.minimum(np.nan_to_num(found), 1.0), np.nan)


def _by_rank(ranks: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(ranks, kind="stable")
    return ranks[order], lengths[order]


def _histograms(
    ranks: np.ndarray, lengths: np.ndarray, start: int, stop: int, *, n_bins: int
) -> np.ndarray:
    """Segments by length, a row for each of the recordings of these ranks."""
    low, high = np.searchsorted(ranks, [start, stop])
    cells = (ranks[low:high] - start) * n_bins + lengths[low:high] // BIN_FRAMES
    return np.bincount(cells, minlength=(stop - start) * n_bins).reshape(-1, n_bins)


def length_distance(
    predicted: Int[np.ndarray, " predicted_segment"],
    true: Int[np.ndarray, " true_segment"],
    *,
    bins: Literal["all", "true"] = "all",
) -> float:
    """Jensen-Shannon distance, 0 to 1, between the histograms of two sets of segment lengths."""
    if bins == "true":
        predicted = predicted[predicted // BIN_FRAMES <= true.max() // BIN_FRAMES]
        if not len(predicted):
            return 1.0
    n_bins = max(predicted.max(), true.max()) // BIN_FRAMES + 1
    p, q = (np.bincount(lengths // BIN_FRAMES, minlength=n_bins) for lengths in (predicted, true))
    with np.errstate(invalid="ignore"):
        distance = float(jensenshannon(p, q, base=2))
    # Rounding can carry histograms without a common bin a hair past 1, and nearly equal ones below
    # 0, where scipy's square root is NaN.
    return 0.0 if np.isnan(distance) else min(1.0, distance)


def length_bias_true_bins(pairs: LabelPairs) -> float:
    """`length_bias` with bins that end at each recording's longest true segment."""
    return length_bias(pairs, bins="true")
