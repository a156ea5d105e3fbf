"""Which files of what is named are recordings, and of which format; none is read whole."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from histvq.errors import FileFormatError
from histvq.io.parts.reader import Reader
from histvq.io.parts.telling import listed, unreadable

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
        found = _of_path(path, readers, format)
        total.others |= {_place(file) for file in found.others}
        for part, into in ((found.formats, total.formats), (found.faults, total.faults)):
            for file, words in part.items():
                if _place(file) not in seen:
                    seen.add(_place(file))
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


def _of_path(path: Path, readers: Readers, format: str | None) -> Survey:
    try:
        if path.is_dir():
            return _in_folder(path, readers, format)
        return _of_file(path, readers, format)
    except OSError as error:
        return Survey(faults={path: unreadable(path, error)})


def _of_file(path: Path, readers: Readers, format: str | None) -> Survey:
    if not path.exists():
        return Survey(faults={path: f"{path}: there is no such file or folder. Check the path"})
    if fault := _closed(path):
        return Survey(faults={path: fault})
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
    files, subfolders, closed = _files_in(folder)
    found.faults |= {place: unreadable(place, error) for place, error in closed.items()}
    for name, reader in readers.items():
        for file in _as_a_whole(folder, reader):
            found.formats.setdefault(file, name)
    whole = bool(found.formats)
    endings = tuple(ending for reader in readers.values() for ending in reader.suffixes)
    for file in files:
        if file in found.formats:
            continue
        try:
            fault = _closed(file)
            if fault and not file.name.lower().endswith(endings):
                found.others.add(file)
            elif fault:
                found.faults[file] = fault
            else:
                _place_in(found, file, readers, insisted=None if whole else format)
        except Exception as error:
            found.faults[file] = unreadable(file, error)
    for place in subfolders:
        told = (*found.formats, *found.faults)
        if _owner(place, readers) and not any(file.is_relative_to(place) for file in told):
            found.faults[place] = f"{place}: a folder, though called as a file. Rename it"
    if not found.formats and not found.faults:
        found.faults[folder] = (
            f"{folder}: no recordings among its {len(files)} files; looked for: "
            f"{_accepted(readers)}"
        )
    return found


def _place_in(found: Survey, file: Path, readers: Readers, *, insisted: str | None) -> None:
    """Put one file of a folder where it belongs."""
    if _beside(file, readers):
        return
    if known := _sniff(file, readers):
        found.formats[file] = known
    elif owner := _owner(file, readers):
        if insisted:
            found.formats[file] = insisted  # who insists on it gets the reader's own words
        else:
            found.faults[file] = _unrecognised(file, owner)
    else:
        found.others.add(file)


def _files_in(folder: Path) -> tuple[list[Path], list[Path], dict[Path, OSError]]:
    """Files and subfolders in it and in its subfolders, in order, without what is hidden.

    Also the folders that cannot be looked into, and why.
    """
    closed: dict[Path, OSError] = {}

    def note(error: OSError) -> None:
        closed[Path(error.filename)] = error

    files: list[Path] = []
    folders: list[Path] = []
    for place, subfolders, names in os.walk(folder, onerror=note):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        folders += [Path(place) / name for name in subfolders]
        files += [Path(place) / name for name in names if not name.startswith(".")]
    return sorted(files), sorted(folders), closed


def _as_a_whole(folder: Path, reader: Reader) -> list[Path]:
    try:
        return reader.in_folder(folder)
    except OSError:  # what cannot be looked into is told of by itself
        return []


def _closed(path: Path) -> str | None:
    """Why nothing can be read from a path, be it by whatever reader; None where something can."""
    if not path.exists():
        return f"{path}: a link that leads nowhere. Mend it, or take it out"
    if path.is_dir():
        return None
    if not path.is_file():
        return f"{path}: neither a file nor a folder. Name a file"
    try:
        with path.open("rb"):
            return None
    except OSError as error:
        return unreadable(path, error)


def _place(path: Path) -> Path:
    """The same for all ways to write a path; unlike `Path.resolve`, of links in a circle too."""
    return Path(os.path.realpath(path))


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
