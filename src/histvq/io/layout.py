"""The folder layout of SMQ and kin: features/*.npy, groundTruth/*.txt, mapping/mapping.txt.

Arrays are (channel, frame, joint, person); label files hold one action name a line; the mapping
holds `<integer> <name>` lines. No file says how many frames a second there are.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io.parts.archive import DAMAGED, mapped
from histvq.io.parts.asked import given_fps, given_unit
from histvq.io.parts.file_names import check_file_names
from histvq.io.parts.individuals import side_by_side
from histvq.io.parts.reader import Pair, Reader
from histvq.recording import Recording
from histvq.writing import written_whole

BACKGROUND = "background"
_WHOLE = re.compile(r"-?\d{1,18}", flags=re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """All recordings of such a folder.

    Attributes:
        recordings: In the order of their names.
        annotations: In step with the recordings; None where there is no label file.
        unread: Names of files in `features` that are not `.npy`.
    """

    recordings: tuple[Recording, ...]
    annotations: tuple[Annotation | None, ...]
    unread: tuple[str, ...] = ()


def read_feature_file(
    path: str | Path,
    *,
    fps: float | None = None,
    unit: str | None = None,
    joint_names: Sequence[str] = (),
    channel_names: Sequence[str] = (),
    parents: Sequence[int] | None = None,
) -> Pair:
    """Read one `features/<recording>.npy`, and its labels where `groundTruth` has them.

    Several people in the array become joints side by side, with a person index a joint.

    Args:
        path: The `.npy` file.
        fps: Frames a second. Must be given: no file of this layout says it.
        unit: Unit of the values. Must be given likewise; `unknown` will do.
        joint_names: Names of one person's joints.
        channel_names: Names of the channels.
        parents: Parents of one person's joints.

    Raises:
        FileFormatError: If `fps` or `unit` is missing, or array, labels or mapping are not as they should
            be.
    """
    path = Path(path)
    fps = given_fps(fps, path, format="features/*.npy")
    unit = given_unit(unit, path, format="features/*.npy")
    array = _load(path)
    n_channels, n_frames, n_joints, n_persons = array.shape
    names = tuple(joint_names) or tuple(f"joint{j}" for j in range(n_joints))
    several = n_persons > 1
    recording = Recording(
        id=path.stem,
        skeleton=array.transpose(1, 3, 2, 0).reshape(n_frames, n_persons * n_joints, n_channels),
        fps=fps,
        joint_names=tuple(f"person{m}/{n}" for m in range(n_persons) for n in names)
        if several
        else names,
        channel_names=tuple(channel_names),
        parents=None if parents is None else side_by_side(parents, n_persons),
        joint_persons=tuple(np.repeat(range(n_persons), n_joints).tolist()) if several else None,
        unit=unit,
        source=str(path),
    )
    return recording, _read_labels(path, n_frames=n_frames, fps=fps)


def read_layout(root: str | Path, *, fps: float | None = None, **options: object) -> Layout:
    """Read a whole folder; warns when it holds one recording only.

    Args:
        root: The folder that holds `features`.
        fps: Frames a second. Must be given.
        **options: As `read_feature_file` takes.

    Raises:
        FileFormatError: For the first fault of a file, or where channels, joints or persons differ
            between recordings.
    """
    files = feature_files(Path(root))
    if not files:
        raise FileFormatError(f"{root}: no features/*.npy; give the folder that holds `features`")
    pairs = [read_feature_file(file, fps=fps, **options) for file in files]  # type: ignore[arg-type]
    first = pairs[0][0]
    for recording, _ in pairs:
        if _shape(recording) != _shape(first):
            raise FileFormatError(
                f"{recording.source}: {_shape(recording)} (joints, channels, persons), but "
                f"{first.id} has {_shape(first)}: all recordings need the same"
            )
    if len(pairs) == 1:
        warnings.warn(f"{root}: one recording only, {first.id}", DataWarning, stacklevel=2)
    unread = sorted(f.name for f in files[0].parent.iterdir() if f not in files)
    return Layout(
        recordings=tuple(recording for recording, _ in pairs),
        annotations=tuple(annotation for _, annotation in pairs),
        unread=tuple(unread),
    )


def write_layout(
    root: str | Path, recordings: Sequence[Recording], annotations: Sequence[Annotation | None] = ()
) -> None:
    """Write recordings for the tools that read this layout.

    Frames nobody labelled (-1) are written as `background`, which those tools leave out of the
    number of actions. Rates, names, units and history have no place in this layout and are lost:
    `write_npz` keeps them.

    Raises:
        ConfigError: If recordings differ in shape, hold missing values, share an id, or do not go
            with their annotations.
        FileFormatError: If an id cannot be a file's name on every system.
    """
    annotations = annotations or [None] * len(recordings)
    check_file_names(recording.id for recording in recordings)
    _check_writable(recordings, annotations)
    root = Path(root)
    for recording, annotation in zip(recordings, annotations, strict=True):
        with written_whole(root / "features" / f"{recording.id}.npy") as file:
            np.save(file, _four_axes(recording), allow_pickle=False)
        if annotation is not None:
            names = np.array([*annotation.actions, BACKGROUND], dtype=object)
            with written_whole(root / "groundTruth" / f"{recording.id}.txt") as file:
                file.write("\n".join(names[annotation.labels]).encode())
    labelled = [a for a in annotations if a is not None]
    if labelled:
        actions = list(labelled[0].actions)
        if BACKGROUND not in actions and any((a.labels == -1).any() for a in labelled):
            actions.append(BACKGROUND)
        with written_whole(root / "mapping" / "mapping.txt") as file:
            file.write("\n".join(f"{n} {name}" for n, name in enumerate(actions, 1)).encode())


def feature_files(folder: Path) -> list[Path]:
    """The `.npy` files of such a folder, or of its `features`; empty where it is neither."""
    features = folder if folder.name == "features" else folder / "features"
    return sorted(features.glob("*.npy")) if features.is_dir() else []


def read_mapping(path: Path) -> dict[int, str]:
    """Action names by their integers; names may contain spaces."""
    mapping: dict[int, str] = {}
    for number, line in enumerate(_lines(path), start=1):
        code, space, name = line.partition(" ")
        if not line:
            continue
        if not (space and name and _WHOLE.fullmatch(code)):
            raise FileFormatError(
                f"{path}, line {number}: {line!r}; expected an integer, a space and a name"
            )
        if int(code) in mapping or name in mapping.values():
            raise FileFormatError(
                f"{path}, line {number}: {line!r} names an id or an action a second time; each "
                "must stand once"
            )
        mapping[int(code)] = name
    return mapping


def _load(path: Path) -> np.ndarray:
    try:
        array = mapped(path)
    except DAMAGED as error:
        raise FileFormatError(
            f"{path}: not an array numpy can load ({error}). It may be cut short, or hold Python "
            "objects: write it again with numpy.save of numbers"
        ) from error
    if array.ndim != 4 or array.dtype.kind not in "iufb":
        raise FileFormatError(
            f"{path}: shape {array.shape} of {array.dtype}; expected four axes of numbers "
            "(channel, frame, joint, person), as array[..., None] makes of three"
        )
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        c, t, v, m = wrong[0].tolist()
        raise FileFormatError(
            f"{path}: {array[c, t, v, m]} at frame {t}, joint {v}, channel {c}, person {m}, and "
            f"{len(wrong)} such values in all; this layout has no missing values. Fill them first"
        )
    with np.errstate(over="ignore"):  # the recording refuses what is infinite
        return array.astype(np.float32)


def _read_labels(path: Path, *, n_frames: int, fps: float) -> Annotation | None:
    root = path.parent.parent
    label_file = root / "groundTruth" / f"{path.stem}.txt"
    if not label_file.is_file():
        return None
    mapping = read_mapping(root / "mapping" / "mapping.txt")
    actions = tuple(mapping[code] for code in sorted(mapping))
    names = _lines(label_file)
    if len(names) != n_frames:
        raise FileFormatError(
            f"{path.name}: {n_frames} frames but {label_file} has {len(names)} lines. Labels and "
            "motion must be of the same frames: write them again"
        )
    index = {name: place for place, name in enumerate(actions)}
    for number, name in enumerate(names, start=1):
        if name not in index:
            raise FileFormatError(
                f"{label_file}, line {number}: {name!r} is not in mapping/mapping.txt, which has "
                f"{', '.join(actions)}. Add it there"
            )
    labels = np.array([index[name] for name in names], dtype=np.int32)
    return Annotation(recording_id=path.stem, labels=labels, actions=actions, fps=fps)


def _lines(path: Path) -> list[str]:
    """Lines without their ends; one line end at the end of the file is no line of its own."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    return text.removesuffix("\n").split("\n") if text else []


def _shape(recording: Recording) -> tuple[int, int, int]:
    return (*recording.skeleton.shape[1:], len(set(recording.joint_persons or (0,))))  # type: ignore[return-value]


def _four_axes(recording: Recording) -> np.ndarray:
    """(channel, frame, joint, person), the persons' joints taken from side by side."""
    persons = np.array(recording.joint_persons or [0] * recording.skeleton.shape[1])
    blocks = [recording.skeleton[:, persons == person] for person in np.unique(persons)]
    return np.ascontiguousarray(np.stack(blocks, axis=-1).transpose(2, 0, 1, 3))


def _check_writable(
    recordings: Sequence[Recording], annotations: Sequence[Annotation | None]
) -> None:
    if len(annotations) != len(recordings):
        raise ConfigError(f"{len(annotations)} annotations for {len(recordings)} recordings")
    faults = []
    for recording, annotation in zip(recordings, annotations, strict=True):
        if _shape(recording) != _shape(recordings[0]):
            faults.append(f"{recording.id}: other joints or channels than {recordings[0].id}")
        if len(set(np.bincount(recording.joint_persons or [0]).tolist()) - {0}) > 1:
            faults.append(f"{recording.id}: persons with different numbers of joints")
        if np.isnan(recording.skeleton).any():
            faults.append(f"{recording.id}: missing values, for which there is no place; fill them")
        if annotation is not None and annotation.recording_id != recording.id:
            faults.append(f"{recording.id}: given the annotation of {annotation.recording_id}")
        if annotation is not None and annotation.n_frames != recording.n_frames:
            faults.append(f"{recording.id}: {annotation.n_frames} labels")
    if len({recording.id for recording in recordings}) < len(recordings):
        faults.append("two recordings share an id")
    if len({annotation.actions for annotation in annotations if annotation is not None}) > 1:
        faults.append("annotations with different lists of actions")
    if faults:
        raise ConfigError("cannot be written in this layout: " + "; ".join(faults[:10]))


def _is_label_file(path: Path) -> bool:
    """Whether it lies in `groundTruth` or `mapping` beside `features`."""
    folder = path.absolute().parent
    return folder.name in ("groundTruth", "mapping") and folder.with_name("features").is_dir()


READER = Reader(
    description="SMQ folder with features, groundTruth and mapping",
    read=read_feature_file,
    suffixes=(".npy",),
    recognises=lambda path: path.absolute().parent.name == "features",
    in_folder=feature_files,
    own_suffixes=(".npy",),
    beside=_is_label_file,
)
