"""Answers as tables: one row a segment, or one row an action."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from histvq.segments import SEGMENT_COLUMNS, Segmentation, names_of, segment_name, to_segments
from histvq.writing import write_text

if TYPE_CHECKING:
    import pandas as pd

USAGE_COLUMNS = [
    "action", "name", "total_s", "share", "n_segments", "median_s", "n_recordings", "n_people",
    "flag",
]  # fmt: skip
TIME_DECIMALS = 6
CONFIDENCE_DECIMALS = 4


def write_segments(path: str | Path, answers: Iterable[Segmentation]) -> Path:
    """Write every segment of every answer as CSV: `segments_table`."""
    return write_text(path, segments_table(answers).to_csv(index=False, lineterminator="\n"))


def segments_table(answers: Iterable[Segmentation]) -> "pd.DataFrame":
    """Every segment of every answer: the columns of `Segmentation.segments`.

    Units: seconds, rounded to a microsecond; frames are half-open.
    """
    import pandas as pd

    tables = [table for table in (_rounded(answer).segments() for answer in answers) if len(table)]
    table = (
        pd.concat([t.astype({"parent": "Int64", "confidence": float}) for t in tables])
        if tables
        else pd.DataFrame(columns=SEGMENT_COLUMNS)
    )
    for column in ("start_s", "stop_s", "duration_s"):
        table[column] = table[column].astype(float).round(TIME_DECIMALS)
    table["confidence"] = table["confidence"].astype(float).round(CONFIDENCE_DECIMALS)
    return table


def _rounded(answer: Segmentation) -> Segmentation:
    """The answer as `frames.csv` has it, so that this table comes out the same when made from that."""
    if answer.confidence is None:
        return answer
    confidence = np.round(np.asarray(answer.confidence, dtype=float), CONFIDENCE_DECIMALS)
    return replace(answer, confidence=confidence)


def usage_table(answers: Sequence[Segmentation]) -> "pd.DataFrame":
    """One row per action: how long, how often, and in whose recordings.

    An action that lives in one recording or one person only (where there are more) is more often an
    artefact of that recording than something people do: `flag` says so.

    Units: seconds; `share` is of all labelled time and lies in [0, 1].
    """
    import pandas as pd

    runs = [
        (label, (stop - start) / answer.fps, answer.recording_id, answer.person)
        for answer in answers
        for start, stop, label in to_segments(answer.actions)
        if label >= 0
    ]
    names = names_of(answers)
    total = sum(seconds for _, seconds, _, _ in runs)
    recordings = {answer.recording_id for answer in answers}
    people = {answer.person for answer in answers} - {None}
    rows = []
    for code in sorted({run[0] for run in runs}):
        lengths = [seconds for label, seconds, _, _ in runs if label == code]
        where = {name for label, _, name, _ in runs if label == code}
        who = {person for label, _, _, person in runs if label == code} - {None}
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
