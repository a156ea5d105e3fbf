"""Training by one process and by two, in turn: how much faster, as a ratio of the same run.

    python -m benchmarks.speed.processes --data HUGADB_FOLDER -o benchmarks/speed/results/processes.md

Each process has one thread. Time is counted from the first batch to the last, without reading and
starting; `efficiency` is the time of one process over that of N, divided by N.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

PRESETS = {"hugadb-fast": {}, "paper-hugadb": {}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of HuGaDB's raw text files")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--recordings", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--train", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.train:
        train(given)
        return
    rows = []
    for preset in PRESETS:
        seconds: dict[int, list[float]] = {n: [] for n in given.processes}
        for _ in range(given.rounds):
            for n in given.processes:
                seconds[n].append(timed(n, preset))
        rows += [row(preset, n, seconds) for n in given.processes]
    text = table(rows, given)
    print(text)
    if given.out:
        given.out.write_text(text, encoding="utf-8")


def timed(n: int, preset: str) -> float:
    """Seconds of training by so many processes."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    begun = []
    for rank in range(n):
        said = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": n, "MASTER_PORT": port}
        environment = os.environ | {k: str(v) for k, v in said.items()}
        environment |= {"MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}
        command = [
            sys.executable,
            "-m",
            "benchmarks.speed.processes",
            *sys.argv[1:],
            "--train",
            preset,
        ]
        begun.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    said_by_first, *_ = [process.communicate()[0] for process in begun]
    return float(json.loads(said_by_first.splitlines()[-1])["seconds"])


def train(given: argparse.Namespace) -> None:
    """In one of the processes: train, and say how long it took."""
    import warnings

    from histvq.datasets import load_dataset
    from histvq.models import make_method
    from histvq.processes import all_processes

    warnings.simplefilter("ignore")
    stride = 1 if given.train == "paper-hugadb" else 2
    recordings = load_dataset("hugadb", given.data, stride=stride).recordings[: given.recordings]
    method = make_method("histvq", preset=given.train, random_state=0)
    method.set_params(epochs=given.epochs, min_steps=0, min_gain=0.0)
    marks: list[float] = []
    with all_processes():
        method.fit(recordings, progress=lambda _: marks.append(time.perf_counter()))
    print(json.dumps({"seconds": marks[-1] - marks[0]}))


def row(preset: str, n: int, seconds: dict[int, list[float]]) -> list[str]:
    one, mine = seconds[min(seconds)], seconds[n]
    ratios = [min(seconds) * a / b / n for a, b in zip(one, mine, strict=True)]
    return [
        preset,
        str(n),
        f"{statistics.median(mine):.1f} ({min(mine):.1f}-{max(mine):.1f})",
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
    ]


def table(rows: list[list[str]], given: argparse.Namespace) -> str:
    head = ["preset", "processes", "seconds", "efficiency"]
    lines = [head, ["---", "---:", "---:", "---:"], *rows]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    told = (
        f"{given.recordings} recordings of HuGaDB, {given.epochs} epochs, one thread a process; "
        f"medians of {given.rounds} rounds in turn, ranges in brackets."
    )
    return f"# Training by several processes\n\n{told}\n\n{body}\n"


if __name__ == "__main__":
    main()
