"""A table of frames in pandas' HDF5, of format `table` or `fixed`, read without pandas or PyTables.

Both unpickle what the file says, and so run it; here only plain arrays and text are taken.

Source: the layout of the files pandas writes (`HDFStore`), as seen in them.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from histvq.errors import FileFormatError
from histvq.io.parts.hdf5 import attribute, dataset, member, numbers, opened, strings, text
from histvq.io.parts.named_table import PICTURES, NamedTable, whole_number
from histvq.io.parts.packed import AGAIN
from histvq.io.parts.pickled import names_of

Columns = list[tuple[str, ...]]

_TABLE_BLOCK = re.compile(r"values_block_\d+")
_FIXED_BLOCK = re.compile(r"(block\d+)_values")


def read_hdf_table(path: Path, *, key: str, n_levels: tuple[int, ...]) -> NamedTable:
    """Read the table stored under a key.

    Args:
        path: The file.
        key: Name of the table within it.
        n_levels: How many levels of names a column may have.

    Raises:
        ConfigError: If h5py is not installed.
        FileFormatError: If it is no such table, or damaged.
    """
    with opened(path) as file:
        group = member(file, key, path)
        kind = text(group, "pandas_type", path)
        if kind == "frame_table":
            frames, columns, values = _of_table(group, path)
        elif kind == "frame":
            frames, columns, values = _of_fixed(group, path)
        else:
            raise FileFormatError(
                f"{path}: {key!r} is of the pandas type {kind or 'none'}; expected a data frame. "
                f"{AGAIN}"
            )
    depths = {len(names) for names in columns}
    if len(depths) != 1 or not depths <= set(n_levels):
        raise FileFormatError(
            f"{path}: columns with {' and '.join(map(str, sorted(depths))) or 'no'} levels of "
            f"names; expected {' or '.join(map(str, n_levels))} of them. {AGAIN}"
        )
    return NamedTable(columns=tuple(columns), frames=_frame_numbers(frames, path), values=values)


def _of_table(group: Any, path: Path) -> tuple[np.ndarray | None, Columns, np.ndarray]:
    """Frame numbers, names and values of the format `table`: one array of rows."""
    rows = dataset(group, "table", path)
    fields = rows.dtype.names or ()
    blocks = [field for field in fields if _TABLE_BLOCK.fullmatch(field)]
    columns: Columns = []
    values = []
    for block in blocks:
        try:
            names = names_of(attribute(rows, f"{block}_kind", path))
        except FileFormatError as error:
            raise FileFormatError(f"{path}, {block}: {error}. {AGAIN}") from error
        values.append(_block(numbers(rows, path, field=block), names, len(rows), block, path))
        columns += names
    # Rows named by several levels have a field for each.
    plain = sorted(fields) == sorted(["index", *blocks]) and _is_numeric(rows.dtype["index"])
    return numbers(rows, path, field="index") if plain else None, columns, _joined(values, path)


def _of_fixed(group: Any, path: Path) -> tuple[np.ndarray | None, Columns, np.ndarray]:
    """Frame numbers, names and values of the format `fixed`: an array a block of columns."""
    if text(group, "axis1_variety", path) == "multi":
        raise FileFormatError(f"{path}: {PICTURES}")
    axis = dataset(group, "axis1", path)
    if "shape" in axis.attrs:  # pandas writes one zero for an empty axis, and its length beside it
        raise FileFormatError(f"{path}: no frame in it. Leave it out, or write it again")
    columns: Columns = []
    values = []
    for block in (
        match[1] for match in map(_FIXED_BLOCK.fullmatch, sorted(group, key=str)) if match
    ):
        names = _level_names(group, f"{block}_items", path)
        found = numbers(dataset(group, f"{block}_values", path), path)
        values.append(_block(found, names, len(axis), block, path))
        columns += names
    return numbers(axis, path) if _is_numeric(axis.dtype) else None, columns, _joined(values, path)


def _level_names(group: Any, axis: str, path: Path) -> Columns:
    """Names of the columns: an array of names a level, and which of them each column has."""
    if text(group, f"{axis}_variety", path) != "multi":
        return []
    levels: list[list[str]] = []
    while f"{axis}_level{len(levels)}" in group:
        names = strings(dataset(group, f"{axis}_level{len(levels)}", path), path)
        codes = numbers(dataset(group, f"{axis}_label{len(levels)}", path), path)
        if codes.dtype.kind not in "iu" or names.ndim != 1 or codes.ndim != 1:
            raise FileFormatError(f"{path}: {axis} are no names of columns. {AGAIN}")
        if len(codes) and not 0 <= codes.min() <= codes.max() < len(names):
            raise FileFormatError(f"{path}: {axis}: a column has no name. {AGAIN}")
        levels.append([str(name) for name in names[codes]])
    if len({len(level) for level in levels}) > 1:
        raise FileFormatError(f"{path}: {axis} have levels of different lengths. {AGAIN}")
    return list(zip(*levels, strict=True))


def _block(values: np.ndarray, names: Columns, n_rows: int, block: str, path: Path) -> np.ndarray:
    if values.shape != (n_rows, len(names)):
        raise FileFormatError(
            f"{path}, {block}: an array of shape {values.shape} for {n_rows} rows and {len(names)} "
            f"named columns. {AGAIN}"
        )
    return values.astype(np.float64)


def _joined(values: list[np.ndarray], path: Path) -> np.ndarray:
    if not values:
        raise FileFormatError(f"{path}: a table without columns of numbers. {AGAIN}")
    return np.concatenate(values, axis=1)


def _is_numeric(dtype: np.dtype) -> bool:
    return dtype.kind in "iuf"


def _frame_numbers(found: np.ndarray | None, path: Path) -> np.ndarray:
    if found is None or found.ndim != 1:
        raise FileFormatError(f"{path}: {PICTURES}")
    for row in np.flatnonzero(~((found >= 0) & (found < 2**53) & (found == np.floor(found))))[:1]:
        whole_number(found[row], f"{path}, row {row}")
    return found.astype(np.int64)
