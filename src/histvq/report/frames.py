"""Answers as a table with one row a frame, and back."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import FileFormatError
from histvq.report.tables import CONFIDENCE_DECIMALS, TIME_DECIMALS, atomically
from histvq.segments import Segmentation, names_of

if TYPE_CHECKING:
    import pandas as pd

FRAME_COLUMNS = ["recording", "frame", "time_s", "action", "subaction", "confidence"]
NAME = "name"


def write_frames(
    path: str | Path,
    answers: Iterable[Segmentation],
    annotations: Iterable[Annotation] | None = None,
) -> Path:
    """Write one row a frame: recording, frame, time_s, action, subaction, confidence.

    Where the method knows what its actions are called, there is a further column `name`; with
    annotations one `true_action`, the name, empty where nobody said.

    Raises:
        ValueError: If an annotation has not as many frames as the answer for its recording.
    """
    known = None if annotations is None else truth_by_recording(annotations)
    answers = list(answers)
    names = names_of(answers)

    def write(file: Path) -> None:
        columns = FRAME_COLUMNS + ([NAME] if names else [])
        columns += [] if known is None else ["true_action"]
        with file.open("w", encoding="utf-8", newline="") as stream:
            stream.write(",".join(columns) + "\n")
            for answer in answers:
                table = _frames(answer)
                if names:
                    table[NAME] = [names.get(code, "") for code in answer.actions.tolist()]
                if known is not None:
                    table["true_action"] = _true_names(answer, known.get(answer.recording_id))
                table.to_csv(stream, header=False, index=False, lineterminator="\n")

    return atomically(Path(path), write)


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
    import pandas as pd

    path = Path(path)
    try:
        table = pd.read_csv(path, dtype={"recording": str, NAME: str}, keep_default_na=False, na_values={
            name: [""] for name in FRAME_COLUMNS[1:]
        })  # fmt: skip
    except FileNotFoundError as error:
        raise FileFormatError(
            f"{path}: there is no such file; name a folder that histvq run or predict wrote"
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: not a table of frames: {error}") from error
    missing = [name for name in FRAME_COLUMNS if name not in table.columns]
    if missing:
        raise FileFormatError(
            f"{path}: no column {', '.join(missing)}; expected {', '.join(FRAME_COLUMNS)}, as "
            "histvq writes them in frames.csv"
        )
    _check_numbers(table, path)
    if not len(table):
        return []
    names = table["recording"].to_numpy()
    starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
    if len(set(names[starts])) < len(starts):
        raise FileFormatError(
            f"{path}: the rows of a recording do not stand together; sort the table by recording "
            "and frame"
        )
    stops = [*starts[1:], len(table)]
    parts = [table.iloc[start:stop] for start, stop in zip(starts, stops, strict=True)]
    called = _names(table, path)
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


def truth_by_recording(annotations: Iterable[Annotation]) -> dict[str, Annotation]:
    """Annotations by the id of their recording."""
    return {annotation.recording_id: annotation for annotation in annotations}


def check_in_step(answer: Segmentation, truth: Annotation) -> None:
    """Raise ValueError unless answer and truth have equally many frames."""
    if truth.n_frames != answer.n_frames:
        raise ValueError(
            f"recording {answer.recording_id!r}: the answer has {answer.n_frames} frames, its "
            f"annotation {truth.n_frames}; take both at the same frame rate"
        )


def _frames(answer: Segmentation) -> "pd.DataFrame":
    import pandas as pd

    frames = np.arange(answer.n_frames)
    confidence = answer.confidence
    return pd.DataFrame(
        {
            "recording": pd.Categorical.from_codes(
                np.zeros(len(frames), dtype=int), categories=pd.Index([answer.recording_id])
            ),
            "frame": frames,
            "time_s": np.round(frames / answer.fps, TIME_DECIMALS),
            "action": answer.actions,
            "subaction": "" if answer.subactions is None else answer.subactions,
            "confidence": "" if confidence is None else np.round(
                np.asarray(confidence, dtype=float), CONFIDENCE_DECIMALS
            ),
        }
    )  # fmt: skip


def _true_names(answer: Segmentation, truth: Annotation | None) -> Any:
    if truth is None:
        return ""
    import pandas as pd

    check_in_step(answer, truth)
    return pd.Categorical.from_codes(truth.labels.astype(int), categories=pd.Index(truth.actions))


def _check_numbers(table: "pd.DataFrame", path: Path) -> None:
    """Raise FileFormatError at the first cell of the number columns that isn't one."""
    import pandas as pd

    for name, may_be_empty in (
        ("frame", False), ("time_s", False), ("action", False), ("subaction", True),
        ("confidence", True),
    ):  # fmt: skip
        values = pd.to_numeric(table[name], errors="coerce")
        wrong = values.isna() & ~(table[name].isna() & may_be_empty)
        if name in ("frame", "action", "subaction"):
            wrong |= values.notna() & (values % 1 != 0)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            cell = table[name].iloc[row]
            shown = "empty" if pd.isna(cell) else cell
            raise FileFormatError(
                f"{path}, line {row + 2}: {name} is {shown}; expected a "
                f"{'number' if name in ('time_s', 'confidence') else 'whole number'}"
            )


def _names(table: "pd.DataFrame", path: Path) -> dict[int, str]:
    """What each action of the table is called, where it says so."""
    if NAME not in table.columns:
        return {}
    said = table[[*FRAME_COLUMNS[3:4], NAME]].drop_duplicates()
    said = said[said["action"] >= 0]
    twice = said[said["action"].duplicated(keep=False)]
    if len(twice):
        line = int(twice.index[-1]) + 2
        raise FileFormatError(
            f"{path}, line {line}: action {twice['action'].iloc[-1]} is called "
            f"{' and '.join(map(repr, twice[NAME]))}; give an action one name in all rows"
        )
    return dict(zip(said["action"].astype(int).tolist(), said[NAME].tolist(), strict=True))


def _answer(
    table: "pd.DataFrame", path: Path, *, fps: float | None, names: Mapping[int, str]
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
    return Segmentation(
        recording_id=name,
        fps=_frame_rate(table["time_s"].to_numpy(dtype=float), name, path, fps=fps),
        actions=table["action"].to_numpy(dtype=np.int32),
        subactions=_column(table, "subaction", np.int32),
        confidence=_column(table, "confidence", np.float32),
        names=names,
    )


def _column(table: "pd.DataFrame", name: str, dtype: type) -> np.ndarray | None:
    """A column's numbers, or None where the method had none."""
    values = table[name]
    if values.isna().all():
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
