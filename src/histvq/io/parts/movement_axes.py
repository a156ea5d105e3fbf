"""What data sets of `movement` have in common: axes known by name, times, units."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.asked import given_fps, given_unit, unit_name

if TYPE_CHECKING:
    import xarray as xr

SPACE = ("x", "y", "z")
UNEVEN = 0.01
_PLURALS = {"keypoints": "keypoint", "individuals": "individual"}


def singular(dataset: "xr.Dataset") -> "xr.Dataset":
    """The same with `keypoint` and `individual` as names of the axes."""
    taken = {*dataset.dims, *dataset.variables}
    return dataset.rename(
        {
            plural: name
            for plural, name in _PLURALS.items()
            if plural in dataset.dims and name not in taken
        }
    )


def ordered(array: "xr.DataArray", where: Path, *last: str) -> "xr.DataArray":
    """The array as (time, individual, keypoint, last); other axes must be of length one.

    Raises:
        FileFormatError: If one of these axes is missing, individual excepted, or there are others.
    """
    axes = ("time", "individual", "keypoint", *last)
    lacking = [axis for axis in axes if axis not in array.dims and axis != "individual"]
    others = [axis for axis in array.dims if axis not in axes]
    wide = [axis for axis in others if array.sizes[axis] != 1]
    if lacking or wide:
        mend = (
            f"Rename axes, or add {', '.join(lacking)}"
            if lacking
            else f"Choose one {wide[0]}, as dataset.sel({wide[0]}=...) does"
        )
        raise FileFormatError(
            f"{where}: {array.name} has the axes {', '.join(map(str, array.dims))}; expected "
            f"{', '.join(axes)}, in any order. {mend}"
        )
    array = array.isel(dict.fromkeys(others, 0), drop=True)
    if "individual" not in array.dims:
        array = array.expand_dims("individual")
    return array.transpose(*axes)


def names_along(array: "xr.DataArray", axis: str, where: Path) -> tuple[str, ...]:
    """Names along an axis, numbered ones where the data set has none.

    Raises:
        FileFormatError: If two are the same.
    """
    if axis not in array.coords:
        stem = "id_" if axis == "individual" else axis
        return tuple(f"{stem}{n}" for n in range(array.sizes[axis]))
    names = tuple(
        name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
        for name in array.coords[axis].values.tolist()
    )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FileFormatError(
            f"{where}: two {axis}s are called {twice!r}; rename one, so that names tell them apart"
        )
    return names


def numbers_in(array: "xr.DataArray", where: Path) -> np.ndarray:
    """The values as float32.

    Raises:
        FileFormatError: If they are no numbers.
    """
    values = np.asarray(array.values)
    if values.dtype.kind not in "iuf":
        raise FileFormatError(
            f"{where}: {array.name} holds {values.dtype}, expected numbers. Write it again as float"
        )
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # too large for float32 becomes infinite, and is told as that
        return values.astype(np.float32)


def rate_of(
    dataset: "xr.Dataset", where: Path, given: float | None
) -> tuple[float, tuple[str, ...]]:
    """Frames a second by the times in seconds, the attribute, or as given; and a note of it.

    Raises:
        FileFormatError: If times are uneven, or nothing says the rate.
    """
    said = _positive(dataset.attrs.get("fps"))
    step = _step(dataset, where)
    if step is None or not _in_seconds(dataset):
        return (said if said else given_fps(given, where, format="movement")), ()
    rate = round(1 / step, 6)
    if said is None:
        return rate, (f"fps {rate:g} from the times",)
    if abs(rate - said) <= UNEVEN * said:
        return said, ()
    warnings.warn(
        f"{where}: fps is {said:g} by the attribute but {rate:g} by the times, which are taken. Put "
        "the attribute right, as dataset.attrs['fps'] = ... does",
        DataWarning,
        stacklevel=4,
    )
    return rate, (f"fps {rate:g} from the times, not {said:g} as the attribute has it",)


def unit_of(array: "xr.DataArray", dataset: "xr.Dataset", where: Path, given: str | None) -> str:
    """The unit by the attributes, or as given.

    Raises:
        FileFormatError: If neither says it.
    """
    for attributes in (array.attrs, dataset.attrs):
        for name in ("space_unit", "units", "unit"):
            said = attributes.get(name)
            if isinstance(said, str) and said.strip():
                return unit_name(said)
    example = "px" if array.name == "position" else "m/s2"
    return given_unit(given, where, format="movement", example=example)


def listed(names: Sequence[str], *, shown: int = 10) -> str:
    """Names with commas, at most ten and how many more."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _step(dataset: "xr.Dataset", where: Path) -> float | None:
    """The step from frame to frame; None where times are not there, or only one is."""
    if "time" not in dataset.coords or dataset.sizes.get("time", 0) < 2:
        return None
    times = np.asarray(dataset.coords["time"].values)
    if times.dtype.kind in "mM":
        times = (times - times[0]) / np.timedelta64(1, "s")
    if times.dtype.kind not in "iuf":
        raise FileFormatError(
            f"{where}: time holds {times.dtype}, expected numbers. Write it again"
        )
    with np.errstate(invalid="ignore"):  # of infinite times
        steps = np.diff(times.astype(np.float64))
        usual = float(np.nanmedian(steps))
        off = np.nan_to_num(np.abs(steps - usual), nan=np.inf)
    if not (usual > 0 and off.max() <= UNEVEN * usual):
        worst = int(off.argmax())
        raise FileFormatError(
            f"{where}: times are uneven: {steps[worst]:g} from frame {worst} to {worst + 1}, usually "
            f"{usual:g}. Bring them to even steps, as dataset.interp(time=...) or reindex do"
        )
    return float(steps.mean())


def _in_seconds(dataset: "xr.Dataset") -> bool:
    times = dataset.coords["time"]
    said = dataset.attrs.get("time_unit") or times.attrs.get("units") or ""
    return times.dtype.kind in "mM" or str(said).lower() in ("seconds", "second", "sec", "s")


def _positive(value: object) -> float | None:
    """An attribute as a number above zero; None where it is none."""
    try:
        number = float(np.asarray(value, dtype=np.float64).item())
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) and number > 0 else None
