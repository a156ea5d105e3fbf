"""NumPy arrays of one's own, `.npy` or `.npz`, whose axes the caller names."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from histvq.blocks import blocks, first_infinite
from histvq.errors import ConfigError, FileFormatError, did_you_mean
from histvq.io.parts.asked import NotSaidError, given_fps, given_unit
from histvq.io.parts.individuals import side_by_side
from histvq.io.parts.reader import Pair, Reader, head
from histvq.io.parts.stored import Stored, stored_arrays
from histvq.io.tables.clock import TOLERANCE, check_fps
from histvq.recording import Recording

AXES = ("frame", "joint", "channel", "person", "feature")
_LETTERS = {"T": "frame", "V": "joint", "C": "channel", "M": "person"}
_RATES = ("fps", "frame_rate")


def read_arrays(
    path: str | Path,
    *,
    layout: str | None = None,
    fps: float | None = None,
    unit: str | None = None,
    array: str | None = None,
    joint_names: str | Sequence[str] | None = None,
    channel_names: str | Sequence[str] | None = None,
    parents: Sequence[int] | None = None,
) -> Pair:
    """Read an array of motion; what its axes are is never guessed.

    Several persons come side by side, their joints named `person0/hip`. NaN is missing; infinite
    values are an error. Pickled objects are never loaded.

    Args:
        path: `.npy`, or `.npz` with one or more arrays.
        layout: What the axes are, in order: a word each of `frame`, `joint`, `channel`, `person`,
            as "frame joint channel", or "frame feature" for numbers that are of no joint; letters,
            as "CTVM" (channel, frame, joint, person), will do too. `frame` must be among them.
        fps: Frames a second. A single number `fps` or `frame_rate` in an `.npz` says it too; if
            both do they must agree to 1 %, and what is given holds.
        unit: Of positions, or of whatever sensors measure; `unknown` will do.
        array: Name of the array in an `.npz`, where several have as many axes as the layout.
        joint_names: One a joint of a person, also as one string with commas.
        channel_names: One a channel or feature, likewise.
        parents: Index of each joint's parent, -1 at a root, within a person.

    Raises:
        FileFormatError: If there is no such array, or it holds no numbers, or infinite ones, or the
            layout or names do not fit its shape.
        NotSaidError: If layout, rate, unit, or which array is meant is not said.
        ConfigError: If the layout has other words.
    """
    path = Path(path)
    check_fps(fps)
    _check_kinds(layout=layout, array=array)
    with stored_arrays(path) as arrays:
        chosen, axes = _choose(arrays, layout, array, path)
        notes = [f"array {chosen.name!r}"] if path.suffix.lower() == ".npz" else []
        rate = _rate(arrays, fps, notes, path)
        values = _floats(chosen, axes, path)
    skeleton = _ordered(values, axes)
    n_frames, n_persons, n_joints, n_channels = skeleton.shape
    if 0 in skeleton.shape:
        raise FileFormatError(f"{path}: shape {chosen.shape}, no number in it. Write it again")
    channels = _channels(channel_names, n_channels, axes)
    joints = _names(joint_names) or tuple(
        ["features"] if "feature" in axes else (f"joint{j}" for j in range(n_joints))
    )
    _check_names(path, {"joint": (joints, n_joints), "channel": (channels, n_channels)}, parents)
    several = n_persons > 1
    persons = tuple(person for person in range(n_persons) for _ in joints)
    fps = given_fps(rate, path, format="array")
    unit = given_unit(unit, path, format="array")
    try:
        recording = Recording(
            id=path.stem,
            skeleton=skeleton.reshape(n_frames, n_persons * n_joints, n_channels),
            fps=fps,
            joint_names=tuple(
                f"person{person}/{joint}" if several else joint
                for person in range(n_persons)
                for joint in joints
            ),
            channel_names=channels,
            parents=None if parents is None else side_by_side(parents, n_persons),
            joint_persons=persons if several else None,
            unit=unit,
            source=str(path),
            history=("; ".join([*notes, f"{chosen.shape} read as {' '.join(axes)}"]),),
        )
    except FileFormatError as error:  # parents in a loop
        raise FileFormatError(f"{path}: {error}") from error
    return recording, None


def _choose(
    arrays: Sequence[Stored], layout: str | None, array: str | None, path: Path
) -> tuple[Stored, tuple[str, ...]]:
    """The array meant, and the words of its axes."""
    by_name = {stored.name: stored for stored in arrays}
    shapes = ", ".join(f"{stored.name} {stored.shape}" for stored in arrays[:10])
    if array is not None and array not in by_name:
        raise FileFormatError(f"{path}: no array {array!r}{did_you_mean(array, by_name)}")
    if layout is None or not layout.strip():
        raise NotSaidError(
            f"{path}: shape of {shapes}, but what the axes are is not said. Pass layout= "
            f"(--option layout=), as layout='frame joint channel' (words: {', '.join(AXES)})",
            option="layout",
        )
    axes = _axes(layout)
    if array is not None:
        chosen = by_name[array]
    else:
        fitting = [stored for stored in arrays if len(stored.shape) == len(axes)]
        if len(fitting) > 1:
            raise NotSaidError(
                f"{path}: {len(fitting)} arrays with {len(axes)} axes: "
                f"{', '.join(f'{s.name} {s.shape}' for s in fitting[:10])}. Pass array= (--option "
                f"array=), as array={fitting[0].name!r}",
                option="array",
            )
        if not fitting:
            raise FileFormatError(
                f"{path}: shape of {shapes or 'no array'}, but layout {layout!r} has {len(axes)} "
                "axes. Name each axis of the array, in order"
            )
        chosen = fitting[0]
    if len(chosen.shape) != len(axes):
        raise FileFormatError(
            f"{path}: array {chosen.name!r} has shape {chosen.shape}, but layout {layout!r} has "
            f"{len(axes)} axes. Name each axis, in order"
        )
    if chosen.dtype.kind not in "iufb":
        raise FileFormatError(
            f"{path}: array {chosen.name!r} is of {chosen.dtype}, expected real numbers. Write it "
            "again as float32"
        )
    return chosen, axes


def _axes(layout: str) -> tuple[str, ...]:
    """The words of a layout."""
    words = layout.replace(",", " ").split()
    if len(words) == 1 and set(layout.strip()) <= set(_LETTERS):
        words = [_LETTERS[letter] for letter in layout.strip()]
    for word in words:
        if word not in AXES:
            raise ConfigError(f"layout {layout!r}: no axis {word!r}{did_you_mean(word, AXES)}")
    if "frame" not in words or len(set(words)) < len(words):
        raise ConfigError(f"layout {layout!r}: each word may stand once, and `frame` must be there")
    if "feature" in words and {"joint", "channel"} & set(words):
        raise ConfigError(
            f"layout {layout!r}: features are of no joint and have no channels; name the axes "
            "`joint` and `channel`, or `feature` alone"
        )
    return tuple(words)


def _rate(
    arrays: Sequence[Stored], fps: float | None, notes: list[str], path: Path
) -> float | None:
    """The rate given, or the one an array with a single number says."""
    said = [s for s in arrays if s.name in _RATES and math.prod(s.shape) == 1]
    if not said or said[0].dtype.kind not in "iuf":
        return fps
    found = float(said[0].read().reshape(()))
    if not 0 < found < np.inf:
        raise FileFormatError(f"{path}: {said[0].name} is {found:g}, expected frames a second")
    if fps is not None and abs(found / fps - 1) > TOLERANCE:
        raise FileFormatError(
            f"{path}: {said[0].name} is {found:g}, but fps={fps:g} was given. Leave fps out, or "
            "mend the file"
        )
    notes.append(f"{said[0].name} {found:g}")
    return found if fps is None else fps


def _floats(stored: Stored, axes: Sequence[str], path: Path) -> np.ndarray:
    """The array as float32, all finite or missing."""
    with np.errstate(over="ignore", invalid="ignore"):  # NaN, too, can be such that NumPy warns
        values = stored.read().astype(np.float32, copy=False)
    if (at := first_infinite(values)) is None:
        return values
    place = ", ".join(f"{axis} {index}" for axis, index in zip(axes, at, strict=True))
    n_wrong = sum(int(np.isinf(block).sum()) for block in blocks(values))
    raise FileFormatError(
        f"{path}: an infinite or far too large value at {place}, {n_wrong} such in all; "
        "missing values are NaN"
    )


def _ordered(values: np.ndarray, axes: Sequence[str]) -> np.ndarray:
    """The array as (frame, person, joint, channel)."""
    words = ["channel" if axis == "feature" else axis for axis in axes]
    order = [word for word in ("frame", "person", "joint", "channel") if word in words]
    values = values.transpose([words.index(word) for word in order])
    lacking = [
        place
        for place, word in enumerate(("frame", "person", "joint", "channel"))
        if word not in words
    ]
    return np.expand_dims(values, lacking)


def _names(given: str | Sequence[str] | None) -> tuple[str, ...]:
    if not isinstance(given, str | Sequence | None):
        raise ConfigError(f"names {given!r}; expected a list of them, or text with commas")
    words = given.split(",") if isinstance(given, str) else given or ()
    return tuple(str(word).strip() for word in words)


def _check_kinds(**options: str | None) -> None:
    for name, value in options.items():
        if not isinstance(value, str | None):
            raise ConfigError(f"{name}={value!r}; expected text")


def _channels(
    given: str | Sequence[str] | None, n_channels: int, axes: Sequence[str]
) -> tuple[str, ...]:
    if names := _names(given):
        return names
    if "feature" in axes:
        return tuple(f"feature{c}" for c in range(n_channels))
    return (
        ("x", "y", "z")[:n_channels]
        if n_channels in (2, 3)
        else tuple(f"channel{c}" for c in range(n_channels))
    )


def _check_names(
    path: Path, named: Mapping[str, tuple[Sequence[str], int]], parents: Sequence[int] | None
) -> None:
    for kind, (names, expected) in named.items():
        if len(names) != expected or not expected:
            raise FileFormatError(
                f"{path}: {len(names)} {kind} names for {expected} {kind}s. Is the layout right?"
            )
        if len(set(names)) < len(names):
            raise FileFormatError(f"{path}: a name stands twice among the {kind} names")
    n_joints = named["joint"][1]
    if not isinstance(parents, Sequence | np.ndarray | None):
        raise ConfigError(f"parents={parents!r}; expected the index of each joint's parent")
    if parents is not None and len(parents) != n_joints:
        raise FileFormatError(f"{path}: {len(parents)} parents for {n_joints} joints")
    if parents is not None and not all(parent in range(-1, n_joints) for parent in parents):
        raise FileFormatError(f"{path}: parents {list(parents)}, expected indices of joints, or -1")


def _recognises(path: Path) -> bool:
    return head(path, 6) == b"\x93NUMPY" or head(path, 4) == b"PK\x03\x04"


READER = Reader(
    description="NumPy arrays of one's own",
    read=read_arrays,
    suffixes=(".npy", ".npz"),
    recognises=_recognises,
    own_suffixes=(".npy", ".npz"),
)
