"""What a reader keeps to."""

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import find_reader, read
from histvq.io.parts.reader import Pair
from histvq.recording import Recording
from histvq.testing.holding import hold, refused

PARTS = (0.03, 0.3, 0.5, 0.8, 0.95)


def check_reader(format: str, file: str | Path, **options: Any) -> None:
    """Read a good file, and copies of it that are damaged.

    Args:
        format: `module:READER`, `module:function`, or a name of the table.
        file: A good file of the format. Copies are damaged in a temporary folder, together with files
            beside it that have the same name but for the ending.
        **options: What the reader needs to be told, as `fps=60`.

    Raises:
        AssertionError: At the first thing that is not as it must be; the words say which.
    """
    file = Path(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        _check_good(format, file, options)
        with refused(ConfigError, "an option that there is not", naming="no_such_option"):
            read(file, format, no_such_option=1, **options)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / file.name
            for beside in file.parent.glob("*"):
                if beside.is_file() and beside.name.split(".")[0] == file.name.split(".")[0]:
                    shutil.copy(beside, folder)
            _check_damaged(format, copy, options)


def _check_good(format: str, file: Path, options: dict[str, Any]) -> None:
    reader = find_reader(format)
    before = file.read_bytes()
    recording, annotation = _pair(reader.read(file, **options))
    again, _ = read(file, format, **options)
    hold(recording.n_frames, f"{file.name}: must have a frame at least")
    hold(
        np.array_equal(recording.skeleton, again.skeleton, equal_nan=True),
        f"{file.name}: read twice, must give the same",
    )
    if annotation is not None:
        ours = (recording.id, recording.n_frames)
        theirs = (annotation.recording_id, annotation.n_frames)
        hold(ours == theirs, f"{file.name}: motion and labels are not in step: {ours}, {theirs}")
    hold(file.read_bytes() == before, f"{file.name}: a reader must leave files as they are")
    hold(reader.description, "a reader must say what people call its format: description")
    for suffix in reader.suffixes:
        hold(
            suffix == suffix.lower() and (suffix.startswith(".") or not suffix),
            f"suffixes must be lower case and start with a dot, not {suffix!r}",
        )
    hold(reader.knows(file), f"{file.name}: its own reader must know it: suffixes, recognises")
    hold(set(reader.own_suffixes) <= set(reader.suffixes), "own_suffixes must be among suffixes")


def _check_damaged(format: str, file: Path, options: dict[str, Any]) -> None:
    """See that damaged files are refused in words, or read where nobody can see the damage."""
    whole = file.read_bytes()
    for content, what in (
        (b"", "an empty file"),
        (np.random.default_rng(0).bytes(500), "noise"),
    ):
        file.write_bytes(content)
        with refused(FileFormatError, what, naming=file.name):
            read(file, format, **options)
    for part in PARTS:
        file.write_bytes(whole[: int(part * len(whole))])
        what = f"a file that is cut after {100 * part:g} % of it"
        try:
            recording, annotation = _pair(read(file, format, **options))
        except FileFormatError as error:
            hold(file.name in str(error), f"{what}: the error does not name the file: {error}")
        except Exception as error:
            raise AssertionError(
                f"{what}: must be read, or refused with FileFormatError; ended with "
                f"{type(error).__name__}: {error}"
            ) from error
        else:
            in_step = annotation is None or annotation.n_frames == recording.n_frames
            hold(in_step, f"{what}: motion and labels are not in step")


def _pair(found: Pair) -> Pair:
    """The pair, if it is one of a recording and labels or None."""
    good = (
        isinstance(found, tuple)
        and len(found) == 2
        and isinstance(found[0], Recording)
        and (found[1] is None or isinstance(found[1], Annotation))
    )
    hold(good, f"a reader must give (Recording, Annotation or None), not {type(found).__name__}")
    return found
