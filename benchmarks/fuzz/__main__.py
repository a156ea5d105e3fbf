"""Thousands of spoilt and made-up files given to everything that reads one.

    python -m benchmarks.fuzz -o benchmarks/fuzz/results.md
    python -m benchmarks.fuzz --only reader --cases 500
    python -m benchmarks.fuzz --only "names.yaml" --case 4711

A case is a good file altered (`altering`): by accidents, and by extreme numbers, words and structures
where its format has them; archives and compressed files are altered inside. It may be read, read with a
warning of ours, or refused in our words. Anything else is a finding: another error or warning, one that
hides that memory was asked for in vain, more time than `--seconds`, the end of the process, a file left
behind, anything run, fetched or written (seen by an audit hook). A case follows from its number and the
seed; `--case` makes it again and shows what comes of it.

Cases are read in another process, under a limit on its memory (RLIMIT_AS); it is killed when a case takes
too long, and the next one goes on behind it. Needs Linux, and the test suite for the good files.
"""

import argparse
import multiprocessing
import sys
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from benchmarks.fuzz.targets import targets  # noqa: E402
from benchmarks.fuzz.worker import read_again, work  # noqa: E402

STARTING_S = 120.0


@dataclass
class Tally:
    """What came of the cases of one target."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: dict[str, list[int]] = field(default_factory=dict)
    slowest: tuple[float, int] = (0.0, -1)
    largest: tuple[int, int] = (0, -1)

    def take(self, case: int, outcome: str, detail: str, seconds: float, n_bytes: int) -> None:
        self.counts[outcome] += 1
        if outcome == "finding":
            self.findings.setdefault(detail, []).append(case)
        self.slowest = max(self.slowest, (seconds, case))
        self.largest = max(self.largest, (n_bytes, case))

    @property
    def n_cases(self) -> int:
        return self.counts.total()


def main(argv: list[str] | None = None) -> int:
    given = _parser().parse_args(argv)
    names = [n for n in targets() if not given.only or any(only in n for only in given.only)]
    if given.case is not None:
        for name in names:
            tally = _tallied(name, given.case, given.case + 1, given)
            print(name, dict(tally.counts), *tally.findings, sep="\n  ")
        return 0
    found: dict[str, Tally] = {}
    for name in names:
        found[name] = _tallied(name, 0, given.cases, given)
        print(_row(name, found[name]), *_told(found[name]), sep="\n", flush=True)
        if given.out:
            _write(given.out, found, given)
    return int(any(tally.findings for tally in found.values()))


def _tallied(name: str, first: int, last: int, given: Any) -> Tally:
    """All cases of a target, by as many processes as it takes."""
    tally = Tally()
    context = multiprocessing.get_context("spawn")
    while first < last:
        told, tell = context.Pipe(duplex=False)
        process = context.Process(
            target=work, args=(name, first, last, given.seed, _bytes(given), tell)
        )
        process.start()
        tell.close()
        first = _listened(name, told, process, tally, given, first=first)
        process.kill()
        process.join()
    return tally


def _listened(
    name: str, told: Connection, process: Any, tally: Tally, given: Any, *, first: int
) -> int:
    """Take in what a process tells until it ends or a case takes too long; the case to go on with.

    A case that cannot be made, because HDF5 itself breaks over altering it, is left out.
    """
    case, state, made, seconds = first, "", Path(), given.seconds
    while True:
        if not told.poll(seconds if state else STARTING_S):
            if state != "making":
                what = (
                    f"no end within {seconds:g} s" if state == "begun" else "it hangs between cases"
                )
                tally.take(case, "finding", what, seconds, 0)
            return case + 1
        try:
            case, outcome, detail, took, n_bytes = told.recv()
        except EOFError:
            process.join()
            if not state:
                raise RuntimeError("the process ended before its first case") from None
            if state == "making" or (state == "done" and process.exitcode == 0):
                return case + 1
            outcome, detail = (
                _again(name, made, _bytes(given)) if state == "begun" else ("finding", "")
            )
            if outcome == "finding":
                detail = f"the process ended ({process.exitcode}) {detail}".strip()
            tally.take(case, outcome, detail, 0.0, 0)
            return case + 1
        if outcome in ("making", "begun"):
            state, made = outcome, Path(detail)
        else:
            state = "done"
            tally.take(case, outcome, detail, took, n_bytes)


def _bytes(given: Any) -> int:
    return int(given.memory * 2**20)


def _again(name: str, made: Path, memory: int) -> tuple[str, str]:
    """What comes of the file of a case in a process that has not made it."""
    context = multiprocessing.get_context("spawn")
    told, tell = context.Pipe(duplex=False)
    process = context.Process(target=read_again, args=(name, made.read_bytes(), memory, tell))
    process.start()
    tell.close()
    try:
        outcome, detail = told.recv() if told.poll(STARTING_S) else ("finding", "again, no end")
    except EOFError:
        outcome, detail = "finding", "again"
    process.kill()
    process.join()
    return outcome, detail


def _row(name: str, tally: Tally) -> str:
    c = tally.counts
    return (
        f"| {name} | {tally.n_cases:,} | {c['read']:,} | {c['warned']:,} | {c['refused']:,} | "
        f"{c['finding']:,} | {tally.slowest[0]:.2f} | {tally.largest[0] / 2**20:.0f} |"
    )


def _told(tally: Tally) -> list[str]:
    return [
        f"    {len(cases)}x {what} (cases {', '.join(map(str, cases[:3]))})"
        for what, cases in sorted(tally.findings.items(), key=lambda pair: -len(pair[1]))[:20]
    ]


def _write(out: Path, found: dict[str, Tally], given: Any) -> None:
    """The table; of targets not run this time, the rows that stand there stay."""
    kept = {}
    if out.exists():
        rows = [line for line in out.read_text().splitlines() if line.startswith("| ")][1:]
        kept = {row.split(" | ")[0].removeprefix("| "): row for row in rows}
    rows = [kept.get(name, "") for name in targets()]
    rows = [
        _row(n, found[n]) if n in found else row for n, row in zip(targets(), rows, strict=True)
    ]
    head = (
        "# What came of spoilt and made-up files\n\n"
        f"`python -m benchmarks.fuzz`, seed {given.seed}; at most {given.seconds:g} s a case and "
        f"{given.memory:g} MiB above what the program takes by itself.\n\n"
        "| file | cases | read | warned | refused | findings | slowest, s | largest, MiB |\n"
        "| --- | --: | --: | --: | --: | --: | --: | --: |\n"
    )
    out.write_text(head + "\n".join(row for row in rows if row) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("-o", "--out", type=Path, help="Markdown file to write the table to.")
    parser.add_argument("--only", action="append", help="Targets with this in their names.")
    parser.add_argument("--cases", type=int, default=10_000, help="Cases a target.")
    parser.add_argument("--case", type=int, help="One case alone.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10.0, help="A case may take.")
    parser.add_argument("--memory", type=float, default=512.0, help="MiB a case may take.")
    return parser


if __name__ == "__main__":
    sys.exit(main())
