import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from histvq.nn.codebook import prototype_distances
from histvq.nn.patches import from_patches, mask_to_patches, to_patches

sizes = st.integers(1, 5)


def numbered(n_joints, n_frames, n_latent):
    """Every value tells where it came from."""
    joint = torch.arange(n_joints).reshape(-1, 1, 1) * 10_000.0
    frame = torch.arange(n_frames).reshape(1, -1, 1) * 10.0
    return joint + frame + torch.arange(n_latent)


@given(sizes, sizes, sizes, sizes)
def test_every_value_is_where_its_frame_and_joint_say(n_joints, n_patches, patch_frames, n_latent):
    latents = numbered(n_joints, n_patches * patch_frames, n_latent)
    patches = to_patches(latents, patch_frames)
    assert patches.shape == (n_patches, patch_frames, n_joints, n_latent)
    for patch in range(n_patches):
        for frame in range(patch_frames):
            for joint in range(n_joints):
                expected = latents[joint, patch * patch_frames + frame]
                assert patches[patch, frame, joint].tolist() == expected.tolist()


@given(sizes, sizes, sizes, sizes)
def test_there_and_back(n_joints, n_patches, patch_frames, n_latent):
    latents = numbered(n_joints, n_patches * patch_frames, n_latent)
    assert torch.equal(from_patches(to_patches(latents, patch_frames)), latents)


@given(sizes, sizes, sizes, st.integers(0, 1000))
def test_the_mask_goes_where_the_values_go(n_joints, n_patches, patch_frames, seed):
    shape = (n_joints, n_patches * patch_frames)
    real = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    as_values = to_patches(real.float().unsqueeze(-1), patch_frames).squeeze(-1)
    assert torch.equal(mask_to_patches(real, patch_frames), as_values.bool())


def test_frames_that_make_no_whole_patch_are_refused():
    with pytest.raises(Exception, match="can't divide axis of length 7 in chunks of 3"):
        to_patches(torch.zeros(2, 7, 1), 3)


def test_swapped_joints_and_patch_frames_are_caught():
    # Flattened they agree (3 * 2 = 2 * 3), so PyTorch alone would return nonsense in silence.
    patches, real = torch.randn(4, 3, 2, 5), torch.ones(4, 3, 2, dtype=torch.bool)
    prototypes = torch.randn(6, 3, 2, 5)
    assert prototype_distances(patches, real, prototypes, distance="patch").shape == (4, 6)
    with pytest.raises(TypeCheckError):
        prototype_distances(patches, real, prototypes.transpose(1, 2), distance="patch")
    with pytest.raises(TypeCheckError):
        prototype_distances(patches.transpose(1, 2), real, prototypes, distance="patch")
    with pytest.raises(TypeCheckError):
        to_patches(real, 3)
