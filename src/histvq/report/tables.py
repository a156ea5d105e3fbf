"""Answers as tables: one row a segment, or one row an action."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from histvq.report.csv_text import csv_rows, rounded
from histvq.report.laid import firsts_of, groups, run_starts
from histvq.report.ready import Ready, stretches
from histvq.segments import LEVELS, SEGMENT_COLUMNS, Segmentation, names_of, segment_name
from histvq.writing import written_whole

if TYPE_CHECKING:
    import pandas as pd

USAGE_COLUMNS = [
    "action", "name", "total_s", "share", "n_segments", "median_s", "n_recordings", "n_people",
    "flag",
]  # fmt: skip
TIME_DECIMALS = 6
CONFIDENCE_DECIMALS = 4
ROUNDED = {
    **dict.fromkeys(("start_s", "stop_s", "duration_s"), TIME_DECIMALS),
    "confidence": CONFIDENCE_DECIMALS,
}
# A table is made of so many rows at a time: of one answer each it takes long, of all much room.
ROWS_A_BLOCK = 100_000


def write_segments(
    path: str | Path,
    answers: Iterable[Segmentation],
    *,
    ready: Ready = MappingProxyType({}),
) -> Path:
    """Write every segment of every answer as CSV: `segments_table`; what is `ready` is only copied."""
    with written_whole(path) as file:
        file.write((",".join(SEGMENT_COLUMNS) + "\n").encode())
        for some, rows in stretches(list(answers), ready):
            for text in segment_rows(some) if rows is None else rows.segments():
                file.write(text)
    return Path(path)


def segment_rows(answers: Iterable[Segmentation]) -> Iterator[bytes]:
    """The rows that `write_segments` would write, in parts."""
    for rows in _row_blocks(answers):
        columns: dict[str, Any] = dict(zip(SEGMENT_COLUMNS, zip(*rows, strict=True), strict=True))
        for name, decimals in ROUNDED.items():
            columns[name] = rounded(np.array(columns[name], dtype=float), decimals)
        yield csv_rows(columns.values())


def segments_table(answers: Iterable[Segmentation]) -> "pd.DataFrame":
    """Every segment of every answer: the columns of `Segmentation.segments`.

    Units: seconds, rounded to a microsecond; frames are half-open.
    """
    import pandas as pd

    tables = [_segments(rows) for rows in _row_blocks(answers)]
    return pd.concat(tables) if tables else _segments([])


def _row_blocks(answers: Iterable[Segmentation]) -> Iterator[list[tuple[object, ...]]]:
    """The rows in blocks: one for each answer would take long where there are thousands."""
    rows: list[tuple[object, ...]] = []
    for answer in answers:
        exact = _rounded(answer)
        rows += [row for level in LEVELS for row in exact.rows(level)]
        if len(rows) >= ROWS_A_BLOCK:
            yield rows
            rows = []
    if rows:
        yield rows


def _segments(rows: Sequence[tuple[object, ...]]) -> "pd.DataFrame":
    import pandas as pd

    table = pd.DataFrame(rows, columns=SEGMENT_COLUMNS)
    if rows:
        table = table.astype({"parent": "Int64"})
    for name, decimals in ROUNDED.items():
        table[name] = table[name].astype(float).round(decimals)
    return table


def _rounded(answer: Segmentation) -> Segmentation:
    """The answer as `frames.csv` has it, so that this table comes out the same when made from that."""
    if answer.confidence is None:
        return answer
    confidence = np.round(np.asarray(answer.confidence, dtype=float), CONFIDENCE_DECIMALS)
    return replace(answer, confidence=confidence)


def _runs(answers: Sequence[Segmentation]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every segment of an action: its code, its length in seconds, and the place of its answer."""
    found = [(np.empty(0, int), np.empty(0), np.empty(0, int))]
    numbers = iter(np.flatnonzero([answer.n_frames > 0 for answer in answers]))
    for group in groups(answers):
        actions = np.concatenate([answer.actions for answer in group])
        firsts = firsts_of(group)
        starts = run_starts([actions], firsts)
        known = actions[starts] >= 0
        within = np.searchsorted(firsts, starts, side="right") - 1
        fps = np.array([answer.fps for answer in group])[within]
        seconds = np.diff(starts, append=len(actions)) / fps
        places = np.fromiter(islice(numbers, len(group)), int, len(group))[within]
        found.append((actions[starts][known], seconds[known], places[known]))
    labels, seconds, places = (np.concatenate(column) for column in zip(*found, strict=True))
    return labels, seconds, places


def usage_table(answers: Sequence[Segmentation]) -> "pd.DataFrame":
    """One row per action: how long, how often, and in whose recordings.

    An action that lives in one recording or one person only (where there are more) is more often an
    artefact of that recording than something people do: `flag` says so.

    Units: seconds; `share` is of all labelled time and lies in [0, 1].
    """
    import pandas as pd

    labels, seconds, places = _runs(answers)
    names = names_of(answers)
    total = sum(seconds.tolist())
    recordings = {answer.recording_id for answer in answers}
    people = {answer.person for answer in answers} - {None}
    rows = []
    for code in np.unique(labels).tolist():
        lengths = seconds[labels == code].tolist()
        found = [answers[place] for place in np.unique(places[labels == code])]
        where = {answer.recording_id for answer in found}
        who = {answer.person for answer in found} - {None}
        flag = ""
        if len(where) == 1 < len(recordings):
            flag = f"only in recording {min(where)}"
        elif len(who) == 1 < len(people):
            flag = f"only in person {min(filter(None, who))}"
        rows.append(
            (
                code, names.get(code, segment_name("action", code)), sum(lengths), sum(lengths) / total,
                len(lengths), float(np.median(lengths)), len(where), len(who), flag,
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=USAGE_COLUMNS)
