"""Which files of what is named are recordings, and of which format; none is read whole.

In three steps, of which only the second opens files, so that it can be done elsewhere: `places` lists
names, `looked_at` says what one file is, `survey_of` puts together what was said of all.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from histvq.errors import FileFormatError
from histvq.io.parts.reader import Reader
from histvq.io.parts.telling import listed, unreadable
from histvq.remote import as_path, is_remote

Readers = Mapping[str, Reader]


@dataclass
class Survey:
    """What there is to read: format by file, reasons by files left aside, and the others."""

    formats: dict[Path, str] = field(default_factory=dict)
    faults: dict[Path, str] = field(default_factory=dict)
    others: set[Path] = field(default_factory=set)
    beside: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to look at.

    Attributes:
        path: The file, as it was named or found.
        named: Whether it was named; else it was found in a folder.
        format: The format its folder is of as a whole; such a file is not looked at.
        insisted: The format it is taken for if only its name ends so.
        along: Of a file at an address: what is to be brought along with it.
    """

    path: str
    named: bool = False
    format: str | None = None
    insisted: str | None = None
    along: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What a file is: of a format, or at fault, or read along with another, or none of these."""

    format: str | None = None
    fault: str | None = None
    beside: bool = False


@dataclass(frozen=True)
class Place:
    """A file or folder that was named, and the files to look at there.

    Attributes:
        path: As it was named.
        entries: In the order in which they are read.
        is_folder: Whether it is a folder.
        faults: Reasons by what could not be listed.
        subfolders: All folders in it that are called as recordings are.
    """

    path: Path
    entries: tuple[Entry, ...]
    is_folder: bool = False
    faults: Mapping[Path, str] = field(default_factory=dict)
    subfolders: tuple[Path, ...] = ()


def survey(
    paths: str | Path | Iterable[str | Path], readers: Readers, *, format: str | None = None
) -> Survey:
    """Look at all these files and folders; no file is read whole, and none twice.

    Args:
        paths: Files and folders, or one of them.
        readers: Those to ask; where two know a file, the first has it.
        format: The one of them all files are of.
    """
    found = (
        (place, [looked_at(entry, readers, format=format) for entry in place.entries])
        for place in places(paths, readers, format=format)
    )
    return survey_of(found, readers, format=format)


def places(
    paths: str | Path | Iterable[str | Path], readers: Readers, *, format: str | None = None
) -> Iterator[Place]:
    """What is at each of these paths, by names alone."""
    for path in [paths] if isinstance(paths, str | Path) else paths:
        path = Path(path)
        try:
            if path.is_dir():
                yield _folder(path, _asked(readers, format), format)
            else:
                yield Place(path, (Entry(str(path), named=True),))
        except OSError as error:
            yield Place(path, (), faults={path: unreadable(path, error)})


def looked_at(entry: Entry, readers: Readers, *, format: str | None = None) -> Look:
    """What one file is; its first bytes are read where its name leaves that open."""
    if entry.format:
        return Look(format=entry.format)
    path = Path(entry.path)
    try:
        if entry.named:
            return _named(path, readers, format)
        return _found(path, _asked(readers, format), entry.insisted)
    except Exception as error:
        if entry.named and not isinstance(error, OSError):
            raise
        return Look(fault=unreadable(path, error))


def survey_of(
    found: Iterable[tuple[Place, Iterable[Look]]], readers: Readers, *, format: str | None = None
) -> Survey:
    """Put together what was said of all files, place by place, each in step with its entries."""
    _real_folder.cache_clear()
    total, seen = Survey(), set[str]()
    others: dict[str, Path] = {}
    for place, looks in found:
        part = _survey_of(place, looks, _asked(readers, format))
        others |= {real(file): file for file in part.others}
        for said, into in ((part.formats, total.formats), (part.faults, total.faults)):
            for file, words in said.items():
                if (at := real(file)) not in seen:
                    seen.add(at)
                    into[file] = words
        total.beside += part.beside
    total.others = {file for at, file in others.items() if at not in seen}
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


def real(path: str | Path) -> str:
    """The same for all ways to write a path; unlike `Path.resolve`, of links in a circle too."""
    path = str(path)
    if is_remote(path):
        return path
    if os.path.islink(path) or os.path.basename(path) in ("", ".", ".."):
        return os.path.realpath(path)
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(_real_folder(folder), name)


# Asked once for the many files of a folder; within a survey, for links may come to lead elsewhere.
_real_folder = lru_cache(maxsize=1024)(os.path.realpath)


def _asked(readers: Readers, format: str | None) -> Readers:
    return {format: readers[format]} if format else readers


def _named(path: Path, readers: Readers, format: str | None) -> Look:
    if not path.exists():
        return Look(fault=f"{path}: there is no such file or folder. Check the path")
    if fault := _closed(path):
        return Look(fault=fault)
    if not format and _beside(path, readers):
        return Look(beside=True)
    if name := format or _sniff(path, readers):
        return Look(format=name)
    if owner := _owner(path, readers):
        return Look(fault=_unrecognised(path, owner))
    return Look(
        fault=f"{path}: none of the known formats: {_accepted(readers)}. Pass format= if it is one "
        "of them by another name, or format='module:reader' for a reader of your own"
    )


def _found(path: Path, readers: Readers, insisted: str | None) -> Look:
    """What a file of a folder is."""
    if fault := _closed(path):
        endings = tuple(ending for reader in readers.values() for ending in reader.suffixes)
        return Look(fault=fault) if path.name.lower().endswith(endings) else Look()
    if _beside(path, readers):
        return Look(beside=True)
    if known := _sniff(path, readers):
        return Look(format=known)
    if owner := _owner(path, readers):
        # Who insists on it gets the reader's own words.
        return Look(format=insisted) if insisted else Look(fault=_unrecognised(path, owner))
    return Look()


def _folder(folder: Path, readers: Readers, format: str | None) -> Place:
    files, subfolders, closed = _files_in(folder)
    whole: dict[str, str] = {}
    for name, reader in readers.items():
        for file in _as_a_whole(folder, reader):
            whole.setdefault(str(file), name)
    insisted = None if whole else format
    others = (Entry(file, insisted=insisted) for file in files if file not in whole)
    return Place(
        folder,
        (*(Entry(file, format=name) for file, name in whole.items()), *others),
        is_folder=True,
        faults={place: unreadable(place, error) for place, error in closed.items()},
        subfolders=tuple(sub for sub in map(Path, subfolders) if _owner(sub, readers)),
    )


def _survey_of(place: Place, looks: Iterable[Look], readers: Readers) -> Survey:
    """What there is to read at one place."""
    found = Survey(faults=dict(place.faults))
    for entry, look in zip(place.entries, looks, strict=True):
        path = as_path(entry.path)
        if look.format:
            found.formats[path] = look.format
        elif look.fault:
            found.faults[path] = look.fault
        elif not look.beside:
            found.others.add(path)
        elif entry.named:
            found.beside.append(path)
    if not place.is_folder:
        return found
    for sub in place.subfolders:
        told = (*found.formats, *found.faults)
        if not any(file.is_relative_to(sub) for file in told):
            found.faults[sub] = f"{sub}: a folder, though called as a file. Rename it"
    if not found.formats and not found.faults:
        n_files = len(place.entries)
        found.faults[place.path] = (
            f"{place.path}: no recordings among its {n_files} files; looked for: "
            f"{_accepted(readers)}"
        )
    return found


def _files_in(folder: Path) -> tuple[list[str], list[str], dict[Path, OSError]]:
    """Files and subfolders in it and in its subfolders, in order, without what is hidden.

    Also the folders that cannot be looked into, and why.
    """
    closed: dict[Path, OSError] = {}

    def note(error: OSError) -> None:
        closed[Path(error.filename)] = error

    files: list[str] = []
    folders: list[str] = []
    for place, subfolders, names in os.walk(folder, onerror=note):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        at = "" if place == "." else place  # as `Path` writes it
        folders += [os.path.join(at, name) for name in subfolders]
        files += [os.path.join(at, name) for name in names if not name.startswith(".")]
    return sorted(files, key=_in_parts), sorted(folders, key=_in_parts), closed


def _in_parts(path: str) -> list[str]:
    """By which paths are ordered as `Path` orders them."""
    return os.path.normcase(path).split(os.sep)


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
