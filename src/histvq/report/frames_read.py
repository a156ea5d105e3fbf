"""Answers and truth back from a table with one row a frame."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import FileFormatError
from histvq.report.tables import TIME_DECIMALS
from histvq.segments import Segmentation

if TYPE_CHECKING:
    import pandas as pd

FRAME_COLUMNS = ["recording", "frame", "time_s", "action", "subaction", "confidence"]
NAME, FINE_NAME = "name", "subaction_name"
TRUTH = "true_action"
# What the method said, where a person has named or merged since.
P_ACTION, P_SUBACTION, P_NAME = "predicted_action", "predicted_subaction", "predicted_name"
TEXTS = ("recording", NAME, FINE_NAME, TRUTH, P_NAME)
WHOLE = ("frame", "action", "subaction", P_ACTION, P_SUBACTION)
MAY_BE_EMPTY = ("subaction", "confidence", P_SUBACTION)
ROWS_A_BLOCK = 100_000
LARGEST_WHOLE = 2**31 - 1
# Seconds, and shares: far beyond what either can be.
LARGEST = 1e12


def read_frames(path: str | Path, *, fps: float | None = None) -> list[Segmentation]:
    """Read answers back from a file that `write_frames` wrote. Who was recorded is not in it.

    Of the names of actions those are in it that occur.

    Args:
        path: The file.
        fps: Frames a second, for recordings of one frame, whose times don't tell. Where it is not
            given, they take the others' rate, if these have one in common.

    Raises:
        FileFormatError: If the file is not such a table.
    """
    path = Path(path)
    table = _read_table(path, checked=True)
    if not len(table):
        return []
    codes = table["recording"].cat.codes.to_numpy()
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    if len(set(codes[starts])) < len(starts):
        raise FileFormatError(
            f"{path}: the rows of a recording do not stand together; sort the table by recording "
            "and frame"
        )
    stops = [*starts[1:], len(table)]
    parts = [table.iloc[start:stop] for start, stop in zip(starts, stops, strict=True)]
    called = {
        column: _names(table, level, column, path)
        for level, column in (("action", NAME), ("subaction", FINE_NAME), (P_ACTION, P_NAME))
    }
    long = {
        place: _answer(part, path, fps=fps, names=called)
        for place, part in enumerate(parts)
        if len(part) > 1
    }
    rates = {answer.fps for answer in long.values()}
    common = rates.pop() if fps is None and len(rates) == 1 else fps
    return [
        long[place] if place in long else _answer(part, path, fps=common, names=called)
        for place, part in enumerate(parts)
    ]


def read_truth(
    path: str | Path, answers: Iterable[Segmentation], *, actions: Sequence[str] = ()
) -> list[Annotation]:
    """Read the truth back that `write_frames` put beside these answers; of recordings without any none.

    Args:
        path: The file.
        answers: Those in it.
        actions: All there are, in their order. If one that occurs is missing, or none is given: those
            that occur, in the order they first do.

    Raises:
        FileFormatError: If the file is not such a table.
    """
    import pandas as pd

    table = _read_table(Path(path), only=("recording", TRUTH))
    if TRUTH not in table.columns:
        return []
    said = [name for name in table[TRUTH].unique() if name]
    names = tuple(actions if {*said} <= {*actions} else said)
    true = table[TRUTH].cat
    codes = pd.Index(names).get_indexer(true.categories)[true.codes]
    rows = dict(iter(pd.Series(codes).groupby(table["recording"], sort=False, observed=True)))
    labels = {name: of.to_numpy(np.int32) for name, of in rows.items() if (of >= 0).any()}
    return [
        Annotation(
            recording_id=answer.recording_id,
            labels=labels[answer.recording_id],
            actions=names,
            fps=answer.fps,
        )
        for answer in answers
        if answer.recording_id in labels
    ]


def _read_table(
    path: Path, only: Collection[str] | None = None, *, checked: bool = False
) -> "pd.DataFrame":
    """The file's columns, texts as categories, empty cells of numbers as NaN.

    It is read a block at a time: while they are read, cells take several times their room.

    Args:
        path: The file.
        only: Columns to read; all where None.
        checked: See that it is a table of frames, and keep its numbers as small as they are.
    """
    import pandas as pd

    try:
        with (
            pd.read_csv(
                path,
                dtype=dict.fromkeys(TEXTS, str),  # type: ignore[arg-type]
                keep_default_na=False,
                na_values={name: [""] for name in (*FRAME_COLUMNS[1:], P_ACTION, P_SUBACTION)},
                usecols=None if only is None else lambda name: name in only,
                chunksize=ROWS_A_BLOCK,
            ) as blocks
        ):
            return _joined([_small(b, path) if checked else _categories(b) for b in blocks])
    except FileNotFoundError as error:
        raise FileFormatError(
            f"{path}: there is no such file; name a folder that histvq run or predict wrote"
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: not a table of frames: {error}") from error


def _joined(blocks: Sequence["pd.DataFrame"]) -> "pd.DataFrame":
    """Blocks of rows as one table; column by column, for pandas makes objects of other categories."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    return pd.DataFrame(
        {
            name: union_categoricals([block[name] for block in blocks])
            if isinstance(first.dtype, pd.CategoricalDtype)
            else np.concatenate([block[name].to_numpy() for block in blocks])
            for name, first in blocks[0].items()
        }
    )


def _categories(table: "pd.DataFrame") -> "pd.DataFrame":
    # Not as `dtype` when it is read: 007 would be a number.
    return table.astype({name: "category" for name in TEXTS if name in table})


def _small(table: "pd.DataFrame", path: Path) -> "pd.DataFrame":
    """A block with all columns there must be, in as little room as they need.

    Raises:
        FileFormatError: If a column is missing, or at a cell of the number columns that isn't one.
    """
    import pandas as pd

    if not isinstance(table.index, pd.RangeIndex):  # pandas takes what is too many for rows' names
        raise FileFormatError(f"{path}: rows have more cells than the header. Write it again")
    missing = [name for name in FRAME_COLUMNS if name not in table.columns]
    if missing:
        raise FileFormatError(
            f"{path}: no column {', '.join(missing)}; expected {', '.join(FRAME_COLUMNS)}, as "
            "histvq writes them in frames.csv"
        )
    columns = (*FRAME_COLUMNS[1:], *(name for name in (P_ACTION, P_SUBACTION) if name in table))
    for name in columns:
        values = _numbers(table[name])
        empty = values.isna()
        wrong = empty & ~(table[name].isna() & (name in MAY_BE_EMPTY))
        wrong |= values.abs() > (LARGEST_WHOLE if name in WHOLE else LARGEST)
        if name in WHOLE:
            wrong |= ~empty & (values % 1 != 0)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            cell = table[name].iloc[row]
            shown = "empty" if pd.isna(cell) else cell
            raise FileFormatError(
                f"{path}, line {table.index[row] + 2}: {name} is {shown}; expected a "
                f"{'number' if name in ('time_s', 'confidence') else 'whole number'}"
            )
        if name in WHOLE and not empty.any():
            table[name] = values.astype(np.int32)
        elif name == "confidence":
            table[name] = values.astype(np.float32)
    return _categories(table)


def _numbers(column: "pd.Series") -> "pd.Series":
    """The cells as numbers, NaN where they are none."""
    import pandas as pd

    try:
        return pd.to_numeric(column, errors="coerce")
    except OverflowError:  # whole numbers beyond what a float holds
        return pd.Series([_number(cell) for cell in column], index=column.index)


def _number(cell: object) -> float:
    try:
        return float(str(cell))
    except ValueError:
        return np.nan


def _names(table: "pd.DataFrame", level: str, column: str, path: Path) -> dict[int, str]:
    """What each code of a column is called, where the table says so."""
    if column not in table.columns:
        return {}
    said = table[[level, column]].drop_duplicates()
    said = said[(said[level] >= 0) & (said[column] != "")]
    twice = said[said[level].duplicated(keep=False)]
    if len(twice):
        line = int(twice.index[-1]) + 2
        raise FileFormatError(
            f"{path}, line {line}: {level} {twice[level].iloc[-1]:.0f} is called "
            f"{' and '.join(map(repr, twice[column]))}; give an action one name in all rows"
        )
    return dict(zip(said[level].astype(int).tolist(), said[column].tolist(), strict=True))


def _answer(
    table: "pd.DataFrame", path: Path, *, fps: float | None, names: Mapping[str, Mapping[int, str]]
) -> Segmentation:
    """One recording's rows as an answer."""
    name = table["recording"].iloc[0]
    frames = table["frame"].to_numpy()
    wrong = np.flatnonzero(frames != np.arange(len(frames)))
    if len(wrong):
        raise FileFormatError(
            f"{path}, line {table.index[wrong[0]] + 2}: frame {frames[wrong[0]]} of recording "
            f"{name!r}, expected {wrong[0]}; frames count from 0 without a gap"
        )
    answer = Segmentation(
        recording_id=name,
        fps=_frame_rate(table["time_s"].to_numpy(dtype=float), name, path, fps=fps),
        actions=table["action"].to_numpy(dtype=np.int32),
        subactions=_column(table, "subaction", np.int32),
        confidence=_column(table, "confidence", np.float32),
        names=names[NAME],
        subaction_names=names[FINE_NAME],
    )
    if P_ACTION not in table:
        return answer
    predicted = replace(
        answer,
        actions=table[P_ACTION].to_numpy(dtype=np.int32),
        subactions=_column(table, P_SUBACTION, np.int32),
        names=names[P_NAME],
        subaction_names={},
    )
    return replace(answer, predicted=predicted)


def _column(table: "pd.DataFrame", name: str, dtype: type) -> np.ndarray | None:
    """A column's numbers, or None where the method had none."""
    values = table.get(name)
    if values is None or values.isna().all():
        return None
    return values.fillna(-1 if dtype is np.int32 else np.nan).to_numpy(dtype=dtype)


def _frame_rate(times: np.ndarray, name: str, path: Path, *, fps: float | None) -> float:
    """Frames a second with the fewest decimals that give these rounded times again."""
    frames = np.arange(len(times))
    if fps is None and (len(times) < 2 or times[-1] <= times[0]):
        raise FileFormatError(
            f"{path}: recording {name!r} has too few frames to tell their rate; give it, as fps=60"
        )
    rate = fps if fps is not None else (len(times) - 1) / (times[-1] - times[0])
    for decimals in range(7):
        rounded = round(rate, decimals)
        if rounded > 0 and np.abs(frames / rounded - times).max() < 10.0**-TIME_DECIMALS:
            return rounded
    return float(rate)
