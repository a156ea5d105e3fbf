"""Labels from any of the files that people keep them in: one front door."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from histvq.annotation import Annotation
from histvq.errors import FileFormatError
from histvq.io.labels.boris import SUFFIXES as BORIS
from histvq.io.labels.boris import read_boris
from histvq.io.labels.boris_table import is_boris_table, read_boris_tables
from histvq.io.labels.elan import SUFFIX as ELAN
from histvq.io.labels.elan import read_elan
from histvq.io.labels.label_files import SUFFIXES as LABEL_FILES
from histvq.io.labels.label_files import read_label_files
from histvq.io.labels.segment_table import is_segment_table, read_labels
from histvq.io.parts.same_actions import with_the_same_actions
from histvq.recording import Recording

Labels = list[Annotation | None]
TEXT = {*LABEL_FILES} - {".csv"}
KNOWN = (
    "ELAN files (.eaf) or a folder of them; BORIS projects (.boris) or tables of aggregated events; "
    "tables of segments, as segments.csv of a run, or the run's folder"
)


def read_any_labels(
    paths: str | Path | Iterable[str | Path],
    recordings: Sequence[Recording],
    *,
    label_fps: float | None = None,
) -> Labels:
    """Read the labels of these recordings, whatever holds them: ELAN, BORIS, tables, or text files.

    Args:
        paths: Files and folders, all of one sort.
        recordings: Those the labels are wanted for.
        label_fps: Given, the files are text, named after their recordings, with so many labels a second.

    Returns:
        In step with the recordings; None where there are no labels. All share `actions`. Labels of text
        files have their own frame rate, others the recording's.

    Raises:
        FileFormatError: If a path is none of these, they are of several sorts, or what they say is wrong.

    Warns:
        DataWarning: If some are of none of the recordings; they are left out.
    """
    given = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    if label_fps is not None:
        ids = [recording.id for recording in recordings]
        found = {a.recording_id: a for a in read_label_files(given, ids, fps=label_fps)}
        return [found.get(id) for id in ids]
    kinds = {path: _kind(path) or _maybe_table(path) for path in given}
    if strangers := [str(path) for path, kind in kinds.items() if kind is None]:
        raise FileFormatError(
            f"{', '.join(strangers[:5])}: no labels that can be read. Known are {KNOWN}. For text files "
            "with a label a line say how many there are a second, by label_fps (--label-fps)"
        )
    if len(set(kinds.values())) > 1:
        said = ", ".join(f"{path} ({kind})" for path, kind in kinds.items())
        raise FileFormatError(f"labels of several sorts: {said}; give them in one")
    kind = next(iter(kinds.values()), None)
    return _READ[kind](given, recordings) if kind else [None] * len(recordings)


def are_labels(paths: Iterable[Path]) -> bool:
    """Whether all of these hold labels apart from motion, in files that can be told by themselves."""
    return all(_kind(path) for path in paths)


def _kind(path: Path) -> str | None:
    """What a file or folder holds; None if it is none of the known."""
    name = path.name.lower()
    if path.is_dir():
        return _kind_of_folder(path)
    if is_segment_table(path):
        return "table"
    if name.endswith(ELAN):
        return "ELAN"
    if name.endswith(BORIS):
        return "BORIS"
    return "BORIS table" if is_boris_table(path) else None


def _kind_of_folder(folder: Path) -> str | None:
    """Likewise; in a run's folder its own table counts, whatever was exported from it."""
    if is_segment_table(folder) and (folder / "frames.csv").is_file():
        return "table"
    files = [file.name.lower() for file in folder.rglob("*") if not file.name.startswith(".")]
    endings: dict[str, str | tuple[str, ...]] = {"ELAN": ELAN, "BORIS": BORIS}
    found = [kind for kind, ending in endings.items() if any(f.endswith(ending) for f in files)]
    found += ["table"] * is_segment_table(folder)
    if len(found) > 1:
        raise FileFormatError(
            f"{folder}: holds labels of several sorts ({', '.join(found)}); name one of them"
        )
    return found[0] if found else None


def _maybe_table(path: Path) -> str | None:
    """Other files are read as a table of segments, which says what is wrong with them."""
    return None if path.is_dir() or path.suffix.lower() in TEXT else "table"


def _boris(paths: Sequence[Path], recordings: Sequence[Recording]) -> Labels:
    files = [
        file
        for path in paths
        for file in (sorted(path.rglob("*.boris*")) if path.is_dir() else [path])
        if file.name.lower().endswith(BORIS)
    ]
    return read_boris(files, recordings)


def _tables(paths: Sequence[Path], recordings: Sequence[Recording]) -> Labels:
    """Labels of one table or several, each of other recordings."""
    if len(paths) == 1:
        return read_labels(paths[0], recordings)
    found: Labels = [None] * len(recordings)
    source: dict[int, Path] = {}
    for path in paths:
        for place, annotation in enumerate(read_labels(path, recordings)):
            if annotation is not None and place in source:
                raise FileFormatError(
                    f"{source[place]} and {path} are both of recording {annotation.recording_id!r}: "
                    "leave its rows out in one"
                )
            if annotation is not None:
                found[place], source[place] = annotation, path
    return with_the_same_actions(found)


_READ: dict[str, Callable[[Sequence[Path], Sequence[Recording]], Labels]] = {
    "ELAN": read_elan,
    "BORIS": _boris,
    "BORIS table": read_boris_tables,
    "table": _tables,
}
