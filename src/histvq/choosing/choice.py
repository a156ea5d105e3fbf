"""The suggestion, its reasons in sentences, and the table they come from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Criteria that are further apart than this disagree.
CLOSE = 2

# What the columns of a table hold.
COLUMNS = {
    "k": "actions",
    "halves": "adjusted Rand index of models of two halves of the data, on all of it",
    "expected": "the same in data without structure",
    "beyond": "(halves - expected) / (1 - expected)",
    "error": "its standard error",
    "seeds": "adjusted Rand index of models from two seeds",
    "variance_left": "share of the variance of window statistics that is left within actions",
    "merge_height": "height at which the tree of subactions goes from K branches to K - 1",
}


@dataclass(frozen=True)
class Criterion:
    """What one criterion says.

    Attributes:
        name: `stability`, `reconstruction` or `tree`.
        k: The K it is for; None where it cannot tell.
        reason: Why, in a sentence.
    """

    name: str
    k: int | None
    reason: str


@dataclass(frozen=True, eq=False)
class Choice:
    """How many actions there seem to be, and why.

    Attributes:
        n_actions: The suggestion.
        criteria: What each criterion says.
        table: A row for each K, with the columns of `COLUMNS`.
        halved_by: What stays together when the data are halved: people, recordings, stretches of time.
    """

    n_actions: int
    criteria: tuple[Criterion, ...]
    table: tuple[dict[str, float], ...]
    halved_by: str

    @property
    def verdict(self) -> str:
        """How the suggestion follows from what the criteria say, and whether they agree."""
        told = sorted(c.k for c in self.criteria if c.k is not None)
        if not told:
            return f"No criterion can tell: {self.n_actions} is the middle of the K tried."
        words = (
            f"The criteria say {_listed([str(k) for k in told])}: the middle is {self.n_actions}"
        )
        if told[-1] - told[0] <= CLOSE:
            return f"{words}; they agree within {CLOSE}."
        return f"{words}; they disagree, so look at {told[0]} and {told[-1]} actions, too."


def suggestion(criteria: Sequence[Criterion], ks: Sequence[int]) -> int:
    """The middle of what the criteria say; of an even number the mean of the middle two, half up.

    No criterion is known to be better than another, so none has more weight; the middle stands when one
    of them is far off. Half up, for two actions that are one can be given one name afterwards, and one
    that is two cannot be taken apart.
    """
    told = [c.k for c in criteria if c.k is not None] or list(ks)
    return int(np.floor(np.median(told) + 0.5))


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
