"""Files in, recordings out: `read` one, `read_many`, or `expand` folders to see what is there."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError, did_you_mean
from histvq.io.parts import plugins
from histvq.io.parts.at_hand import AtHand, at_hand
from histvq.io.parts.attempting import attempt, takes_any
from histvq.io.parts.finding import Survey
from histvq.io.parts.finding import entries as entries_of
from histvq.io.parts.finding import survey as survey_files
from histvq.io.parts.reader import Pair, Reader
from histvq.io.parts.same_actions import with_the_same_actions
from histvq.io.parts.telling import differences, empty, listed
from histvq.io.parts.unique import with_unique_ids
from histvq.recording import Recording
from histvq.remote import as_path

# A new format: one file that makes a Reader, one line here. Where two know a file, the first reads.
READERS = {
    "acclaim": "histvq.io.acclaim:READER",
    "bvh": "histvq.io.bvh:READER",
    "coco": "histvq.io.coco:READER",
    "freemocap": "histvq.io.freemocap:READER",
    "c3d": "histvq.io.c3d:READER",
    "deeplabcut": "histvq.io.deeplabcut:READER",
    "histvq": "histvq.io.npz:READER",
    "amass": "histvq.io.amass:READER",  # after our own, whose words stand for a stray .npz
    "hugadb": "histvq.io.hugadb:READER",
    "mediapipe": "histvq.io.mediapipe:READER",
    "openpose": "histvq.io.openpose:READER",
    "lara": "histvq.io.lara:READER",
    "pku-mmd": "histvq.io.pku_mmd:READER",
    "movement": "histvq.io.movement:READER",
    "precog": "histvq.io.precog:READER",
    "sleap": "histvq.io.sleap:READER",
    "smq": "histvq.io.layout:READER",
    "trc": "histvq.io.trc:READER",
    # Last, for these know every array and every table with columns of motion that are left.
    "arrays": "histvq.io.arrays:READER",
    "table": "histvq.io.table:READER",
}

__all__ = ["READERS", "Reader", "Readings", "expand", "find_reader", "read", "read_many"]

ReadProgress = Callable[[int, int, Path], None]
People = Literal["together", "apart"]


@dataclass(frozen=True, kw_only=True)
class Readings:
    """What came out of several files.

    Attributes:
        recordings: One a file that could be read, with unique ids.
        annotations: In step with the recordings; None where a file has no labels. All share `actions`.
        skipped: Files that could not be read, each with the reason: also paths that are not there,
            and files of no known format that were named.
        warnings: What was changed or looks wrong in files that could, in order; then what sets
            recordings apart: frame rates, joints, channels.
        ignored: How many files of the folders look like nothing a reader knows.
        formats: Name of the format of each recording's file, in step with the recordings.
    """

    recordings: tuple[Recording, ...]
    annotations: tuple[Annotation | None, ...]
    skipped: tuple[tuple[Path, str], ...] = ()
    warnings: tuple[str, ...] = ()
    ignored: int = 0
    formats: tuple[str, ...] = ()

    def without(self, reasons: Mapping[int, str]) -> "Readings":
        """These without the recordings at some places, now skipped, each for its reason."""
        kept = [place for place in range(len(self.recordings)) if place not in reasons]
        files = [as_path(r.source or r.id) for r in self.recordings]
        return replace(
            self,
            recordings=tuple(self.recordings[place] for place in kept),
            annotations=tuple(self.annotations[place] for place in kept),
            formats=tuple(self.formats[place] for place in kept),
            skipped=(*self.skipped, *((files[place], why) for place, why in reasons.items())),
        )


def read(path: str | Path, format: str | None = None, **options: object) -> Pair:
    """Read one file: the motion, and the labels if the file has any.

    Warns of damaged files that lie beside it in a folder.

    Args:
        path: A file, or a folder that holds one recording; an address, as `s3://bucket/x.npz`, will do.
        format: Name of the format, or `module:name` of a reader of your own; found from the file
            where not given.
        **options: What the format's reader takes, as `fps=60` where a file does not say it.

    Raises:
        FileFormatError: If no format fits, or the file is not as its format promises.
        ConfigError: If the reader does not take one of the options.
    """
    with at_hand(path) as here:
        if here.faults:
            raise FileFormatError(listed(list(here.faults.values())))
        recording, annotation = _read_one(here.paths[0], format, options)
    return _called(recording, here), annotation


def _read_one(path: Path, format: str | None, options: dict[str, object]) -> Pair:
    found = _survey(path, format)
    entries = entries_of(found, named=[path])
    if len(entries) > 1:
        raise FileFormatError(
            f"{path}: {len(entries)} recordings, {entries[0][1].name} the first; read() reads one. "
            "Name the file, or use histvq.io.read_many for all"
        )
    name, file = entries[0]
    check_options(options, [name])
    for fault in found.faults.values():
        warnings.warn(fault, DataWarning, stacklevel=3)
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
    return entries_of(_survey(paths, format), named=paths)


def read_many(
    paths: str | Path | Iterable[str | Path],
    *,
    format: str | None = None,
    strict: bool = False,
    people: People = "together",
    progress: ReadProgress | None = None,
    **options: object,
) -> Readings:
    """Read files and folders; a file that cannot be read is skipped and listed.

    Skipped, with the reason, are: paths that do not exist; named files of no known format; files
    that a reader knows but cannot read, be it for want of rights or memory, that changed meanwhile, or
    that hold no frame; in a folder also links that lead nowhere, and files whose ending only recordings
    have (`.npz`, `.npy`) but which are empty, damaged or somebody else's. Other
    files of a folder, as `README.txt`, are ignored and counted; endings many files have (`.txt`,
    `.csv`) make a recording only together with the name or first line of a format. A format named
    by `format` changes that in one point: its own endings are read without looking.

    Args:
        paths: Files and folders, or one of them. Those at addresses, as `s3://bucket/folder`, are copied
            to a temporary folder for as long as they are read; their files are called by their addresses.
        format: As in `read`.
        strict: Stop at files that cannot be read, and at values that had to be changed or are all
            missing; every file is looked at first. Recordings that differ are no fault.
        people: Several people in one file: `together`, their joints side by side in one recording, or
            `apart`, a recording each, with the file's labels for all of them.
        progress: Called after each file with how many are done, how many there are, and which.
        **options: For the readers; each gets those it takes.

    Raises:
        FileFormatError: If no file can be read, or, when strict, if any has a fault; also if ids
            cannot be made unique.
        ConfigError: If no reader in use takes one of the options.
    """
    check_people(people)
    with at_hand(paths) as here:
        readings = _read_here(here, format, strict, people, progress, options)
    return replace(
        readings,
        recordings=tuple(_called(recording, here) for recording in readings.recordings),
        skipped=tuple((here.name(file), here.words(why)) for file, why in readings.skipped),
        warnings=tuple(map(here.words, readings.warnings)),
    )


def _read_here(
    here: AtHand,
    format: str | None,
    strict: bool,
    people: People,
    progress: ReadProgress | None,
    options: dict[str, object],
) -> Readings:
    survey = _survey(here.paths, format)
    entries = [(name, file) for file, name in survey.formats.items()]
    check_options(options, dict.fromkeys(survey.formats.values()))
    pairs: list[Pair] = []
    formats: list[str] = []
    skipped = [*here.faults.items(), *survey.faults.items()]
    messages: dict[str, None] = {}
    for done, (name, file) in enumerate(entries, start=1):
        found = attempt(find_reader(name), file, options, apart=people == "apart")
        messages.update(dict.fromkeys(found.warnings))
        pairs += found.pairs
        formats += [name] * len(found.pairs)
        if found.fault:
            skipped.append((file, found.fault))
        if progress is not None:
            progress(done, len(entries), here.name(file))
    if pairs:
        pairs = with_unique_ids(pairs)
    recordings = tuple(recording for recording, _ in pairs)
    messages.update(dict.fromkeys(empty(recordings)))
    if strict and (skipped or messages):
        raise FileFormatError(listed([*(fault for _, fault in skipped), *messages]))
    if not pairs:
        reasons = listed([fault for _, fault in skipped]) if skipped else "no file was given"
        raise FileFormatError(f"no file could be read: {reasons}" if entries else reasons)
    return Readings(
        recordings=recordings,
        annotations=tuple(with_the_same_actions([annotation for _, annotation in pairs])),
        skipped=tuple(skipped),
        warnings=(*messages, *differences(recordings)),
        ignored=len(survey.others),
        formats=tuple(formats),
    )


def find_reader(name: str) -> Reader:
    """The reader of that name; a plain function of a path, given as `module:name`, will do."""
    return plugins.find_reader(name, READERS)


def readers_for(format: str | None = None) -> dict[str, Reader]:
    """Every reader there is, in the order they are asked, and that of a format of one's own."""
    readers = plugins.all_readers(READERS)
    if format and format not in readers:
        readers[format] = find_reader(format)
    return readers


def _survey(paths: str | Path | Iterable[str | Path], format: str | None) -> Survey:
    return survey_files(paths, readers_for(format), format=format)


def check_people(people: str) -> None:
    """Raise ConfigError unless it is one of the ways to take several people in one file."""
    if people not in get_args(People):
        raise ConfigError(f"people={people!r}: must be 'together' or 'apart'")


def check_options(options: Mapping[str, object], names: Iterable[str]) -> None:
    """Raise ConfigError for an option that none of these readers takes, if there are any."""
    readers = {name: find_reader(name) for name in names}
    takers = {option for reader in readers.values() for option in reader.options}
    if not readers or any(takes_any(reader) for reader in readers.values()):
        return
    for option in options:
        if option in takers:
            continue
        if option == "fps":
            known = ": these files say their own rate. Leave it out"
        else:
            known = did_you_mean(option, takers) if takers else ": it has none. Leave it out"
        raise ConfigError(f"format {' or '.join(readers)} has no option {option!r}{known}")


def _called(recording: Recording, here: AtHand) -> Recording:
    """The recording with the address of its file for the source, where that is a copy."""
    return (
        replace(recording, source=here.words(recording.source)) if recording.source else recording
    )
