"""One measurement a process: its memory is its own, and so are its threads."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class MeasurementError(RuntimeError):
    """A measurement ended before it had an answer, out of memory perhaps."""


def in_process(job: dict[str, Any], *, threads: int) -> dict[str, Any]:
    """What the worker answers to a job, run in a process of its own.

    Raises:
        MeasurementError: If it ends without an answer.
    """
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}
    # The code beside this benchmark is measured, whatever is installed.
    paths = (str(ROOT / "src"), str(ROOT), environment.get("PYTHONPATH", ""))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed.worker"],
        input=json.dumps({**job, "threads": threads}),
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["killed, out of memory perhaps"])[-1]
        raise MeasurementError(f"{job['kind']} ({done.returncode}): {last}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def peak_bytes() -> int:
    """Most memory this process has held so far, files mapped into it included."""
    # Not getrusage where it can be helped: Linux lets a child begin with the peak of its parent.
    if found := _status("VmHWM"):
        return found
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@contextlib.contextmanager
def watched_memory(interval_s: float = 0.01) -> Iterator[dict[str, int]]:
    """Watch this process's memory without mapped files, which the system may drop at any time.

    Yields:
        A dictionary that has `anonymous`, the most bytes seen, when the block is over; 0 where the
        system does not tell.
    """
    seen, over = {"anonymous": 0}, threading.Event()

    def watch() -> None:
        while not over.wait(interval_s):
            seen["anonymous"] = max(seen["anonymous"], _status("RssAnon"))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def _status(key: str) -> int:
    """Bytes under this key of /proc/self/status; 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":")), 0)


def seconds(call: Any, *, repetitions: int = 1) -> list[float]:
    """How long each of some calls took."""
    took = []
    for _ in range(repetitions):
        start = time.perf_counter()
        call()
        took.append(time.perf_counter() - start)
    return took
