"""Prediction of many recordings by several processes."""

import os
import signal
import tempfile
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path

import torch

from histvq.errors import ConfigError, DataWarning, HistvqError
from histvq.experiment import load_model
from histvq.recording import Recording
from histvq.segmenter import Segmenter
from histvq.segments import Segmentation


def predict_all(
    model: Segmenter | str | Path, recordings: Sequence[Recording], *, jobs: int = 1
) -> list[Segmentation]:
    """`model.predict(recordings)`, shared out among processes.

    Each process loads the model once and gets an equal share of the threads PyTorch has here.

    Args:
        model: Fitted, or the folder it is saved in; one that is not on disk is saved to a folder of its
            own for as long as it takes.
        recordings: What to answer for.
        jobs: How many processes; 1: this one alone; 0: as many as there are cores.

    Returns:
        The answers in the order of the recordings.

    Raises:
        ConfigError: As `predict`, for the first recording that fails; or if `jobs` is below 0.
        HistvqError: If a process is killed from outside.
    """
    if jobs < 0:
        raise ConfigError(f"jobs={jobs}: give 1 or more, or 0 for as many as there are cores")
    jobs = min(jobs or n_cores(), len(recordings))
    if jobs <= 1:
        loaded = load_model(model) if isinstance(model, str | Path) else model
        return loaded.predict(list(recordings))
    saved = isinstance(model, str | Path)
    with nullcontext(str(model)) if saved else tempfile.TemporaryDirectory() as folder:
        if not saved:
            model.save(folder)  # type: ignore[union-attr]
        return _shared_out(folder, recordings, jobs)


def n_cores() -> int:
    """Of those this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _shared_out(folder: str, recordings: Sequence[Recording], jobs: int) -> list[Segmentation]:
    n_threads = max(1, torch.get_num_threads() // jobs)
    # Not forked: a copy of a process whose threads hold locks may wait for them for ever.
    with ProcessPoolExecutor(
        jobs, get_context("spawn"), initializer=_begin, initargs=(folder, n_threads)
    ) as pool:
        try:
            answers = []
            for answer, warned in pool.map(_predict, recordings):
                for text in warned:
                    warnings.warn(text, DataWarning, stacklevel=3)
                answers.append(answer)
        except BrokenProcessPool as error:
            raise HistvqError(
                "a process was stopped from outside, most likely for lack of memory; use fewer --jobs"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return answers


# Of a process: the model it has loaded.
_loaded: list[Segmenter] = []


def _begin(folder: str, n_threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word
    torch.set_num_threads(n_threads)
    _loaded[:] = [load_model(folder)]


def _predict(recording: Recording) -> tuple[Segmentation, list[str]]:
    """The answer, and what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        answer = _loaded[0].predict(recording)
    return answer, [str(w.message) for w in caught if issubclass(w.category, DataWarning)]
