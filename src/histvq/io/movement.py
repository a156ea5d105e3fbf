"""Data sets of the `movement` package: poses of one or several animals, as netCDF or in memory.

Axes are known by name, in any order: `position` (time, space, keypoint, individual) and, where there is
one, `confidence`; of sensors `features` (time, channel, keypoint), which is an addition of ours. Both
spellings are taken, `keypoint` and `keypoints`. `movement` itself is never imported.

Source: documentation of movement, "The movement datasets" (movement.neuroinformatics.dev).
"""

import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError, did_you_mean
from histvq.io.parts.movement_axes import (
    SPACE,
    listed,
    names_along,
    numbers_in,
    ordered,
    rate_of,
    singular,
    unit_of,
)
from histvq.io.parts.movement_out import to_movement
from histvq.io.parts.netcdf import HDF5, is_netcdf, load_netcdf, needed
from histvq.io.parts.reader import Pair, Reader, head
from histvq.recording import Recording

__all__ = ["READER", "from_movement", "read_movement", "to_movement"]

if TYPE_CHECKING:
    import xarray as xr

MIN_CONFIDENCE = 0.6
_VARIABLES = ("position", "confidence", "features")
_NOBODY = re.compile(r"(id|individual)_?\d+")  # names movement makes up where the source has none
_FILLED = "interpolate_over_time"


def read_movement(
    path: str | Path,
    *,
    fps: float | None = None,
    unit: str | None = None,
    min_confidence: float | None = MIN_CONFIDENCE,
    labels: str | None = None,
) -> Pair:
    """Read a netCDF file that `movement` saved.

    Several individuals become joints side by side, `individual/keypoint`. Labels along time, as
    `action`, are not taken for the truth unless named by `labels`: they may be a method's answer.

    Args:
        path: The `.nc` or `.h5` file.
        fps: Frames a second; used where neither attribute nor times say it.
        unit: Unit; used where no attribute `space_unit` or `units` says it.
        min_confidence: Positions less sure than this become missing; None takes all. Not applied
            where movement has filled gaps already: that would tear them open again.
        labels: Name of the coordinate or variable along time that holds the true actions.

    Raises:
        FileFormatError: If the file is damaged, or axes, names, times or values are not as they
            should be; also if nobody says rate or unit.
        ConfigError: If `min_confidence` is no share, or the extra `xarray` is not installed.
    """
    path = Path(path)
    dataset = load_netcdf(path)
    asked = _Asked(fps, unit, min_confidence)
    recording = _recording(dataset, path, asked, id=path.stem)
    return recording, None if labels is None else _annotation(dataset, labels, recording, path)


def from_movement(
    dataset: "xr.Dataset",
    *,
    fps: float | None = None,
    unit: str | None = None,
    min_confidence: float | None = None,
    id: str | None = None,
) -> Recording:
    """The recording in a data set of `movement` that is in memory already.

    Args:
        dataset: As movement's own loading functions give it.
        fps: As in `read_movement`.
        unit: As in `read_movement`.
        min_confidence: As in `read_movement`, but off unless given.
        id: Name of the recording; by the attribute `source_file` where not given.

    Raises:
        FileFormatError: If axes, names, times or values are not as they should be; also if nobody
            says rate or unit.
    """
    file = dataset.attrs.get("source_file")
    where = Path(str(file)) if file else Path("dataset")
    return _recording(dataset, where, _Asked(fps, unit, min_confidence), id=id or where.stem)


@dataclass(frozen=True)
class _Asked:
    """What the caller says of a data set."""

    fps: float | None
    unit: str | None
    min_confidence: float | None

    def __post_init__(self) -> None:
        limit = self.min_confidence
        if limit is not None and not 0 <= limit <= 1:
            raise ConfigError(f"min_confidence={limit}: must be between 0 and 1, or None")


def _recording(dataset: "xr.Dataset", where: Path, asked: _Asked, *, id: str) -> Recording:
    dataset = singular(dataset)
    main = _main_variable(dataset, where)
    individuals = names_along(main, "individual", where)
    keypoints = names_along(main, "keypoint", where)
    several = len(individuals) > 1
    joints = [f"{i}/{k}" for i in individuals for k in keypoints] if several else list(keypoints)
    fps, timed = rate_of(dataset, where, asked.fps)
    unit = unit_of(main, dataset, where, asked.unit)
    skeleton, channels, notes = _values(dataset, joints, where, asked.min_confidence)
    _tell_unseen(skeleton, len(keypoints), individuals, where)
    try:
        return Recording(
            id=id,
            skeleton=skeleton,
            fps=fps,
            joint_names=tuple(joints),
            channel_names=channels,
            joint_persons=tuple(n for n in range(len(individuals)) for _ in keypoints)
            if several
            else None,
            unit=unit,
            person=None if several or _NOBODY.fullmatch(individuals[0]) else individuals[0],
            metadata={str(k): _plain(v) for k, v in dataset.attrs.items() if v is not None},
            source=str(where),
            history=(*timed, *notes, *_left_out(dataset)),
        )
    except FileFormatError as error:
        raise FileFormatError(f"{where}: {error}") from error


def _main_variable(dataset: "xr.Dataset", where: Path) -> "xr.DataArray":
    """Positions or, of sensors, features, with axes in order."""
    for name, last in (("position", "space"), ("features", "channel")):
        if name in dataset.data_vars:
            array = ordered(dataset[name], where, last)
            if not array.size:
                axes = ", ".join(f"{axis} {length}" for axis, length in array.sizes.items())
                raise FileFormatError(f"{where}: no value in it ({axes}). Leave it out")
            return array
    raise FileFormatError(
        f"{where}: no variable 'position' (time, space, keypoint, individual) and no 'features' "
        "(time, channel, keypoint), so it is no data set of movement; it has: "
        + (listed([str(name) for name in dataset.data_vars]) or "none")
    )


def _values(
    dataset: "xr.Dataset", joints: Sequence[str], where: Path, limit: float | None
) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """Values (frame, joint, channel), names of the channels, and what was done."""
    parts: list[np.ndarray] = []
    channels: tuple[str, ...] = ()
    notes: list[str] = []
    if "position" in dataset.data_vars:
        position, channels = _position(dataset, where)
        notes = _drop_unsure(position, dataset, joints, where, limit)
        parts.append(position)
    if "features" in dataset.data_vars:
        array = ordered(dataset["features"], where, "channel")
        parts.append(_side_by_side(numbers_in(array, where)))
        channels += names_along(array, "channel", where)
    if len({part.shape[1] for part in parts}) > 1:
        raise FileFormatError(
            f"{where}: positions have an axis individual and features have none, or the reverse. "
            "Give both the same, or drop one of the two variables"
        )
    return np.concatenate(parts, axis=-1), channels, notes


def _position(dataset: "xr.Dataset", where: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Positions with x, y and z in this order."""
    array = ordered(dataset["position"], where, "space")
    space = SPACE[: array.sizes["space"]]
    found = names_along(array, "space", where) if "space" in array.coords else space
    if array.sizes["space"] not in (2, 3) or sorted(found) != sorted(space):
        raise FileFormatError(
            f"{where}: space is {listed(found)}; expected x, y or x, y, z. Bring the positions to "
            "these axes"
        )
    order = [found.index(axis) for axis in space]
    return _side_by_side(numbers_in(array, where)[..., order]), space


def _side_by_side(values: np.ndarray) -> np.ndarray:
    """(time, individual, keypoint, channel) as (frame, joint, channel)."""
    n_frames, n_individuals, n_keypoints, n_channels = values.shape
    return values.reshape(n_frames, n_individuals * n_keypoints, n_channels)


def _drop_unsure(
    position: np.ndarray,
    dataset: "xr.Dataset",
    joints: Sequence[str],
    where: Path,
    limit: float | None,
) -> list[str]:
    """Make positions below the limit missing, in place; returns what was done."""
    done = _operations(dataset["position"].attrs.get("log"))
    notes = [f"movement: {', '.join(done)}"] if done else []
    if limit is None or "confidence" not in dataset.data_vars:
        return notes
    if _FILLED in done:
        return [*notes, "confidence not looked at: movement has filled gaps"]
    confidence = numbers_in(ordered(dataset["confidence"], where), where)
    low = confidence.reshape(len(position), -1) < limit  # NaN is not low: nobody knows
    if low.shape[1] != position.shape[1]:
        raise FileFormatError(
            f"{where}: confidence for {low.shape[1]} of {position.shape[1]} joints. Give it the "
            "axis individual, or pass min_confidence=None"
        )
    if not low.any():
        return notes
    position[low] = np.nan
    share = low.mean(axis=0)
    if bad := [f"{joint} ({s:.0%})" for joint, s in zip(joints, share, strict=True) if s > 0.5]:
        warnings.warn(
            f"{where}: more than half of the positions have a confidence below {limit:g} and are "
            f"taken as missing: {listed(bad)}. Leave these keypoints out, or pass min_confidence=",
            DataWarning,
            stacklevel=5,
        )
    return [*notes, f"min_confidence({limit:g}): {int(low.sum())} of {low.size} positions missing"]


def _tell_unseen(
    skeleton: np.ndarray, n_keypoints: int, individuals: Sequence[str], where: Path
) -> None:
    never = np.isnan(skeleton).all(axis=(0, 2)).reshape(-1, n_keypoints).all(axis=1)
    if never.any() and not never.all():  # who reads many files tells where nobody was seen at all
        names = [name for name, gone in zip(individuals, never, strict=True) if gone]
        warnings.warn(
            f"{where}: never seen: {listed(names)}. Drop who is not there, as dataset.drop_sel does",
            DataWarning,
            stacklevel=4,
        )


def _annotation(dataset: "xr.Dataset", name: str, recording: Recording, where: Path) -> Annotation:
    """True actions from names along time; frames of the empty name are not labelled."""
    along = [str(v) for v in dataset.variables if dataset[v].dims == ("time",) and v != "time"]
    if name not in along:
        known = did_you_mean(name, along) if along else "; the file has no labels"
        raise FileFormatError(f"{where}: no labels {name!r} along time{known}")
    given = [str(value) for value in dataset[name].values.tolist()]
    actions = tuple(sorted(set(given) - {""}))
    codes = {action: code for code, action in enumerate(actions)} | {"": -1}
    labels = np.array([codes[value] for value in given], dtype=np.int32)
    return Annotation(recording_id=recording.id, labels=labels, actions=actions, fps=recording.fps)


def _left_out(dataset: "xr.Dataset") -> list[str]:
    others = [str(name) for name in dataset.data_vars if name not in _VARIABLES]
    others += [str(name) for name in dataset.coords if name not in dataset.dims]
    return [f"left out: {listed(others)}"] if others else []


def _operations(log: object) -> list[str]:
    """What movement has done to a variable, by the log it keeps beside it."""
    try:
        return [str(entry["operation"]) for entry in json.loads(str(log))]
    except (ValueError, TypeError, KeyError):
        return []


def _plain(value: object) -> object:
    """An attribute as JSON can hold it."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    return value if isinstance(value, str | int | float | list) else str(value)


def _recognises(path: Path) -> bool:
    """Whether it is netCDF by its first bytes; of `.h5`, which others have too, by its variables."""
    if path.suffix.lower() == ".nc":
        return is_netcdf(path)
    if head(path, 8) != HDF5:
        return False
    try:
        with needed("h5py").File(path) as file:
            held = set(file)
    except (ConfigError, OSError, RuntimeError, ValueError):
        return False
    return "time" in held and ({"position", "space"} <= held or {"features", "channel"} <= held)


READER = Reader(
    description="netCDF of movement",
    read=read_movement,
    suffixes=(".nc", ".h5"),
    recognises=_recognises,
    own_suffixes=(".nc",),
)
