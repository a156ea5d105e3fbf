"""What training minimises: eqs. (5)-(9) put together."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from histvq.nn.autoencoder import Decoded
from histvq.nn.losses import commitment_loss, joint_distance_sum, joint_pairs, timestamp_loss
from histvq.nn.tcn import TCN
from histvq.nn.tiles import loss_in_tiles


def objective(
    decoded: Decoded,
    skeleton: Float[Tensor, "joint frame channel"],
    real: Bool[Tensor, "joint frame"],
    patch_times: Float[Tensor, " patch"],
    *,
    spatial_decoder: TCN,
    persons: Sequence[int] | None,
    lambda_commit: float,
    lambda_spat: float,
    lambda_temp: float,
    commitment: str,
    joint_distance: str,
) -> dict[str, Tensor]:
    """Every loss term, weighted, and their `total` (HiST-VQ eq. 9).

    Args:
        decoded: What the network made of the input.
        skeleton: The input.
        real: False where a value of it is padding or missing.
        patch_times: Middle of every patch as a share of its recording.
        spatial_decoder: The network's, which rebuilds the skeletons here, tile by tile.
        persons: Person of each joint; None for one person.
        lambda_commit: Weight of the commitment of every level.
        lambda_spat: Weight of the spatial loss; at 0 it is not computed.
        lambda_temp: Weight of the temporal loss; at 0, or without a temporal decoder, not computed.
        commitment: `mean` or `sum`, see `commitment_loss`.
        joint_distance: `plain` or `squared`, see `joint_distance_sum`.

    Returns:
        `commit_1` (the finest level) and on, `spatial`, `temporal`, `total`.
    """
    encoded = decoded.encoded
    losses: dict[str, Tensor] = {}
    below = encoded.patches
    for level, values in enumerate(decoded.quantised.values, start=1):
        losses[f"commit_{level}"] = lambda_commit * commitment_loss(
            below, values, encoded.real, reduction=commitment
        )
        below = values
    if lambda_spat:
        whose = None if persons is None else tuple(persons)

        def apart(rebuilt: Tensor, frames: slice) -> Tensor:
            given, known = skeleton[:, frames], real[:, frames]
            return joint_distance_sum(rebuilt, given, known, persons=whose, kind=joint_distance)

        total = loss_in_tiles(spatial_decoder, decoded.fed, real, apart, decoded.parts)
        losses["spatial"] = lambda_spat * total / joint_pairs(real, persons=whose)
    if lambda_temp and decoded.times is not None:
        target = patch_times[encoded.occupied]
        losses["temporal"] = lambda_temp * timestamp_loss(decoded.times, target)
    return {**losses, "total": torch.stack(list(losses.values())).sum()}
