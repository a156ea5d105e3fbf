"""Labels from ELAN files that a person made or corrected."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from histvq.annotation import Annotation
from histvq.errors import FileFormatError, did_you_mean
from histvq.io.labels.marks import Mark, Owner, annotations, owned
from histvq.io.parts.eaf import MENDED, Document, Tier, read_eaf
from histvq.io.parts.safe_names import unquoted
from histvq.recording import Recording

# By level, the tier that is read and written; the first that has annotations is read.
TIERS = {"action": "actions", "subaction": "subactions"}
# The header's property that holds the recording's id in quotes; not every id can be a file's name.
RECORDING = "histvq recording"
SUFFIX = ".eaf"
_MILLISECONDS = re.compile(r"\d{1,12}", flags=re.ASCII)


def read_elan(
    paths: str | Path | Iterable[str | Path], recordings: Sequence[Recording]
) -> list[Annotation | None]:
    """Read the labels of these recordings from ELAN files, one file a recording.

    A file is of the recording that `histvq export` noted in it; where it noted none, of the one it is
    called after. The tiers `actions` are read; where all are empty or not there, `subactions`. Where a
    tier has a vocabulary, annotations say nothing else. Annotations that say nothing label nothing.

    Units: milliseconds become frames with each recording's own frame rate, the nearest.

    Args:
        paths: Files, and folders of them.
        recordings: Those the labels are wanted for.

    Returns:
        In step with the recordings; None where no annotation labels a frame. Frames no annotation
        covers are -1. All share `actions`: the names as they first occur.

    Raises:
        FileFormatError: If a file is no ELAN file, has no such tier, or annotations are wrong (at most
            ten are told, by tier and id); or no file is of these recordings.

    Warns:
        DataWarning: If some are of none; they are left out.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    files = [file for path in map(Path, given) for file in _files(path)]
    documents = [read_eaf(file) for file in files]
    owners = [
        Owner(where=str(file), names=(unquoted(document.properties.get(RECORDING, "")), file.stem))
        for file, document in zip(files, documents, strict=True)
    ]
    level = _level(documents)
    example = f"Call a file after its recording, as {recordings[0].id}.eaf" if recordings else ""
    marks: dict[str, list[Mark]] = {}
    faults: list[str] = []
    for file, document, recording in zip(
        files, documents, owned(owners, recordings, example=example), strict=True
    ):
        if recording is not None:
            marks[recording.id], wrong = _marks(file, document, level)
            faults += wrong
    source = str(files[0]) if len(files) == 1 else f"{len(files)} ELAN files"
    return annotations(marks, recordings, source=source, faults=faults)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob(f"*{SUFFIX}") if not file.name.startswith("."))
    if not found:
        raise FileFormatError(f"{path}: no ELAN file (.eaf) in this folder")
    return found


def _level(documents: Iterable[Document]) -> str:
    """Name of the tier to read: the first of the known ones in which somebody wrote anything."""
    used = {t.name for d in documents for t in d.tiers if t.annotations or t.n_references}
    return next((name for name in TIERS.values() if name in used), TIERS["action"])


def _marks(file: Path, document: Document, level: str) -> tuple[list[Mark], list[str]]:
    """What the tier says and when, and what is wrong with it."""
    if document.units != "milliseconds":
        raise FileFormatError(
            f"{file}: times in {document.units}, expected milliseconds; {MENDED} with a newer ELAN"
        )
    tier = _tier(file, document, level)
    words = document.words_of(tier)
    marks: list[Mark] = []
    faults: list[str] = []
    for annotation in tier.annotations:
        where = f"{file}, tier {tier.name!r}, annotation {annotation.id}"
        times = [document.slots.get(slot) or "" for slot in (annotation.start, annotation.stop)]
        if not all(_MILLISECONDS.fullmatch(time) for time in times):
            said = ", ".join(time or "none" for time in times)
            faults.append(
                f"{where}: its times are {said}; expected whole milliseconds. Align it in ELAN"
            )
        elif words and annotation.value and annotation.value not in words:
            faults.append(
                f"{where}: {annotation.value!r} is not in the tier's vocabulary (add it there if it is "
                f"a new name){did_you_mean(annotation.value, words)}"
            )
        else:
            start, stop = (int(time) / 1000 for time in times)
            marks.append(Mark(start, stop, annotation.value, where))
    return marks, faults


def _tier(file: Path, document: Document, level: str) -> Tier:
    """The tier of that name; an empty one where only another level's is there."""
    by_name = {tier.name: tier for tier in document.tiers}
    if not any(name in by_name for name in TIERS.values()):
        there = ", ".join(map(repr, by_name)) or "none"
        raise FileFormatError(
            f"{file}: no tier is called {' or '.join(map(repr, TIERS.values()))}; there are {there}. "
            "Rename the one to be read to 'actions'"
        )
    tier = by_name.get(level, Tier(level, ""))
    if tier.n_references:
        raise FileFormatError(
            f"{file}, tier {level!r}: {tier.n_references} annotations have no times of their own but "
            "refer to another tier's; give it a type that is aligned with time"
        )
    return tier
