"""Codebooks of which hardly any code is in use any more."""

from collections.abc import Iterable, Sequence
from warnings import warn

import numpy as np

from histvq.errors import DataWarning

# Of a level's codes, at least this share is to be in use when a training is over.
LEAST_USED = 0.5


def warn_if_collapsed(
    answers: Iterable[np.ndarray], n_codes: int, *, level: str, try_also: Sequence[str]
) -> None:
    """Say so where too few of a level's codes are in use, and what to try.

    Args:
        answers: Codes that the training data got, -1 where none.
        n_codes: How many there are.
        level: What they are called, as `actions`.
        try_also: Settings of the method that may help, in words.

    Warns:
        DataWarning: If fewer than the share `LEAST_USED` of the codes are in use.
    """
    used = np.unique(np.concatenate([np.zeros(0, int), *answers]))
    n_used = int((used >= 0).sum())
    if n_used >= LEAST_USED * n_codes:
        return
    help = ("fewer actions (-k, n_actions)", "a lower learning_rate", *try_also)
    warn(
        f"only {n_used} of {n_codes} {level} are in use after training: its codebook has collapsed, "
        f"and different motion gets one label. Try {', '.join(help[:-1])}, or {help[-1]}",
        DataWarning,
        stacklevel=2,
    )
