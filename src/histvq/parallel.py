"""Prediction of many recordings by several processes, each of which may be stopped from outside."""

import os
import signal
import tempfile
import warnings
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any
from warnings import warn

import torch

from histvq.errors import ConfigError, DataWarning, HistvqError
from histvq.models import load_model, name_of
from histvq.outcomes import AT_ONCE, Outcome, OutOfMemoryError, outcomes
from histvq.recording import Recording
from histvq.segmenter import Segmenter
from histvq.segments import Segmentation

Model = Segmenter | str | Path
# What came of some recordings, and what was warned of.
Said = tuple[list[Outcome], list[str]]
BEGUN = "begun"


def predict_all(
    model: Model, recordings: Sequence[Recording], *, jobs: int = 1, method: str | None = None
) -> list[Segmentation]:
    """`model.predict(recordings)`, shared out among processes; stops at the first that fails.

    Args:
        model: As for `predict_each`.
        recordings: What to answer for.
        jobs: As for `predict_each`.
        method: As for `predict_each`.

    Returns:
        The answers in the order of the recordings.

    Raises:
        ConfigError: As `predict`, for the first recording that fails; or if `jobs` is below 0.
        HistvqError: If a recording takes more memory than there is.
    """
    answers = []
    with closing(
        _each(model, recordings, jobs=jobs, method=method)
    ) as each:  # or processes would go on
        for found in each:
            if isinstance(found, HistvqError):
                raise found
            answers.append(found)
    return answers


def predict_each(
    model: Model, recordings: Sequence[Recording], *, jobs: int = 1, method: str | None = None
) -> list[Outcome]:
    """`model.predict` of each recording, shared out among processes: one that fails costs only itself.

    Each process loads the model once and gets an equal share of the threads PyTorch has here. If one is
    stopped from outside, as systems do that run out of memory, the others go on, and its recordings are
    tried again at the end, each alone; one that is too much even then is given up.

    Args:
        model: Fitted, or the folder it is saved in; one that is not on disk is saved to a folder of its
            own for as long as it takes.
        recordings: What to answer for.
        jobs: How many processes; 1: this one alone; 0: as many as there are cores.
        method: Of a model in a folder that is of a class of your own: that class, as `module:Class`.

    Returns:
        The answers in the order of the recordings; where there is none, the error that says why.

    Raises:
        ConfigError: If `jobs` is below 0.
        FileFormatError: If there is no model in the folder.

    Warns:
        DataWarning: As `predict`; and if processes are stopped.
    """
    return list(_each(model, recordings, jobs=jobs, method=method))


def n_cores() -> int:
    """Of those this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _each(
    model: Model, recordings: Sequence[Recording], *, jobs: int, method: str | None
) -> Generator[Outcome, None, None]:
    """What came of each recording, in their order, as soon as it is known."""
    if jobs < 0:
        raise ConfigError(f"jobs={jobs}: give 1 or more, or 0 for as many as there are cores")
    loaded: Any = load_model(model, method=method) if isinstance(model, str | Path) else model
    jobs = min(jobs or n_cores(), len(recordings))
    if jobs <= 1:
        yield from outcomes(loaded, recordings)
        return
    saved = isinstance(model, str | Path)
    with nullcontext(str(model)) if saved else tempfile.TemporaryDirectory() as folder:
        if not saved:
            loaded.save(folder)
        yield from _shared_out(folder, recordings, jobs, method=name_of(loaded))


def _shared_out(
    folder: str, recordings: Sequence[Recording], jobs: int, *, method: str | None
) -> Iterator[Outcome]:
    """What came of each recording, in their order; where a process fails, alone at the end."""
    done: dict[int, Outcome] = {}
    told: dict[int, list[str]] = {}
    n_given = 0

    def next_ones() -> Iterator[Outcome]:
        nonlocal n_given
        while n_given in done:
            for text in told.pop(n_given, ()):
                warn(text, DataWarning, stacklevel=2)
            n_given += 1
            yield done[n_given - 1]

    left = list(range(len(recordings)))
    size = max(1, min(AT_ONCE, len(left) // (4 * jobs)))  # or the last would work alone for long
    while left:
        groups = [left[start : start + size] for start in range(0, len(left), size)]
        try:
            for group, (found, warned) in _answers(folder, recordings, groups, jobs, method=method):
                told[group[0]] = warned
                for place, one in zip(group, found, strict=True):
                    if isinstance(one, OutOfMemoryError) and jobs > 1:
                        warn(f"{one} (tried again at the end, alone)", DataWarning, stacklevel=2)
                    else:
                        done[place] = one
                yield from next_ones()
        except OutOfMemoryError as error:
            if not done:
                raise
            done |= dict.fromkeys(left, error)
        left = [place for place in left if place not in done]
        jobs = size = 1
    yield from next_ones()


def _answers(
    folder: str,
    recordings: Sequence[Recording],
    groups: Sequence[list[int]],
    jobs: int,
    *,
    method: str | None,
) -> Iterator[tuple[list[int], Said]]:
    """What processes say of groups of recordings, given by their places, as it comes.

    A process that is stopped is not replaced, for memory will be lacking: once all are stopped, nothing
    is said of what is left.

    Raises:
        OutOfMemoryError: If none of them even begins.
    """
    n_threads = max(1, torch.get_num_threads() // jobs)
    waiting = deque(groups)
    workers = [_Worker(folder, method, n_threads=n_threads) for _ in groups[:jobs]]
    n_begun = 0
    try:
        while workers:
            ready = wait([worker.line for worker in workers])
            for worker in [worker for worker in workers if worker.line in ready]:
                said = worker.heard()
                if said == BEGUN:
                    n_begun += 1
                elif worker.group:
                    given = [recordings[place] for place in worker.group]
                    yield worker.group, said or _stopped(given)
                if said is not None and waiting:
                    worker.give(waiting.popleft(), recordings)
                else:
                    workers.remove(worker)
                    worker.end()
    finally:
        for worker in workers:
            worker.end()
    if not n_begun:
        raise OutOfMemoryError(
            "no process can be begun beside this one: most likely memory is too short for one more. In "
            "a script, call this below `if __name__ == '__main__':`; or use jobs=1 (--jobs 1)"
        )


def _stopped(group: Sequence[Recording]) -> Said:
    return [
        OutOfMemoryError(
            f"recording {recording.id!r}: the process that was to answer for its {recording.n_frames} "
            "frames was stopped from outside, most likely for lack of memory; cut it into several, or "
            "use a larger machine"
        )
        for recording in group
    ], []


class _Worker:
    """A process that answers for one group of recordings after another.

    Attributes:
        line: Where it is spoken to, and heard.
        group: The places of the recordings it has; empty before the first.
    """

    def __init__(self, folder: str, method: str | None, *, n_threads: int) -> None:
        # Not forked: a copy of a process whose threads hold locks may wait for them for ever.
        context = get_context("spawn")
        self.line, far = context.Pipe()
        self.group: list[int] = []
        self._process = context.Process(
            target=_work, args=(far, folder, method, n_threads), daemon=True
        )
        self._process.start()
        far.close()  # so that the line ends where the process does

    def give(self, group: list[int], recordings: Sequence[Recording]) -> None:
        self.group = group
        with suppress(OSError):  # stopped: that will be heard
            self.line.send([recordings[place] for place in group])

    def heard(self) -> Any:
        """What it says: `BEGUN`, or about its recordings; None where it was stopped."""
        try:
            return self.line.recv()
        except (EOFError, OSError):
            return None

    def end(self) -> None:
        self._process.terminate()
        self._process.join()
        self.line.close()


def _work(line: Connection, folder: str, method: str | None, n_threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word
    torch.set_num_threads(n_threads)
    model = load_model(folder, method=method)
    line.send(BEGUN)
    with suppress(EOFError):  # nobody is there to be told any more
        while True:
            line.send(_said(model, line.recv()))


def _said(model: Segmenter, group: Sequence[Recording]) -> Said:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        found = list(outcomes(model, group))
    return found, [str(w.message) for w in caught if issubclass(w.category, DataWarning)]
