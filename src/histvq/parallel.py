"""Prediction of many recordings by several processes."""

import os
import signal
import tempfile
import warnings
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, nullcontext
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import torch

from histvq.errors import ConfigError, DataWarning, HistvqError
from histvq.experiment import load_model
from histvq.outcomes import Outcome, OutOfMemoryError, outcome, outcomes
from histvq.recording import Recording
from histvq.segmenter import Segmenter
from histvq.segments import Segmentation

Model = Segmenter | str | Path
# What came of a recording, and what was warned of.
Said = tuple[Outcome, list[str]]


def predict_all(
    model: Model, recordings: Sequence[Recording], *, jobs: int = 1
) -> list[Segmentation]:
    """`model.predict(recordings)`, shared out among processes; stops at the first that fails.

    Args:
        model: As for `predict_each`.
        recordings: What to answer for.
        jobs: As for `predict_each`.

    Returns:
        The answers in the order of the recordings.

    Raises:
        ConfigError: As `predict`, for the first recording that fails; or if `jobs` is below 0.
        HistvqError: If a recording takes more memory than there is.
    """
    answers = []
    with closing(_each(model, recordings, jobs=jobs)) as each:  # or processes would go on
        for found in each:
            if isinstance(found, HistvqError):
                raise found
            answers.append(found)
    return answers


def predict_each(model: Model, recordings: Sequence[Recording], *, jobs: int = 1) -> list[Outcome]:
    """`model.predict` of each recording, shared out among processes: one that fails costs only itself.

    Each process loads the model once and gets an equal share of the threads PyTorch has here. If one is
    stopped from outside, as systems do that run out of memory, half as many go on with what is left; of
    one alone, the recording it was stopped at is given up.

    Args:
        model: Fitted, or the folder it is saved in; one that is not on disk is saved to a folder of its
            own for as long as it takes.
        recordings: What to answer for.
        jobs: How many processes; 1: this one alone; 0: as many as there are cores.

    Returns:
        The answers in the order of the recordings; where there is none, the error that says why.

    Raises:
        ConfigError: If `jobs` is below 0.
        FileFormatError: If there is no model in the folder.

    Warns:
        DataWarning: As `predict`; and if processes are stopped.
    """
    return list(_each(model, recordings, jobs=jobs))


def n_cores() -> int:
    """Of those this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _each(
    model: Model, recordings: Sequence[Recording], *, jobs: int
) -> Generator[Outcome, None, None]:
    """What came of each recording, in their order, as soon as it is known."""
    if jobs < 0:
        raise ConfigError(f"jobs={jobs}: give 1 or more, or 0 for as many as there are cores")
    loaded = load_model(model) if isinstance(model, str | Path) else model
    jobs = min(jobs or n_cores(), len(recordings))
    if jobs <= 1:
        yield from outcomes(loaded, recordings)
        return
    saved = isinstance(model, str | Path)
    with nullcontext(str(model)) if saved else tempfile.TemporaryDirectory() as folder:
        if not saved:
            loaded.save(folder)
        yield from _shared_out(folder, recordings, jobs)


def _shared_out(folder: str, recordings: Sequence[Recording], jobs: int) -> Iterator[Outcome]:
    done: dict[int, Said] = {}
    left = list(range(len(recordings)))
    n_given = 0

    def to_give() -> Iterator[Outcome]:
        """What comes next in the order of the recordings, as far as it is there."""
        nonlocal n_given
        while n_given in done:
            found, warned = done[n_given]
            n_given += 1
            for text in warned:
                warnings.warn(text, DataWarning, stacklevel=2)
            yield found

    while left:
        for place, said in _until_broken(folder, recordings, left, jobs):
            if jobs > 1 and isinstance(said[0], OutOfMemoryError):
                continue  # with fewer beside it, there may be enough
            done[place] = said
            yield from to_give()
        left = [place for place in left if place not in done]
        if left and jobs > 1:
            jobs //= 2
            warnings.warn(
                f"a process was stopped from outside or found too little memory; {jobs} go on with "
                f"{len(left)} recordings",
                DataWarning,
                stacklevel=2,
            )
        elif left:
            done[left[0]] = _stopped(recordings[left.pop(0)]), []
            yield from to_give()


def _until_broken(
    folder: str, recordings: Sequence[Recording], places: Sequence[int], jobs: int
) -> Iterator[tuple[int, Said]]:
    """What processes say of recordings, as it comes, until all is said or one of them is stopped.

    One process alone has one recording at a time, in the order of the places: what it was stopped at is
    the first that nothing was said of.

    Raises:
        HistvqError: If one process alone does not even begin.
    """
    n_threads = max(1, torch.get_num_threads() // jobs)
    waiting = iter(places)
    # Not forked: a copy of a process whose threads hold locks may wait for them for ever.
    with ProcessPoolExecutor(
        jobs, get_context("spawn"), initializer=_begin, initargs=(folder, n_threads)
    ) as pool:
        try:
            if jobs == 1:
                _see_that_it_begins(pool)
            flying: dict[Future[Said], int] = {}
            while True:
                n_free = (1 if jobs == 1 else 2 * jobs) - len(flying)
                for place in islice(waiting, n_free):
                    flying[pool.submit(_predict, recordings[place])] = place
                if not flying:
                    return
                ready, _ = wait(flying, return_when=FIRST_COMPLETED)
                # Those first that ended well: where it breaks, nothing more is asked.
                for future in sorted(ready, key=lambda ended: ended.exception() is not None):
                    yield flying.pop(future), future.result()
        except BrokenProcessPool:
            return
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _see_that_it_begins(pool: ProcessPoolExecutor) -> None:
    try:
        pool.submit(n_cores).result()
    except BrokenProcessPool as error:
        raise HistvqError(
            "no process can be begun beside this one: most likely memory is too short for one more. In "
            "a script, call this below `if __name__ == '__main__':`; or use jobs=1 (--jobs 1)"
        ) from error


def _stopped(recording: Recording) -> HistvqError:
    return OutOfMemoryError(
        f"recording {recording.id!r}: the process that was to answer for its {recording.n_frames} "
        "frames was stopped from outside, most likely for lack of memory; cut it into several, or use a "
        "larger machine"
    )


# Of a process: the model it has loaded.
_loaded: list[Segmenter] = []


def _begin(folder: str, n_threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word
    torch.set_num_threads(n_threads)
    _loaded[:] = [load_model(folder)]


def _predict(recording: Recording) -> Said:
    """What came of it, and what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        found = outcome(_loaded[0], recording)
    return found, [str(w.message) for w in caught if issubclass(w.category, DataWarning)]
