import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from histvq.nn import tiles
from histvq.nn.tcn import TCN
from histvq.nn.tiles import in_tiles, loss_in_tiles, tiles_of

N_JOINTS, N_IN, N_OUT = 3, 2, 4


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


def network_of(*, dropout=0.0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = TCN((N_IN, 3, N_OUT), n_maps=5, n_layers=2, dropout=dropout)
    return made.double().train()


@pytest.fixture
def small(monkeypatch):
    """Tiles of thirty frames that see twelve more."""
    monkeypatch.setattr(tiles, "CPU_ROWS", N_JOINTS * 42)


def seeded(call, seed=7):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return call()


def squares(out, frames):
    """A loss that frames share in unequally."""
    weight = torch.arange(frames.start, frames.stop, dtype=out.dtype).cos()
    return (out.square().sum(dim=2) * weight).sum()


@given(n_frames=st.integers(0, 700), n_joints=st.integers(1, 40), rows=st.integers(1, 3000))
def test_tiles_answer_for_every_frame_once_and_see_what_they_need(n_frames, n_joints, rows):
    network = network_of()
    before, tiles.CPU_ROWS = tiles.CPU_ROWS, rows
    try:
        (found,) = tiles_of(network, torch.zeros(n_joints, n_frames, N_IN))
    finally:
        tiles.CPU_ROWS = before
    every = list(range(n_frames))
    assert [frame for tile in found for frame in every[tile.frames]] == every
    for tile in found:
        assert every[tile.seen][tile.own] == every[tile.frames]
        assert tile.seen.start == max(tile.frames.start - network.reach, 0)
        assert tile.seen.stop == min(tile.frames.stop + network.reach, n_frames)


@pytest.mark.parametrize("n_frames", [1, 30, 31, 100])
def test_the_whole_is_what_the_network_gives_at_once(small, n_frames):
    network = network_of()
    series = drawn(N_JOINTS, n_frames, N_IN).requires_grad_()
    real = drawn(N_JOINTS, n_frames, seed=1) > -1
    weights = list(network.parameters())
    slope = drawn(N_JOINTS, n_frames, N_OUT, seed=2)
    whole, tiled = network(series, real), in_tiles(network, series, real)
    torch.testing.assert_close(tiled, whole)
    expected = torch.autograd.grad(whole, [series, *weights], slope)
    torch.testing.assert_close(torch.autograd.grad(tiled, [series, *weights], slope), expected)


def test_the_loss_is_that_of_the_whole(small):
    network = network_of()
    series = drawn(N_JOINTS, 100, N_IN).requires_grad_()
    real = drawn(N_JOINTS, 100, seed=1) > -1
    wanted = [series, *network.parameters()]
    whole = squares(network(series, real), slice(0, 100))
    tiled = loss_in_tiles(network, series, real, squares)
    torch.testing.assert_close(tiled, whole)
    expected = torch.autograd.grad(3 * whole, wanted)
    torch.testing.assert_close(torch.autograd.grad(3 * tiled, wanted), expected)


def test_on_the_way_back_the_same_values_are_dropped(small):
    network = network_of(dropout=0.5)
    series, real = drawn(N_JOINTS, 100, N_IN), torch.ones(N_JOINTS, 100, dtype=torch.bool)
    leave = network.stages[-1].leave
    slope = drawn(N_JOINTS, 100, N_OUT, seed=2)

    def along_the_bias(step):
        """The output is linear in this bias, so a difference is a slope, if the rest stays the same."""
        before = leave.weight.detach().clone()
        try:
            leave.weight.data += step
            return (seeded(lambda: in_tiles(network, series, real)) * slope).sum()
        finally:
            leave.weight.data = before

    expected = (along_the_bias(0.5) - along_the_bias(-0.5)).item()
    (gradient,) = torch.autograd.grad(along_the_bias(0.0), [leave.weight])
    assert gradient.sum().item() == pytest.approx(expected)


def test_each_tile_drops_other_values(small):
    network = network_of(dropout=0.5)
    series = torch.ones(1, 100, N_IN).double()
    real = torch.ones(1, 100, dtype=torch.bool)
    found = seeded(lambda: in_tiles(network, series, real))
    assert len(found[0, 40:80].unique(dim=0)) > 30  # undropped, all frames inside would be alike
    assert torch.equal(found, seeded(lambda: in_tiles(network, series, real)))
    assert not torch.equal(found, seeded(lambda: in_tiles(network, series, real), seed=8))


def test_any_number_of_threads_gives_the_same_bits(small):
    network = network_of(dropout=0.5).float()
    series = drawn(N_JOINTS, 200, N_IN).float()
    real = torch.ones(N_JOINTS, 200, dtype=torch.bool)

    def made():
        network.zero_grad()
        (
            in_tiles(network, series, real).sum() + loss_in_tiles(network, series, real, squares)
        ).backward()
        return [weight.grad for weight in network.parameters()]

    before = torch.get_num_threads()
    try:
        found = {}
        for n_threads in (1, 3):
            torch.set_num_threads(n_threads)
            found[n_threads] = seeded(made)
            assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one, three) for one, three in zip(*found.values(), strict=True))


def test_without_gradients_nothing_is_remembered(small):
    network = network_of()
    series, real = drawn(N_JOINTS, 50, N_IN), torch.ones(N_JOINTS, 50, dtype=torch.bool)
    with torch.no_grad():
        assert not in_tiles(network, series, real).requires_grad
        assert not loss_in_tiles(network, series, real, squares).requires_grad
