import pytest
import torch

from histvq.nn.autoencoder import FEEDS, HierarchicalAutoencoder
from histvq.nn.codebook import Codebook
from histvq.nn.losses import commitment_loss, joint_distance_sum

N_JOINTS, N_CHANNELS, PATCH_FRAMES, N_LATENT, GAP = 3, 2, 5, 4, 4


def luck(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=luck(seed))


def network_of(*, spatial_input="action", temporal_input="subaction", dropout=0.0, levels=(6, 3)):
    shape = (PATCH_FRAMES, N_JOINTS, N_LATENT)
    codebooks = [
        Codebook(
            0.3 * drawn(size, *shape, seed=size),
            decay=0.5,
            min_usage=0.0,
            dead_batches=3,
            distance="patch",
        )
        for size in levels
    ]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return HierarchicalAutoencoder(
            n_joints=N_JOINTS,
            n_channels=N_CHANNELS,
            patch_frames=PATCH_FRAMES,
            n_latent=N_LATENT,
            n_maps=6,
            n_layers=3,
            dropout=dropout,
            codebooks=codebooks,
            spatial_input=spatial_input,
            temporal_input=temporal_input,
            temporal_hidden=7,
        )


def lay_out(lengths, *, room=None):
    """Recordings of these lengths, each beginning at a whole patch; where each one begins."""
    rooms = [room or -(-(n + GAP) // PATCH_FRAMES) * PATCH_FRAMES for n in lengths]
    skeleton = torch.zeros(N_JOINTS, sum(rooms), N_CHANNELS)
    real = torch.zeros(N_JOINTS, sum(rooms), dtype=torch.bool)
    starts = [sum(rooms[:k]) for k in range(len(rooms))]
    for start, n in zip(starts, lengths, strict=True):
        skeleton[:, start : start + n] = drawn(N_JOINTS, n, N_CHANNELS, seed=n)
        real[:, start : start + n] = True
    return skeleton, real, starts


def test_patches_without_anything_real_are_left_out():
    network = network_of().eval()
    skeleton, real, _ = lay_out([3, 10, 12])
    # Rooms of 10, 15 and 20 frames, of which 3, 10 and 12 are real: 1 of 2 patches, 2 of 3, 3 of 4.
    encoded = network.encode(skeleton, real)
    assert encoded.occupied.tolist() == [True, False, True, True, False, True, True, True, False]
    assert len(encoded.patches) == len(encoded.real) == 6
    assert encoded.real.sum(dim=(1, 2)).tolist() == [9, 15, 15, 15, 15, 6]
    assert (encoded.patches[~encoded.real] == 0).all()


@pytest.mark.parametrize("room", [None, 20, 40])
@pytest.mark.parametrize("lengths", [(3, 10, 12), (12, 3, 10), (12, 12)])
def test_neighbours_and_padding_change_no_answer(lengths, room):
    network = network_of().eval()
    skeleton, real, starts = lay_out(lengths, room=room)
    together = network(skeleton, real)
    rebuilt = network.rebuild(together, real)
    first = 0
    for start, n in zip(starts, lengths, strict=True):
        skeleton_alone, real_alone, _ = lay_out([n])
        alone = network(skeleton_alone, real_alone)
        n_patches = -(-n // PATCH_FRAMES)
        mine = slice(first, first + n_patches)
        close = {"rtol": 1e-5, "atol": 1e-6}
        torch.testing.assert_close(together.encoded.patches[mine], alone.encoded.patches, **close)
        torch.testing.assert_close(
            rebuilt[:, start : start + n], network.rebuild(alone, real_alone)[:, :n], **close
        )
        torch.testing.assert_close(together.times[mine], alone.times, **close)
        for level in (0, 1):
            assert torch.equal(together.quantised.codes[level][mine], alone.quantised.codes[level])
        first += n_patches


@pytest.mark.parametrize("spatial_input", FEEDS)
@pytest.mark.parametrize("temporal_input", FEEDS)
def test_the_decoders_are_fed_what_they_are_meant_to(spatial_input, temporal_input):
    network = network_of(spatial_input=spatial_input, temporal_input=temporal_input).eval()
    fed = {}
    network.spatial_decoder.register_forward_hook(
        lambda module, given, out: fed.update(spatial=given[0])
    )
    network.temporal_decoder.register_forward_hook(
        lambda module, given, out: fed.update(temporal=given[0])
    )
    skeleton, real, _ = lay_out([10, 15])
    decoded = network(skeleton, real)
    assert network.rebuild(decoded, real).shape == skeleton.shape
    assert decoded.times.shape == (5,)
    lower, upper = (
        network.quantiser.codebooks[level].prototypes[decoded.quantised.codes[level]]
        for level in (0, 1)
    )
    wanted = {"subaction": lower, "action": upper, "both": torch.cat((lower, upper), dim=-1)}
    torch.testing.assert_close(fed["temporal"], wanted[temporal_input])
    # Frame 7 of the second recording, which begins at frame 15, lies in the batch's patch 4: the
    # fourth that is occupied.
    torch.testing.assert_close(fed["spatial"][:, 22], wanted[spatial_input][3, 2])
    assert (fed["spatial"][:, 10:15] == 0).all()


def test_both_commitments_alone_teach_the_encoder():
    network = network_of().train()
    skeleton, real, _ = lay_out([10, 15])
    for level in (0, 1):
        network.zero_grad()
        decoded = network(skeleton, real, generator=luck())
        chain = (decoded.encoded.patches, *decoded.quantised.values)
        commitment_loss(chain[level], chain[level + 1], decoded.encoded.real).backward()
        assert all(weight.grad.abs().sum() > 0 for weight in network.encoder.parameters())


def test_the_skeletons_and_the_times_each_teach_the_encoder():
    network = network_of().train()
    skeleton, real, _ = lay_out([10, 15])
    for term in ("skeleton", "times"):
        network.zero_grad()
        decoded = network(skeleton, real, generator=luck())
        loss = (
            joint_distance_sum(network.rebuild(decoded, real), skeleton, real)
            if term == "skeleton"
            else decoded.times.square().mean()
        )
        loss.backward()
        assert all(weight.grad.abs().sum() > 0 for weight in network.encoder.parameters())


def test_prototypes_are_no_weights():
    network = network_of()
    named = {name for name, _ in network.named_parameters()}
    assert not any(name.startswith("quantiser") for name in named)
    assert "quantiser.codebooks.0.prototypes" in network.state_dict()


def test_evaluation_changes_no_state():
    network = network_of(dropout=0.5).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    skeleton, real, _ = lay_out([10, 15])
    one, other = network(skeleton, real), network(skeleton, real)
    assert torch.equal(network.rebuild(one, real), network.rebuild(other, real))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
