"""SMQ's answers from its published weights, once more: plain numpy in float64, frame by frame."""

import numpy as np


def answers_by_loop(weights, skeleton):
    """One code a frame, from weights by the published names and a (frame, joint, channel) array."""
    named = {name: value.double().numpy() for name, value in weights.items()}
    n_frames, n_joints, _ = skeleton.shape
    latents = []
    for joint in range(n_joints):
        series = skeleton[:, joint].astype(np.float64)
        for stage in ("encoder.stage1", "encoder.stage2"):
            series = _stage(series, named, stage)
        latents.append(series)
    frames = np.concatenate(latents, axis=1)  # a frame: the latents of one joint after the other's
    prototypes = named["vq._embedding"]
    size = prototypes.shape[1]
    answers = np.empty(n_frames, int)
    for start in range(0, n_frames, size):
        patch = np.zeros((size, frames.shape[1]))
        piece = frames[start : start + size]
        patch[: len(piece)] = piece
        distances = [
            sum(np.linalg.norm(p - z) for p, z in zip(patch, c, strict=True)) for c in prototypes
        ]
        answers[start : start + size] = int(np.argmin(distances))
    return answers


def _stage(series, named, stage):
    hidden = _pointwise(series, named, f"{stage}.conv_1x1")
    layer = 0
    while f"{stage}.layers.{layer}.conv_dilated.weight" in named:
        name = f"{stage}.layers.{layer}"
        inner = np.maximum(_dilated(hidden, named, f"{name}.conv_dilated", 2**layer), 0)
        hidden = hidden + _pointwise(inner, named, f"{name}.conv_1x1")
        layer += 1
    return _pointwise(hidden, named, f"{stage}.conv_out")


def _pointwise(series, named, name):
    return series @ named[f"{name}.weight"][:, :, 0].T + named[f"{name}.bias"]


def _dilated(series, named, name, dilation):
    kernel = named[f"{name}.weight"]
    out = np.tile(named[f"{name}.bias"], (len(series), 1))
    for frame in range(len(series)):
        for tap in range(3):
            at = frame + (tap - 1) * dilation
            if 0 <= at < len(series):
                out[frame] += kernel[:, :, tap] @ series[at]
    return out
