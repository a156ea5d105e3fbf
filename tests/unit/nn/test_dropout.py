import pytest
import torch

from histvq.nn.dropout import dropout_factors


def factors(real, share, *, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return dropout_factors(real, share)


def everywhere(*shape):
    return torch.ones(shape, dtype=torch.bool)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_is_dropped_and_the_mean_stays(share):
    found = factors(everywhere(400, 500), share)
    n_values = found.numel()
    deviation = (share * (1 - share) / n_values) ** 0.5  # of a binomial share
    assert abs(float((found == 0).float().mean()) - share) < 5 * deviation + 1 / 65536
    assert abs(float(found.mean()) - 1) < 5 * deviation / (1 - share)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.9])
def test_a_value_is_dropped_or_scaled_up(share):
    kept = factors(everywhere(100, 7), share).unique()
    expected = [0, 1 / (1 - share)] if share else [1]
    torch.testing.assert_close(kept, torch.tensor(expected, dtype=torch.float32), rtol=2e-4, atol=0)


def test_masked_values_are_zero():
    real = torch.rand(50, 33, generator=torch.Generator().manual_seed(1)) < 0.5
    found = factors(real, 0.2)
    assert (found[~real] == 0).all()
    assert abs(float((found[real] == 0).float().mean()) - 0.2) < 0.08
    # The frame mask of a layer comes as a view with stride 0.
    found = factors(real[:, :1].expand(50, 33), 0.2)
    assert (found[~real[:, 0]] == 0).all()
    assert len(found[real[:, 0]].unique(dim=1).T) > 1


def test_the_four_values_of_one_draw_do_not_know_of_one_another():
    """64 bits make four values: each must be as likely, and none may follow from another."""
    kept = (factors(everywhere(40_000, 4), 0.3) > 0).double()
    assert ((kept.mean(dim=0) - 0.7).abs() < 0.015).all()
    correlation = torch.corrcoef(kept.T) - torch.eye(4)
    assert (correlation.abs() < 0.025).all()


@pytest.mark.parametrize("shape", [(1,), (3,), (5, 1, 1), (2, 3, 7), (0, 4), ()])
def test_any_shape(shape):
    found = factors(everywhere(*shape), 0.5)
    assert found.shape == shape
    assert found.dtype == torch.float32
    assert set(found.flatten().tolist()) <= {0.0, 2.0}


def test_same_seed_same_factors():
    real = everywhere(30, 11)
    assert torch.equal(factors(real, 0.5, seed=3), factors(real, 0.5, seed=3))
    assert not torch.equal(factors(real, 0.5, seed=3), factors(real, 0.5, seed=4))
