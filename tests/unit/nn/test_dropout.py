import pytest
import torch

from histvq.nn.dropout import dropout_factors

FORMATS = (torch.bfloat16, torch.float32, torch.float64)


def factors(*shape, share=0.5, seed=0, dtype=torch.float32):
    luck = torch.Generator().manual_seed(seed)
    return dropout_factors(torch.zeros(shape, dtype=dtype), share, luck)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9])
def test_the_share_is_dropped_and_the_mean_stays(share, dtype):
    found, rest = factors(400, 500, share=share, dtype=dtype)
    dropped = float((found == 0).double().mean())
    deviation = (share * (1 - share) / found.numel()) ** 0.5  # of a binomial share
    assert abs(dropped - share) < 5 * deviation + 1 / 1024
    assert float(found.double().mean()) * rest == pytest.approx(1, abs=5 * deviation / (1 - share))


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_a_value_is_dropped_or_scaled_up(share, dtype):
    found, rest = factors(100, 7, share=share, dtype=dtype)
    assert found.dtype == dtype
    assert found.unique().tolist() == [0, 2]
    assert 2 * rest == pytest.approx(1 / (1 - share), rel=1e-2)


@pytest.mark.parametrize("share", [1e-9, 1 - 1e-9])
def test_next_to_nothing_and_next_to_all(share):
    found, rest = factors(100, 100, share=share)
    assert float((found == 0).double().mean()) == pytest.approx(share, abs=0.002)
    assert 0.5 <= rest < float("inf")


@pytest.mark.parametrize(("dtype", "per_word"), [(torch.bfloat16, 15), (torch.float32, 31)])
def test_values_that_share_a_word_do_not_know_of_one_another(dtype, per_word):
    # Shifts come first: a word's values lie as far apart as there are words.
    found, _ = factors(per_word, 20_000, share=0.3, dtype=dtype)
    kept = (found > 0).double()
    assert ((kept.mean(dim=1) - 0.7).abs() < 0.02).all()
    for pairs in (kept, kept[:, 1:] * kept[:, :-1]):
        correlation = torch.corrcoef(pairs) - torch.eye(per_word)
        assert (correlation.abs() < 0.035).all()


def test_neighbours_do_not_know_of_one_another():
    kept = (factors(40_000, 4, share=0.3)[0] > 0).double()
    correlation = torch.corrcoef(kept.T) - torch.eye(4)
    assert (correlation.abs() < 0.025).all()


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("shape", [(1,), (3,), (5, 1, 1), (2, 3, 7), (0, 4), ()])
def test_any_shape(shape, dtype):
    found, _ = factors(*shape, dtype=dtype)
    assert found.shape == shape
    assert set(found.flatten().tolist()) <= {0.0, 2.0}


def test_same_seed_same_factors():
    assert torch.equal(factors(30, 11, seed=3)[0], factors(30, 11, seed=3)[0])
    assert not torch.equal(factors(30, 11, seed=3)[0], factors(30, 11, seed=4)[0])


def test_without_a_generator_the_global_one_is_drawn_from():
    values = torch.zeros(30, 11)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        first = dropout_factors(values, 0.5)[0]
        second = dropout_factors(values, 0.5)[0]
        torch.manual_seed(5)
        again = dropout_factors(values, 0.5)[0]
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
