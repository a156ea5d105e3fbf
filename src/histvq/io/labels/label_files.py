"""Labels from plain text files, one file a recording, at a rate of their own."""

import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import DataWarning, FileFormatError

SUFFIXES = (".txt", ".csv", ".labels", ".lab")
_INTEGER = re.compile(r"[+-]?\d{1,9}", flags=re.ASCII)


def read_label_files(
    paths: Iterable[str | Path], ids: Sequence[str], *, fps: float
) -> list[Annotation]:
    """Read the labels of these recordings from files named after them.

    A file is of the recording whose id its name is, up to what follows a dot, hyphen or underscore:
    `walk1.txt`, `walk1.labels.txt`, `walk1_labels.csv` of `walk1`. It holds whole numbers with blanks or
    line ends between them, or names, one a line. `-1` and empty lines among names label nothing.

    Args:
        paths: Files, and folders to look for such files in.
        ids: Recordings the labels are wanted for.
        fps: Labels a second.

    Returns:
        In the order of the ids, without those that have no file. All share `actions`: numbers in their
        order, names in the alphabet's.

    Raises:
        FileFormatError: If a file cannot be read or is empty, two are of one recording, or there is none.

    Warns:
        DataWarning: If a file that was named is of none of the recordings.
    """
    if not (np.isfinite(fps) and fps > 0):
        raise FileFormatError(f"labels at {fps:g} a second: give a number above 0, as 10")
    found = _by_recording([Path(path) for path in paths], ids)
    words = {id: _words(path) for id, path in found.items()}
    actions = _in_order({word for said in words.values() for word in said} - {"", "-1"})
    index = {action: place for place, action in enumerate(actions)}
    return [
        Annotation(
            recording_id=id,
            labels=np.array([index.get(word, -1) for word in words[id]], np.int32),
            actions=actions,
            fps=fps,
        )
        for id in ids
        if id in words
    ]


def _by_recording(paths: Sequence[Path], ids: Sequence[str]) -> dict[str, Path]:
    """The label file of each recording that has one."""
    found: dict[str, Path] = {}
    strangers: list[Path] = []
    for path in paths:
        inside = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in SUFFIXES]
        for file in inside if path.is_dir() else [path]:
            id = _recording_of(file, ids)
            if id is None and not path.is_dir():
                strangers.append(file)
            elif id is not None and id in found and found[id].resolve() != file.resolve():
                raise FileFormatError(
                    f"{found[id]} and {file} are both of recording {id!r}: name one of them"
                )
            elif id is not None:
                found[id] = file
    if not found:
        raise FileFormatError(
            f"{', '.join(map(str, paths))}: no label file of {', '.join(ids[:5])}"
            f"{' ...' if len(ids) > 5 else ''}. Call a file after its recording, as {ids[0]}.txt"
        )
    if strangers:
        warnings.warn(
            f"{', '.join(str(file) for file in strangers[:10])}: of no recording here; left out",
            DataWarning,
            stacklevel=3,
        )
    return found


def _recording_of(file: Path, ids: Sequence[str]) -> str | None:
    """The id the file is named after; the longest, should several fit."""
    fitting = [id for id in ids if re.match(rf"{re.escape(id)}([._-]|$)", file.name)]
    return max(fitting, key=len, default=None)


def _words(path: Path) -> list[str]:
    """One word a label."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(
            f"{path}: no labels to be read ({error}). Write numbers or names as UTF-8 text"
        ) from error
    numbers = text.split()
    if numbers and all(_INTEGER.fullmatch(word) for word in numbers):
        return [str(int(word)) for word in numbers]
    lines = [line.strip() for line in text.rstrip().splitlines()]
    if not any(lines):
        raise FileFormatError(f"{path}: no label in it. Write one a line")
    return lines


def _in_order(words: set[str]) -> tuple[str, ...]:
    if all(_INTEGER.fullmatch(word) for word in words):
        return tuple(sorted(words, key=int))
    return tuple(sorted(words))
