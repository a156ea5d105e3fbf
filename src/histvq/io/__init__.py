"""Files in, recordings out: `read` one, `read_many`, or `expand` folders to see what is there."""

import inspect
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError, did_you_mean
from histvq.io.reader import Pair, Reader
from histvq.io.unique import with_unique_ids
from histvq.recording import Recording
from histvq.registry import resolve

# A new format: one file that makes a Reader, one line here. Where two know a file, the first reads.
READERS = {
    "histvq": "histvq.io.npz:READER",
    "hugadb": "histvq.io.hugadb:READER",
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
        skipped: Files that could not be read, each with the reason.
        warnings: What was changed or looks wrong in files that could, in order.
    """

    recordings: tuple[Recording, ...]
    annotations: tuple[Annotation | None, ...]
    skipped: tuple[tuple[Path, str], ...] = ()
    warnings: tuple[str, ...] = ()


def read(path: str | Path, format: str | None = None, **options: object) -> Pair:
    """Read one file: the motion, and the labels if the file has any.

    Args:
        path: A file, or a folder that holds one recording.
        format: Name of the format, or `module:name` of a reader of your own; found from the file
            where not given.
        **options: What the format's reader takes, as `fps=60` where a file does not say it.

    Raises:
        FileFormatError: If no format fits, or the file is not as its format promises.
        ConfigError: If the reader does not take one of the options.
    """
    entries = expand([path], format=format)
    if len(entries) > 1:
        raise FileFormatError(
            f"{path}: {len(entries)} recordings, {entries[0][1].name} the first; read() reads one. "
            "Name the file, or use histvq.io.read_many for all"
        )
    name, file = entries[0]
    _check_options(options, [name])
    return find_reader(name).read(file, **options)


def expand(
    paths: str | Path | Iterable[str | Path], *, format: str | None = None
) -> list[tuple[str, Path]]:
    """The recordings in these files and folders, as (format, file), without repetition.

    Of a folder come all files some reader knows, in order of name; subfolders are looked into.

    Raises:
        FileFormatError: If a path does not exist, a file is of no known format, or a folder holds
            no recording.
    """
    found: dict[Path, tuple[str, Path]] = {}
    for path in [paths] if isinstance(paths, str | Path) else paths:
        path = Path(path)
        for name, file in _in_folder(path, format) if path.is_dir() else [_of_file(path, format)]:
            found.setdefault(file.resolve(), (name, file))
    return list(found.values())


def read_many(
    paths: str | Path | Iterable[str | Path],
    *,
    format: str | None = None,
    strict: bool = False,
    progress: ReadProgress | None = None,
    **options: object,
) -> Readings:
    """Read files and folders; a file that cannot be read is skipped and listed.

    Args:
        paths: Files and folders, or one of them.
        format: As in `read`.
        strict: Stop at files that cannot be read, and at values that had to be changed; every file
            is looked at first.
        progress: Called after each file with how many are done, how many there are, and which.
        **options: For the readers; each gets those it takes.

    Raises:
        FileFormatError: If no file can be read, or, when strict, if any has a fault; also if ids
            cannot be made unique.
        ConfigError: If no reader in use takes one of the options.
    """
    entries = expand(paths, format=format)
    _check_options(options, dict.fromkeys(name for name, _ in entries))
    pairs: list[Pair] = []
    skipped: list[tuple[Path, str]] = []
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
    if strict and (skipped or messages):
        raise FileFormatError(_listed([*(fault for _, fault in skipped), *messages]))
    if not pairs:
        raise FileFormatError("no file could be read: " + _listed([f for _, f in skipped]))
    pairs = with_unique_ids(pairs)
    return Readings(
        recordings=tuple(recording for recording, _ in pairs),
        annotations=tuple(annotation for _, annotation in pairs),
        skipped=tuple(skipped),
        warnings=tuple(messages),
    )


def find_reader(name: str) -> Reader:
    """The reader of that name; a plain function of a path, given as `module:name`, will do."""
    found = resolve(name, READERS, kind="format")
    if isinstance(found, Reader):
        return found
    return Reader(description=name, read=found, suffixes=("",))


def _of_file(path: Path, format: str | None) -> tuple[str, Path]:
    if not path.exists():
        raise FileFormatError(f"{path}: there is no such file or folder. Check the path")
    name = format or _sniff(path)
    if not name:
        raise FileFormatError(
            f"{path}: none of the known formats: {_accepted()}. Pass format= if it is one of them "
            "by another name, or format='module:reader' for a reader of your own"
        )
    return name, path


def _in_folder(folder: Path, format: str | None) -> list[tuple[str, Path]]:
    names = [format] if format else list(READERS)
    for name in names:
        if files := find_reader(name).in_folder(folder):
            return [(name, file) for file in files]
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(folder).parts)
    ]
    if format:
        known = [
            (format, f) for f in files if f.name.lower().endswith(find_reader(format).suffixes)
        ]
    else:
        known = [(sniffed, file) for file in files if (sniffed := _sniff(file))]
    if not known:
        raise FileFormatError(
            f"{folder}: no recordings among its {len(files)} files; looked for: "
            f"{find_reader(format) if format else _accepted()}"
        )
    return known


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
        if option not in takers:
            raise ConfigError(
                f"format {' or '.join(readers)} has no option {option!r}"
                f"{did_you_mean(option, takers)}"
            )


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
