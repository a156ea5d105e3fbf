"""Mean over frames."""

import numpy as np
from jaxtyping import Float

from histvq.metrics.pairs import LabelPairs


def mean_over_frames(pairs: LabelPairs) -> float:
    """Share of frames given the right action, in percent, over all recordings together.

    Long and frequent actions decide it, and cutting an action to pieces costs nothing: read it
    beside Edit and F1, and beside the share of the most frequent action.

    Source: HiST-VQ section 4, evaluation metrics (MoF).
    """
    return 100 * float(np.mean(pairs.matched == pairs.true))


def mean_over_frames_apart(pairs: LabelPairs) -> Float[np.ndarray, " recording"]:
    """`mean_over_frames` of each recording by itself; NaN where none of its frames is scored."""
    right = np.concatenate(([0], np.cumsum(pairs.matched == pairs.true)))
    n_right, n_frames = np.diff(right[pairs.bounds]), np.diff(pairs.bounds)
    with np.errstate(invalid="ignore"):
        return 100 * (n_right / n_frames)
