"""Files in, recordings out: `read` one, `read_many`, or `expand` folders to see what is there."""

import inspect
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError, did_you_mean
from histvq.io.reader import Pair, Reader
from histvq.io.unique import with_unique_ids
from histvq.recording import Recording
from histvq.registry import resolve

# A new format: one file that makes a Reader, one line here. Where two know a file, the first reads.
READERS = {
    "acclaim": "histvq.io.acclaim:READER",
    "c3d": "histvq.io.c3d:READER",
    "deeplabcut": "histvq.io.deeplabcut:READER",
    "histvq": "histvq.io.npz:READER",
    "hugadb": "histvq.io.hugadb:READER",
    "precog": "histvq.io.precog:READER",
    "sleap": "histvq.io.sleap:READER",
    "smq": "histvq.io.layout:READER",
}

__all__ = ["READERS", "Reader", "Readings", "expand", "find_reader", "read", "read_many"]

ReadProgress = Callable[[int, int, Path], None]


@dataclass(frozen=True, kw_only=True)
class Readings:
    """What came out of several files.

    Attributes:
        recordings: One a file that could be read, with unique ids.
        annotations: In step with the recordings; None where a file has no labels.
        skipped: Files that could not be read, each with the reason: also paths that are not there,
            and files of no known format that were named.
        warnings: What was changed or looks wrong in files that could, in order; then what sets
            recordings apart: frame rates, joints, channels.
        ignored: How many files of the folders look like nothing a reader knows.
    """

    recordings: tuple[Recording, ...]
    annotations: tuple[Annotation | None, ...]
    skipped: tuple[tuple[Path, str], ...] = ()
    warnings: tuple[str, ...] = ()
    ignored: int = 0


@dataclass
class _Survey:
    """What there is to read: format by file, reasons by files left aside, and the others."""

    formats: dict[Path, str] = field(default_factory=dict)
    faults: dict[Path, str] = field(default_factory=dict)
    others: set[Path] = field(default_factory=set)


def read(path: str | Path, format: str | None = None, **options: object) -> Pair:
    """Read one file: the motion, and the labels if the file has any.

    Warns of damaged files that lie beside it in a folder.

    Args:
        path: A file, or a folder that holds one recording.
        format: Name of the format, or `module:name` of a reader of your own; found from the file
            where not given.
        **options: What the format's reader takes, as `fps=60` where a file does not say it.

    Raises:
        FileFormatError: If no format fits, or the file is not as its format promises.
        ConfigError: If the reader does not take one of the options.
    """
    survey = _survey(path, format=format)
    entries = _entries(survey, named=[path])
    if len(entries) > 1:
        raise FileFormatError(
            f"{path}: {len(entries)} recordings, {entries[0][1].name} the first; read() reads one. "
            "Name the file, or use histvq.io.read_many for all"
        )
    name, file = entries[0]
    _check_options(options, [name])
    for fault in survey.faults.values():
        warnings.warn(fault, DataWarning, stacklevel=2)
    return find_reader(name).read(file, **options)


def expand(
    paths: str | Path | Iterable[str | Path], *, format: str | None = None
) -> list[tuple[str, Path]]:
    """The recordings in these files and folders, as (format, file), without repetition.

    Of a folder come all files some reader knows, in order of name; subfolders are looked into. What
    else lies in it is left out: `read_many` tells of it.

    Raises:
        FileFormatError: If a path does not exist, a file is of no known format, or a folder holds
            no recording.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    return _entries(_survey(paths, format=format), named=paths)


def read_many(
    paths: str | Path | Iterable[str | Path],
    *,
    format: str | None = None,
    strict: bool = False,
    progress: ReadProgress | None = None,
    **options: object,
) -> Readings:
    """Read files and folders; a file that cannot be read is skipped and listed.

    Skipped, with the reason, are: paths that do not exist; named files of no known format; files
    that a reader knows but cannot read, or that hold no frame; in a folder also files whose ending
    only recordings have (`.npz`, `.npy`) but which are empty, damaged or somebody else's. Other
    files of a folder, as `README.txt`, are ignored and counted; endings many files have (`.txt`,
    `.csv`) make a recording only together with the name or first line of a format. A format named
    by `format` changes that in one point: its own endings are read without looking.

    Args:
        paths: Files and folders, or one of them.
        format: As in `read`.
        strict: Stop at files that cannot be read, and at values that had to be changed or are all
            missing; every file is looked at first. Recordings that differ are no fault.
        progress: Called after each file with how many are done, how many there are, and which.
        **options: For the readers; each gets those it takes.

    Raises:
        FileFormatError: If no file can be read, or, when strict, if any has a fault; also if ids
            cannot be made unique.
        ConfigError: If no reader in use takes one of the options.
    """
    survey = _survey(paths, format=format)
    entries = [(name, file) for file, name in survey.formats.items()]
    _check_options(options, dict.fromkeys(survey.formats.values()))
    pairs: list[Pair] = []
    skipped = list(survey.faults.items())
    messages: dict[str, None] = {}
    for done, (name, file) in enumerate(entries, start=1):
        pair, fault, warned = _attempt(find_reader(name), file, options)
        messages.update(dict.fromkeys(warned))
        if pair is not None:
            pairs.append(pair)
        else:
            skipped.append((file, fault))
        if progress is not None:
            progress(done, len(entries), file)
    if pairs:
        pairs = with_unique_ids(pairs)
    recordings = tuple(recording for recording, _ in pairs)
    messages.update(dict.fromkeys(_empty(recordings)))
    if strict and (skipped or messages):
        raise FileFormatError(_listed([*(fault for _, fault in skipped), *messages]))
    if not pairs:
        reasons = _listed([fault for _, fault in skipped]) if skipped else "no file was given"
        raise FileFormatError(f"no file could be read: {reasons}" if entries else reasons)
    return Readings(
        recordings=recordings,
        annotations=tuple(annotation for _, annotation in pairs),
        skipped=tuple(skipped),
        warnings=(*messages, *_differences(recordings)),
        ignored=len(survey.others),
    )


def find_reader(name: str) -> Reader:
    """The reader of that name; a plain function of a path, given as `module:name`, will do."""
    found = resolve(name, READERS, kind="format")
    if isinstance(found, Reader):
        return found
    return Reader(description=name, read=found, suffixes=("",))


def _survey(paths: str | Path | Iterable[str | Path], *, format: str | None) -> _Survey:
    """Look at all these files and folders; no file is read whole, and none twice."""
    if format:
        find_reader(format)
    total, seen = _Survey(), set[Path]()
    for path in [paths] if isinstance(paths, str | Path) else paths:
        path = Path(path)
        found = _in_folder(path, format) if path.is_dir() else _of_file(path, format)
        total.others |= {file.resolve() for file in found.others}
        for part, into in ((found.formats, total.formats), (found.faults, total.faults)):
            for file, words in part.items():
                if file.resolve() not in seen:
                    seen.add(file.resolve())
                    into[file] = words
    total.others -= seen
    return total


def _entries(survey: _Survey, *, named: Iterable[str | Path]) -> list[tuple[str, Path]]:
    """What can be read; raises where a path that was named cannot, or there is nothing."""
    given = {Path(path) for path in named}
    if wrong := [fault for path, fault in survey.faults.items() if path in given]:
        raise FileFormatError(_listed(wrong))
    if survey.faults and not survey.formats:
        raise FileFormatError(_listed(list(survey.faults.values())))
    return [(name, file) for file, name in survey.formats.items()]


def _of_file(path: Path, format: str | None) -> _Survey:
    if not path.exists():
        return _Survey(faults={path: f"{path}: there is no such file or folder. Check the path"})
    if name := format or _sniff(path):
        return _Survey(formats={path: name})
    if owner := _owner(path, READERS):
        return _Survey(faults={path: _unrecognised(path, owner)})
    return _Survey(
        faults={
            path: f"{path}: none of the known formats: {_accepted()}. Pass format= if it is one of "
            "them by another name, or format='module:reader' for a reader of your own"
        }
    )


def _in_folder(folder: Path, format: str | None) -> _Survey:
    names = [format] if format else list(READERS)
    readers = {name: find_reader(name) for name in names}
    found = _Survey()
    for name, reader in readers.items():
        for file in reader.in_folder(folder):
            found.formats.setdefault(file, name)
    whole = bool(found.formats)
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(folder).parts)
    ]
    for file in files:
        if file in found.formats:
            continue
        if name := next((name for name in names if readers[name].knows(file)), ""):
            found.formats[file] = name
        elif owner := _owner(file, names):
            if format and not whole:
                found.formats[file] = format  # who insists on it gets the reader's own words
            else:
                found.faults[file] = _unrecognised(file, owner)
        elif not any(file.parent.name in reader.parts for reader in readers.values()):
            found.others.add(file)
    if not found.formats and not found.faults:
        found.faults[folder] = (
            f"{folder}: no recordings among its {len(files)} files; looked for: "
            f"{find_reader(format) if format else _accepted()}"
        )
    return found


def _owner(path: Path, names: Iterable[str]) -> Reader | None:
    """The reader whose files alone end like this one."""
    readers = map(find_reader, names)
    return next((r for r in readers if path.name.lower().endswith(r.own_suffixes)), None)


def _unrecognised(path: Path, reader: Reader) -> str:
    if not path.stat().st_size:
        return f"{path}: the file is empty. It may be cut short: fetch or write it again"
    return (
        f"{path}: ends like {reader}, but is not that: damaged, written by another program, or not "
        "in its place. Write it again, or take it out"
    )


def _sniff(path: Path) -> str | None:
    """The name of the first reader that knows the file."""
    return next((name for name in READERS if find_reader(name).knows(path)), None)


def _accepted() -> str:
    return "; ".join(f"{name!r}: {find_reader(name)}" for name in READERS)


def _check_options(options: dict[str, object], names: Iterable[str]) -> None:
    """Raise for an option that none of these readers takes."""
    readers = {name: find_reader(name) for name in names}
    takers = {option for reader in readers.values() for option in reader.options}
    if any(_takes_any(reader) for reader in readers.values()):
        return
    for option in options:
        if option in takers:
            continue
        if option == "fps":
            known = ": these files say their own rate. Leave it out"
        else:
            known = did_you_mean(option, takers) if takers else ": it has none. Leave it out"
        raise ConfigError(f"format {' or '.join(readers)} has no option {option!r}{known}")


def _takes_any(reader: Reader) -> bool:
    kinds = [p.kind for p in inspect.signature(reader.read).parameters.values()]
    return inspect.Parameter.VAR_KEYWORD in kinds


def _attempt(
    reader: Reader, file: Path, options: dict[str, object]
) -> tuple[Pair | None, str, list[str]]:
    """What one file gives, or why it gives nothing, and what it warned of."""
    wanted = (
        options if _takes_any(reader) else {k: options[k] for k in options if k in reader.options}
    )
    pair, fault = None, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            pair = reader.read(file, **wanted)
        except FileFormatError as error:
            fault = str(error)
    if pair is not None:
        recording, annotation = pair
        if not recording.n_frames:
            pair, fault = None, f"{file}: no frame in it: nothing to read. Leave it out"
        elif recording.source is None:
            pair = replace(recording, source=str(file)), annotation
    ours = [w for w in caught if issubclass(w.category, DataWarning)]
    for other in (w for w in caught if w not in ours):
        warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    return pair, fault, [str(w.message) for w in ours]


def _listed(faults: Sequence[str], *, shown: int = 10) -> str:
    """Several faults in one message, at most ten of them."""
    if len(faults) == 1:
        return faults[0]
    more = f"\n... and {len(faults) - shown} more" if len(faults) > shown else ""
    return f"{len(faults)} faults:\n" + "\n".join(faults[:shown]) + more


def _empty(recordings: Iterable[Recording]) -> list[str]:
    return [
        f"{recording.id}: every value is missing: nothing can be said of it"
        for recording in recordings
        if np.isnan(recording.skeleton).all()
    ]


def _differences(recordings: Sequence[Recording]) -> list[str]:
    """What sets recordings apart that are read together."""
    messages = []
    rates = Counter(recording.fps for recording in recordings)
    if len(rates) > 1:
        counts = ", ".join(f"{n} at {fps:.10g}" for fps, n in sorted(rates.items()))
        messages.append(
            f"recordings differ in frames a second: {counts}; they will be brought to the lowest"
        )
    for kind in ("joint", "channel"):
        first = recordings[0]
        names = {recording.id: getattr(recording, f"{kind}_names") for recording in recordings}
        for other in recordings[1:]:
            if names[other.id] != names[first.id]:
                messages.append(
                    f"recordings differ in {kind}s: {first.id} has {_named(names[first.id])}, "
                    f"{other.id} has {_named(names[other.id])}; methods refuse them together"
                )
                break
    return messages


def _named(names: Sequence[str], *, shown: int = 6) -> str:
    return f"{len(names)} ({', '.join(names[:shown])}{' ...' if len(names) > shown else ''})"
