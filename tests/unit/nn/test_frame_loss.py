from math import exp, log

import pytest
import torch

from histvq.nn.frame_loss import label_loss, smoothing_loss

pytestmark = pytest.mark.usefixtures("one_thread")

# Log-probabilities are logits: the second frame says 3/4 and 1/4, the first cannot decide.
UNDECIDED, SURER = [0.0, 0.0], [log(3), 0.0]


def stages(*frames):
    """One stage with these frames."""
    return torch.tensor([frames], dtype=torch.float64, requires_grad=True)


def drawn(*shape, seed=0):
    made = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return made.requires_grad_()


def mask(*flags):
    return torch.tensor(flags, dtype=torch.bool)


def assert_is(found, expected):
    assert found.shape == ()
    assert found.item() == pytest.approx(expected, rel=1e-12)


def test_two_frames_by_hand():
    logits = stages(UNDECIDED, SURER)
    assert_is(label_loss(logits, torch.tensor([0, 1])), (log(2) + log(4)) / 2)
    assert_is(label_loss(logits, torch.tensor([1, 0])), (log(2) + log(4 / 3)) / 2)
    changes = log(1.5) ** 2, log(0.5) ** 2
    assert_is(smoothing_loss(logits, mask(1, 1)), sum(changes) / 2)


def test_class_weights_make_a_weighted_mean():
    logits = stages(UNDECIDED, SURER, SURER)
    weights = torch.tensor([1.0, 3.0], dtype=torch.float64)
    found = label_loss(logits, torch.tensor([0, 1, 0]), class_weights=weights)
    assert_is(found, (1 * log(2) + 3 * log(4) + 1 * log(4 / 3)) / (1 + 3 + 1))
    found = label_loss(logits, torch.tensor([0, 1, -1]), class_weights=weights)
    assert_is(found, (1 * log(2) + 3 * log(4)) / (1 + 3))


def test_a_jump_by_five_counts_as_one_by_four():
    rare = exp(-5) / 2  # five less, as a logarithm, than 1/2
    logits = stages(UNDECIDED, [log(1 - rare), log(rare)])
    other = log(2 * (1 - rare))
    assert_is(smoothing_loss(logits, mask(1, 1)), (16 + other**2) / 2)
    assert_is(smoothing_loss(logits, mask(1, 1), threshold=6.0), (25 + other**2) / 2)


def test_beyond_the_threshold_nobody_learns():
    logits = stages([9.0, 0.0], [0.0, 9.0])
    loss = smoothing_loss(logits, mask(1, 1))
    assert_is(loss, 16)
    loss.backward()
    assert not logits.grad.any()


def test_the_later_frame_alone_learns_to_be_smooth():
    logits = drawn(2, 3, 4)
    smoothing_loss(logits, mask(1, 1, 1)).backward()
    assert not logits.grad[:, 0].any()
    assert logits.grad[:, 1:].abs().sum(dim=2).all()
    # The middle frame is drawn to the one before it, as if there were none after.
    first = logits.detach()[:, :2].clone().requires_grad_()
    smoothing_loss(first, mask(1, 1)).backward()
    torch.testing.assert_close(2 * logits.grad[:, 1], first.grad[:, 1])


def test_frames_nobody_labelled_do_not_count():
    logits = drawn(2, 6, 3)
    targets = torch.tensor([0, -1, 2, -1, -1, 1])
    labelled = targets >= 0
    found = label_loss(logits, targets)
    assert_is(found, label_loss(logits[:, labelled], targets[labelled]).item())
    found.backward()
    assert not logits.grad[:, ~labelled].any()
    assert logits.grad[:, labelled].abs().sum(dim=2).all()


def test_only_two_real_frames_are_neighbours():
    logits = drawn(2, 8, 3)
    real = mask(1, 1, 0, 1, 1, 1, 0, 1)  # pairs 0-1, 3-4, 4-5
    found = smoothing_loss(logits, real)
    pairs = [smoothing_loss(logits[:, t : t + 2], mask(1, 1)) for t in (0, 3, 4)]
    assert_is(found, (sum(pairs) / 3).item())
    found.backward()
    assert logits.grad.abs().sum(dim=(0, 2)).bool().tolist() == [t in (1, 4, 5) for t in range(8)]


@pytest.mark.parametrize("weights", [None, (1.0, 2.0, 5.0)])
def test_padding_changes_nothing(weights):
    logits, targets = drawn(2, 7, 3), torch.tensor([0, 0, 1, 2, -1, 2, 1])
    real = mask(*[1] * 7)
    padded = torch.cat((logits.detach(), drawn(2, 5, 3, seed=1).detach() * 100), dim=1)
    padded.requires_grad_()
    longer = torch.cat((real, mask(*[0] * 5)))
    class_weights = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    more_targets = torch.cat((targets, torch.full((5,), -1)))
    plain = label_loss(logits, targets, class_weights=class_weights), smoothing_loss(logits, real)
    found = (
        label_loss(padded, more_targets, class_weights=class_weights),
        smoothing_loss(padded, longer),
    )
    torch.testing.assert_close(found, plain)
    sum(plain).backward()
    sum(found).backward()
    torch.testing.assert_close(padded.grad[:, :7], logits.grad)
    assert not padded.grad[:, 7:].any()


@pytest.mark.parametrize("weights", [None, (1.0, 2.0, 5.0)])
def test_without_labels_the_loss_is_zero(weights):
    logits = drawn(2, 4, 3)
    class_weights = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    loss = label_loss(logits, torch.full((4,), -1), class_weights=class_weights)
    assert_is(loss, 0)
    loss.backward()
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@pytest.mark.parametrize("real", [(1,), (1, 0, 1, 0), (0, 0, 0)])
def test_without_neighbours_the_loss_is_zero(real):
    logits = drawn(2, len(real), 3)
    loss = smoothing_loss(logits, mask(*real))
    assert_is(loss, 0)
    loss.backward()
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_stages_are_summed():
    logits, targets, real = (
        drawn(3, 6, 4),
        torch.tensor([0, 3, 1, -1, 2, 2]),
        mask(1, 1, 1, 0, 1, 1),
    )
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64)
    each = logits.split(1)
    assert_is(label_loss(logits, targets), sum(label_loss(one, targets).item() for one in each))
    assert_is(
        label_loss(logits, targets, class_weights=weights),
        sum(label_loss(one, targets, class_weights=weights).item() for one in each),
    )
    assert_is(smoothing_loss(logits, real), sum(smoothing_loss(one, real).item() for one in each))
