"""BABEL subsets that somebody prepared: pickles of the published scripts, our files, SMQ's folders."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from histvq.annotation import Annotation
from histvq.datasets._babel_labels import FPS, actions_of, in_terms_of
from histvq.datasets._babel_motion import JOINTS, PARENTS
from histvq.errors import ConfigError, FileFormatError
from histvq.io import ReadProgress, read_many
from histvq.io.layout import feature_files
from histvq.io.parts.safe_pickle import load_numbers
from histvq.recording import Recording

SPLITS = ("train", "val")
# What a recording's metadata say of frames nobody annotated, which lie before others.
GAPS, KEPT, CLOSED = "gaps", "kept", "closed"
GAPS_SAID = {
    KEPT: "prepared with benchmark=False: frames nobody annotated, before others, are 'none'",
    CLOSED: "prepared as published: after frames nobody annotated, labels come too early",
}
_KEYS = ("sid", "X", "L")
_PREPARED = re.compile(r"\d+\.npz")


@dataclass(kw_only=True)
class Found:
    """Recordings with all five actions of the subset, before any is left out for its labels."""

    recordings: list[Recording] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_pickles(root: Path, subset: int) -> list[Path]:
    """`train_split<subset>.pkl` and `val_split<subset>.pkl` in a folder, or in one within it."""
    named = [f"{split}_split{subset}.pkl" for split in SPLITS]
    return [
        file for name in named for file in sorted([*root.glob(name), *root.glob(f"*/{name}")])[:1]
    ]


def read_pickles(
    files: list[Path], subset: int, *, allow_pickle: bool, progress: ReadProgress | None
) -> Found:
    """Sequences of the published preparation, in millimetres.

    Raises:
        ConfigError: If reading pickles was not allowed.
        FileFormatError: If one is not as it should be.
    """
    if not allow_pickle:
        raise ConfigError(
            f"{files[0]}: a pickle, and pickles can run code. histvq reads this one in a way that "
            "admits numbers only; if you want that, pass allow_pickle=True, as "
            f"load_dataset('babel-{subset}', {str(files[0].parent)!r}, allow_pickle=True), or once for "
            f"all prepare_dataset('babel-{subset}', {str(files[0].parent)!r}, 'data/babel-{subset}', "
            "allow_pickle=True)"
        )
    found = Found()
    for done, file in enumerate(files, start=1):
        split = file.name.split("_")[0]
        for sid, motion, labels in _sequences(file):
            found.recordings.append(
                recording_of(str(sid), motion, source=file, split=split, gaps=CLOSED)
            )
            found.annotations.append(annotation_of(str(sid), labels, subset))
        if progress is not None:
            progress(done, len(files), file)
    return found


def recording_of(
    id: str, metres: np.ndarray, *, source: Path, split: str, gaps: str, person: str | None = None
) -> Recording:
    """A recording in millimetres of positions (frame, joint, 3) in metres."""
    return Recording(
        id=id,
        skeleton=metres * 1000,
        fps=FPS,
        joint_names=JOINTS,
        parents=PARENTS,
        unit="mm",
        person=person,
        metadata={"split": split, GAPS: gaps},
        source=str(source),
    )


def annotation_of(id: str, labels: np.ndarray, subset: int) -> Annotation:
    """An annotation in terms of all five actions of the subset."""
    return Annotation(recording_id=id, labels=labels, actions=actions_of(subset), fps=FPS)


def find_prepared(root: Path) -> tuple[str, list[Path]]:
    """Format and files of what was prepared: `<number>.npz`, else `features/*.npy`; may be none."""
    if ours := sorted(file for file in root.glob("*.npz") if _PREPARED.fullmatch(file.name)):
        return "histvq", ours
    return "smq", feature_files(root)


def read_prepared(
    format: str, files: list[Path], subset: int, *, strict: bool, progress: ReadProgress | None
) -> Found:
    """Sequences as `prepare` wrote them, or as SMQ's preparation does.

    Raises:
        FileFormatError: If none can be read, or one has no labels or those of another subset.
    """
    unsaid = {"fps": FPS, "unit": "mm", "joint_names": JOINTS, "parents": PARENTS}
    options: dict[str, Any] = unsaid if format == "smq" else {}
    readings = read_many(files, format=format, strict=strict, progress=progress, **options)
    found = Found(
        recordings=list(readings.recordings),
        skipped=list(readings.skipped),
        warnings=list(readings.warnings),
    )
    for recording, annotation in zip(readings.recordings, readings.annotations, strict=True):
        where = str(recording.source)
        if annotation is None:
            raise FileFormatError(
                f"{where}: no labels in it, and a benchmark needs them in every file. Prepare the raw "
                f"files again with `histvq data prepare babel-{subset}`"
            )
        found.annotations.append(in_terms_of(annotation, actions_of(subset), where=where))
    made = {str(recording.metadata.get(GAPS)) for recording in found.recordings}
    found.notes += [said for gaps, said in GAPS_SAID.items() if gaps in made]
    return found


def _sequences(file: Path) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Number, positions (frame, joint, 3) and labels of each sequence in a pickle."""
    content = load_numbers(file)
    columns: list[Any] = [content.get(key) for key in _KEYS] if isinstance(content, dict) else []
    if not columns or not all(isinstance(column, list) for column in columns):
        raise FileFormatError(
            f"{file}: no dictionary of lists {', '.join(_KEYS)}. Is it the file that "
            "Skeleton-Temporal-Action-Localization's split_dataset.py writes?"
        )
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise FileFormatError(
            f"{file}: lists {', '.join(_KEYS)} of {', '.join(map(str, lengths))} sequences; expected "
            "as many in each. Make the file again"
        )
    rows = list(zip(*columns, strict=True))
    faults = [fault for place, row in enumerate(rows) if (fault := _fault(place, *row))]
    if faults:
        more = f"\n... and {len(faults) - 10} more" if len(faults) > 10 else ""
        raise FileFormatError(
            "\n".join(f"{file}, {fault}" for fault in faults[:10]) + f"{more}\nMake the file again"
        )
    return [(sid, motion[..., 0].transpose(1, 2, 0), labels) for sid, motion, labels in rows]


def _fault(place: int, sid: object, motion: object, labels: object) -> str | None:
    """What is wrong with a sequence, if anything."""
    if not isinstance(sid, int) or isinstance(sid, bool):
        return f"entry {place}: sid {sid!r:.40}, expected a number"
    where = f"sid {sid}"
    if not isinstance(motion, np.ndarray) or motion.dtype.kind != "f":
        return f"{where}: X is no array of fractions"
    if motion.ndim != 4 or (motion.shape[0], *motion.shape[2:]) != (3, len(JOINTS), 1):
        return f"{where}: X of shape {motion.shape}, expected (3, frames, {len(JOINTS)}, 1)"
    if not np.isfinite(motion).all():
        return f"{where}: {(~np.isfinite(motion)).sum()} numbers of X are not finite"
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        return f"{where}: L is no array of whole numbers"
    if labels.shape != motion.shape[1:2]:
        return f"{where}: {motion.shape[1]} frames but L of shape {labels.shape}"
    if not len(labels):
        return f"{where}: no frame in it"
    if labels.min() < 0 or labels.max() > 4:
        return f"{where}: labels from {labels.min()} to {labels.max()}, expected 0 to 4"
    return None
