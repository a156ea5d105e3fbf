"""MS-GCN's published weights, and what their files do not say: joints, channels, classes and rate."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from histvq.checkpoints.file import state_dict
from histvq.errors import ConfigError, FileFormatError
from histvq.io.hugadb import ACTIVITIES, CHANNELS, JOINTS, UNIT
from histvq.io.parts.lara_labels import ACTIONS as LARA_ACTIONS
from histvq.io.parts.pku_mmd_labels import ACTIONS as PKU_ACTIONS
from histvq.recording import Recording
from histvq.supervised.graphs import GRAPHS

if TYPE_CHECKING:
    from torch import Tensor

    from histvq.supervised.gcn import MSGCN

_NORM = r"weight|bias|running_mean|running_var|num_batches_tracked"
_STREAM = r"stream\.st_gcn_networks\.(?P<layer>\d+)\."
_STAGE = r"stages\.(?P<stage>\d+)\."
# Where each of their tensors is in ours; {...} are numbers of layers and stages.
_PLACES = {
    r"stream\.A": "graph.adjacency",
    rf"stream\.data_bn\.(?P<kind>{_NORM})": "norm.norm.{kind}",
    r"stream\.conv_1x1\.(?P<kind>weight|bias)": "graph.enter.{kind}",
    _STREAM + r"gcn\.conv\.(?P<kind>weight|bias)": "graph.layers.{layer}.spatial.{kind}",
    _STREAM + rf"tcn\.0\.(?P<kind>{_NORM})": "graph.layers.{layer}.spatial_norm.{kind}",
    _STREAM + r"tcn\.2\.(?P<kind>weight|bias)": "graph.layers.{layer}.temporal.convolution.{kind}",
    _STREAM + rf"tcn\.3\.(?P<kind>{_NORM})": "graph.layers.{layer}.temporal_norm.{kind}",
    r"stream\.edge_importance\.(?P<layer>\d+)": "graph.layers.{layer}.spatial.edges",
    r"stream\.conv_out\.(?P<kind>weight|bias)": "graph.leave.{kind}",
    _STAGE + r"conv_1x1\.(?P<kind>weight|bias)": "stages.{stage}.enter.{kind}",
    _STAGE + r"layers\.(?P<layer>\d+)\.conv_dilated\.(?P<kind>weight|bias)": (
        "stages.{stage}.layers.{layer}.convolution.{kind}"
    ),
    _STAGE + rf"layers\.(?P<layer>\d+)\.bn\.(?P<kind>{_NORM})": (
        "stages.{stage}.norms.{layer}.{kind}"
    ),
    _STAGE + r"conv_out\.(?P<kind>weight|bias)": "stages.{stage}.leave.{kind}",
}


@dataclass(frozen=True, kw_only=True)
class Published:
    """What is known of the recordings published weights were trained on.

    Attributes:
        order: The joints in the order of the weights.
        joint_names: The same in the order recordings have them in.
        channel_names: Channels of a recording.
        unit: Of the positions.
        fps: Frames a second.
        actions: Name of each class; classes nobody was trained to give have one too.
        features: See `SupervisedConfig`.
    """

    order: tuple[str, ...]
    joint_names: tuple[str, ...]
    channel_names: tuple[str, ...]
    unit: str
    fps: float
    actions: tuple[str, ...]
    features: str = "raw"


# Joints, channels a joint (doubled by relative features) and classes -> what they were trained on.
PUBLISHED = {
    # Class = id in the files; 0 is no id, and there is no class for the last one, 12.
    (6, 6, 12): Published(
        order=GRAPHS["hugadb-msgcn"].joint_names,
        joint_names=JOINTS,
        channel_names=CHANNELS,
        unit=UNIT,
        fps=60.0,
        actions=("no activity", *ACTIVITIES[:11]),
    ),
    (19, 6, 8): Published(
        order=GRAPHS["lara-msgcn"].joint_names,
        joint_names=GRAPHS["lara-msgcn"].joint_names,
        channel_names=("rotation_x", "rotation_y", "rotation_z", "x", "y", "z"),
        unit="mm",
        fps=50.0,
        actions=LARA_ACTIONS,
    ),
    (25, 6, 52): Published(
        order=GRAPHS["pku-mmd"].joint_names,
        joint_names=GRAPHS["pku-mmd"].joint_names,
        channel_names=("x", "y", "z"),
        unit="m",
        fps=30.0,
        actions=PKU_ACTIONS,
        features="relative",
    ),
}


def import_msgcn(path: str | Path, *, like: Recording | None = None) -> "MSGCN":
    """Weights that MS-GCN's published code saved (`pre-trained-models/*/split_1/epoch-100.model`).

    The joints are brought into the order of our recordings, weights, graph and normalisation alike.

    Args:
        path: The file.
        like: A recording of the sort the weights are for, its joints in the weights' order; the actions
            then have numbers for names. Not needed for the files published for HuGaDB, LARa and PKU-MMD:
            there it may have the joints in any order, and says what the channels and the unit are called.

    Raises:
        ConfigError: If the recording does not fit the weights, or there must be one.
        FileFormatError: If the file holds no such weights.
    """
    from histvq.supervised.gcn import MSGCN

    path = Path(path)
    theirs = state_dict(path)
    try:
        weights = _renamed(theirs, path)
        _, n_joints, _ = weights["graph.adjacency"].shape
        n_classes, n_maps = weights["graph.leave.weight"].shape
        n_channels = len(weights["norm.norm.weight"]) // n_joints
    except (RuntimeError, IndexError, ValueError) as error:
        raise _misshapen(path, error) from error
    known = _trained_on(like, (n_joints, n_channels, n_classes), path)
    order = [known.order.index(name) for name in known.joint_names]
    try:
        return MSGCN.from_weights(
            _reordered(weights, order, n_channels=n_channels),
            layout={
                "joint_names": list(known.joint_names),
                "channel_names": list(known.channel_names),
                "joint_persons": None,
                "unit": known.unit,
            },
            actions=known.actions,
            features=known.features,
            fps=known.fps,
            n_maps=n_maps,
            n_layers=_count(theirs, r"stream\.edge_importance\.(\d+)"),
            n_stages=_count(theirs, r"stages\.(\d+)\.conv_out\.bias") + 1,
        )
    except (ConfigError, RuntimeError, ValueError) as error:
        raise _misshapen(path, error) from error


def _misshapen(path: Path, error: Exception) -> FileFormatError:
    """Tensors are missing, or have shapes that do not belong together."""
    return FileFormatError(f"{path}: not the weights of MS-GCN ({error})")


def _renamed(theirs: "dict[str, Tensor]", path: Path) -> "dict[str, Tensor]":
    """Their tensors by our names and in our shapes, order of joints apart."""
    ours, unknown = {}, []
    for name, value in theirs.items():
        matches = ((place, re.fullmatch(pattern, name)) for pattern, place in _PLACES.items())
        found = next(((place, match) for place, match in matches if match), None)
        if found is None:
            unknown.append(name)
        else:
            place, match = found
            ours[place.format(**match.groupdict())] = value
    missing = [
        n for n in ("graph.adjacency", "graph.leave.weight", "norm.norm.weight") if n not in ours
    ]
    if missing or unknown:
        raise FileFormatError(
            f"{path}: not the weights of MS-GCN: missing {', '.join(missing) or 'none'} (by our names); "
            f"not expected {', '.join(unknown[:5]) or 'none'}"
        )
    n_parts = len(ours["graph.adjacency"])
    return {name: _our_shape(name, value, n_parts) for name, value in ours.items()}


def _our_shape(name: str, value: "Tensor", n_parts: int) -> "Tensor":
    """One tensor in our shape: 1x1 convolutions are matrices, dilated ones lie along (1, frame)."""
    if ".spatial." in name and not name.endswith("edges"):
        flat = value.flatten(1) if value.ndim > 1 else value
        return flat.unflatten(0, (n_parts, -1))
    if not name.endswith(".weight") or value.ndim == 1:
        return value
    if ".convolution." in name:
        return value.flatten(2).unsqueeze(2)
    return value.flatten(1)


def _reordered(
    weights: "dict[str, Tensor]", order: Sequence[int], *, n_channels: int
) -> "dict[str, Tensor]":
    """The same network with its joints in another order."""
    from histvq.nn.graph import permuted

    def moved(name: str, value: "Tensor") -> "Tensor":
        if name == "graph.adjacency" or name.endswith(".edges"):
            return permuted(value, order)
        if name.startswith("norm.") and value.ndim:
            return value.unflatten(0, (-1, n_channels))[list(order)].flatten()
        return value

    return {name: moved(name, value) for name, value in weights.items()}


def _trained_on(like: Recording | None, sizes: tuple[int, int, int], path: Path) -> Published:
    """What the weights were trained on: a published dataset, or what a recording of theirs says."""
    n_joints, n_channels, n_classes = sizes
    if like is None:
        if sizes in PUBLISHED:
            return PUBLISHED[sizes]
        raise ConfigError(
            f"{path}: weights for {n_joints} joints with {n_channels} channels and {n_classes} classes, "
            "which do not say their names, unit and rate. Give a recording of that sort: "
            "like=recording, or --like FILE"
        )
    _, joints, channels = like.skeleton.shape
    if joints != n_joints or n_channels not in (channels, 2 * channels):
        raise ConfigError(
            f"{path}: weights for {n_joints} joints with {n_channels} channels; recording "
            f"{like.id!r} has {joints} with {channels}"
        )
    channel_names = tuple(like.channel_names)
    known = PUBLISHED.get(sizes)
    if known and {*like.joint_names} == {*known.order}:
        return replace(
            known, joint_names=like.joint_names, channel_names=channel_names, unit=like.unit
        )
    return Published(
        order=like.joint_names,
        joint_names=like.joint_names,
        channel_names=channel_names,
        unit=like.unit,
        fps=like.fps,
        actions=tuple(f"class {number}" for number in range(n_classes)),
        features="raw" if channels == n_channels else "relative",
    )


def _count(names: "dict[str, Tensor]", pattern: str) -> int:
    """How many different numbers stand in the pattern's place."""
    return len({match[1] for name in names if (match := re.fullmatch(pattern, name))})
