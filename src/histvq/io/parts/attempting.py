"""One file read, whatever is wrong with it."""

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from histvq.errors import DataWarning, FileFormatError, HistvqError
from histvq.io.parts.reader import Pair, Reader
from histvq.io.parts.telling import unreadable
from histvq.transforms import split_people


@dataclass(frozen=True)
class Attempt:
    """What came of reading a file.

    Attributes:
        pairs: Its recording, or one for each person in it; none where it could not be read.
        fault: Why it could not; empty where it could.
        warnings: What its reader warned of.
    """

    pairs: tuple[Pair, ...]
    fault: str
    warnings: tuple[str, ...]


def attempt(
    reader: Reader, file: Path, options: Mapping[str, object], *, apart: bool = False
) -> Attempt:
    """Read one file with those of the options that its reader takes.

    Args:
        reader: Of its format.
        file: The file.
        options: For all readers.
        apart: Make a recording of each person in it.

    Raises:
        HistvqError: About the options, which is true of every file.
    """
    wanted = (
        options if takes_any(reader) else {k: options[k] for k in options if k in reader.options}
    )
    pair, fault = None, ""
    before = state_of(file)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            pair = reader.read(file, **wanted)
        except FileFormatError as error:
            fault = str(error)
        except HistvqError:
            raise
        except Exception as error:
            fault = unreadable(file, error)
    if state_of(file) != before:
        pair, fault = None, f"{file}: changed or went while it was read. Wait until it is complete"
    if pair is not None:
        recording, annotation = pair
        if not recording.n_frames:
            pair, fault = None, f"{file}: no frame in it: nothing to read. Leave it out"
        elif recording.source is None:
            pair = replace(recording, source=str(file)), annotation
    ours = [w for w in caught if issubclass(w.category, DataWarning)]
    for other in (w for w in caught if w not in ours):
        warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    pairs = [] if pair is None else _apart(pair) if apart else [pair]
    return Attempt(tuple(pairs), fault, tuple(str(w.message) for w in ours))


def takes_any(reader: Reader) -> bool:
    """Whether a reader takes options of any name."""
    kinds = [p.kind for p in inspect.signature(reader.read).parameters.values()]
    return inspect.Parameter.VAR_KEYWORD in kinds


def state_of(file: Path) -> tuple[int, int] | None:
    """Size and time, of which one is another once a file was written to; None where it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _apart(pair: Pair) -> list[Pair]:
    """The pair once for each person in it."""
    recording, annotation = pair
    return [
        (alone, None if annotation is None else replace(annotation, recording_id=alone.id))
        for alone in split_people(recording)
    ]
