"""MS-GCN's logits from its published weights, once more: plain numpy in float64, joint by joint."""

import numpy as np

EPSILON = 1e-5


def logits_by_loop(weights, skeleton):
    """One (frame, class) array a stage, from weights by the published names.

    The skeleton is a (frame, joint, channel) array in the network's joint order: one recording by
    itself, unpadded, so that every mask of the network is all ones.
    """
    named = {name: value.double().numpy() for name, value in weights.items()}
    logits = [_graph_stage(skeleton.astype(np.float64), named)]
    while f"stages.{len(logits) - 1}.conv_1x1.weight" in named:
        logits.append(_refinement(_softmax(logits[-1]), named, f"stages.{len(logits) - 1}"))
    return logits


def _graph_stage(skeleton, named):
    n_frames, n_joints, n_channels = skeleton.shape
    flat = _normalised(skeleton.reshape(n_frames, n_joints * n_channels), named, "stream.data_bn")
    series = _pointwise(flat.reshape(skeleton.shape), named, "stream.conv_1x1")
    block = 0
    while f"stream.edge_importance.{block}" in named:
        name = f"stream.st_gcn_networks.{block}"
        edges = named["stream.A"] * named[f"stream.edge_importance.{block}"]
        inner = _graph_convolution(series, edges, named, f"{name}.gcn.conv")
        inner = np.maximum(_normalised(inner, named, f"{name}.tcn.0"), 0)
        inner = _dilated(inner, named, f"{name}.tcn.2", 2**block)
        inner = np.maximum(_normalised(inner, named, f"{name}.tcn.3"), 0)
        series = inner + series  # the ReLU came before
        block += 1
    return _pointwise(series.mean(axis=1), named, "stream.conv_out")


def _refinement(probabilities, named, stage):
    series = _pointwise(probabilities, named, f"{stage}.conv_1x1")
    layer = 0
    while f"{stage}.layers.{layer}.conv_dilated.weight" in named:
        name = f"{stage}.layers.{layer}"
        inner = _dilated(series, named, f"{name}.conv_dilated", 2**layer)
        series = np.maximum(_normalised(inner, named, f"{name}.bn"), 0) + series
        layer += 1
    return _pointwise(series, named, f"{stage}.conv_out")


def _graph_convolution(series, edges, named, name):
    """Each joint takes from each source joint, in each partition with another block of the weights."""
    kernel, bias = _matrix(named[f"{name}.weight"]), named[f"{name}.bias"]
    n_parts, n_joints, _ = edges.shape
    n_maps = len(kernel) // n_parts
    out = np.zeros((len(series), n_joints, n_maps))
    for part in range(n_parts):
        rows = slice(part * n_maps, (part + 1) * n_maps)
        for source in range(n_joints):
            given = series[:, source] @ kernel[rows].T + bias[rows]
            for joint in range(n_joints):
                out[:, joint] += given * edges[part, source, joint]
    return out


def _dilated(series, named, name, dilation):
    """Three taps along the first axis: each frame hears itself and those a dilation away."""
    kernel = named[f"{name}.weight"]
    kernel = kernel.reshape(kernel.shape[:3])
    n_frames = len(series)
    out = np.zeros((*series.shape[:-1], len(kernel))) + named[f"{name}.bias"]
    out += series @ kernel[:, :, 1].T
    if dilation < n_frames:
        out[dilation:] += series[:-dilation] @ kernel[:, :, 0].T
        out[:-dilation] += series[dilation:] @ kernel[:, :, 2].T
    return out


def _pointwise(series, named, name):
    return series @ _matrix(named[f"{name}.weight"]).T + named[f"{name}.bias"]


def _matrix(weight):
    return weight.reshape(weight.shape[:2])  # fails where the kernel is longer than 1


def _normalised(series, named, name):
    mean, variance = named[f"{name}.running_mean"], named[f"{name}.running_var"]
    scaled = (series - mean) / np.sqrt(variance + EPSILON)
    return scaled * named[f"{name}.weight"] + named[f"{name}.bias"]


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
