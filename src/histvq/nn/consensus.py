"""Clusters that many clusterings agree on."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from histvq.nn.blas import one_blas_thread
from histvq.nn.clustering import different_points, kmeans, merged, nearest

# Points are put together in so many small clusters first: agreement is told between those.
N_GRAINS = 150


def consensus(
    points: Float[np.ndarray, "point feature"],
    n_clusters: int,
    *,
    n_fine: int,
    n_runs: int,
    seed: int,
) -> Int[np.ndarray, " point"]:
    """The cluster of each point, as many runs of k-means and merging see it.

    Every run makes `n_fine` clusters by k-means from one start and merges them to `n_clusters` by Ward's
    criterion. Small clusters that the runs put together most often are together in the end (average
    linkage of the share of runs that tell them apart). One run owes much to its start; all
    of them do not.

    Source: evidence accumulation, Fred and Jain, IEEE PAMI 2005; on small clusters in place of points.

    Args:
        points: At least one.
        n_clusters: How many clusters.
        n_fine: Clusters of a run before they are merged.
        n_runs: How many runs.
        seed: Of all starts.
    """
    seeds = np.random.SeedSequence(seed).generate_state(n_runs + 1).tolist()
    n_grains = max(N_GRAINS, n_clusters)
    grains = _compact(nearest(points, kmeans(points, n_grains, seed=seeds[0])))
    runs = [_run(points, n_clusters, n_fine=n_fine, seed=start) for start in seeds[1:]]
    return _agreed(apart(grains, runs), n_clusters)[grains]


def _run(points: np.ndarray, n_clusters: int, *, n_fine: int, seed: int) -> np.ndarray:
    centres = kmeans(points, n_fine, seed=seed)
    if len(different := different_points(centres, at_most=len(centres))) < len(centres):
        centres = different
    return merged(centres, n_clusters)[nearest(points, centres)]


def apart(
    grains: Int[np.ndarray, " point"], runs: Sequence[Int[np.ndarray, " point"]]
) -> Float[np.ndarray, "grain grain"]:
    """How often points of two grains are told apart, over all runs; 0 within a grain."""
    n_grains = int(grains.max()) + 1
    together = np.zeros((n_grains, n_grains))
    with one_blas_thread():
        for clusters in runs:
            shares = np.zeros((n_grains, int(clusters.max()) + 1))
            np.add.at(shares, (grains, clusters), 1)
            shares /= shares.sum(axis=1, keepdims=True)
            together += shares @ shares.T
    distance = np.maximum(1 - together / len(runs), 0)
    np.fill_diagonal(distance, 0)
    return (distance + distance.T) / 2


def _agreed(distance: np.ndarray, n_clusters: int) -> np.ndarray:
    """Cluster of each grain."""
    from sklearn.cluster import AgglomerativeClustering

    if len(distance) <= n_clusters:
        return np.arange(len(distance))
    clusters = AgglomerativeClustering(n_clusters, metric="precomputed", linkage="average")
    return np.asarray(clusters.fit_predict(distance), dtype=int)


def _compact(codes: np.ndarray) -> np.ndarray:
    """The same codes without those that nobody has."""
    return np.unique(codes, return_inverse=True)[1]
