"""Which of the PKU-MMD files in a folder make the dataset: a division, a part of it, labels to each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from histvq.datasets._benchmark import listed
from histvq.errors import FileFormatError
from histvq.io.pku_mmd import is_recording, parse_name

Split = Literal["cross-subject", "cross-view"]
Part = Literal["train", "test", "all"]

SOURCE = "https://struct002.github.io/PKUMMD"
SPLIT_FILES: dict[Split, tuple[str, ...]] = {
    "cross-subject": ("cross_subject_v2.txt", "cross-subject_v2.txt"),
    "cross-view": ("cross_view_v2.txt", "cross-view_v2.txt"),
}
SIZES: dict[Split, dict[Part, int]] = {
    "cross-subject": {"train": 775, "test": 234, "all": 1009},
    "cross-view": {"train": 671, "test": 338, "all": 1009},
}
_TEST_PERSONS = ("02", "03", "07")
_TEST_VIEW = "L"


@dataclass(frozen=True)
class Chosen:
    """Files of one format (`pku-mmd`, or `histvq` where prepared), and what was left aside."""

    labels: Path
    format: str
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def choose(
    root: Path,
    *,
    split: Split,
    part: Part,
    labels: Path | None,
    benchmark: bool,
    strict: bool,
) -> Chosen:
    """Recordings of one part of a division, those with labels.

    The division is that of the file published with the dataset, if it lies in the folder; else what
    these files say in all: people 02, 03 and 07, or view L, are tested on.

    Raises:
        FileFormatError: If there are none, or something is missing that the benchmark needs, or, when
            strict, that belongs to a file.
    """
    format, files = _find(root)
    listed_in = next((f for name in SPLIT_FILES[split] for f in sorted(root.rglob(name))), None)
    names = None if listed_in is None else read_split(listed_in)
    if names is None:
        kept = [file for file in files if part in ("all", _part_by_rule(file, split))]
        notes = []
        if part != "all":
            notes.append(
                f"no {SPLIT_FILES[split][0]} in the folder: divided by what it is known to say"
            )
    else:
        wanted = [name for p, ids in names.items() if part in ("all", p) for name in ids]
        kept = [file for file in files if part == "all" or file.stem in set(wanted)]
        absent = sorted(set(wanted) - {file.stem for file in files})
        notes = [f"{len(absent)} of {split} without files: {listed(absent)}"] if absent else []
    if part != "all":
        notes.append(f"{split}, part {part!r}: {len(kept)} of {len(files)} recordings")
    if not kept:
        raise FileFormatError(f"{root}: none of its {len(files)} recordings is of part {part!r}")
    _check_size(root, kept, expected=SIZES[split][part], notes=notes, benchmark=benchmark)
    folder = labels or root
    if format == "pku-mmd":
        kept, alone, folder = _pair(folder, kept, files)
        if alone and (benchmark or strict or not kept):
            raise FileFormatError(
                f"{root}: {alone}. Give both files of each; labels= names a folder"
            )
        notes += [f"left out: {alone}"] if alone else []
    return Chosen(folder, format, tuple(kept), tuple(notes))


def read_split(path: Path) -> dict[Part, tuple[str, ...]]:
    """Names of the recordings to train on and to test on.

    A heading stands before the names of either, which are separated by commas.

    Raises:
        FileFormatError: If there are not two lists of names, or a name stands in both.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    lists: list[list[str]] = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip().removesuffix(".txt") for cell in line.split(",") if cell.strip()]
        right = [parse_name(Path(cell)) is not None for cell in cells]
        if not cells:
            continue
        if not any(right):
            lists.append([])
        elif all(right) and lists:
            lists[-1] += cells
        else:
            wrong = cells[right.index(False)] if not all(right) else cells[0]
            raise FileFormatError(
                f"{path}, line {number}: {wrong[:40]!r}; expected a heading, then names of recordings "
                "as A01N05-L with commas between, twice. Fetch it again"
            )
    if len(lists) != 2 or not all(lists):
        raise FileFormatError(
            f"{path}: {len(lists)} headings, {sum(map(bool, lists))} of them with names; expected those "
            "to train on and those to test on. Fetch it again"
        )
    if twice := sorted(set(lists[0]) & set(lists[1])):
        raise FileFormatError(f"{path}: {listed(twice)} in both lists. Fetch it again")
    return {"train": tuple(lists[0]), "test": tuple(lists[1])}


def _part_by_rule(file: Path, split: Split) -> Part:
    name = parse_name(file)
    assert name is not None, file
    _, person, view = name
    tested = person in _TEST_PERSONS if split == "cross-subject" else view == _TEST_VIEW
    return "test" if tested else "train"


def _find(root: Path) -> tuple[str, list[Path]]:
    """Format and recordings of a folder: raw text if there is any, else prepared files."""
    if not root.is_dir():
        raise FileFormatError(f"{root}: not a folder. Give the folder of the PKU-MMD files")
    known = [file for file in sorted(root.rglob("*")) if parse_name(file) is not None]
    raw = [file for file in known if file.suffix.lower() == ".txt" and is_recording(file)]
    if raw:
        return "pku-mmd", raw
    if prepared := [file for file in known if file.suffix.lower() == ".npz"]:
        return "histvq", prepared
    raise FileFormatError(
        f"{root}: no PKU-MMD skeletons of version 2, as A01N05-L.txt (or .npz, as `histvq data "
        f"prepare` writes them). Get them from {SOURCE}"
    )


def _check_size(
    root: Path, kept: Sequence[Path], *, expected: int, notes: list[str], benchmark: bool
) -> None:
    """Note, or for the benchmark refuse, another number of recordings than there should be."""
    if len(kept) == expected:
        return
    words = f"{len(kept)} of the benchmark's {expected} recordings"
    if benchmark:
        because = f" ({'; '.join(notes)})" if notes else ""
        raise FileFormatError(
            f"{root}: {words}{because}. Get them from {SOURCE}, or leave out benchmark=True"
        )
    notes.append(words)


def _pair(folder: Path, kept: list[Path], files: Iterable[Path]) -> tuple[list[Path], str, Path]:
    """Those of the recordings that have labels; what stands alone on either side; where labels lie."""
    recordings = set(files)
    found = [
        file
        for file in folder.rglob("*.txt")
        if parse_name(file) is not None and file not in recordings
    ]
    labelled, folders = {file.stem for file in found}, {file.parent for file in found}
    bare = [file.stem for file in kept if file.stem not in labelled]
    lone = sorted(labelled - {file.stem for file in recordings})
    where = folders.pop() if len(folders) == 1 else folder  # one folder is faster looked into
    sides = ((bare, "recordings without labels"), (lone, "labels without a recording"))
    words = [f"{len(ids)} {what}: {listed(ids)}" for ids, what in sides if ids]
    return [file for file in kept if file.stem in labelled], "; ".join(words), where
