"""The line of a table that names its columns: found, and understood."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from histvq.errors import ConfigError, FileFormatError
from histvq.io.parts.packed import AGAIN
from histvq.io.tables.cells import find_separator, split
from histvq.io.tables.columns import Plan, plausible, understand
from histvq.io.tables.lines import first_lines, numbered_lines
from histvq.io.tables.notes import TableNotes


@dataclass(frozen=True, kw_only=True)
class Header:
    """The line of column names."""

    line: int
    names: tuple[str, ...]
    separator: str


def find_header(path: Path, notes: TableNotes) -> Header:
    """The first line not to pass over; a line `sep=;`, as Excel has it, says the separator."""
    separator = notes.separator_itself
    for number, line in numbered_lines(path):
        if number in notes.skipped:
            continue
        if line.lower().startswith("sep=") and len(line.rstrip(",;")) <= 5:
            separator = separator or line[4:5]
            continue
        separator = separator or find_separator(line)
        if not (names := _names(line, separator)):
            raise FileFormatError(f"{path}, line {number}: quotes that do not close. {AGAIN}")
        if len(names) == 1 and plausible(names[0].split()):
            raise FileFormatError(
                f"{path}, line {number}: column names {names[0][:40]!r} with spaces between them. "
                "Write commas, semicolons or tabs between cells"
            )
        return Header(line=number, names=tuple(names), separator=separator)
    raise FileFormatError(f"{path}: no line of column names in it. {AGAIN}")


def plan_of(path: Path, header: Header, notes: TableNotes, joint: str | None) -> Plan:
    """What the columns mean.

    Raises:
        FileFormatError: See `understand`; also if a later line looks like the column names.
        ConfigError: If a name is given for the joint but the columns name joints themselves.
    """
    where = f"{path}, line {header.line}"
    if not (plausible(header.names) or notes.joints or notes.channels):
        later = next((number for number, _ in likely_headers(path) if number > header.line), None)
        if later is not None:
            raise FileFormatError(
                f"{where}: {', '.join(header.names)[:60]!r} does not look like column names, but "
                f"line {later} does: pass skip_rows={later - 1}, or say `skip_rows: {later - 1}` "
                "in table.yaml"
            )
    plan = understand(header.names, notes, where=where)
    if plan.joints == ("",):
        return replace(plan, joints=(joint or notes.joint or "sensor",))
    if joint is not None:
        raise ConfigError(
            f"{path}: joint={joint!r}, but its columns name their joints. Leave the option out"
        )
    return plan


def likely_headers(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Lines at the start of a file that may be column names, and their numbers."""
    for number, line in first_lines(path):
        if plausible(names := _names(line, find_separator(line))):
            yield number, names


def _names(line: str, separator: str) -> list[str]:
    """The column names in a line, without the `# ` that numpy.savetxt puts before them."""
    return split(line.removeprefix("# "), separator)
