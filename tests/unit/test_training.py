from dataclasses import replace

import pytest
import torch

from histvq.batching import Batch
from histvq.datasets import load_dataset
from histvq.errors import DataWarning, TrainingError
from histvq.methods.histvq import HiSTVQ
from histvq.segmenter import Progress
from histvq.training import Items, Watch, train


def batch_of(*ids):
    frames = torch.zeros(1, 1, 1)
    return Batch(
        frames,
        frames[..., 0].bool(),
        frames[0, 0],
        torch.arange(1),
        (),
        (),
        (0,) * len(ids),
        (1,) * len(ids),
        ids,
    )


BATCHES = [batch_of("a", "b"), batch_of("c")]
TWO = Items(n=2, batch_size=1, order=lambda: torch.arange(2), batch=lambda p: BATCHES[p[0]])


def run(
    step, parameters, *, epochs=3, measure=lambda epoch: {}, progress=None, min_gain=0.0, items=TWO
):
    return train(
        network=torch.nn.ParameterList(parameters),
        items=items,
        step=step,
        optimizer=torch.optim.SGD(parameters, lr=0.25),
        generator=torch.Generator(),
        epochs=epochs,
        min_gain=min_gain,
        end_of_epoch=measure,
        watch=Watch(progress),
    )


def quadratic(weight):
    def step(batch):
        near = (weight - 3).square()
        return {"near": near, "total": near}

    return step


def test_it_finds_the_bottom_of_a_parabola():
    weight = torch.tensor(7.0, requires_grad=True)
    # w <- w - 0.25 * 2 (w - 3) halves the distance of 4 every batch.
    run(quadratic(weight), [weight], epochs=1)
    assert weight.item() == pytest.approx(4)
    run(quadratic(weight), [weight], epochs=20)
    assert weight.item() == pytest.approx(3, abs=1e-5)


def test_only_the_total_is_minimised():
    one, other = (torch.tensor(7.0, requires_grad=True) for _ in range(2))

    def step(batch):
        return {"shown": (other - 1).square(), "total": (one - 3).square()}

    run(step, [one, other])
    assert one.item() != 7
    assert other.item() == 7


def test_the_means_of_an_epoch():
    weight = torch.tensor(7.0, requires_grad=True)
    history = run(quadratic(weight), [weight], epochs=2, measure=lambda epoch: {"changed": 0.5})
    # Distances 4, 2 and then 1, 0.5.
    assert [entry.losses["near"] for entry in history] == [(16 + 4) / 2, (1 + 0.25) / 2]
    assert [entry.scores for entry in history] == [{"changed": 0.5}] * 2


def test_every_epoch_is_measured_once_it_is_over():
    weight = torch.tensor(7.0, requires_grad=True)
    history = run(quadratic(weight), [weight], measure=lambda n: {"n": n, "at": weight.item()})
    # Distances after two batches each: 1, 1/4, 1/16.
    assert [entry.scores for entry in history] == [
        {"n": 0, "at": 4.0},
        {"n": 1, "at": 3.25},
        {"n": 2, "at": 3.0625},
    ]


@pytest.mark.parametrize(("min_gain", "epochs"), [(0.0, 5), (0.1, 3), (0.6, 2)])
def test_it_stops_after_the_first_epoch_that_gains_too_little(min_gain, epochs):
    weight = torch.tensor(0.0, requires_grad=True)
    # An epoch has two batches: mean losses 10, 5, 4.8, 1, 1, so the epochs gain 50 %, 4 %, 79 %, 0 %.
    losses = iter([10, 10, 5, 5, 4.8, 4.8, 1, 1, 1, 1])

    def step(batch):
        return {"total": weight * 0 + next(losses)}

    assert len(run(step, [weight], epochs=5, min_gain=min_gain)) == epochs


def test_progress_comes_after_every_batch_and_every_epoch():
    weight = torch.tensor(7.0, requires_grad=True)
    events = []
    run(
        quadratic(weight),
        [weight],
        epochs=2,
        measure=lambda epoch: {"s": 1.0},
        progress=events.append,
    )
    assert all(isinstance(event, Progress) for event in events)
    seen = [(e.epoch, e.batch, e.batches, e.epochs, bool(e.scores)) for e in events]
    assert seen == [
        (0, 1, 2, 2, False),
        (0, 2, 2, 2, False),
        (0, 2, 2, 2, True),
        (1, 1, 2, 2, False),
        (1, 2, 2, 2, False),
        (1, 2, 2, 2, True),
    ]
    assert [event.losses["near"] for event in events[:2]] == [16, 10]


# What an epoch is made of


@pytest.mark.parametrize(("n_items", "batch_size"), [(10, 3), (4, 8), (6, 6), (5, 1)])
def test_every_item_once_an_epoch(n_items, batch_size):
    luck = torch.Generator().manual_seed(0)
    items = Items.shuffled(
        "abcdefghij"[:n_items], batch_of_all, batch_size=batch_size, generator=luck
    )
    orders = [items.order() for _ in range(3)]
    for order in orders:
        batches = [items.places(order, number) for number in range(items.n_batches)]
        assert sorted(place for batch in batches for place in batch) == list(range(n_items))
        assert all(len(batch) == batch_size for batch in batches[:-1])
    assert n_items < 5 or orders[0].tolist() != orders[1].tolist() != orders[2].tolist()
    assert items.batch([1, 0]).ids == ("b", "a")


def batch_of_all(ids):
    return batch_of(*ids)


# Numbers that are none

NAN, INF = float("nan"), float("inf")


def quadratic_of(weight, bad=(), *, factor=NAN, term="spatial"):
    """A loss that is no number for batches with these recordings."""

    def step(batch):
        found = (weight - 3).square()
        broken = factor if set(bad) & set(batch.ids) else 0.0
        terms = {"commit_1": found * 0, "spatial": found}
        terms[term] = terms[term] + broken
        return {**terms, "total": terms["commit_1"] + terms["spatial"]}

    return step


@pytest.mark.parametrize("factor", [NAN, INF])
@pytest.mark.parametrize("term", ["spatial", "commit_1"])
def test_a_loss_that_is_no_number_stops_with_its_name_batch_and_recording(factor, term):
    weight = torch.tensor(7.0, requires_grad=True)
    ids = "abcdef"
    items = Items(
        n=6, batch_size=3, order=lambda: torch.arange(6),
        batch=lambda places: batch_of(*(ids[place] for place in places)),
    )  # fmt: skip
    words = (
        rf"^epoch 1, batch 2: not a finite number \({term}, total\) on a batch of 3 recordings "
        r"\(d, e, f\); it comes from e: look for extreme values there"
    )
    with pytest.raises(TrainingError, match=words):
        run(quadratic_of(weight, "e", factor=factor, term=term), [weight], items=items)
    assert weight.item() == 5  # of the first batch


def test_a_gradient_that_is_no_number_stops_before_it_does_harm():
    weight = torch.tensor(0.0, requires_grad=True)

    def step(batch):  # 0 as it should be, with a slope that is infinite
        return {"total": weight.sqrt()}

    words = r"^epoch 1, batch 1: not a finite number \(the gradient of the total\) on a batch of 2"
    with pytest.raises(TrainingError, match=words):
        run(step, [weight])
    assert weight.item() == 0


def test_what_was_learned_in_the_very_last_step_is_looked_at_too():
    weight = torch.tensor(2e38, requires_grad=True)

    def step(batch):  # the second step of 0.75e38 leads beyond what a float can hold
        return {"total": (weight.detach() - weight) * 3e38}

    with pytest.raises(
        TrainingError, match=r"at the end: what was learned is no longer made of finite"
    ):
        run(step, [weight], epochs=1)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"
        ),
    ],
)
def test_memory_that_runs_out_is_said_with_what_to_do(error):
    weight = torch.tensor(7.0, requires_grad=True)

    def step(batch):
        if batch.ids == ("c",):
            raise error
        return quadratic(weight)(batch)

    words = (
        r"^epoch 1, batch 2: memory ran out on a batch of 1 recordings \(c\)\. Give smaller batches"
    )
    with pytest.raises(TrainingError, match=words):
        run(step, [weight])


class Counting(torch.nn.Module):
    """A weight, and a buffer that every step changes by chance, as codebooks are."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(7.0))
        self.register_buffer("total", torch.zeros(2))


class Steps:
    def __init__(self):
        self.n = 0

    def state_dict(self):
        return {"n": self.n}

    def load_state_dict(self, state_dict):
        self.n = state_dict["n"]


def trained_with(failures):
    """What is learned where memory runs out at these calls of the step, half-way through."""
    torch.manual_seed(0)
    network, luck, steps, calls = (
        Counting(),
        torch.Generator().manual_seed(0),
        Steps(),
        iter(range(99)),
    )

    def step(batch):
        steps.n += 1
        network.total = network.total + torch.rand(2) + torch.rand(2, generator=luck)
        if next(calls) in failures:
            raise MemoryError
        losses = quadratic(network.weight)(batch)
        return {"total": losses["total"] * network.total.sum()}

    history = train(
        network=network,
        items=TWO,
        step=step,
        optimizer=torch.optim.Adam(network.parameters()),
        generator=luck,
        epochs=2,
        also={"steps": steps},
        less_at_once=iter(["one at a time", "smaller", None]).__next__,
    )
    return network.weight.item(), network.total.tolist(), steps.n, history, torch.rand(1).item()


def test_where_memory_runs_out_the_step_is_done_again_as_if_nothing_had_been():
    with pytest.warns(DataWarning) as said:
        found = trained_with({1, 3})
    assert found == trained_with(())
    assert [str(w.message) for w in said] == [
        "epoch 1, batch 2: memory ran out; one at a time",
        "epoch 2, batch 1: memory ran out; smaller",
    ]


def test_in_the_end_nothing_is_left_to_be_done():
    with (
        pytest.warns(DataWarning),
        pytest.raises(TrainingError, match="epoch 1, batch 1: memory ran out on"),
    ):
        trained_with({0, 1, 2})


def test_a_network_in_tiles_takes_fewer_at_a_time_and_learns_the_same(monkeypatch):
    recordings = [
        replace(r, skeleton=r.skeleton[:240]) for r in load_dataset("synthetic").recordings[:4]
    ]
    losses, before = HiSTVQ._losses, torch.get_num_threads()

    def fitted(*, bad):
        calls = iter(range(99))

        def failing(*given):
            if next(calls) == bad:  # the codebooks have learned from the batch by then
                raise RuntimeError(
                    "DefaultCPUAllocator: can't allocate memory: you tried to allocate"
                )
            return losses(*given)

        monkeypatch.setattr(HiSTVQ, "_losses", failing)
        model = HiSTVQ(
            n_actions=3, n_maps=4, n_layers=1, batch_size=2, epochs=2, min_steps=0, random_state=0
        )
        return model.fit(recordings).network_.state_dict()

    try:
        torch.set_num_threads(2)
        with pytest.warns(
            DataWarning, match="epoch 1, batch 2: memory ran out; 1 at a time from now on"
        ):
            found = fitted(bad=1)
        expected = fitted(bad=-1)
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(value, expected[name]) for name, value in found.items())


def test_other_errors_stay_what_they_are():
    def step(batch):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        run(step, [torch.tensor(7.0, requires_grad=True)])


def test_with_any_number_of_threads_the_same_seed_gives_the_same_model():
    recordings = load_dataset("synthetic", seed=0).recordings[:4]
    before, models = torch.get_num_threads(), []
    try:
        for n_threads in (1, 3, 3):
            torch.set_num_threads(n_threads)
            model = HiSTVQ(n_actions=8, epochs=1, min_steps=0, random_state=0).fit(recordings)
            assert torch.get_num_threads() == n_threads
            models.append(model)
    finally:
        torch.set_num_threads(before)
    assert not torch.are_deterministic_algorithms_enabled()  # left as it was
    for name, value in models[0].network_.state_dict().items():
        for other in models[1:]:
            assert torch.equal(value, other.network_.state_dict()[name]), name


def test_the_end_of_an_epoch_is_said_once_also_where_nothing_was_measured():
    weight, events = torch.tensor(7.0, requires_grad=True), []
    history = run(quadratic(weight), [weight], epochs=2, progress=events.append)
    assert [(event.epoch, event.epoch_over) for event in events] == [
        (0, False), (0, False), (0, True), (1, False), (1, False), (1, True),
    ]  # fmt: skip
    assert history == [event for event in events if event.epoch_over]
