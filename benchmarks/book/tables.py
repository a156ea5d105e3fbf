"""Named tables of figures: `tables.toml` says what is in them, this makes them."""

import re
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.accuracy import ablations
from benchmarks.accuracy.pages import SCORES
from benchmarks.book.figure import Figure, pick
from benchmarks.book.keys import NotPrinted, Results

SPECS = Path(__file__).with_name("tables.toml")
_KEY = re.compile(r"\{(.*?)\}")


def table(name: str, results: Results) -> str:
    """A named table in Markdown, without a line end at its end.

    Raises:
        ConfigError: If there is none of that name, or a key of it names nothing.
    """
    specs = _specs()
    pick(name, [*specs, *MADE], "table")
    lines = MADE[name](results) if name in MADE else _made_of(specs[name], results)
    return "\n".join(lines)


@cache
def _specs() -> dict[str, Any]:
    return tomllib.loads(SPECS.read_text(encoding="utf-8"))


def _made_of(spec: dict[str, Any], results: Results) -> list[str]:
    scores = [[SCORES[score], f"{{*.{score}}}"] for score in spec.get("scores", [])]
    columns = [*scores, *spec.get("columns", [])]
    templates = [template for _, template in columns]
    lines = [line_of([spec.get("corner", ""), *(title for title, _ in columns)])]
    lines.append(line_of(["---"] * (1 + len(columns))))
    for group in _groups(spec["rows"]):
        cells = [[_cell(t, key, results) for t in own or templates] for _, key, *own in group]
        best = [
            _best([row[n][1] for row in cells], lower="jsd" in templates[n])
            if spec.get("bold")
            else set()
            for n in range(len(columns))
        ]
        for place, (label, *_) in enumerate(group):
            texts = [
                f"**{text}**" if place in best[n] else text
                for n, (text, _) in enumerate(cells[place])
            ]
            lines.append(line_of([label, *texts]))
    return lines


def _groups(rows: Sequence[list[str]]) -> list[list[list[str]]]:
    """Rows between which the best is looked for; an empty row parts one group from the next."""
    groups: list[list[list[str]]] = [[]]
    for row in rows:
        if row:
            groups[-1].append(row)
        else:
            groups.append([])
    return groups


def _cell(template: str, key: str, results: Results) -> tuple[str, Figure | None]:
    """Text of a cell, and its figure if it is one figure; a number the paper has not is left out."""
    found: list[Figure] = []

    def text(match: re.Match[str]) -> str:
        figure = results.figure(match[1].replace("*", key))
        found.append(figure)
        return figure.text

    try:
        return _KEY.sub(text, template), found[0] if len(found) == 1 else None
    except NotPrinted:
        return "", None


def _best(figures: Sequence[Figure | None], *, lower: bool) -> set[int]:
    """Places of the best figures; of several that are written alike, all."""
    means = {n: f.mean for n, f in enumerate(figures) if f is not None and f.mean is not None}
    if len(means) < 2:
        return set()
    best = (min if lower else max)(means, key=lambda n: means[n])
    written = _mean_text(figures[best])
    return {n for n in means if _mean_text(figures[n]) == written}


def _mean_text(figure: Figure | None) -> str:
    return "" if figure is None else figure.text.split(" (")[0]


def line_of(cells: Sequence[str]) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def _ablations(results: Results) -> tuple[dict[str, Any], dict[str, ablations.Spread]]:
    tables = {name: results.table(name, "hugadb") for name in ablations.TABLES}
    return tables, {score: ablations.pooled(tables, score) for score in ablations.SCORES}


def _ablation_rows(results: Results) -> list[str]:
    """Every row of the paper's ablations against the method as proposed."""
    return ablations.compared(*_ablations(results))


def _ablation_spread(results: Results) -> list[str]:
    """Deviation between seeds over all rows of the ablations, and what difference counts."""
    tables, spreads = _ablations(results)
    n = len(tables["table4"]["rows"][0]["runs"])
    return [
        line_of(["", *(SCORES[score] for score in spreads)]),
        line_of(["---"] * (1 + len(spreads))),
        line_of(["deviation", *(f"{spread.deviation:.1f}" for spread in spreads.values())]),
        line_of(
            ["least difference that counts", *(f"{s.margin(n, n):.1f}" for s in spreads.values())]
        ),
    ]


# Tables that are reckoned, not only put together.
MADE: dict[str, Callable[[Results], list[str]]] = {
    "ablations-hugadb": _ablation_rows,
    "ablations-spread-hugadb": _ablation_spread,
}


def names() -> list[str]:
    """Names of all tables."""
    return [*_specs(), *MADE]
