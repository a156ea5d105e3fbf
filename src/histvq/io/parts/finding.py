"""Which files of what is named are recordings, and of which format; none is read whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from histvq.errors import FileFormatError
from histvq.io.parts.reader import Reader
from histvq.io.parts.telling import listed

Readers = Mapping[str, Reader]


@dataclass
class Survey:
    """What there is to read: format by file, reasons by files left aside, and the others."""

    formats: dict[Path, str] = field(default_factory=dict)
    faults: dict[Path, str] = field(default_factory=dict)
    others: set[Path] = field(default_factory=set)
    beside: list[Path] = field(default_factory=list)


def survey(
    paths: str | Path | Iterable[str | Path], readers: Readers, *, format: str | None = None
) -> Survey:
    """Look at all these files and folders; no file is read whole, and none twice.

    Args:
        paths: Files and folders, or one of them.
        readers: Those to ask; where two know a file, the first has it.
        format: The one of them all files are of.
    """
    total, seen = Survey(), set[Path]()
    for path in [paths] if isinstance(paths, str | Path) else paths:
        path = Path(path)
        found = (
            _in_folder(path, readers, format) if path.is_dir() else _of_file(path, readers, format)
        )
        total.others |= {file.resolve() for file in found.others}
        for part, into in ((found.formats, total.formats), (found.faults, total.faults)):
            for file, words in part.items():
                if file.resolve() not in seen:
                    seen.add(file.resolve())
                    into[file] = words
        total.beside += found.beside
    total.others -= seen
    if total.beside and not seen:
        total.faults[total.beside[0]] = (
            f"{total.beside[0]}: is read along with a recording. Name that, or the folder of both"
        )
    return total


def entries(survey: Survey, *, named: Iterable[str | Path]) -> list[tuple[str, Path]]:
    """What can be read; raises where a path that was named cannot, or there is nothing."""
    given = {Path(path) for path in named}
    if wrong := [fault for path, fault in survey.faults.items() if path in given]:
        raise FileFormatError(listed(wrong))
    if survey.faults and not survey.formats:
        raise FileFormatError(listed(list(survey.faults.values())))
    return [(name, file) for file, name in survey.formats.items()]


def _of_file(path: Path, readers: Readers, format: str | None) -> Survey:
    if not path.exists():
        return Survey(faults={path: f"{path}: there is no such file or folder. Check the path"})
    if not format and _beside(path, readers):
        return Survey(beside=[path])
    if name := format or _sniff(path, readers):
        return Survey(formats={path: name})
    if owner := _owner(path, readers):
        return Survey(faults={path: _unrecognised(path, owner)})
    return Survey(
        faults={
            path: f"{path}: none of the known formats: {_accepted(readers)}. Pass format= if it is one "
            "of them by another name, or format='module:reader' for a reader of your own"
        }
    )


def _in_folder(folder: Path, readers: Readers, format: str | None) -> Survey:
    if format:
        readers = {format: readers[format]}
    found = Survey()
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
        if file in found.formats or _beside(file, readers):
            continue
        if known := _sniff(file, readers):
            found.formats[file] = known
        elif owner := _owner(file, readers):
            if format and not whole:
                found.formats[file] = format  # who insists on it gets the reader's own words
            else:
                found.faults[file] = _unrecognised(file, owner)
        else:
            found.others.add(file)
    if not found.formats and not found.faults:
        found.faults[folder] = (
            f"{folder}: no recordings among its {len(files)} files; looked for: "
            f"{_accepted(readers)}"
        )
    return found


def _owner(path: Path, readers: Readers) -> Reader | None:
    """The reader whose files alone end like this one."""
    return next((r for r in readers.values() if path.name.lower().endswith(r.own_suffixes)), None)


def _unrecognised(path: Path, reader: Reader) -> str:
    if not path.stat().st_size:
        return f"{path}: the file is empty. It may be cut short: fetch or write it again"
    return (
        f"{path}: ends like {reader}, but is not that: damaged, written by another program, or not "
        "in its place. Write it again, or take it out"
    )


def _sniff(path: Path, readers: Readers) -> str | None:
    """The name of the first reader that knows the file."""
    return next((name for name, reader in readers.items() if reader.knows(path)), None)


def _beside(path: Path, readers: Readers) -> bool:
    """Whether the file belongs to a recording of any format."""
    return any(reader.beside(path) for reader in readers.values())


def _accepted(readers: Readers) -> str:
    return "; ".join(f"{name!r}: {reader}" for name, reader in readers.items())
