"""A training in a process of its own, to be killed, or that kills itself inside the writing."""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from pathlib import Path

import torch._dynamo  # noqa: F401  the optimiser wants it: a second that is no training

from histvq import writing
from histvq.datasets import load_dataset
from histvq.methods.histvq import HiSTVQ
from histvq.resuming import checkpoint as checkpoints

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["histvq.methods.histvq", "oracles.killed"])


def started(place: Path | None, folder: Path, deadly: str = "", count: int = 0):
    """A process that trains and saves its model, and a connection that tells when it learns."""
    _run_server()
    ours, theirs = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_train, args=(place, folder, theirs, deadly, count))
    process.start()
    theirs.close()
    return process, ours


def _run_server() -> None:
    """See that the process is running which has imported everything and is copied for each training."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    try:
        forkserver.ensure_running()
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)


def _train(
    place: Path | None, folder: Path, told: Connection | None, deadly: str, count: int
) -> None:
    checkpoints.EVERY_S, checkpoints.MOST_TIME = 0.0, 1e9  # after every batch
    if deadly:
        _make_deadly(deadly, count)
    data = load_dataset("synthetic", seed=0)
    recordings = [replace(r, skeleton=r.skeleton[:240]) for r in data.recordings[:6]]

    def first(_) -> None:
        nonlocal told
        if told:
            told.send("learning")
            told = None

    model = HiSTVQ(
        n_actions=4, n_maps=4, n_layers=1, batch_size=2, epochs=12, min_steps=0, random_state=1
    )
    model.fit(recordings, progress=first, checkpoint=place).save(folder)


def _make_deadly(where: str, count: int) -> None:
    """Kill this process in the middle of writing the checkpoint of that number."""
    left = count

    def dying(action: Callable, at: Callable[..., bool], after: Callable = lambda *_: None):
        def acted(*args):
            nonlocal left
            if at(*args):
                left -= 1
                if not left:
                    after(*args)
                    os.kill(os.getpid(), signal.SIGKILL)
            return action(*args)

        return acted

    def half(file, data) -> None:
        file.write(data[: len(data) // 2])
        file.flush()

    if where == "half of it written":
        whole = checkpoints.written_whole

        class Dying:
            def __init__(self, path: Path) -> None:
                self.opened = whole(path)

            def __enter__(self):
                file = self.opened.__enter__()
                write = dying(lambda _, data: file.write(data), lambda *_: True, half)
                return type("File", (), {"write": lambda _, data: write(file, data)})()

            def __exit__(self, *error):
                return self.opened.__exit__(*error)

        checkpoints.written_whole = Dying
    elif where == "written, not in its place":
        writing._to_disk = dying(writing._to_disk, lambda file: str(file.name).endswith(".part"))
    else:  # in its place, but the folder may not have reached the disk
        writing._folder_to_disk = dying(writing._folder_to_disk, lambda folder: folder.is_dir())
