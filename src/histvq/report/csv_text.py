"""Rows of a table as text."""

import csv
import io
from collections.abc import Iterable
from typing import Any

import numpy as np


def csv_rows(columns: Iterable[Iterable[Any]]) -> bytes:
    """These columns as lines of CSV, as `DataFrame.to_csv` writes them, which takes long for few rows.

    Args:
        columns: Of Python's own texts, integers and floats; None is written as nothing.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(zip(*columns, strict=True))
    return text.getvalue().encode("utf-8", errors="replace")


def rounded(values: np.ndarray, decimals: int) -> list[float | None]:
    """Rounded numbers for `csv_rows`; None for NaN."""
    found = np.round(values.astype(float), decimals)
    if not np.isnan(found).any():
        return found.tolist()
    return [None if value != value else value for value in found.tolist()]
