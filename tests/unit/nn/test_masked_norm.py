import pytest
import torch
from torch import nn

from histvq.nn.masked_norm import MaskedBatchNorm

pytestmark = pytest.mark.usefixtures("one_thread")


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pair(n_maps):
    """Ours and PyTorch's, with the same weights, none of which is 0 or 1."""
    ours, torchs = MaskedBatchNorm(n_maps).double(), nn.BatchNorm1d(n_maps).double()
    for module in (ours, torchs):
        with torch.no_grad():
            module.weight.copy_(1 + drawn(n_maps, seed=1) / 4)
            module.bias.copy_(drawn(n_maps, seed=2))
    return ours, torchs


def batch(real, *, seed, scale=3.0):
    """Values with a mean and a deviation of their own in every map, and a weight for each output."""
    n_maps = 4
    shift = torch.arange(n_maps, dtype=torch.float64) * 5 - 7
    values = drawn(*real.shape[:2], n_maps, seed=seed) * scale + shift
    return values.requires_grad_(), drawn(*real.shape[:2], n_maps, seed=seed + 50)


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_it_is_torchs_over_the_real_rows_alone(share):  # another implementation
    ours, torchs = pair(4)
    for seed, n_frames in enumerate((9, 17, 5), start=10):
        real = torch.rand(2, n_frames, generator=torch.Generator().manual_seed(seed)) < share
        values, weighing = batch(real, seed=seed)
        rows = values.detach()[real].requires_grad_()
        found, expected = ours(values, real.unsqueeze(-1)), torchs(rows)
        torch.testing.assert_close(found[real], expected)
        for module in (ours, torchs):
            module.zero_grad()
        (found * weighing).sum().backward()
        (expected * weighing[real]).sum().backward()
        torch.testing.assert_close(values.grad[real], rows.grad)
        assert not values.grad[~real].any()
        torch.testing.assert_close(ours.weight.grad, torchs.weight.grad)
        torch.testing.assert_close(ours.bias.grad, torchs.bias.grad)
        for name, value in torchs.state_dict().items():  # the running statistics among them
            torch.testing.assert_close(ours.state_dict()[name], value)
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    torch.testing.assert_close(
        ours.eval()(values, real.unsqueeze(-1))[real], torchs.eval()(rows), rtol=1e-9, atol=1e-9
    )
    for name, value in before.items():
        assert torch.equal(ours.state_dict()[name], value), name


def test_every_map_has_a_mask_of_its_own():
    ours, torchs = pair(4)
    for seed in (3, 4, 5):
        real = torch.rand(2, 11, 4, generator=torch.Generator().manual_seed(seed)) < 0.7
        real[..., 1] = True
        values, _ = batch(real, seed=seed)
        found = ours(values, real)
        for column in range(4):
            alone = nn.BatchNorm1d(1).double()  # a new one: only this batch's statistics
            expected = alone(values[..., column][real[..., column]].unsqueeze(1)).squeeze(1)
            expected = expected * torchs.weight[column] + torchs.bias[column]
            torch.testing.assert_close(found[..., column][real[..., column]], expected)


def test_the_running_statistics_of_every_map_are_those_of_its_own_values():
    ours, _ = pair(4)
    columns = [nn.BatchNorm1d(1).double() for _ in range(4)]
    for seed in (3, 4, 5):
        real = torch.rand(2, 11, 4, generator=torch.Generator().manual_seed(seed)) < 0.7
        values, _ = batch(real, seed=seed)
        ours(values, real)
        for column, alone in enumerate(columns):
            alone(values[..., column][real[..., column]].unsqueeze(1))
    for name in ("running_mean", "running_var"):
        expected = torch.cat([getattr(alone, name) for alone in columns])
        torch.testing.assert_close(getattr(ours, name), expected)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n_columns", [1, 4])
def test_masked_places_are_zero_whatever_stands_there(training, n_columns):
    ours, _ = pair(4)
    real = drawn(2, 12, n_columns, seed=6) > 0
    values, _ = batch(real, seed=7)
    other = torch.where(real, values, 1e6)
    found = ours.train(training)(other, real)
    assert torch.equal(
        found[~real.expand(2, 12, 4)], torch.zeros_like(found)[~real.expand(2, 12, 4)]
    )
    assert (found[real.expand(2, 12, 4)] != 0).all()
    torch.testing.assert_close(found, pair(4)[0].train(training)(values, real))


@pytest.mark.parametrize("n_columns", [1, 4])
def test_padding_changes_nothing(n_columns):
    real = drawn(2, 12, n_columns, seed=6) > -0.5
    values, weighing = batch(real, seed=7)
    garbage = torch.full((2, 30, 4), 1e3, dtype=torch.float64)
    padded = torch.cat((values.detach(), garbage), dim=1).requires_grad_()
    longer = torch.cat((real, torch.zeros(2, 30, n_columns, dtype=torch.bool)), dim=1)
    plain, other = pair(4)[0], pair(4)[0]
    found, expected = other(padded, longer), plain(values, real)
    torch.testing.assert_close(found[:, :12], expected)
    (found[:, :12] * weighing).sum().backward()
    (expected * weighing).sum().backward()
    torch.testing.assert_close(padded.grad[:, :12], values.grad)
    assert not padded.grad[:, 12:].any()
    torch.testing.assert_close(other.weight.grad, plain.weight.grad)
    torch.testing.assert_close(other.bias.grad, plain.bias.grad)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value)


def test_a_map_with_no_or_one_value_keeps_its_running_statistics():
    ours, _ = pair(4)
    everywhere = torch.ones(1, 8, 4, dtype=torch.bool)
    ours(batch(everywhere, seed=1)[0], everywhere)
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    real = everywhere.clone()
    real[..., 1] = False
    real[:, 1:, 2] = False
    values, weighing = batch(real, seed=2)
    found = ours(values, real)
    (found * weighing).sum().backward()
    assert found.isfinite().all()
    assert values.grad.isfinite().all()
    torch.testing.assert_close(found[0, 0, 2], ours.bias[2])  # the one value is its own mean
    for name in ("running_mean", "running_var"):
        moved = getattr(ours, name) != before[name]
        assert moved.tolist() == [True, False, False, True], name


def test_a_batch_with_nothing_real_says_nothing():
    ours, _ = pair(4)
    nothing = torch.zeros(2, 6, 1, dtype=torch.bool)
    values, weighing = batch(nothing, seed=2)
    found = ours(values, nothing)
    assert not found.any()
    (found * weighing).sum().backward()
    assert not values.grad.any()
    assert torch.equal(ours.running_mean, torch.zeros(4, dtype=torch.float64))
    assert torch.equal(ours.running_var, torch.ones(4, dtype=torch.float64))


def test_its_state_is_torchs():
    ours, torchs = MaskedBatchNorm(4).double(), pair(4)[1]
    torchs(drawn(20, 4, seed=8) * 2 + 1)
    assert list(ours.state_dict()) == list(torchs.state_dict())
    shapes = [(name, value.shape, value.dtype) for name, value in torchs.state_dict().items()]
    assert [(name, v.shape, v.dtype) for name, v in ours.state_dict().items()] == shapes
    ours.load_state_dict(torchs.state_dict())
    values = drawn(3, 7, 4, seed=9)
    expected = torchs.eval()(values.flatten(0, 1)).unflatten(0, (3, 7))
    found = ours.eval()(values, torch.ones(3, 7, 1, dtype=torch.bool))
    torch.testing.assert_close(found, expected)


def test_momentum_and_epsilon_are_heeded():
    ours = MaskedBatchNorm(4, momentum=0.3, eps=0.5).double()
    torchs = nn.BatchNorm1d(4, momentum=0.3, eps=0.5).double()
    values = drawn(1, 9, 4)
    real = torch.ones(1, 9, 1, dtype=torch.bool)
    torch.testing.assert_close(ours(values, real)[0], torchs(values[0]))
    torch.testing.assert_close(ours.eval()(values, real)[0], torchs.eval()(values[0]))
