"""A dataset so small that a run over it takes seconds; presets of `synthetic` fit it."""

import multiprocessing
import os
import signal
import sys

from histvq.datasets import Dataset
from histvq.datasets.synthetic import load as synthetic


def load() -> Dataset:
    return synthetic(n_people=1, recordings_per_person=2, seconds=20.0)


def two_people() -> Dataset:
    """One more person, so that one can be left out."""
    return synthetic(n_people=2, recordings_per_person=1, seconds=20.0)


def deadly_for_runs() -> Dataset:
    """The same, but a process made for a run is killed, as when memory runs out."""
    if multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return load()


def deadly_for_cells() -> Dataset:
    """The same, but the process of a run on a cluster is killed."""
    if _in_a_cell():
        os.kill(os.getpid(), signal.SIGKILL)
    return load()


def other_for_cells() -> Dataset:
    """Other recordings where a run on a cluster looks for them."""
    return two_people() if _in_a_cell() else load()


def _in_a_cell() -> bool:
    return sys.argv[0].endswith(os.path.join("reproduction", "__main__.py"))
