"""Keys: names of measured figures, and the results files that they read. README.md has the grammar."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.accuracy.pages import SCORES
from benchmarks.book.figure import (
    Figure,
    minus,
    of_number,
    of_runs,
    of_text,
    pick,
    ways_of,
    written,
)
from benchmarks.book.markdown import cell_of, said_in
from histvq.errors import ConfigError

DATASETS = {"hugadb": "hugadb", "cmu": "cmu-exercises", "precog": "precog16"}
NOT_KEPT = ("README.md", "notebook.md")  # pages that are typed: no key reads them


class NotPrinted(ConfigError):
    """The paper has no number there."""


class Results:
    """The results files below a folder, each read once.

    Args:
        folder: `benchmarks` of the repository.
    """

    def __init__(self, folder: Path) -> None:
        self._files = [
            file
            for file in sorted(folder.rglob("*.*"))
            if file.suffix in (".json", ".md", ".csv") and file.name not in NOT_KEPT
        ]
        self._json = cache(lambda path: json.loads(path.read_text(encoding="utf-8")))

    def figure(self, key: str) -> Figure:
        """What a key gives.

        Raises:
            ConfigError: If it names nothing; with what may have been meant.
        """
        name, ways = ways_of(key.strip())
        return written(self._figure(name), ways)

    def _figure(self, key: str) -> Figure:
        if key.startswith("(") and key.endswith(")"):
            one, minus_sign, other = key[1:-1].partition(" - ")
            if not minus_sign or " - " in other:
                raise ConfigError(f"{key}: a difference is written (KEY - KEY)")
            return minus(self.figure(one), self.figure(other))
        kind, colon, rest = key.partition(":")
        if not colon:
            return self._scored(key)
        kinds = self._kinds()
        return kinds[pick(kind, list(kinds), "kind of key")](rest)

    def _kinds(self) -> Mapping[str, Any]:
        return {
            "study": self._study,
            "page": self._page,
            "said": self._said,
            "json": self._value,
        }

    def _file(self, name: str, *endings: str) -> Path:
        """The one results file of a name; the first ending counts, if there are several."""
        known = [file.stem for file in self._files if file.suffix in endings]
        pick(name, known, f"results file ({', '.join(endings)})")
        for ending in endings:
            found = [f for f in self._files if f.stem == name and f.suffix == ending]
            if len(found) > 1:
                raise ConfigError(f"{len(found)} results files are called {name + ending!r}")
            if found:
                break
        return found[0]

    def _page(self, rest: str) -> Figure:
        name, *path = re.split(r" > ", rest)
        return of_text(cell_of(self._file(name, ".md", ".csv"), path))

    def _said(self, rest: str) -> Figure:
        name, _, words = rest.partition(" > ")
        return of_text(said_in(self._file(name, ".md"), words))

    def _value(self, rest: str) -> Figure:
        name, *path = re.split(r" > ", rest)
        value = self._json(self._file(name, ".json"))
        for part in path:
            if isinstance(value, list):
                value = value[int(pick(part, [str(n) for n in range(len(value))], "entry"))]
            else:
                value = value[pick(part, list(value), f"value of {name}.json")]
        if isinstance(value, str):
            return of_text(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"json:{rest} is no number")
        if isinstance(value, float) and value != round(value, 2):
            return of_number(value)
        return of_text(f"{value:,}")

    def _study(self, rest: str) -> Figure:
        name, _, row_and_score = rest.partition("/")
        row, _, score = row_and_score.rpartition(".")
        rows = {row["name"]: row for row in self._json(self._file(name, ".json"))}
        runs = rows[pick(row, list(rows), f"row of {name}.json")]["runs"]
        pick(score, [*SCORES, "seconds"], "score of a study")
        return of_runs([run[score] for run in runs])

    def _scored(self, key: str) -> Figure:
        """A score of a table of `histvq reproduce`."""
        called, _, rest = key.partition(".")
        dataset = DATASETS[pick(called, [*DATASETS, "study:", "page:", "said:", "json:"], "source")]
        if rest == "constant":
            said = self._table("table1", dataset)["protocol"]["a constant answer scores"]
            return of_text(said.removeprefix("MoF "))
        match = re.fullmatch(r"(?:(table\d+)\.)?(paper\.)?(.*)\.([^.]+)", rest)
        if not match:
            raise ConfigError(f"write {called}.ROW.SCORE")
        number, paper, name, score = match.groups()
        pick(score, list(SCORES), "score")
        if paper:
            number = number or ("table3" if score == "jsd" else "table1")
            return self._printed(number, dataset, name, score)
        number = number or "table1"
        row = self._row(number, dataset, name)
        if not row["runs"]:
            raise ConfigError(f"row {name!r} of {number} on {dataset} has no runs")
        # Not the file's own mean: it has two decimals, and rounding twice is not rounding once.
        return of_runs([run[score] for run in row["runs"]])

    def _printed(self, table: str, dataset: str, name: str, score: str) -> Figure:
        number = self._row(table, dataset, name)["paper"].get(score)
        if number is None:
            raise NotPrinted(f"the paper has no {score} for {name!r} of {table} on {dataset}")
        return of_number(number)

    def _row(self, table: str, dataset: str, name: str) -> Any:
        rows = {row["name"]: row for row in self._table(table, dataset)["rows"]}
        return rows[pick(name, list(rows), f"row of {table} on {dataset}")]

    def table(self, number: str, called: str) -> Any:
        """What a file of `histvq reproduce` holds, as `table4` on `hugadb`."""
        return self._table(number, DATASETS[pick(called, list(DATASETS), "dataset")])

    def _table(self, number: str, dataset: str) -> Any:
        return self._json(self._file(f"{number}-{dataset}-fast", ".json"))
