"""One run in a process of its own, for callers that may start none in Python's way, as Dask's workers."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from histvq.reproduction.plan import Job
from histvq.reproduction.running import ended_early, thread_variables

ASK_S, END_S = 1.0, 30.0


@dataclass(frozen=True)
class Answer:
    """How a run went.

    Attributes:
        done: Whether it was done.
        words: Its scores, or what went wrong.
        for_good: Whether the same would go wrong again.
    """

    done: bool
    words: str
    for_good: bool = False


def run_apart(job: Job, out: Path, *, wanted: Callable[[], bool]) -> Answer:
    """Do a run in a process of its own: its memory is given back, its threads are set before torch loads.

    Args:
        job: The run.
        out: Where the runs go.
        wanted: Asked every second. Once it says no, the run is stopped and its training is kept.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "histvq.reproduction"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            **os.environ,
            **thread_variables(job.threads),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),  # finds what we find
        },
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(_request(job, out))
            process.stdin.flush()
            _see_to_its_end(process, wanted)
            said = process.stdout.read()
        except BrokenPipeError:
            said = b""
        finally:
            process.kill()
    return Answer(**json.loads(said)) if said else Answer(False, ended_early(process.returncode))


def _see_to_its_end(process: subprocess.Popen, wanted: Callable[[], bool]) -> None:
    """Wait until it has ended, by itself or because nobody wants it any more."""
    while wanted():
        try:
            process.wait(ASK_S)
            return
        except subprocess.TimeoutExpired:
            pass
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _request(job: Job, out: Path) -> bytes:
    return json.dumps({"job": asdict(job), "out": str(out)}).encode() + b"\n"
