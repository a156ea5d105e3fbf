"""Keepers of processes that train together, played by threads."""

import signal

import pytest
import torch

from histvq.errors import DataWarning, ProcessLost, Stopped
from histvq.resuming import Belonging, Checkpoint, Keeper
from oracles.threaded import played

BELONGS = Belonging("histvq", {}, ())


def keeper_of(rank, place, *, weight=0.0):
    network = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(network.weight, weight)
    checkpoint = Checkpoint(place, BELONGS, seed=1) if rank == 0 else None
    return network, Keeper({"network": network}, torch.Generator().manual_seed(rank), checkpoint)


def weight_kept(place):
    return Checkpoint(place, BELONGS, seed=1).state["network"]["weight"].item()


def test_all_begin_with_what_the_first_starts_with(tmp_path):
    place = tmp_path / "training.safetensors"

    def task(rank, _):
        network, keeper = keeper_of(rank, place, weight=float(rank))
        keeper.begin(lambda: torch.nn.init.constant_(network.weight, 7.0))
        return network.weight.item(), keeper.generator.get_state().sum().item()

    first, second = played(2, task)
    assert first == second
    assert first[0] == weight_kept(place) == 7


def test_all_go_on_from_what_the_first_finds(tmp_path):
    place = tmp_path / "training.safetensors"
    keeper_of(0, place, weight=3.0)[1].begin(lambda: None)

    def task(rank, _):
        network, keeper = keeper_of(rank, place, weight=-1.0)
        keeper.begin(lambda: pytest.fail("begun anew"))
        return network.weight.item()

    assert played(3, task) == [3, 3, 3]


def test_whoever_is_asked_to_stop_stops_all_once_it_is_kept(tmp_path):
    place = tmp_path / "training.safetensors"

    def task(rank, _):
        network, keeper = keeper_of(rank, place)
        keeper.begin(lambda: None)
        torch.nn.init.constant_(network.weight, 5.0)
        keeper.keep("in epoch 1")  # nobody asked, and it is not time
        if rank == 1:
            keeper.noted.signal = signal.SIGTERM
        with pytest.raises(Stopped, match="stopped in epoch 2; the training is kept") as stop:
            keeper.keep("in epoch 2")
        return stop.value.signal

    assert played(2, task) == [signal.SIGTERM] * 2
    assert weight_kept(place) == 5


def test_who_drifts_away_is_brought_back(tmp_path, recwarn):
    place = tmp_path / "training.safetensors"

    def task(rank, _):
        network, keeper = keeper_of(rank, place)
        keeper.begin(lambda: None)
        torch.nn.init.constant_(network.weight, float(rank))
        keeper.keep("at the end", at_once=True)
        return network.weight.item()

    with pytest.warns(DataWarning, match="what the processes have learned differs"):
        assert played(2, task) == [0, 0]


def test_if_another_ends_it_is_time_to_keep(tmp_path):
    place = tmp_path / "training.safetensors"
    network, keeper = keeper_of(0, place)
    keeper.begin(lambda: None)

    def ended():
        with keeper.kept_if_others_end(lambda: "in epoch 1"):
            torch.nn.init.constant_(network.weight, 4.0)
            raise ProcessLost("another has ended")

    with pytest.raises(ProcessLost):
        ended()
    assert weight_kept(place) == 4
