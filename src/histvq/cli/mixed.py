"""Recordings that can be read, but not learned from with the others, or not answered."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histvq.chain import Chain

if TYPE_CHECKING:
    from histvq.io import Readings
    from histvq.segments import Segmentation


def that_fit(readings: "Readings", steps: Sequence[str], *, strict: bool) -> "Readings":
    """The recordings that can be learned from together; the others are skipped, unless `strict`.

    Args:
        readings: As read.
        steps: Transforms they go through before.
        strict: Leave it to the method to refuse them all.

    Raises:
        ConfigError: If no two thirds of them fit together.
    """
    from histvq.majority import odd_ones

    if strict:
        return readings
    return readings.without(odd_ones(readings.recordings, Chain.of(steps) if steps else None))


def answered(
    model: Any, readings: "Readings", *, saved: Path, jobs: int, strict: bool
) -> "tuple[list[Segmentation], Readings]":
    """The answers, and the recordings they are about; the others are skipped, unless `strict`.

    Args:
        model: The loaded model.
        readings: What to answer for.
        saved: The folder of the model.
        jobs: How many processes.
        strict: Raise for the first that cannot be answered.

    Raises:
        HistvqError: If there is no answer at all; says what is wrong with the first.
    """
    from histvq.models import name_of
    from histvq.outcomes import told_apart
    from histvq.parallel import predict_all, predict_each

    given, method = (model if jobs == 1 else saved), name_of(model)
    if strict:
        return predict_all(given, readings.recordings, jobs=jobs, method=method), readings
    answers, failed = told_apart(predict_each(given, readings.recordings, jobs=jobs, method=method))
    return answers, readings.without(failed)
