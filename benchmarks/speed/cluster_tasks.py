"""What the machinery of `histvq.cluster` costs beside the work itself, and how a sweep scales.

    PYTHONPATH=src:. python -m benchmarks.speed.cluster_tasks -o benchmarks/speed/results/cluster_tasks.md
    PYTHONPATH=src:. python -m benchmarks.speed.cluster_tasks --tasks 1000 --cells 4     # a look

Tasks that do nothing, of the size of a path and a few numbers, on a real scheduler with two workers, each
a process of its own: tasks a second, and the peak memory of the client and of the scheduler beside what
they hold before the first task. Then runs of a table of the paper (`histvq reproduce`, window k-means on
made-up data) on one and on two workers in turn: efficiency is the time of one over twice that of two.
`measure` takes any other function and tasks.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from histvq.cluster import Failed, connected, work_through

ROOT = Path(__file__).resolve().parents[2]
SIZES = (1_000, 10_000, 100_000)


@dataclass(frozen=True)
class Piece:
    path: str
    start: int
    stop: int


def pieces(n: int) -> Iterator[Piece]:
    for number in range(n):
        yield Piece(f"/data/corpus/subject-{number // 100:05d}/recording-{number:07d}.npz", 0, 600)


def nothing(piece: Piece) -> int:
    return piece.stop - piece.start


def memory(process: int, name: str) -> float:
    """MB of a process: `VmRSS` now, `VmHWM` at most so far."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)


@contextmanager
def outside(n_workers: int) -> Iterator[tuple[str, int]]:
    """A scheduler and workers in processes of their own; its file and process."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "scheduler.json")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
            "OMP_NUM_THREADS": "1",
        }

        def start(program: str, *more: str) -> subprocess.Popen:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", file, *more],
                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

        scheduler = start("dask_scheduler", "--port", "0", "--no-dashboard")
        workers = [
            start("dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard")
            for _ in range(n_workers)
        ]
        try:
            while not Path(file).exists():
                time.sleep(0.05)
            yield file, scheduler.pid
        finally:
            for process in (*workers, scheduler):
                process.kill()
            for process in (*workers, scheduler):
                process.wait()


def measure(
    do: Callable[[Any], Any], tasks: Iterable[Any], n_tasks: int, *, n_workers: int = 2
) -> dict[str, float]:
    """Tasks a second and the peak memory of client and scheduler; call it in a process of its own."""
    with outside(n_workers) as (file, scheduler), connected(file) as cluster:
        while cluster.n_threads < n_workers:
            time.sleep(0.05)
        before = {pid: memory(pid, "VmRSS") for pid in (os.getpid(), scheduler)}
        started, n_failed = time.perf_counter(), 0
        for _, result in work_through(cluster, do, tasks, n_tasks=n_tasks):
            n_failed += isinstance(result, Failed)
        seconds = time.perf_counter() - started
        return {
            "tasks": n_tasks,
            "failed": n_failed,
            "seconds": seconds,
            "tasks_a_second": n_tasks / seconds,
            "client_before": before[os.getpid()],
            "client_peak": memory(os.getpid(), "VmHWM"),
            "scheduler_before": before[scheduler],
            "scheduler_peak": memory(scheduler, "VmHWM"),
        }


def in_process(n_tasks: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed.cluster_tasks", "--one", str(n_tasks)],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def sweep(n_workers: int, n_cells: int) -> float:
    """Seconds for runs of a table on so many workers, from when these are there."""
    from histvq.reproduction import reproduce

    with (
        tempfile.TemporaryDirectory() as out,
        outside(n_workers) as (file, _),
        connected(file) as cluster,
    ):
        while cluster.n_threads < n_workers:
            time.sleep(0.05)
        started = time.perf_counter()
        made = reproduce(
            "table1", dataset="synthetic", data=None, out=out, seeds=n_cells,
            only=["window-kmeans"], cluster=cluster,
        )  # fmt: skip
        assert not made.failed
        return time.perf_counter() - started


def page(rows: list[dict[str, float]], sweeps: list[tuple[float, float]], n_cells: int) -> str:
    lines = [
        "# Tasks on a cluster",
        "",
        "`python -m benchmarks.speed.cluster_tasks`; two workers, the scheduler and the client on one "
        f"machine of {os.cpu_count()} cores that had other work too. MB; peaks with what was held "
        "before the first task in brackets.",
        "",
        "| tasks | seconds | tasks a second | client, peak | scheduler, peak |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        lines.append(
            f"| {row['tasks']:,} | {row['seconds']:.1f} | {row['tasks_a_second']:,.0f} "
            f"| {row['client_peak']:.0f} ({row['client_before']:.0f}) "
            f"| {row['scheduler_peak']:.0f} ({row['scheduler_before']:.0f}) |"
        )
    if sweeps:
        ratios = [one / (2 * two) for one, two in sweeps]
        lines += [
            "",
            f"A sweep of {n_cells} runs of window k-means on made-up data, {len(sweeps)} times, on one "
            "and on two workers in turn:",
            "",
            "| one worker, s | two workers, s | efficiency |",
            "| ---: | ---: | ---: |",
        ]
        lines += [
            f"| {one:.1f} | {two:.1f} | {ratio:.2f} |"
            for (one, two), ratio in zip(sweeps, ratios, strict=True)
        ]
        lines += ["", f"Efficiency, median: {statistics.median(ratios):.2f}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, nargs="*", default=SIZES)
    parser.add_argument("--cells", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        from benchmarks.speed import cluster_tasks  # by name, as the workers import it

        found = measure(cluster_tasks.nothing, cluster_tasks.pieces(asked.one), asked.one)
        print(json.dumps(found))
        return
    rows: list[dict[str, float]] = []
    sweeps: list[tuple[float, float]] = []
    for n_tasks in asked.tasks:
        rows.append(in_process(n_tasks))
        print(rows[-1], flush=True)
    for _ in range(asked.repeats if asked.cells else 0):
        sweeps.append((sweep(1, asked.cells), sweep(2, asked.cells)))
        print(sweeps[-1], flush=True)
    text = page(rows, sweeps, asked.cells)
    print(text)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
