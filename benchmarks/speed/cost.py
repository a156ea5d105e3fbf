"""How many floating-point operations training costs a frame, counted from the sizes."""

from benchmarks.speed.plain import Sizes


def training_flop_per_frame(sizes: Sizes) -> int:
    """FLOP of the convolutions in one training step, for one real frame of all joints.

    A multiplication and an addition are two; backward costs twice forward, but for the first
    convolution, whose input needs no gradient. Codebooks, losses and the temporal decoder add less than
    two in a hundred at the paper's sizes and are not counted.
    """
    half = sizes.n_latent // 2
    encoder = _stage(sizes.n_channels, half, sizes) + _stage(half, sizes.n_latent, sizes)
    decoder = _stage(sizes.n_latent, half, sizes) + _stage(half, sizes.n_channels, sizes)
    first = sizes.n_channels * sizes.n_maps
    return 2 * sizes.n_joints * (3 * (encoder + decoder) - first)


def encoder_flop_per_frame(sizes: Sizes) -> int:
    """FLOP of the convolutions of the encoder, all that prediction needs, for one real frame."""
    half = sizes.n_latent // 2
    encoder = _stage(sizes.n_channels, half, sizes) + _stage(half, sizes.n_latent, sizes)
    return 2 * sizes.n_joints * encoder


def _stage(n_in: int, n_out: int, sizes: Sizes) -> int:
    """Multiplications of one stage, a frame of one joint."""
    dilated_and_pointwise = (3 + 1) * sizes.n_maps**2
    return n_in * sizes.n_maps + sizes.n_layers * dilated_and_pointwise + sizes.n_maps * n_out


def plain_training_bytes(sizes: Sizes, lengths: list[int]) -> int:
    """Roughly what the plain version needs for one training step of a batch (within a third).

    Measured on HuGaDB's shape: 50 arrays of the size of one layer's maps, padding included.
    """
    rows = len(lengths) * sizes.n_joints * max(lengths)
    return 50 * 4 * sizes.n_maps * rows
