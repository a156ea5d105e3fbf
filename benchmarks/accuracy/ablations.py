"""Hold the paper's ablation findings against our runs: Tables 4-10, as `histvq reproduce` left them.

    python benchmarks/accuracy/ablations.py benchmarks/accuracy/results --dataset hugadb

Every row of a table is compared with the row that is the method as the paper proposes it. The spread
between seeds is pooled over all rows of all tables, so that a few seeds a row give one deviation with
many degrees of freedom; a difference counts where it is beyond what that spread gives by chance in one
comparison of twenty (two-sided t): `=` marks one in the paper's direction, `!` one against it.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import t as student

TABLES = tuple(f"table{number}" for number in range(4, 11))
SCORES = ("mof", "edit", "f1@10", "f1@25", "f1@50")


@dataclass(frozen=True)
class Spread:
    """Deviation between seeds of one score, and how many degrees of freedom it rests on."""

    deviation: float
    freedom: int

    def margin(self, n: int, m: int) -> float:
        """Least difference between means of n and m runs that chance gives once in twenty."""
        return float(student.ppf(0.975, self.freedom) * self.deviation * np.sqrt(1 / n + 1 / m))


def pooled(tables: dict[str, dict], score: str) -> Spread:
    """Deviation within rows, each distinct row once."""
    squares, freedom, seen = 0.0, 0, set()
    for table in tables.values():
        for row in table["rows"]:
            values = [run[score] for run in row["runs"]]
            key = json.dumps(row["settings"], sort_keys=True)
            if key in seen:
                continue
            seen.add(key)
            squares += float(np.var(values) * len(values))
            freedom += len(values) - 1
    return Spread(float(np.sqrt(squares / freedom)), freedom)


def mark(ours: float, paper: float, margin: float) -> str:
    """What our difference says of the paper's: nothing, if chance gives as much."""
    if abs(ours) < margin:
        return ""
    return " **=**" if ours * paper > 0 else " **!**"


def compared(tables: dict[str, dict], spreads: dict[str, Spread]) -> list[str]:
    """Lines of a Markdown table, a row each."""
    head = ["table", "row", *(f"{score}: ours / paper" for score in SCORES)]
    lines = [head, ["---"] * len(head)]
    proposed = tables["table4"]["rows"][0]["settings"]  # a row of every table
    for name, table in tables.items():
        base = next(row for row in table["rows"] if row["settings"] == proposed)
        for row in table["rows"]:
            if row is base:
                continue
            cells = []
            for score in SCORES:
                ours = row["mean"][score] - base["mean"][score]
                paper = row["paper"][score] - base["paper"][score]
                margin = spreads[score].margin(len(row["runs"]), len(base["runs"]))
                cells.append(f"{ours:+.1f} / {paper:+.1f}{mark(ours, paper, margin)}")
            lines.append([name.removeprefix("table"), row["label"], *cells])
    return ["| " + " | ".join(line) + " |" for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--dataset", default="hugadb")
    parser.add_argument("--preset", default="fast")
    options = parser.parse_args()
    tables = {}
    for name in TABLES:
        file = options.results / f"{name}-{options.dataset}-{options.preset}.json"
        tables[name] = json.loads(file.read_text())
    spreads = {score: pooled(tables, score) for score in SCORES}
    n = len(tables["table4"]["rows"][0]["runs"])
    for score, spread in spreads.items():
        print(
            f"- {score}: standard deviation between seeds {spread.deviation:.1f} "
            f"({spread.freedom} degrees of freedom); a difference between two rows of {n} seeds "
            f"counts from {spread.margin(n, n):.1f} on"
        )
    print()
    print("\n".join(compared(tables, spreads)))


if __name__ == "__main__":
    main()
