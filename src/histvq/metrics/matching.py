"""Which predicted code stands for which true action: the Hungarian assignment."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int
from scipy.optimize import linear_sum_assignment

# Counted at once, so that memory does not grow with the frames.
FRAMES_A_BLOCK = 1_000_000
# A table of codes is not made larger than this.
MOST_CODES = 1_000_000


def contingency(
    predicted: Int[np.ndarray, " frame"],
    true: Int[np.ndarray, " frame"],
    *,
    n_codes: int,
    n_actions: int,
) -> Int[np.ndarray, "code action"]:
    """Count the frames each predicted code shares with each action.

    Frames without a true label or without an answer (-1 in either) are left out.
    """
    counts = np.zeros(n_codes * n_actions, dtype=np.int64)
    for start in range(0, len(true), FRAMES_A_BLOCK):
        codes, actions = (labels[start : start + FRAMES_A_BLOCK] for labels in (predicted, true))
        known = (codes >= 0) & (actions >= 0)
        cells = codes[known].astype(np.int64) * n_actions + actions[known]
        counts += np.bincount(cells, minlength=len(counts))
    return counts.reshape(n_codes, n_actions)


def best_match(overlap: Int[np.ndarray, "code action"]) -> dict[int, int]:
    """Pair codes with actions, one to one, so that the paired frames are as many as can be.

    Source: the protocol of SMQ and HiST-VQ (section 4, evaluation metrics). As there, a code left
        over takes an action left over, even if they share no frame: MoF does not change, but Edit
        may (the published SMQ weights on HuGaDB: 36.07 with such a pair, 36.04 without).

    Returns:
        Code -> action. Codes that found no action, where codes are more, are missing.
    """
    codes, actions = linear_sum_assignment(overlap, maximize=True)
    return dict(zip(codes.tolist(), actions.tolist(), strict=True))


def match_codes(
    predicted: Int[np.ndarray, " frame"],
    true: Int[np.ndarray, " frame"],
    *,
    n_actions: int,
) -> dict[int, int]:
    """Give each predicted code the action it matches best; surplus codes get ids above all actions.

    Only actions that occur can be matched.

    Codes are lined up in order of first appearance before they are matched, so renaming them
    changes no score even where two matchings are equally good.

    Returns:
        Code -> label: an action's index, or a distinct one from `n_actions` on for a code without
        an action.
    """
    codes = _codes_by_appearance(predicted)
    rows = translate(predicted, {code: row for row, code in enumerate(codes)})
    occurring = np.unique(true[true >= 0])
    overlap = contingency(rows, true, n_codes=len(codes), n_actions=n_actions)[:, occurring]
    found = {row: int(occurring[column]) for row, column in best_match(overlap).items()}
    surplus = (row for row in range(len(codes)) if row not in found)
    labels = found | {row: n_actions + extra for extra, row in enumerate(surplus)}
    return {code: labels[row] for row, code in enumerate(codes)}


def translate(
    labels: Int[np.ndarray, " frame"], matches: Mapping[int, int]
) -> Int[np.ndarray, " frame"]:
    """Replace every code by what it was matched with; -1 stays -1.

    Raises:
        KeyError: If a code is not among the matches.
    """
    codes = np.array(sorted(matches), dtype=np.int64)
    images = np.array([matches[code] for code in codes.tolist()], dtype=np.int64)
    strangers = set(_codes_by_appearance(labels)) - matches.keys()
    if strangers:
        raise KeyError(f"codes {sorted(strangers)} were not matched; known are {codes.tolist()}")
    if not len(codes):
        return np.full(len(labels), -1)
    # Half as wide where that is enough: of millions of frames, labels are most of what is held.
    kind = np.int32 if images.max() <= np.iinfo(np.int32).max else np.int64
    if codes[-1] < MOST_CODES:
        table = np.full(codes[-1] + 2, -1, dtype=kind)  # the last one for -1
        table[codes] = images
        return table[labels if labels.min(initial=0) >= -1 else np.maximum(labels, -1)]
    translated = np.full(len(labels), -1, dtype=kind)
    known = labels >= 0
    translated[known] = images[np.searchsorted(codes, labels[known])]
    return translated


def _codes_by_appearance(labels: Int[np.ndarray, " frame"]) -> list[int]:
    """Distinct codes, -1 apart, the one seen first in front."""
    # Looking at the first frame of each run only spares sorting a million frames.
    heads = labels[np.flatnonzero(np.diff(labels, prepend=-1))]
    codes, first = np.unique(heads[heads >= 0], return_index=True)
    return codes[np.argsort(first)].tolist()
