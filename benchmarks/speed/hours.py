"""One hour and ten: memory must not grow with the length of a recording."""

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.speed.measure import in_process
from benchmarks.speed.plan import Plan, Results, Tell
from benchmarks.speed.shapes import random_walk
from histvq import HiSTVQ, Recording

LONG_JOINTS, LONG_FPS = 22, 60.0


def long(plan: Plan, tell: Tell) -> Results:
    """Recordings of hours, default settings, mapped from their files."""
    threads = plan.threads[-1]
    with tempfile.TemporaryDirectory() as held:
        model = _long_model(Path(held))
        for hours in plan.long_hours:
            tell(f"predicting {hours:g} hours")
            file = Path(held) / "long.npy"
            _write_long(file, round(hours * 3600 * LONG_FPS))
            job = {"kind": "predict_long", "file": str(file), "fps": LONG_FPS, "model": model}
            done = in_process(job, threads=threads)
            yield {"part": "long", "threads": threads, "hours": hours, **done}


def _long_model(folder: Path) -> str:
    """A model for such recordings, trained for a moment."""
    rng = np.random.default_rng(0)
    recordings = [
        Recording(id=str(n), skeleton=random_walk(3600, LONG_JOINTS, 3, rng), fps=LONG_FPS)
        for n in range(4)
    ]
    method = HiSTVQ(n_actions=10, epochs=1, min_steps=0, centre=False, random_state=0)
    method.fit(recordings).save(folder / "model")
    return str(folder / "model")


def _write_long(file: Path, n_frames: int) -> None:
    """A made-up recording of this length, an hour at most in memory."""
    rng = np.random.default_rng(0)
    shape = (n_frames, LONG_JOINTS, 3)
    array = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=shape)
    step = round(3600 * LONG_FPS)
    for start in range(0, n_frames, step):
        stop = min(start + step, n_frames)
        array[start:stop] = random_walk(stop - start, LONG_JOINTS, 3, rng)
    array.flush()
