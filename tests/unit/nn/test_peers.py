"""Codebooks learned by several processes, played by threads: as one learns them, to the last bit."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.nn.codebook import Codebook
from histvq.nn.hierarchy import HierarchicalQuantiser
from histvq.nn.peers import ALONE, drawn_from_all, handed_out, peers
from histvq.nn.representative import RepresentativeCodebook
from oracles.threaded import played

P, V, D = 3, 2, 4


def drawn(*shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def simple(n, *, nu=1.5):
    return Codebook(
        drawn(n, P, V, D, seed=n), decay=0.5, min_usage=nu, dead_batches=1, distance="patch"
    )


def published(n):
    return RepresentativeCodebook(
        drawn(n, P, V, D, seed=n), decay=0.5, min_usage=2, distance="frame",
        candidates="representative", fixed_luck=False,
    )  # fmt: skip


BOOKS = {
    "one level": lambda: HierarchicalQuantiser([simple(5)]),
    "three levels": lambda: HierarchicalQuantiser([simple(8), simple(4), simple(2)]),
    "published": lambda: HierarchicalQuantiser([published(4)]),
}


def batches(lengths, seed, n_batches=4):
    """Patches of recordings, and which of their values are real, batch by batch."""
    for number in range(n_batches):
        yield [
            (
                drawn(n, P, V, D, seed=1000 * seed + 10 * number + place),
                drawn(n, P, V, seed=7000 * seed + 10 * number + place) > -1,
            )
            for place, n in enumerate(lengths)
        ]


def learned(quantiser, given, owners, rank):
    """State and codes after each batch, where recordings are held by the processes that own them."""
    quantiser.train()
    luck = torch.Generator().manual_seed(3)
    found = []
    for recordings in given:
        starts = torch.tensor([0, *(len(p) for p, _ in recordings)]).cumsum(0).tolist()
        mine = [place for place, owner in enumerate(owners) if owner == rank]
        nothing = torch.zeros(0, P, V, D), torch.zeros(0, P, V, dtype=torch.bool)
        patches = torch.cat([nothing[0], *(recordings[m][0] for m in mine)])
        real = torch.cat([nothing[1], *(recordings[m][1] for m in mine)])
        numbers = [torch.arange(starts[m], starts[m + 1]) for m in mine]
        numbers = torch.cat([torch.zeros(0, dtype=torch.int64), *numbers])
        sizes = torch.tensor([0, *(len(recordings[m][0]) for m in mine)]).cumsum(0).tolist()
        parts = tuple(slice(a, b) for a, b in pairwise(sizes))
        made = quantiser(patches, real, parts=parts, numbers=numbers, generator=luck)
        state = {k: v.clone() for k, v in quantiser.state_dict().items()}
        codes = {m: made.codes[-1][part] for m, part in zip(mine, parts, strict=True)}
        found.append((state, codes, luck.get_state()))
    return found


@pytest.mark.parametrize("kind", BOOKS)
@settings(max_examples=12, deadline=None)
@given(
    n=st.integers(2, 3),
    lengths=st.lists(st.integers(1, 6), min_size=3, max_size=5),
    seed=st.integers(0, 50),
    data=st.data(),
)
def test_several_learn_what_one_learns(kind, n, lengths, seed, data):
    owners = [data.draw(st.integers(0, n - 1)) for _ in lengths]
    given_all = list(batches(lengths, seed))
    alone = learned(BOOKS[kind](), given_all, [0] * len(lengths), 0)
    together = played(n, lambda rank, _: learned(BOOKS[kind](), given_all, owners, rank))
    for number, (state, codes, luck) in enumerate(alone):
        for rank, others in enumerate(together):
            its_state, its_codes, its_luck = others[number]
            assert all(torch.equal(its_state[name], state[name]) for name in state)
            assert torch.equal(its_luck, luck)
            for place in [p for p, owner in enumerate(owners) if owner == rank]:
                assert torch.equal(its_codes[place], codes[place])


def test_what_everybody_was_given_is_counted_once():
    """Without numbers each process is given the whole batch."""
    patches = drawn(6, P, V, D, seed=1)
    real = torch.ones(6, P, V, dtype=torch.bool)

    def learn(*_):
        book = simple(3)
        book.learn(patches, real, book.assign(patches, real), generator=torch.Generator())
        return book.state_dict()

    expected = learn()
    for state in played(2, learn):
        assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_a_draw_reaches_whoever_holds_it():
    held = {0: [4, 0], 1: [3, 1, 2]}
    values = torch.arange(5.0) * 10

    def draw(rank, _):
        numbers = torch.tensor(held[rank])
        places = drawn_from_all(
            numbers, lambda of_all: of_all.argsort(descending=True)[:3], values[numbers], by=peers()
        )
        return places.tolist(), handed_out(values[numbers], places, by=peers()).tolist()

    (first, got), (second, also_got) = played(2, draw)
    assert (first, second) == ([0, -1, -1], [-1, 0, 2])  # 40, 30, 20
    assert got == also_got == [40, 30, 20]


def test_alone_one_hears_oneself():
    assert peers() is ALONE
    values = torch.arange(3)
    assert ALONE.gathered(values)[0] is values
    assert ALONE.summed(values) is ALONE.largest(values) is values
