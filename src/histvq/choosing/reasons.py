"""What each criterion says of a table, and why, in a sentence."""

from collections.abc import Sequence

import numpy as np

from histvq.choosing.choice import Criterion
from histvq.choosing.criteria import knee, two_lines, within_one_error

Table = Sequence[dict[str, float]]


def criteria_of(table: Table, *, halved_by: str) -> tuple[Criterion, Criterion, Criterion]:
    """What stability, reconstruction and the merge tree say.

    Args:
        table: A row for each K, see `choice.COLUMNS`.
        halved_by: What stays together when the data are halved.
    """
    return stability(table, halved_by=halved_by), reconstruction(table), tree(table)


def stability(table: Table, *, halved_by: str) -> Criterion:
    """The fewest actions whose agreement between halves is within a standard error of the best.

    Source: the one-standard-error rule of Breiman et al. 1984.
    """
    share, error = _column(table, "beyond"), _column(table, "error")
    # Clusters that lie along one axis stay clusters when the places on each axis are shuffled.
    if share.max() <= error[share.argmax()]:
        return Criterion(
            "stability",
            None,
            f"halves of the {halved_by} agree no better than in data without structure",
        )
    good = within_one_error(share, error)
    row, best = table[good[0]], table[int(share.argmax())]
    fewest = f", the fewest within a standard error of the best, {best['k']}"
    return Criterion(
        "stability",
        int(row["k"]),
        f"models of two halves of the {halved_by} agree by {row['halves']:.2f} (adjusted Rand) with "
        f"{row['k']} actions, by {row['expected']:.2f} in data without structure"
        f"{fewest if best is not row else ', the best'}; "
        f"two seeds on all data agree by {row['seeds']:.2f}",
    )


def reconstruction(table: Table) -> Criterion:
    """Where the variance left within actions bends."""
    ks, left = _column(table, "k"), _column(table, "variance_left")
    at = knee(ks, left)
    if at is None:
        return Criterion(
            "reconstruction", None, "the variance left within actions falls without a bend"
        )
    return Criterion(
        "reconstruction",
        int(ks[at]),
        f"{ks[at]:.0f} actions leave {left[at]:.0%} of the variance; each one more takes off less than "
        f"one does on average from {ks[0]:.0f} to {ks[-1]:.0f}",
    )


def tree(table: Table) -> Criterion:
    """Where the tree that merges subactions turns from low steps to high ones."""
    ks, heights = _column(table, "k"), _column(table, "merge_height")
    at = two_lines(ks, heights)
    if at is None:
        return Criterion("tree", None, "the heights at which subactions merge have no corner")
    return Criterion(
        "tree",
        int(ks[at]),
        f"merging subactions grows costly from {ks[at]:.0f} branches down: {heights[at]:.3g} to join two "
        f"of them, {heights[at + 1]:.3g} one step before",
    )


def _column(table: Table, name: str) -> np.ndarray:
    return np.array([row[name] for row in table], dtype=float)
