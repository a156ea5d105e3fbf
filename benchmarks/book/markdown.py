"""Tables and words of pages: which cell stands below which heading, in which row and column."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks.book.figure import pick
from histvq.errors import ConfigError


@dataclass(frozen=True)
class Table:
    """A table of a page: the headings it stands below, outermost first, its columns and its rows."""

    headings: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def plain(cell: str) -> str:
    """A cell without what makes it bold, slanted or code."""
    return re.sub(r"[*`]", "", cell).strip()


def cells(line: str) -> tuple[str, ...]:
    """The cells of a line of a Markdown table."""
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def tables_of(page: Path) -> list[Table]:
    """All tables of a page in Markdown, or the one of a file in CSV."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".csv":
        head, *rows = csv.reader(text.splitlines())
        return [Table((), tuple(head), tuple(map(tuple, rows)))]
    found: list[Table] = []
    above: list[tuple[int, str]] = []
    block: list[tuple[str, ...]] = []
    for line in [*text.splitlines(), ""]:
        if heading := re.match(r"(#+) (.*)", line):
            above = [one for one in above if one[0] < len(heading[1])]
            above.append((len(heading[1]), plain(heading[2])))
        if line.startswith("|"):
            block.append(cells(line))
        elif block:
            head, _, *body = block
            headings = tuple(name for _, name in above)
            found.append(Table(headings, tuple(map(plain, head)), tuple(body)))
            block = []
    return found


def cell_of(page: Path, path: list[str]) -> str:
    """The cell of a page at `[heading, ..., row, column]`.

    Raises:
        ConfigError: If there is none, or more than one.
    """
    if len(path) < 2:
        raise ConfigError(f"{page.name}: say a row and a column, as 'page:NAME > ROW > COLUMN'")
    *headings, row, column = path
    tables = [t for t in tables_of(page) if _below(t.headings, headings)]
    if not tables:
        known = sorted({h for t in tables_of(page) for h in t.headings})
        for heading in headings:
            pick(heading, known, f"heading in {page.name} with a table below it")
        raise ConfigError(f"{page.name} has no table below {' > '.join(headings)}")
    found = [(t, r) for t in tables for n, r in enumerate(t.rows, 1) if row in _names(r, n)]
    if not found:
        known = [name for t in tables for n, r in enumerate(t.rows, 1) for name in _names(r, n)]
        pick(row, known, f"row of {page.name}")
    with_column = [(t, r) for t, r in found if column in t.columns]
    if not with_column:
        pick(column, [c for t, _ in found for c in t.columns], f"column of {page.name}")
    if len(with_column) > 1:
        raise ConfigError(
            f"{page.name}: {len(with_column)} cells are at {' > '.join(path)}; say more cells of the "
            "row, or the heading"
        )
    [(table, cells_of_row)] = with_column
    return plain_bold(cells_of_row[table.columns.index(column)])


def plain_bold(cell: str) -> str:
    """A cell without the asterisks of bold; a star that marks a difference stays."""
    return cell.replace("**", "").strip()


def _below(headings: tuple[str, ...], asked: list[str]) -> bool:
    """Whether these headings, in this order, are among those above."""
    above = iter(headings)
    return all(heading in above for heading in asked)


def _names(row: tuple[str, ...], number: int) -> list[str]:
    """What a row may be called: its first cell, its first two, and so on, or `row 1`."""
    said = [plain(cell) for cell in row if plain(cell)]
    return [f"row {number}", *(", ".join(said[: n + 1]) for n in range(len(said)))]


def said_in(page: Path, words: str) -> str:
    """The number that stands at `#` in these words of a page.

    Raises:
        ConfigError: If the words do not stand there, or differ in what they say.
    """
    if words.count("#") != 1:
        raise ConfigError(f"{words!r}: put one # where the number is")
    text = plain(" ".join(page.read_text(encoding="utf-8").split()))
    pattern = re.escape(" ".join(words.split())).replace(r"\#", r"(\d[\d,.]*\d|\d)")
    numbers = set(re.findall(pattern, text))
    if len(numbers) != 1:
        raise ConfigError(f"{page.name} says {len(numbers)} numbers in {words!r}")
    return numbers.pop()
