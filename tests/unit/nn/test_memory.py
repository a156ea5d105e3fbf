"""Memory that runs out is made to last, with the same result."""

import threading
from itertools import count

import pytest
import torch

from histvq.errors import out_of_memory
from histvq.nn import tiles
from histvq.nn.memory import less_at_once, sparing_memory
from histvq.nn.tcn import TCN
from histvq.nn.threads import fewer_at_once, one_thread_each, side_by_side
from histvq.nn.tiles import in_tiles, loss_in_tiles, rows_of_tile, tiles_of

CPU = torch.device("cpu")
N_JOINTS, N_FRAMES, N_IN, N_OUT = 3, 400, 2, 4


@pytest.fixture(autouse=True)
def four_threads_and_small_tiles(monkeypatch):
    """Tiles of 84 frames that see twelve more; halved, of 36."""
    monkeypatch.setattr(tiles, "CPU_ROWS", N_JOINTS * 96)
    monkeypatch.setattr(tiles, "FEWEST_ROWS", N_JOINTS * 24)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def network_of(*, dropout):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TCN((N_IN, 3, N_OUT), n_maps=5, n_layers=2, dropout=dropout).train()


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def run_out_at(network, tile):
    """Let memory run out once: as the network begins its k-th tile from now on, counted from 1."""
    numbers = count(1)

    def begin(*_):
        if next(numbers) == tile:
            torch.empty(1 << 46)  # 256 TiB

    network.register_forward_pre_hook(begin)


def gradients(network):
    """Of a whole and of a loss in tiles, with the same luck every time."""
    network.zero_grad(set_to_none=True)
    series, real = drawn(N_JOINTS, N_FRAMES, N_IN), torch.ones(N_JOINTS, N_FRAMES, dtype=torch.bool)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        whole = in_tiles(network, series, real).square().sum()
        loss = loss_in_tiles(network, series, real, lambda out, _: out.square().sum())
        (whole + loss).backward()
    return [whole.detach(), loss.detach(), *(weight.grad for weight in network.parameters())]


def attempted(network):
    """The gradients, or the error there was instead."""
    try:
        return gradients(network), None
    except RuntimeError as error:
        return None, error


def test_where_memory_runs_out_is_known_by_what_is_said():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 46)
    assert out_of_memory(caught.value)
    assert out_of_memory(MemoryError("Unable to allocate 2.00 EiB"))
    assert out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory."))
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not out_of_memory(ValueError("out of memory"))


# Of five tiles: while the whole is made, with the loss, and on the way back.
@pytest.mark.parametrize("fails_at", [1, 4, 5, 6, 10, 11, 15])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_same_bits_with_fewer_tiles_at_a_time(fails_at, dropout):
    network = network_of(dropout=dropout)
    expected = gradients(network)
    run_out_at(network, fails_at)
    with sparing_memory():
        found, error = attempted(network)
        assert found is None
        assert out_of_memory(error)
        assert "2 at a time" in less_at_once(CPU)
        found, error = attempted(network)
    assert error is None
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_smaller_tiles_differ_by_rounding_alone():
    network = network_of(dropout=0.0).double()
    expected = gradients(network.float())
    series = drawn(N_JOINTS, N_FRAMES, N_IN)
    with sparing_memory():
        (usual,) = tiles_of(network, series)
        steps = [less_at_once(CPU) for _ in range(5)]
        assert len(tiles_of(network, series)[0]) > len(usual)
        found = gradients(network)
    assert ["at a time" in words for words in steps[:2]] == [True, True]
    assert ["rows" in words for words in steps[2:4]] == [True, True]
    assert steps[4] is None
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_afterwards_all_is_as_before():
    usual = rows_of_tile(CPU)
    with sparing_memory():
        while less_at_once(CPU):
            pass
        assert rows_of_tile(CPU) < usual
    assert rows_of_tile(CPU) == usual
    assert torch.get_num_threads() == 4


def test_on_a_gpu_tiles_get_smaller_at_once():
    with sparing_memory():
        assert "rows" in less_at_once(torch.device("cuda"))


def test_no_more_than_so_many_at_a_time():
    busy, most = 0, 0
    lock = threading.Lock()
    together = threading.Barrier(2, timeout=30)

    def task(_):
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        together.wait()
        with lock:
            busy -= 1

    assert fewer_at_once() is None
    with one_thread_each():
        assert fewer_at_once() == 2
        list(side_by_side(task, range(8), device=CPU))
        assert fewer_at_once() == 1
        assert fewer_at_once() is None
    assert most == 2
