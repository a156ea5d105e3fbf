"""Frames to patches and back."""

from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor


def to_patches(
    latents: Float[Tensor, "joint frame latent"], patch_frames: int
) -> Float[Tensor, "patch patch_frame joint latent"]:
    """Cut time into patches without overlap; the number of frames must be a multiple of a patch."""
    return rearrange(
        latents,
        "joint (patch patch_frame) latent -> patch patch_frame joint latent",
        patch_frame=patch_frames,
    )


def from_patches(
    patches: Float[Tensor, "patch patch_frame joint latent"],
) -> Float[Tensor, "joint frame latent"]:
    """Lay patches back into frames: the inverse of `to_patches`."""
    return rearrange(patches, "patch patch_frame joint latent -> joint (patch patch_frame) latent")


def mask_to_patches(
    real: Bool[Tensor, "joint frame"], patch_frames: int
) -> Bool[Tensor, "patch patch_frame joint"]:
    """The mask of `to_patches`' result."""
    return rearrange(
        real, "joint (patch patch_frame) -> patch patch_frame joint", patch_frame=patch_frames
    )
