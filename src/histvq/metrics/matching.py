"""Which predicted code stands for which true action: the Hungarian assignment."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int
from scipy.optimize import linear_sum_assignment


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
    known = (predicted >= 0) & (true >= 0)
    cells = predicted[known].astype(np.int64) * n_actions + true[known]
    return np.bincount(cells, minlength=n_codes * n_actions).reshape(n_codes, n_actions)


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
    translated = np.full(len(labels), -1)
    known = labels >= 0
    translated[known] = images[np.searchsorted(codes, labels[known])]
    return translated


def _codes_by_appearance(labels: Int[np.ndarray, " frame"]) -> list[int]:
    """Distinct codes, -1 apart, the one seen first in front."""
    # Looking at the first frame of each run only spares sorting a million frames.
    heads = labels[np.flatnonzero(np.diff(labels, prepend=-1))]
    codes, first = np.unique(heads[heads >= 0], return_index=True)
    return codes[np.argsort(first)].tolist()
