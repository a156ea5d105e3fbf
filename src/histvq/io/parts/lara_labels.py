"""Labels files of LARa: eight classes, one a row, in both of the ways they were published."""

import re
import warnings
from pathlib import Path

import numpy as np

from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.number_table import is_number, read_numbers, unix_text
from histvq.io.parts.packed import AGAIN, read_packed

ACTIONS = (
    "Standing", "Walking", "Cart", "Handling(upwards)", "Handling(centred)", "Handling(downwards)",
    "Synchronization", "None",
)  # fmt: skip
NONE = ACTIONS.index("None")
N_ATTRIBUTES = 19
ENDINGS = ("_labels.csv", "_labels.csv.xz")


def labels_stem(path: Path) -> str | None:
    """The id of the recording a labels file is of; None where it is not called as they are."""
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return None


def find_labels(id: str, beside: Path, folder: Path | None = None) -> Path | None:
    """The labels file of a recording, from this folder, or else from anywhere in the other one."""
    for file in (beside / f"{id}{ending}" for ending in ENDINGS):
        if file.is_file():
            return file
    found = (sorted(folder.rglob(f"{id}{ending}")) for ending in ENDINGS) if folder else iter(())
    return next((files[0] for files in found if files), None)


def read_labels(path: Path) -> np.ndarray:
    """The class of each row, an index into `ACTIONS`.

    Version 3 has a column of ones and zeros a class, found by its name (with or without `C1_` before
    it); version 1 a column of numbers 0 to 7. The 19 columns of attributes are left out.

    Source: a row's class is the first one that is 1, and `None` where none is, as in the preparation
    of the published benchmark.

    Raises:
        FileFormatError: If the columns are neither, or a cell is not as it should be.
    """
    data = unix_text(read_packed(path), path=path)
    header, _, body = data.partition(b"\n")
    names = [cell.strip().strip('"') for cell in header.decode("utf-8", "replace").split(",")]
    if all(is_number(name) for name in names):
        names, body, first_line = [f"column {n}" for n in range(1, len(names) + 1)], data, 1
    else:
        first_line = 2
    if not body.strip():
        raise FileFormatError(f"{path}: no row of labels in it. {AGAIN}")
    places = _class_columns(names)
    if places is None and len(names) not in (1, 1 + N_ATTRIBUTES):
        raise FileFormatError(
            f"{path}, line 1: {len(names)} columns ({', '.join(names)[:60]}); expected either one of "
            f"each class ({', '.join(ACTIONS)}), or a class number and {N_ATTRIBUTES} attributes. "
            + AGAIN
        )
    rows = read_numbers(body, path=path, columns=names, first_line=first_line)
    if places is None:
        return _of_numbers(rows[:, 0], path=path, first_line=first_line)
    return _of_columns(rows[:, places], path=path, first_line=first_line)


def _class_columns(names: list[str]) -> list[int] | None:
    """Places of the eight classes among the columns; None unless each is there."""
    plain = [_plain(name) for name in names]
    wanted = [_plain(name) for name in ACTIONS]
    return [plain.index(name) for name in wanted] if set(wanted) <= set(plain) else None


def _plain(name: str) -> str:
    return re.sub(r"^C\d_|[\s_]", "", name.strip(), flags=re.IGNORECASE).lower()


def _of_numbers(numbers: np.ndarray, *, path: Path, first_line: int) -> np.ndarray:
    wrong = np.flatnonzero(~np.isin(numbers, np.arange(len(ACTIONS))))
    if len(wrong):
        raise FileFormatError(
            f"{path}, line {first_line + wrong[0]}: class {numbers[wrong[0]]:g}, expected 0 to "
            f"{len(ACTIONS) - 1}; {len(wrong)} such lines. Put them right"
        )
    return numbers.astype(np.int32)


def _of_columns(ones: np.ndarray, *, path: Path, first_line: int) -> np.ndarray:
    wrong = np.argwhere((ones != 0) & (ones != 1))
    if len(wrong):
        row, column = wrong[0]
        raise FileFormatError(
            f"{path}, line {first_line + row}, {ACTIONS[column]}: {ones[row, column]:g}, expected 0 "
            f"or 1; {len(wrong)} such cells. Put them right"
        )
    marked = ones.sum(axis=1)
    for rows, words in (
        (np.flatnonzero(marked > 1), "several classes; the first counts"),
        (np.flatnonzero(marked < 1), "no class; they become None"),
    ):
        if len(rows):
            warnings.warn(
                f"{path.name}: {len(rows)} rows, the first at line {first_line + rows[0]}, have "
                + words,
                DataWarning,
                stacklevel=4,
            )
    return np.where(marked > 0, ones.argmax(axis=1), NONE).astype(np.int32)
