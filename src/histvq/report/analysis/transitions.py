"""What follows what."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from histvq.segments import Segmentation, to_segments

if TYPE_CHECKING:
    import pandas as pd

TRANSITION_COLUMNS = ["action", "next", "count", "share"]


def transitions(answers: Sequence[Segmentation]) -> "pd.DataFrame":
    """One row per pair of actions of which one directly follows the other, by code.

    A stretch without an action breaks the chain: what goes on there is not known, so what comes after
    it follows nothing. `share` is of all times that something follows `action`, and lies in [0, 1].
    """
    import pandas as pd

    pairs = [pair for answer in answers for pair in _pairs(answer)]
    both, counts = np.unique(
        np.array(pairs, dtype=np.int64).reshape(-1, 2), axis=0, return_counts=True
    )
    table = pd.DataFrame({"action": both[:, 0], "next": both[:, 1], "count": counts})
    table["share"] = table["count"] / table.groupby("action")["count"].transform("sum")
    return table[TRANSITION_COLUMNS]


def _pairs(answer: Segmentation) -> list[tuple[int, int]]:
    labels = [label for *_, label in to_segments(answer.actions)]
    return [(a, b) for a, b in pairwise(labels) if a >= 0 <= b]
