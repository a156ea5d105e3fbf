"""The encoder and the codebooks of a fitted method as nodes of an ONNX graph.

Written from the weights, layer by layer, and not by following a run of the network: how training and
prediction compute a layer may change, what it computes does not.
"""

import numpy as np
from torch import Tensor

from histvq.nn.autoencoder import HierarchicalAutoencoder
from histvq.nn.codebook import Codebook
from histvq.nn.tcn import TCN
from histvq.onnx_model.nodes import Nodes, Value, integers


def patches_of(nodes: Nodes, skeleton: str, *, patch_frames: int) -> tuple[str, str]:
    """Measured values and their mask, filled up to whole patches.

    Args:
        nodes: Written to.
        skeleton: (frame, joint, channel), NaN where nothing was measured.
        patch_frames: P.

    Returns:
        Values (1, channel, joint, frame), 0 where a channel of the joint is missing, and the mask
        (1, 1, joint, frame), 1 where none is.
    """
    missing = nodes.cast(nodes("IsNaN", skeleton), "float32")
    missing = nodes("ReduceMax", missing, integers(2))
    real = nodes("Sub", np.float32(1), missing)
    values = nodes("Where", nodes.cast(missing, "bool"), np.float32(0), skeleton)
    n_frames = nodes("Shape", skeleton, start=0, end=1)
    rest = nodes("Mod", nodes("Neg", n_frames), integers(patch_frames))
    pads = nodes("Concat", integers(0, 0, 0), rest, integers(0, 0), axis=0)

    def laid_out(tensor: str) -> str:
        whole = nodes("Pad", tensor, pads)
        return nodes("Unsqueeze", nodes("Transpose", whole, perm=[2, 1, 0]), integers(0))

    return laid_out(values), laid_out(real)


def encoded(nodes: Nodes, series: str, real: str, encoder: TCN, *, n_layers: int) -> str:
    """The latents (1, latent, joint, frame), masked after every layer as `nn.tcn` does."""
    weights = {name: _array(value) for name, value in encoder.state_dict().items()}

    def convolved(series: str, layer: str, *, dilation: int = 1) -> str:
        weight = weights[f"{layer}.weight"]
        if weight.ndim == 2:  # a 1x1 convolution
            weight = weight[:, :, None, None]
        reach = dilation * (weight.shape[3] // 2)
        return nodes(
            "Conv",
            series,
            weight,
            weights[f"{layer}.bias"],
            dilations=[1, dilation],
            pads=[0, reach, 0, reach],
        )

    for number in range(len(encoder.stages)):
        stage = f"stages.{number}"
        hidden = nodes("Mul", convolved(series, f"{stage}.enter"), real)
        for place in range(n_layers):
            layer = f"{stage}.layers.{place}"
            inner = nodes("Relu", convolved(hidden, f"{layer}.dilated", dilation=2**place))
            inner = nodes("Mul", convolved(inner, f"{layer}.pointwise"), real)
            hidden = nodes("Add", hidden, inner)
        series = nodes("Mul", convolved(hidden, f"{stage}.leave"), real)
    return series


def answered(nodes: Nodes, latents: str, real: str, network: HierarchicalAutoencoder) -> list[str]:
    """Add the outputs `actions`, `subactions` (with two levels or more) and `confidence`.

    Each is (patch,); codes are -1 and confidence is 0 where nothing of a patch was measured.

    Returns:
        Names of the outputs that are codes.
    """
    codebook = network.quantiser.codebooks[0]
    assert isinstance(codebook, Codebook)
    by_frame = codebook.distance == "frame"
    parents = _array(network.quantiser.actions())
    patches = _in_patches(nodes, latents, patch_frames=network.patch_frames, by_frame=by_frame)
    real = _in_patches(nodes, real, patch_frames=network.patch_frames, by_frame=by_frame)
    occupied = nodes.cast(nodes("ReduceMax", real, integers(0, 2), keepdims=0), "bool")
    distances = _distances(
        nodes,
        patches,
        None if network.whole_patches else real,
        _array(codebook.prototypes),
        by_frame=by_frame,
    )
    subactions = nodes("ArgMin", distances, axis=1, keepdims=0)
    actions = nodes("Gather", parents, subactions)
    nearest = nodes("ReduceMin", distances, integers(1), keepdims=0)
    same = nodes("Equal", nodes("Unsqueeze", actions, integers(1)), parents[None])
    others = nodes("Where", same, np.float64(np.inf), distances)
    others = nodes("ReduceMin", others, integers(1), keepdims=0)
    others = nodes("Max", others, np.finfo(np.float64).tiny)
    margin = nodes("Sub", np.float64(1), nodes("Div", nearest, others))
    nodes("Where", occupied, nodes.cast(margin, "float32"), np.float32(0), name="confidence")
    codes = {"actions": actions, "subactions": subactions}
    if len(network.quantiser.codebooks) == 1:
        del codes["subactions"]
    for name, code in codes.items():
        nodes("Where", occupied, code, np.int64(-1), name=name)
    return list(codes)


def _in_patches(nodes: Nodes, series: str, *, patch_frames: int, by_frame: bool) -> str:
    """(1, latent, joint, frame) -> (norm, patch, value): what each norm of a distance goes over.

    There is one a frame of a patch, or one over all of it.
    """
    apart = nodes("Reshape", series, integers(0, 0, 0, -1, patch_frames))
    perm = [4, 3, 0, 2, 1] if by_frame else [0, 3, 4, 2, 1]
    # A reshape stands between this and the matrix product: onnxruntime 1.20 draws a transposition into
    # the product, also in float64, for which it has no such product.
    return nodes("Reshape", nodes("Transpose", apart, perm=perm), integers(0, 0, -1))


def _distances(
    nodes: Nodes, patches: str, real: str | None, prototypes: np.ndarray, *, by_frame: bool
) -> str:
    """Distance of each patch to each prototype (patch, code), in float64: see `nn.codebook`.

    Args:
        nodes: Written to.
        patches: (norm, patch, value), 0 where not real.
        real: Likewise, a value for each joint; None: compare all of every patch.
        prototypes: (code, patch_frame, joint, latent).
        by_frame: A norm for each frame, and their sum.
    """

    def laid_out(values: np.ndarray) -> np.ndarray:
        """(code, patch_frame, ...) -> (norm, value, code)."""
        n_codes, n_frames = values.shape[:2]
        return np.moveaxis(values.reshape(n_codes, n_frames if by_frame else 1, -1), 0, 2)

    patches = nodes.cast(patches, "float64")
    by_joint = laid_out(np.square(prototypes, dtype=np.float64).sum(axis=3))
    shown: Value = by_joint.sum(axis=1, keepdims=True)
    if real is not None:
        shown = nodes("MatMul", nodes.cast(real, "float64"), by_joint)
    product = nodes("MatMul", patches, nodes.cast(laid_out(prototypes), "float64"))
    squares = nodes("ReduceSumSquare", patches, integers(2))
    squares = nodes("Sub", squares, nodes("Mul", product, np.float64(2)))
    squares = nodes("Add", squares, shown)
    norms = nodes("Sqrt", nodes("Max", squares, np.float64(0)))
    return nodes("ReduceSum", norms, integers(0), keepdims=0)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()
