"""Groups of recordings side by side: a table has a row an action and a column a group."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from histvq.report.analysis import by_group
from histvq.segments import Segmentation

if TYPE_CHECKING:
    import pandas as pd

# A column with more different values than this tells recordings apart, not groups of them.
MAX_GROUPS = 24
PAIRS = 60
Row = Mapping[Any, Any]


def extras(groups: "pd.DataFrame | None") -> dict[str, dict[str, str]]:
    """What the table of recordings says of each: recording -> column -> value."""
    if groups is None:
        return {}
    said = groups.astype(object).where(groups.notna(), "")
    return {
        str(name): {str(column): str(value) for column, value in row.items()}
        for name, row in said.to_dict("index").items()
    }


def group_tables(
    answers: Sequence[Segmentation], groups: "pd.DataFrame | None", names: Mapping[int, str]
) -> dict[str, list[dict[str, Any]]]:
    """Column of the table of recordings -> tables of `title`, `note`, `heads` and `rows`.

    A column that says the same, or nothing, of all recordings is left out; one with too many different
    values has a note instead of tables.
    """
    if groups is None:
        return {}
    ids = [answer.recording_id for answer in answers]
    found = {}
    for column in map(str, groups.columns):
        values = {name: row[column] for name, row in extras(groups).items() if row[column]}
        different = {values[name] for name in ids if name in values}
        if len(different) > MAX_GROUPS:
            note = f"{len(different)} different values: too many to compare side by side."
            found[column] = [{"title": "", "note": note, "heads": [], "rows": []}]
        elif len(different) > 1:
            found[column] = _tables(by_group(answers, values), names)
    return found


def _tables(tables: "Mapping[str, pd.DataFrame]", names: Mapping[int, str]) -> list[dict[str, Any]]:
    pairs = tables["transitions"]
    totals = pairs.groupby(["action", "next"])["count"].sum().sort_values(ascending=False)
    commonest = [*totals.index[:PAIRS]]
    left_out = f" The {PAIRS} commonest of {len(totals)}." if len(totals) > PAIRS else ""
    actions = list(dict.fromkeys(tables["usage"]["action"].tolist()))
    by_action = {action: names[action] for action in actions}
    by_pair = {(a, b): f"{names[a]} → {names[b]}" for a, b in commonest}
    return [
        _pivot("Usage", "Percent of a recording's time: mean over the group's recordings, and standard "
               "deviation.", tables["usage"], ["action"], by_action, _share),
        _pivot("Durations", "Median length of segments in seconds, quartiles, and how many there are.",
               tables["durations"], ["action"], by_action, _duration),
        _pivot("Transitions", f"Percent of all that follow an action.{left_out}", pairs,
               ["action", "next"], by_pair, _following),
    ]  # fmt: skip


def _pivot(
    title: str,
    note: str,
    table: "pd.DataFrame",
    keys: Sequence[str],
    wanted: Mapping[Any, str],
    cell: Callable[[Row], str],
) -> dict[str, Any]:
    """A long table made wide: a row for each of the wanted keys, a column for each group."""
    cells = {
        (row["group"], row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys)): cell(
            row
        )
        for row in table.to_dict("records")
    }
    groups = list(dict.fromkeys(table["group"].tolist()))
    rows = [
        [name, *(cells.get((group, key), "") for group in groups)] for key, name in wanted.items()
    ]
    return {"title": title, "note": note, "heads": ["", *groups], "rows": rows}


def _share(row: Row) -> str:
    mean, deviation = row["share_mean"], row["share_sd"]
    if mean != mean:  # no recording of the group has any label
        return ""
    spread = "" if deviation != deviation else f" (sd {100 * deviation:.1f})"
    return f"{100 * mean:.1f}{spread}"


def _duration(row: Row) -> str:
    if not row["n_segments"]:
        return "0 segments"
    return f"{row['median_s']:.2f} ({row['q25_s']:.2f} to {row['q75_s']:.2f}), {row['n_segments']}"


def _following(row: Row) -> str:
    return f"{100 * row['share']:.1f}"
