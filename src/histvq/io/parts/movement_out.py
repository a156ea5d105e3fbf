"""Recordings as data sets of the `movement` package, with a method's answer along time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from histvq.errors import ConfigError
from histvq.io.parts.movement_axes import SPACE
from histvq.io.parts.netcdf import needed
from histvq.recording import Recording
from histvq.segments import LEVELS, Segmentation

if TYPE_CHECKING:
    import xarray as xr


def to_movement(
    recording: Recording, segmentation: Segmentation | None = None, *, plural: bool = False
) -> "xr.Dataset":
    """The recording as a data set, and its actions and subactions as coordinates along time.

    `dataset.sel(time=dataset.action == "walk")` then takes the frames of one action. Channels x, y
    and z become `position`, all others `features`. Save it with
    `dataset.to_netcdf(path, engine="h5netcdf")`.

    Args:
        recording: Any recording.
        segmentation: Its segmentation; frames nothing can be said of get the empty name.
        plural: Call the axes `keypoints` and `individuals`, as movement did before 0.17.

    Raises:
        ConfigError: If the segmentation is of another recording, or the extra `xarray` is not
            installed.
    """
    xarray = needed("xarray")
    individuals, keypoints, values = _apart(recording)
    chosen = [c for c, name in enumerate(recording.channel_names) if name in SPACE]
    if len(chosen) < 2:  # one coordinate is no position
        chosen = []
    others = [c for c in range(values.shape[1]) if c not in chosen]
    keypoint, individual = ("keypoints", "individuals") if plural else ("keypoint", "individual")
    dataset = xarray.Dataset(
        coords={
            "time": np.arange(recording.n_frames) / recording.fps,
            keypoint: keypoints,
            individual: individuals,
        },
        attrs=_attributes(recording),
    )
    if chosen:
        axes = ("time", "space", keypoint, individual)
        dataset.coords["space"] = [recording.channel_names[c] for c in chosen]
        dataset["position"] = axes, values[:, chosen], {"units": recording.unit}
        # movement will not do without one; NaN there means that nobody knows.
        unknown = np.full(values[:, 0].shape, np.nan, dtype=np.float32)
        dataset["confidence"] = ("time", keypoint, individual), unknown
    if others:
        axes = ("time", "channel", keypoint, individual)
        dataset.coords["channel"] = [recording.channel_names[c] for c in others]
        dataset["features"] = axes, values[:, others], {"units": recording.unit}
    return dataset if segmentation is None else _labelled(dataset, recording, segmentation)


def _apart(recording: Recording) -> tuple[list[str], list[str], np.ndarray]:
    """Individuals, keypoints, and values (time, channel, keypoint, individual)."""
    persons = recording.joint_persons
    if persons is None:
        names = list(recording.joint_names)
        return [recording.person or "id_0"], names, recording.skeleton.transpose(0, 2, 1)[..., None]
    split = [_split(name, n) for name, n in zip(recording.joint_names, persons, strict=True)]
    individuals = list(dict.fromkeys(individual for individual, _ in split))
    keypoints = list(dict.fromkeys(keypoint for _, keypoint in split))
    n_frames, _, n_channels = recording.skeleton.shape
    values = np.full(
        (n_frames, n_channels, len(keypoints), len(individuals)), np.nan, dtype=np.float32
    )
    for joint, (individual, keypoint) in enumerate(split):
        place = keypoints.index(keypoint), individuals.index(individual)
        values[:, :, *place] = recording.skeleton[:, joint]
    return individuals, keypoints, values


def _split(name: str, person: int) -> tuple[str, str]:
    """Individual and keypoint of a joint that is called `individual/keypoint`."""
    individual, slash, keypoint = name.partition("/")
    return (individual, keypoint) if slash else (f"id_{person}", name)


def _attributes(recording: Recording) -> dict[str, object]:
    """Plain values only: netCDF takes no others."""
    said = {k: v for k, v in recording.metadata.items() if isinstance(v, str | int | float)}
    ours = {
        "fps": recording.fps,
        "time_unit": "seconds",
        "ds_type": "poses",
        "source_software": said.get("source_software", "histvq"),
        "source_file": said.get("source_file", recording.source or ""),
    }
    return said | ours


def _labelled(
    dataset: "xr.Dataset", recording: Recording, segmentation: Segmentation
) -> "xr.Dataset":
    ours = (recording.id, recording.n_frames)
    theirs = (segmentation.recording_id, segmentation.n_frames)
    if ours != theirs:
        raise ConfigError(
            f"recording {ours[0]!r} has {ours[1]} frames, the segmentation is of {theirs[0]!r} with "
            f"{theirs[1]}: give those that belong together"
        )
    levels = {level: segmentation.labels(level) for level in LEVELS}
    return dataset.assign_coords(
        {
            level: ("time", _names(segmentation, labels.tolist(), level))
            for level, labels in levels.items()
            if labels is not None
        }
    )


def _names(segmentation: Segmentation, labels: Sequence[int], level: str) -> np.ndarray:
    names = {n: segmentation.name_of(n, level) if n >= 0 else "" for n in set(labels)}
    return np.array([names[n] for n in labels], dtype=str)
