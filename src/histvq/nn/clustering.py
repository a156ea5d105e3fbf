"""k-means, Ward's merging and nearest centres, on numpy arrays; scikit-learn does the work."""

import warnings

import numpy as np
from jaxtyping import Float, Int


def kmeans(
    points: Float[np.ndarray, "point feature"],
    n_clusters: int,
    *,
    seed: int,
    n_init: int = 1,
    batch_size: int = 0,
) -> Float[np.ndarray, "cluster feature"]:
    """Centres of k-means clusters, in float64.

    Where there are fewer different points than clusters, each different point is a centre, repeated in
    turn: `nearest` then never names a repeated one.

    Args:
        points: At least one.
        n_clusters: How many centres.
        seed: Of the starts (k-means++).
        n_init: Starts, the best of which is taken.
        batch_size: Points a step of mini-batch k-means; 0 for Lloyd's steps over all points.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    points = points.astype(np.float64)
    different = different_points(points, at_most=n_clusters)
    if len(different) < n_clusters:
        return different[np.arange(n_clusters) % len(different)]
    if batch_size:
        clusters = MiniBatchKMeans(
            n_clusters, batch_size=batch_size, n_init=n_init, random_state=seed
        )
    else:
        clusters = KMeans(n_clusters, n_init=n_init, random_state=seed)
    # Several threads add up in whatever order they come by, and wait for one another on a busy machine:
    # 2 s instead of 3 ms for 441 points.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # points that differ by rounding alone
        clusters.fit(points)
    return np.asarray(clusters.cluster_centers_)


def different_points(
    points: Float[np.ndarray, "point feature"], *, at_most: int
) -> Float[np.ndarray, "different feature"]:
    """The different points among these, but no more than so many; looks no further than it must."""
    found = points[:0]
    for start in range(0, len(points), _BLOCK):
        found = np.unique(np.concatenate([found, points[start : start + _BLOCK]]), axis=0)
        if len(found) >= at_most:
            break
    return found[:at_most]


_BLOCK = 4096


def distances_to(
    points: Float[np.ndarray, "point feature"], centres: Float[np.ndarray, "cluster feature"]
) -> Float[np.ndarray, "point cluster"]:
    """Euclidean distance of every point to every centre."""
    from scipy.spatial.distance import cdist

    return cdist(points, centres)


def nearest(
    points: Float[np.ndarray, "point feature"], centres: Float[np.ndarray, "cluster feature"]
) -> Int[np.ndarray, " point"]:
    """Index of the nearest centre of each point; the first of several as near."""
    return distances_to(points, centres).argmin(axis=1)


def merged(
    centres: Float[np.ndarray, "cluster feature"], n_groups: int
) -> Int[np.ndarray, " cluster"]:
    """Group of each centre after merging them by Ward's criterion, every centre counting the same."""
    from sklearn.cluster import AgglomerativeClustering

    if len(centres) <= n_groups:
        return np.arange(len(centres))
    groups = AgglomerativeClustering(n_groups, linkage="ward").fit_predict(centres)
    return np.asarray(groups, dtype=int)


def by_use(codes: Int[np.ndarray, " point"], n_codes: int) -> Int[np.ndarray, " code"]:
    """Codes by how many points have them, the most used first."""
    return np.argsort(-np.bincount(codes, minlength=n_codes), kind="stable")
