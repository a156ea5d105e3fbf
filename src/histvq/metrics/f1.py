"""Segmental F1: are the segments where they should be?"""

import numpy as np
from jaxtyping import Float, Int

from histvq.metrics.pairs import LabelPairs


def f1_score(pairs: LabelPairs, *, iou_percent: float) -> float:
    """Harmonic mean of segments found and segments right, in percent, over all recordings together.

    Each predicted segment, in order of time, goes to the true segment of its action with the
    highest intersection over union (IoU; of equals, the earlier). It is right if that IoU reaches
    the threshold and the true segment has not been taken before.

    Source: HiST-VQ section 4, evaluation metrics (F1@{10,25,50}); hits and misses are summed over
        the recordings before precision and recall are taken.
    """
    place, iou = best_overlaps(pairs)
    # Several predicted segments may reach one true segment: the first is right, the rest are wrong.
    # So the right ones are as many as the distinct true segments reached.
    right = len(np.unique(place[iou >= iou_percent / 100]))
    return 100 * 2 * right / (len(pairs.matched_runs.start) + len(pairs.true_runs.start))


def best_overlaps(
    pairs: LabelPairs,
) -> tuple[Int[np.ndarray, " overlapping"], Float[np.ndarray, " overlapping"]]:
    """The true segment each predicted one goes to, and its IoU.

    Predicted segments that touch no true segment of their action are missing.
    """
    matched, true = pairs.matched_runs, pairs.true_runs
    # Between two neighbouring borders, of whichever side, lie one predicted and one true segment,
    # and no two segments share more than one such stretch: each stretch is an intersection.
    start = np.union1d(matched.start, true.start)
    shared = np.diff(np.append(start, pairs.n_frames))
    mine = np.searchsorted(matched.start, start, side="right") - 1
    other = np.searchsorted(true.start, start, side="right") - 1

    same = matched.label[mine] == true.label[other]
    mine, other, shared = mine[same], other[same], shared[same]
    iou = shared / (matched.length[mine] + true.length[other] - shared)

    order = np.lexsort((other, -iou, mine))
    _, first = np.unique(mine[order], return_index=True)
    best = order[first]
    return other[best], iou[best]


def f1_at_10(pairs: LabelPairs) -> float:
    """`f1_score` at an IoU of 10 %."""
    return f1_score(pairs, iou_percent=10)


def f1_at_25(pairs: LabelPairs) -> float:
    """`f1_score` at an IoU of 25 %."""
    return f1_score(pairs, iou_percent=25)


def f1_at_50(pairs: LabelPairs) -> float:
    """`f1_score` at an IoU of 50 %."""
    return f1_score(pairs, iou_percent=50)
