"""What speaks for a number of clusters: pure functions of labels, points and numbers by K."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from histvq.nn.blas import one_blas_thread


def agreement(one: Int[np.ndarray, " point"], other: Int[np.ndarray, " point"]) -> float:
    """Adjusted Rand index of two labellings of the same points: 1 for the same, 0 on average by chance.

    Source: Hubert and Arabie 1985.
    """
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(one, other))


def without_structure(
    points: Float[np.ndarray, "point feature"], rng: np.random.Generator
) -> Float[np.ndarray, "point feature"]:
    """Points that spread along every principal axis as these do, and have no other structure.

    The places along each axis are shuffled among the points, axis by axis. Clusters that remain are
    what any data of this spread have.

    Source: the permutations of parallel analysis (Buja and Eyuboglu 1992), along principal axes as in
    Tibshirani, Walther and Hastie 2001.
    """
    middle = points.mean(axis=0)
    with one_blas_thread():
        _, _, axes = np.linalg.svd(points - middle, full_matrices=False)
        places = (points - middle) @ axes.T
        return rng.permuted(places, axis=0) @ axes + middle


def beyond(
    found: Float[np.ndarray, " repeat"], expected: Float[np.ndarray, " repeat"]
) -> tuple[float, float]:
    """Agreement beyond that in data without structure, as a share of what is possible beyond it.

    The adjusted Rand index takes off what labels agree by chance; few clusters agree well in any data,
    so what such clusters agree in data without structure is taken off, too, in the same form.

    Args:
        found: Agreement in the data, repeat by repeat.
        expected: In data without structure.

    Returns:
        (found - expected) / (1 - expected), of the means, and its standard error to first order. (0, 0)
        where data without structure agree perfectly, and nothing can be told.
    """
    f, e = found.mean(), expected.mean()
    if 1 - e < 1e-6:
        return 0.0, 0.0
    errors = [values.std(ddof=1) / np.sqrt(len(values)) for values in (found, expected)]
    slopes = 1 / (1 - e), (1 - f) / (1 - e) ** 2
    return float((f - e) / (1 - e)), float(np.hypot(slopes[0] * errors[0], slopes[1] * errors[1]))


def within_one_error(
    values: Float[np.ndarray, " k"], errors: Float[np.ndarray, " k"]
) -> Int[np.ndarray, " _"]:
    """Indices of the values within one standard error (that of the best) of the best."""
    best = int(values.argmax())
    return np.flatnonzero(values >= values[best] - errors[best])


def variance_left(
    points: Float[np.ndarray, "point feature"], labels: Int[np.ndarray, " point"]
) -> float:
    """Share of the points' variance that is left around the means of their clusters."""
    around = points - points.mean(axis=0)
    left = sum(
        np.square(around[labels == label] - around[labels == label].mean(axis=0)).sum()
        for label in np.unique(labels)
    )
    return float(left / max(np.square(around).sum(), np.finfo(float).tiny))


def merge_heights(
    points: Float[np.ndarray, "point feature"],
    labels: Int[np.ndarray, " point"],
    ks: Sequence[int],
) -> Float[np.ndarray, " k"]:
    """Height at which Ward's merging of clusters goes from K of them to K - 1, for each K.

    Every cluster counts the same, as where a method merges subactions. 0 where there are fewer than K.
    """
    from scipy.cluster.hierarchy import linkage

    used = np.unique(labels)
    centres = np.array([points[labels == label].mean(axis=0) for label in used])
    heights = linkage(centres, "ward")[::-1, 2] if len(centres) > 1 else np.zeros(0)
    return np.array([heights[k - 2] if k - 2 < len(heights) else 0.0 for k in ks])


def knee(ks: Float[np.ndarray, " k"], falling: Float[np.ndarray, " k"]) -> int | None:
    """Index where a falling curve bends: from there on one more brings less than it does on average.

    The point furthest below the straight line between the ends. None where there is none below.

    Source: Satopää et al. 2011 (Kneedle), without its smoothing.
    """
    if len(ks) < 3 or falling[0] <= falling[-1]:
        return None
    along = (ks - ks[0]) / (ks[-1] - ks[0])
    below = 1 - along - (falling - falling[-1]) / (falling[0] - falling[-1])
    best = int(below.argmax())
    return best if below[best] > 1e-9 else None


def two_lines(ks: Float[np.ndarray, " k"], heights: Float[np.ndarray, " k"]) -> int | None:
    """Index of the last K that a first straight line through the heights takes, of the best two lines.

    None where there are fewer than two values for each line, or one line fits all.

    Source: Salvador and Chan 2004 (L method): errors are root mean squares, weighted by length.
    """
    if len(ks) < 4:
        return None
    errors = [
        cut * _misfit(ks[:cut], heights[:cut]) + (len(ks) - cut) * _misfit(ks[cut:], heights[cut:])
        for cut in range(2, len(ks) - 1)
    ]
    if min(errors) >= len(ks) * _misfit(ks, heights) - 1e-9 * max(np.abs(heights).max(), 1e-300):
        return None
    return int(np.argmin(errors)) + 1


def _misfit(x: np.ndarray, y: np.ndarray) -> float:
    """Root mean square distance from the straight line that fits best."""
    return float(np.sqrt(np.mean(np.square(np.polyval(np.polyfit(x, y, 1), x) - y))))
