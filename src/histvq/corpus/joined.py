"""Labels of many recordings end to end, an array a kind."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

KINDS = ("actions", "subactions", "confidence", "truth")
LENGTHS = "lengths"


def joined(labels: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Labels of recordings, each with the kinds it has, as one array a kind and all their lengths.

    Returns:
        By kind, if any recording has it; and `lengths`: int64 (recording * kind,), -1 for none.
    """
    lengths = [len(one[kind]) if kind in one else -1 for one in labels for kind in KINDS]
    found = {kind: [one[kind] for one in labels if kind in one] for kind in KINDS}
    arrays = {kind: np.concatenate(these) for kind, these in found.items() if these}
    return {**arrays, LENGTHS: np.array(lengths, dtype=np.int64)}


def taken_apart(arrays: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Of `joined` arrays each recording's labels, as views, by kind."""
    lengths = arrays[LENGTHS].reshape(-1, len(KINDS))
    stops = np.cumsum(np.maximum(lengths, 0), axis=0)
    return [
        {
            kind: arrays[kind][stop - length : stop]
            for kind, length, stop in zip(KINDS, *one, strict=True)
            if length >= 0
        }
        for one in zip(lengths.tolist(), stops.tolist(), strict=True)
    ]
