"""Training and prediction beside a plain version of the same network, and how cost grows.

    python -m benchmarks.speed -o benchmarks/speed/results/cpu.md
    python -m benchmarks.speed --quick --only train
    python -m benchmarks.speed --profile

See benchmarks/speed/README.md.
"""

import argparse
import json
import shlex
import sys
from pathlib import Path

import torch

from benchmarks.speed.compare import predict, train
from benchmarks.speed.growth import growth
from benchmarks.speed.hours import long
from benchmarks.speed.measure import MeasurementError
from benchmarks.speed.plan import Plan
from benchmarks.speed.shapes import SHAPES
from benchmarks.speed.table import page

PARTS = {"train": train, "predict": predict, "growth": growth, "long": long}


def main(argv: list[str] | None = None) -> int:
    given = parser().parse_args(argv)
    if given.device != "cpu" and not torch.cuda.is_available():
        print(f"--device {given.device}: PyTorch sees no such device here", file=sys.stderr)
        return 2
    if given.data is not None and not given.data.is_dir():
        print(f"--data {given.data}: no such folder", file=sys.stderr)
        return 2
    plan = plan_of(given)
    if given.profile:
        from benchmarks.speed.profiling import profiled

        print(profiled(plan))
        return 0
    results, failed = [], False
    command = shlex.join(["python", "-m", "benchmarks.speed", *(argv or sys.argv[1:])])
    for part in given.only:
        try:
            for result in PARTS[part](plan, tell):
                results.append(result)
                # After each, so that a run that is stopped leaves what it has measured.
                write(results, given.output, page(results, device=given.device, command=command))
        except MeasurementError as error:
            print(f"{part}: {error}", file=sys.stderr)
            failed = True
    print(page(results, device=given.device, command=command))
    return int(failed)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("--quick", action="store_true", help="short recordings, 2 runs: minutes")
    made.add_argument("--only", type=names_in(PARTS), default=list(PARTS), help=", ".join(PARTS))
    made.add_argument("--shapes", type=names_in(SHAPES), default=list(SHAPES), help="hugadb,babel")
    made.add_argument("--threads", type=counts, default=[1, 2], help="as 1,2")
    made.add_argument("--device", default="cpu", help="cpu or cuda")
    made.add_argument("--data", type=Path, help="folder of the HuGaDB recordings as plain text")
    made.add_argument("--repetitions", type=int, help="alternating runs; 5, --quick 2")
    made.add_argument("--batches", type=int, help="batches timed in a run; 2, --quick 1")
    made.add_argument(
        "--profile", action="store_true", help="where the time of a step goes instead"
    )
    made.add_argument(
        "-o", "--output", type=Path, help="markdown file; its figures go beside it as JSON"
    )
    return made


def plan_of(given: argparse.Namespace) -> Plan:
    return Plan(
        shapes=tuple(given.shapes),
        threads=tuple(given.threads),
        device=given.device,
        hugadb=given.data,
        repetitions=given.repetitions or (2 if given.quick else 5),
        batches=given.batches or (1 if given.quick else 2),
        scale=0.2 if given.quick else 1.0,
        long_hours=(0.1, 1.0) if given.quick else (1.0, 10.0),
        matrix=2048 if given.quick else 4096,
    )


def names_in(table: dict):
    """Reads names, commas between them, that stand in a table."""

    def read(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in table]:
            raise argparse.ArgumentTypeError(
                f"{', '.join(unknown)}: not among {', '.join(table)}; put commas between names"
            )
        return names

    return read


def counts(text: str) -> list[int]:
    """Reads numbers from 1, commas between them."""
    numbers = [int(number) for number in text.split(",")]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"{text}: numbers of threads begin at 1")
    return numbers


def write(results: list[dict], file: Path | None, text: str) -> None:
    """The page, and all figures beside it."""
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def tell(what: str) -> None:
    """Say what is being measured; the page goes to standard output."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
