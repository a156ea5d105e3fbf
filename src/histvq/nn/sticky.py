"""k-means along time: clusters of points in a row, where every change of cluster costs something."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from histvq.nn.clustering import distances_to, kmeans


def sticky_paths(
    costs: Sequence[Float[np.ndarray, "_ cluster"]], penalty: float
) -> list[Int[np.ndarray, " _"]]:
    """Cluster of each point of each sequence, by the least sum of costs and of penalties for changes.

    Viterbi's algorithm with one price for every change, over all sequences side by side. Of equally good
    paths, the one that stays, and then the one of the first cluster.
    """
    lengths = np.array([len(cost) for cost in costs])
    n_clusters = costs[0].shape[1]
    padded = np.zeros((len(costs), max(lengths, default=0), n_clusters))
    for row, cost in zip(padded, costs, strict=True):
        row[: len(cost)] = cost
    # 2 bytes a number at most: this is the largest array of a long recording.
    came_from = np.zeros(padded.shape, np.min_scalar_type(n_clusters))
    own = np.arange(n_clusters)
    best = padded[:, 0]
    for time in range(1, padded.shape[1]):
        cheapest = best.argmin(axis=1)[:, None]
        change = np.take_along_axis(best, cheapest, axis=1) + penalty
        there = (time < lengths)[:, None]
        stays = (best <= change) | ~there
        came_from[:, time] = np.where(stays, own, cheapest)
        best = np.where(stays, best, change) + np.where(there, padded[:, time], 0)
    paths = np.empty(padded.shape[:2], int)
    at = best.argmin(axis=1)
    for time in reversed(range(padded.shape[1])):
        paths[:, time] = at
        at = came_from[np.arange(len(at)), time, at]
    return [path[:length] for path, length in zip(paths, lengths, strict=True)]


def sticky_kmeans(
    sequences: Sequence[Float[np.ndarray, "_ feature"]],
    n_clusters: int,
    *,
    penalty: float,
    seed: int,
    n_init: int = 8,
    n_steps: int = 6,
) -> tuple[Float[np.ndarray, "cluster feature"], float]:
    """Centres of clusters that last, and what a change of cluster costs.

    Several k-means are refined by turns of decoding all sequences and taking means; the one with the
    least sum of squared distances and penalties is kept.

    Args:
        sequences: Points in the order of time, at equal steps.
        n_clusters: How many centres.
        penalty: Of a change, in points of k-means' usual distance: a stretch of so many points goes to
            another cluster if that lowers its squared distances by as much as they usually are.
        seed: Of the starts.
        n_init: Starts.
        n_steps: Turns at most.

    Returns:
        Centres, and the price of a change in squared distance, as `sticky_paths` takes it.
    """
    points = np.concatenate(sequences).astype(np.float64)
    splits = np.cumsum([len(sequence) for sequence in sequences])[:-1]
    # One stream of seeds: seed and seed + 1 must have no start in common.
    seeds = np.random.SeedSequence(seed).generate_state(n_init).tolist()
    starts = [kmeans(points, n_clusters, seed=start) for start in seeds]
    usual = [float((distances_to(points, centres).min(axis=1) ** 2).mean()) for centres in starts]
    price = penalty * float(np.median(usual))
    found = [_refined(points, splits, centres, price, n_steps) for centres in starts]
    return min(found, key=lambda pair: pair[1])[0], price


def _refined(
    points: np.ndarray, splits: np.ndarray, centres: np.ndarray, price: float, n_steps: int
) -> tuple[np.ndarray, float]:
    """Centres after so many turns, and the sum that they are to lower, before the last of them."""
    total = np.inf
    for _ in range(n_steps):
        squares = distances_to(points, centres) ** 2
        paths = sticky_paths(np.split(squares, splits), price)
        codes = np.concatenate(paths)
        changes = sum(int((np.diff(path) != 0).sum()) for path in paths)
        lowered = float(squares[np.arange(len(codes)), codes].sum()) + price * changes
        if not lowered < total:
            break
        total = lowered
        used = np.bincount(codes, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, codes, points)
        centres = np.where(used[:, None] > 0, sums / np.maximum(used, 1)[:, None], centres)
    return centres, total
