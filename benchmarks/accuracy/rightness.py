"""How being right goes with being confident, as numbers."""

import numpy as np


def shares_by_confidence(confidence: np.ndarray, right: np.ndarray, n_parts: int) -> np.ndarray:
    """Share of right frames in parts of one size, the least confident first.

    Frames of one confidence, as all of a patch are, count as right in the share they are together, so
    that it does not matter which of them a border parts.
    """
    _, place, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    share = np.bincount(place, weights=right) / counts
    in_order = np.repeat(share, counts)
    return np.array([part.mean() for part in np.array_split(in_order, n_parts)])


def area(confidence: np.ndarray, right: np.ndarray) -> float:
    """How often a right frame is more confident than a wrong one, ties half; NaN if all are alike.

    It is the area under the curve of hits over false alarms, and Mann and Whitney's U as a share.
    """
    from scipy.stats import rankdata

    n_right = int(right.sum())
    n_wrong = len(right) - n_right
    if not n_right or not n_wrong:
        return float("nan")
    ranks = rankdata(confidence)[right].sum() - n_right * (n_right + 1) / 2
    return float(ranks / (n_right * n_wrong))


def falls(curve: np.ndarray) -> float:
    """What a curve goes down on its way, all falls together; 0 if it never falls."""
    return float(np.maximum(curve[:-1] - curve[1:], 0).sum())
