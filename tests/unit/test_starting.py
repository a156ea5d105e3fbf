"""The start of a network on clusters: each recording encoded alone, k-means of its patches by hand."""

import numpy as np
import pytest
import torch

from histvq.batching import InputScale, pack
from histvq.methods.histvq import HiSTVQ
from histvq.nn.clustering import kmeans
from histvq.nn.tcn import widest_dilation
from histvq.recording import Recording
from histvq.starting import encoded_sequences, start_on_clusters

pytestmark = pytest.mark.usefixtures("one_thread")

LAYERS, PATCH = 2, 4


def network_of(*, n_levels=2, **settings):
    method = HiSTVQ(
        n_actions=3, n_maps=8, n_latent=4, n_layers=LAYERS, n_levels=n_levels, **settings
    )
    method.layout_ = {"joint_names": ["a", "b", "c"], "channel_names": ["x", "y"]}
    method.patch_frames_ = PATCH
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return method._build(torch.Generator().manual_seed(0)).train()


def motion(n_frames, *, seed=0, gaps=0.2):
    """Three states that last, a fifth of it missing, and nothing measured for two patches."""
    rng = np.random.default_rng(seed)
    place = np.array([-6, 0, 6])[np.arange(n_frames) // 20 % 3]
    skeleton = place[:, None, None] + 0.3 * rng.standard_normal((n_frames, 3, 2))
    skeleton[rng.random((n_frames, 3)) < gaps] = np.nan
    skeleton[2 * PATCH : 4 * PATCH] = np.nan
    return Recording(id=f"r{seed}", skeleton=skeleton, fps=4)


def packed(*recordings):
    return pack(
        recordings,
        patch_frames=PATCH,
        gap=widest_dilation(LAYERS),
        scale=InputScale(np.zeros(2, np.float32), np.ones(2, np.float32)),
    )


def test_each_recordings_patches_are_those_of_the_recording_alone():
    network = network_of().eval()
    recordings = [motion(n, seed=n) for n in (90, 23, 4, 41)]
    found = encoded_sequences(network, packed(*recordings))
    assert [len(sequence) for sequence in found] == [21, 4, 1, 9]
    for sequence, recording in zip(found, recordings, strict=True):
        [alone] = encoded_sequences(network, packed(recording))
        assert sequence.dtype == np.float64
        np.testing.assert_allclose(sequence, alone, atol=1e-6)


def test_what_is_missing_of_a_patch_is_0():
    network, batch = network_of().eval(), packed(motion(40))
    [sequence] = encoded_sequences(network, batch)
    real = batch.real.reshape(3, -1, PATCH).permute(1, 2, 0).numpy()
    real = real[real.any(axis=(1, 2))]
    assert not real.all()
    patches = sequence.reshape(*real.shape, 4)
    assert (patches[~real] == 0).all()
    assert (patches[real] != 0).any(axis=1).all()


@pytest.mark.parametrize("n_levels", [1, 2, 3])
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_actions_start_in_the_middle_of_states_that_last(n_levels, penalty):
    network = network_of(n_levels=n_levels, start="clusters", parents="kept")
    batches = [packed(motion(120, seed=1, gaps=0), motion(60, seed=2, gaps=0)), packed(motion(60))]
    start_on_clusters(network, iter(batches), alpha=2, n_starts=3, penalty=penalty, seed=0)
    assert network.training
    network.eval()
    points = np.concatenate([s for batch in batches for s in encoded_sequences(network, batch)])
    top = network.quantiser.codebooks[-1].prototypes.flatten(1).numpy()
    # Three states so far apart that k-means finds them from any start.
    expected = kmeans(points, 3, seed=9)
    order, its = np.argsort(top[:, 0]), np.argsort(expected[:, 0])
    np.testing.assert_allclose(top[order], expected[its], atol=0.3)
    assert torch.bincount(network.quantiser.actions()).tolist() == [2 ** (n_levels - 1)] * 3
    usage = network.quantiser.codebooks[-1].usage
    np.testing.assert_allclose(usage, len(points) / 2 / 3, rtol=1e-6)


def test_same_seed_same_start():
    batches = [packed(motion(120, seed=1))]
    states = []
    for _ in range(2):
        network = network_of(start="clusters", parents="kept")
        start_on_clusters(network, batches, alpha=2, n_starts=3, penalty=0.0, seed=4)
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
