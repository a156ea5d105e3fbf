"""Answers for many recordings, of which one that cannot be answered costs only itself."""

import warnings
from collections.abc import Iterator, Sequence

from histvq.errors import DataWarning, HistvqError, NotFittedError, out_of_memory
from histvq.recording import Recording
from histvq.segmenter import Segmenter
from histvq.segments import Segmentation

# What came of a recording: the answer, or why there is none.
Outcome = Segmentation | HistvqError
# Recordings answered for at once, at most: short ones may be done ten times as fast so.
AT_ONCE = 128


class OutOfMemoryError(HistvqError):
    """There is not enough memory to answer for a recording."""


def outcomes(model: Segmenter, recordings: Sequence[Recording]) -> Iterator[Outcome]:
    """The answers of a fitted method in the order of the recordings, or why one has none.

    Raises:
        NotFittedError: If the method is not fitted.
    """
    n = len(recordings)
    if n == 1:
        yield _outcome(model, recordings[0])
    elif n <= AT_ONCE and (answers := _all_of(model, recordings)):
        yield from answers
    elif n:  # halved until those that fail are alone
        yield from outcomes(model, recordings[: n // 2])
        yield from outcomes(model, recordings[n // 2 :])


def _outcome(model: Segmenter, recording: Recording) -> Outcome:
    try:
        return model.predict(recording)
    except NotFittedError:
        raise
    except HistvqError as error:
        return error
    except Exception as error:
        if out_of_memory(error):
            return OutOfMemoryError(
                f"recording {recording.id!r}: its {recording.n_frames} frames take more memory than "
                "there is; cut it into several, or use a larger machine"
            )
        return HistvqError(
            f"recording {recording.id!r}: no answer, by a fault of the program "
            f"({type(error).__name__}: {error}); please report it"
        )


def told_apart(found: Sequence[Outcome]) -> tuple[list[Segmentation], dict[int, str]]:
    """The answers, and by their places why other recordings have none.

    Raises:
        HistvqError: If none has one; says what is wrong with the first.
    """
    answers = [one for one in found if not isinstance(one, HistvqError)]
    errors = {place: one for place, one in enumerate(found) if isinstance(one, HistvqError)}
    if errors and not answers:
        raise HistvqError(f"no recording could be answered: {errors[0]}") from errors[0]
    return answers, {place: str(error) for place, error in errors.items()}


def _all_of(model: Segmenter, group: Sequence[Recording]) -> list[Segmentation]:
    """The answers for several recordings; none, and none of their warnings, where one of them fails."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataWarning)
            answers = model.predict(list(group))
    except NotFittedError:
        raise
    except Exception as error:
        if out_of_memory(error):
            warnings.warn(
                f"memory ran out on {len(group)} recordings at once; half as many at a time from here on",
                DataWarning,
                stacklevel=3,
            )
        return []
    for warned in caught:
        warnings.warn_explicit(warned.message, warned.category, warned.filename, warned.lineno)
    return answers
