"""Which of the LARa files in a folder make the dataset: one version, some people, labels to each."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from histvq.datasets._benchmark import listed
from histvq.errors import FileFormatError
from histvq.io.lara import SUFFIXES, Name, parse_name, recording_id
from histvq.io.parts.lara_labels import labels_stem

Part = Literal["all", "train", "validation", "test"]

VERSION = 3  # SMQ's and HiST-VQ's
SOURCE = "https://zenodo.org/record/8189341"
# The authors' own division for recognition, by person. Supervised references hold out S05 to S08.
PARTS: dict[Part, tuple[str, ...]] = {
    "train": ("S01", "S02", "S03", "S04", "S07", "S08", "S09", "S10", "S15", "S16"),
    "validation": ("S05", "S11", "S12"),
    "test": ("S06", "S13", "S14"),
}
PERSONS = tuple(sorted(person for part in PARTS.values() for person in part))


@dataclass(frozen=True)
class Chosen:
    """Files of one format (`lara`, or `histvq` where prepared), and what was left aside."""

    root: Path
    format: str
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def choose(
    root: Path, *, version: int | None, part: Part = "all", benchmark: bool, strict: bool
) -> Chosen:
    """Recordings of one version and part, those with labels.

    Raises:
        FileFormatError: If there are none, versions are mixed, or something is missing that the
            benchmark needs, or, when strict, that belongs to a file.
    """
    format, files = _find(root)
    version = _one_version(root, files, version)
    files = [file for file in files if _name(file).version == version]
    if benchmark:
        _check_whole(root, files, version)
    persons = PERSONS if part == "all" else PARTS[part]
    kept = [file for file in files if part == "all" or _name(file).person in persons]
    if not kept:
        raise FileFormatError(
            f"{root}: no recording of {', '.join(persons)}, the people of part {part!r}"
        )
    notes = [_version_note(version)]
    if part != "all":
        notes.append(f"part {part!r}: {len(kept)} of {len(files)} recordings")
    if format == "lara":
        kept, alone = _pair(root, kept, files)
        if alone and (benchmark or strict or not kept):
            raise FileFormatError(f"{root}: {alone}. Bring both files of each into the folder")
        notes += [f"left out: {alone}"] if alone else []
    return Chosen(root, format, tuple(kept), tuple(notes))


def _find(root: Path) -> tuple[str, list[Path]]:
    """Format and recordings of a folder: raw tables if there are any, else prepared files."""
    if not root.is_dir():
        raise FileFormatError(f"{root}: not a folder. Give the folder of the LARa files")
    known = [file for file in sorted(root.rglob("*")) if parse_name(file) is not None]
    for format, suffixes in (("lara", SUFFIXES), ("histvq", (".npz",))):
        if files := [file for file in known if file.name.lower().endswith(suffixes)]:
            return format, files
    raise FileFormatError(
        f"{root}: no LARa recordings, as L01_S07_R03.csv (or .npz, as `histvq data prepare` writes "
        f"them). Get them from {SOURCE}"
    )


def _name(file: Path) -> Name:
    name = parse_name(file)
    assert name is not None, file
    return name


def _one_version(root: Path, files: Iterable[Path], version: int | None) -> int:
    counts = Counter(_name(file).version for file in files)
    if version is None and len(counts) > 1:
        both = ", ".join(f"{n} of version {v}" for v, n in sorted(counts.items()))
        raise FileFormatError(
            f"{root}: {both}: people and origin differ. Pass version= to choose, as version=3"
        )
    if version is not None and not counts[version]:
        raise FileFormatError(f"{root}: no files of version {version}; it has {sorted(counts)}")
    return version or next(iter(counts))


def _version_note(version: int) -> str:
    if version == VERSION:
        return (
            f"version {VERSION} of the files, of 16 people; HiST-VQ writes of 14, as in version 1"
        )
    return f"version {version} of the files; SMQ and HiST-VQ used version {VERSION}"


def _check_whole(root: Path, files: Iterable[Path], version: int) -> None:
    missing = sorted(set(PERSONS) - {_name(file).person for file in files})
    faults = [f"it is version {version}"] if version != VERSION else []
    faults += [f"no recording of {', '.join(missing)}"] if missing else []
    if faults:
        raise FileFormatError(
            f"{root}: not the benchmark, version {VERSION} of {len(PERSONS)} people: "
            f"{'; '.join(faults)}. Get it from {SOURCE}, or leave out benchmark=True"
        )


def _pair(root: Path, kept: list[Path], files: list[Path]) -> tuple[list[Path], str]:
    """Those of the recordings that have labels; and in words what stands alone on either side."""
    labelled = {id for file in root.rglob("*") if (id := labels_stem(file)) is not None}
    bare = [recording_id(file) for file in kept if recording_id(file) not in labelled]
    versions = {_name(file).version for file in files}
    lone = [
        id
        for id in sorted(labelled - {recording_id(file) for file in files})
        if (name := parse_name(Path(id))) is not None and name.version in versions
    ]
    sides = ((bare, "recordings without labels"), (lone, "labels without a recording"))
    words = [f"{len(ids)} {what}: {listed(ids)}" for ids, what in sides if ids]
    return [file for file in kept if recording_id(file) in labelled], "; ".join(words)
