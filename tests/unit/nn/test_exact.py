import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from histvq.nn.exact import exact_sums
from histvq.nn.peers import ALONE, peers
from oracles.threaded import played

floats = st.floats(-(2.0**120), 2.0**120, width=32)
spread = st.lists(st.lists(floats, min_size=3, max_size=3), min_size=1, max_size=9)


def sum_of(terms):
    terms = [torch.tensor(term) for term in terms]
    (found,) = exact_sums([terms], like=[torch.zeros(3)], by=ALONE)
    return found


@given(terms=spread, data=st.data())
def test_the_order_changes_no_bit(terms, data):
    other = data.draw(st.permutations(terms))
    assert torch.equal(sum_of(terms), sum_of(other))


@given(terms=spread)
def test_it_is_the_sum(terms):
    largest = max(abs(x) for term in terms for x in term)
    for found, values in zip(sum_of(terms).tolist(), zip(*terms, strict=True), strict=True):
        expected = math.fsum(values)
        # Half a step of float32, and the grid: 2^-57 of the largest for each of up to nine terms.
        slack = abs(expected) * 2**-24 + largest * 2**-52 + 2**-149
        assert abs(found - expected) <= slack


@given(terms=spread, n=st.integers(1, 3), data=st.data())
def test_who_holds_which_term_changes_no_bit(terms, n, data):
    owners = [data.draw(st.integers(0, n - 1)) for _ in terms]

    def share(rank, _):
        mine = [torch.tensor(t) for t, owner in zip(terms, owners, strict=True) if owner == rank]
        (found,) = exact_sums([mine], like=[torch.zeros(3)], by=peers())
        return found

    for found in played(n, share):
        assert torch.equal(found, sum_of(terms))


def test_plain_sums_would_not_do():
    terms = [[1.0, 1e8, 0.1], [1e-8, 1.0, 0.2], [1e-8, -1e8, 0.3]] * 3
    plain = {tuple(sum(torch.tensor(t) for t in order).tolist()) for order in (terms, terms[::-1])}
    assert len(plain) == 2
    assert len({tuple(sum_of(order).tolist()) for order in (terms, terms[::-1])}) == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_stays_none(bad):
    like = [torch.zeros(2), torch.zeros(2)]
    lost, kept = exact_sums([[torch.tensor([bad, 1.0])], [torch.ones(2)]], like=like, by=ALONE)
    assert torch.isnan(lost).all()
    assert kept.tolist() == [1, 1]


def test_nothing_adds_up_to_nothing():
    assert exact_sums([], like=[], by=ALONE) == []
    (found,) = exact_sums([[]], like=[torch.ones(2, 3)], by=ALONE)
    assert torch.equal(found, torch.zeros(2, 3))
    (found,) = exact_sums([[torch.zeros(2)] * 2], like=[torch.ones(2)], by=ALONE)
    assert torch.equal(found, torch.zeros(2))


def test_the_type_is_that_of_the_model():
    (found,) = exact_sums(
        [[torch.tensor([0.1], dtype=torch.float64)] * 3], like=[torch.zeros(1).double()], by=ALONE
    )
    assert found.dtype == torch.float64
    assert found.item() == pytest.approx(0.3, rel=1e-15)
