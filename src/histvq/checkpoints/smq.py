"""SMQ's published weights."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histvq.checkpoints.file import state_dict
from histvq.datasets.hugadb import INFO as HUGADB
from histvq.errors import ConfigError, FileFormatError
from histvq.inputs import layout_of
from histvq.io.hugadb import CHANNELS, UNIT
from histvq.presets import load_preset
from histvq.recording import Recording
from histvq.segmenter import Segmenter

if TYPE_CHECKING:
    from torch import Tensor

# Where each part of an SMQ stage is in ours. Theirs are 1-D convolutions over (channel, frame).
_PARTS = {"conv_1x1": "enter", "conv_out": "leave"}
_LAYER_PARTS = {"conv_dilated": "dilated", "conv_1x1": "pointwise"}
_NAME = re.compile(
    r"(?P<half>encoder|decoder)\.stage(?P<stage>[12])\.(?:layers\.(?P<layer>\d+)\.)?"
    r"(?P<part>conv_dilated|conv_1x1|conv_out)\.(?P<kind>weight|bias)"
)
_CODEBOOK = ("vq._embedding", "vq.cluster_size", "vq.embed_avg")


def import_smq(path: str | Path, *, like: Recording | None = None) -> Segmenter:
    """Weights that SMQ's published code saved (`models/pretrained/*.model`).

    Its prototypes, running counts and running sums come along, so training could go on from there.
    """
    from histvq.methods.smq import SMQ

    theirs = state_dict(Path(path))
    weights = _renamed(theirs, Path(path))
    prototypes = theirs["vq._embedding"]
    n_codes, patch_frames, width = prototypes.shape
    maps, n_channels, _ = theirs["encoder.stage1.conv_1x1.weight"].shape
    n_latent = len(theirs["encoder.stage2.conv_out.bias"])
    n_joints = width // n_latent
    layout, fps = _trained_on(
        like, n_joints=n_joints, n_channels=n_channels, patch_frames=patch_frames, path=path
    )
    weights |= {
        "quantiser.codebooks.0." + name: value
        for name, value in _codebook(theirs, n_joints=n_joints, n_latent=n_latent).items()
    }
    layers = {match["layer"] for name in theirs if (match := _NAME.fullmatch(name))} - {None}
    settings = {
        **(load_preset("paper-smq-hugadb").method.model_extra or {}),
        "n_actions": n_codes,
        "n_maps": maps,
        "n_latent": n_latent,
        "n_layers": len(layers),
        "patch_seconds": patch_frames / fps,
    }
    return SMQ.from_weights(
        weights, layout=layout, fps=fps, patch_frames=patch_frames, centred=False, **settings
    )


def _renamed(theirs: "dict[str, Tensor]", path: Path) -> "dict[str, Tensor]":
    """The convolutions by our names and shapes."""
    missing = [name for name in _CODEBOOK if name not in theirs]
    ours, unknown = {}, []
    for name, value in theirs.items():
        match = _NAME.fullmatch(name)
        if match:
            ours[_our_name(match)] = _our_shape(value, match)
        elif name not in (*_CODEBOOK, "vq.initted"):
            unknown.append(name)
    if missing or unknown or "encoder.stages.0.enter.weight" not in ours:
        raise FileFormatError(
            f"{path}: not the weights of SMQ: missing {', '.join(missing) or 'none'}; not expected "
            f"{', '.join(unknown[:5]) or 'none'}"
        )
    return ours


def _our_name(match: re.Match[str]) -> str:
    half = "encoder" if match["half"] == "encoder" else "spatial_decoder"
    if match["layer"] is None:
        part = _PARTS[match["part"]]
    else:
        part = f"layers.{match['layer']}.{_LAYER_PARTS[match['part']]}"
    return f"{half}.stages.{int(match['stage']) - 1}.{part}.{match['kind']}"


def _our_shape(value: "Tensor", match: re.Match[str]) -> "Tensor":
    if match["kind"] == "bias":
        return value
    return value.unsqueeze(2) if match["part"] == "conv_dilated" else value.squeeze(2)


def _codebook(theirs: "dict[str, Tensor]", *, n_joints: int, n_latent: int) -> "dict[str, Tensor]":
    """State of a RepresentativeCodebook; a frame of a code has the joints one after another."""
    prototypes, sums = (
        theirs[name].unflatten(2, (n_joints, n_latent))
        for name in ("vq._embedding", "vq.embed_avg")
    )
    usage = theirs["vq.cluster_size"].flatten()
    shape = prototypes.shape[:3]
    return {
        "prototypes": prototypes,
        "total": sums,
        "usage": usage,
        "mass": usage[:, None, None].expand(shape).clone(),
        "seen": prototypes.new_ones(shape).bool(),
        "idle": usage.new_zeros(len(usage)).long(),
    }


def _trained_on(
    like: Recording | None, *, n_joints: int, n_channels: int, patch_frames: int, path: str | Path
) -> tuple[dict[str, Any], float]:
    """Layout and rate of the recordings the weights are for."""
    if like is not None:
        _, joints, channels = like.skeleton.shape
        if (joints, channels) != (n_joints, n_channels):
            raise ConfigError(
                f"{path}: weights for {n_joints} joints with {n_channels} channels; recording "
                f"{like.id!r} has {joints} with {channels}"
            )
        return layout_of(like), like.fps
    if (n_joints, n_channels, patch_frames) == (len(HUGADB.joint_names), len(CHANNELS), 60):
        layout = {
            "joint_names": list(HUGADB.joint_names),
            "channel_names": list(CHANNELS),
            "joint_persons": None,
            "unit": UNIT,
        }
        return layout, HUGADB.fps or 60.0
    raise ConfigError(
        f"{path}: weights for {n_joints} joints with {n_channels} channels, which do not say their "
        "names, unit and rate. Give a recording of that sort: like=recording, or --like FILE"
    )
