"""Means, deviations and differences of scores, as lines of Markdown."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from histvq.writing import write_text

# Name of a score -> its title. Of JSD less is better, of the others more.
SCORES = {
    "mof": "MoF",
    "edit": "Edit",
    "f1@10": "F1@10",
    "f1@25": "F1@25",
    "f1@50": "F1@50",
    "jsd": "JSD",
}


def mean_sd(values: Sequence[float], *, signed: bool = False) -> str:
    """Mean and standard deviation (n - 1); the mean alone of one value, nothing of none."""
    if not len(values):
        return ""
    mean = f"{np.mean(values):{'+' if signed else ''}.1f}"
    return mean if len(values) == 1 else f"{mean} ({np.std(values, ddof=1):.1f})"


def difference(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Difference of means, with a star where chance gives it less than once in twenty (Welch's t)."""
    from scipy.stats import ttest_ind_from_stats

    if not len(ours) or not len(theirs):
        return ""
    words = f"{np.mean(ours) - np.mean(theirs):+.1f}"
    if min(len(ours), len(theirs)) < 2:
        return words
    # Rounded, lest seeds that agree differ by the last digit of a float.
    (m, s), (n, t) = (
        (np.mean(values), np.std(values, ddof=1))
        for values in (np.round(ours, 6), np.round(theirs, 6))
    )
    if s == t == 0:  # no chance at all in it
        return words + ("*" if m != n else "")
    test = ttest_ind_from_stats(m, s, len(ours), n, t, len(theirs), equal_var=False)
    return words + ("*" if test.pvalue < 0.05 else "")


def columns(runs: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Score -> its value in each run."""
    return {name: [run[name] for run in runs] for name in SCORES}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def leave(place: Path, text: str, found: Any, *, failed: int) -> None:
    """Write a page, and beside it what it was made of as JSON; print it; fail if fits failed."""
    write_text(place, text)
    write_text(place.with_suffix(".json"), json.dumps(found, indent=1) + "\n")
    print(f"\n{text}")
    if failed:
        sys.exit(f"{failed} fits failed, see above; the page has the others: {place}")
