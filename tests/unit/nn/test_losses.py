import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from histvq.nn.losses import (
    commitment_loss,
    joint_distance_sum,
    joint_pairs,
    timestamp_loss,
)

KINDS = ("plain", "squared")


def joint_distance_loss(predicted, target, real, *, persons=None, kind="plain"):
    """Eq. (7), as training puts it together."""
    total = joint_distance_sum(predicted, target, real, persons=persons, kind=kind)
    return total / joint_pairs(real, persons=persons)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def everywhere(series):
    return torch.ones(series.shape[:-1], dtype=torch.bool)


def skeletons(seed=0, *, n_joints=5, n_frames=6):
    return drawn(n_joints, n_frames, 3, seed=seed), drawn(n_joints, n_frames, 3, seed=seed + 99)


# Commitment


def test_commitment_by_hand():
    # Two patches of two frames, one joint, two latents; the second frame of the second is missing.
    held = torch.tensor([[[1.0, 2], [3, 4]], [[5, 6], [7, 8]]]).unsqueeze(2)
    given_ = torch.tensor([[[0.0, 0], [3, 2]], [[5, 3], [0, 0]]]).unsqueeze(2)
    real = torch.tensor([[[True], [True]], [[True], [False]]])
    # 1 + 4, 0 + 4, 0 + 9: 18 over 3 real frames of 2 latents
    assert commitment_loss(held, given_, real).item() == pytest.approx(3)
    assert commitment_loss(held, given_, real, reduction="sum").item() == pytest.approx(18)


def test_commitment_over_everything_is_the_mean_squared_error():
    held, given_ = drawn(5, 4, 3, 2), drawn(5, 4, 3, 2, seed=1)
    real = torch.ones(5, 4, 3, dtype=torch.bool)
    expected = np.mean((held.numpy() - given_.numpy()) ** 2)
    assert commitment_loss(held, given_, real).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_commitment_teaches_the_values_only(reduction):
    held, given_ = drawn(5, 4, 3, 2).requires_grad_(), drawn(5, 4, 3, 2, seed=1).requires_grad_()
    real = drawn(5, 4, 3, seed=2) > 0
    commitment_loss(held, given_, real, reduction=reduction).backward()
    assert given_.grad is None
    assert (held.grad[~real] == 0).all()
    assert (held.grad[real] != 0).all()


# Distances between joints


def distance_loss_by_loop(predicted, target, real, *, persons=None, squared=False):
    """Frame by frame with scipy: ordered pairs of real joints of one person, each with itself too."""
    power = 2 if squared else 1
    total, count = 0.0, 0
    for frame in range(predicted.shape[1]):
        found, wanted = (cdist(x[:, frame], x[:, frame]) ** power for x in (predicted, target))
        for one in range(len(predicted)):
            for other in range(len(predicted)):
                same = persons is None or persons[one] == persons[other]
                if same and real[one, frame] and real[other, frame]:
                    total += (found[one, other] - wanted[one, other]) ** 2
                    count += 1
    return total / count


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("persons", [None, (0, 0, 1, 1, 0), (0, 1, 2, 3, 4)])
@pytest.mark.parametrize("share_real", [1.0, 0.6])
def test_joint_distances_agree_with_scipy(kind, persons, share_real):
    predicted, target = skeletons()
    real = torch.rand(5, 6, generator=torch.Generator().manual_seed(1)) < share_real
    found = joint_distance_loss(predicted, target, real, persons=persons, kind=kind)
    expected = distance_loss_by_loop(
        predicted.numpy(), target.numpy(), real.numpy(), persons=persons, squared=kind == "squared"
    )
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_plain_and_printed_by_hand():
    # One frame, two joints: 3 apart where they should be 1.
    predicted, target = torch.tensor([[[0.0]], [[3.0]]]), torch.tensor([[[0.0]], [[1.0]]])
    real = everywhere(predicted)
    # Of four ordered pairs two differ: by 2, or squared by 8.
    assert joint_distance_loss(predicted, target, real).item() == pytest.approx(2 * 4 / 4)
    assert joint_distance_loss(predicted, target, real, kind="squared").item() == pytest.approx(32)


@settings(max_examples=40)
@given(
    st.integers(0, 10_000),
    st.lists(st.floats(-50, 50), min_size=3, max_size=3),
    st.sampled_from(KINDS),
)
def test_turning_and_moving_a_skeleton_costs_nothing(seed, shift, kind):
    predicted, target = (x.double() for x in skeletons(seed))
    turn = torch.from_numpy(Rotation.random(random_state=seed).as_matrix())
    moved = predicted @ turn.T + torch.tensor(shift, dtype=torch.float64)
    real = everywhere(target)
    before = joint_distance_loss(predicted, target, real, kind=kind)
    torch.testing.assert_close(
        joint_distance_loss(moved, target, real, kind=kind), before, rtol=1e-8, atol=1e-8
    )
    nothing = joint_distance_loss(target @ turn.T + 7, target, real, kind=kind)
    assert nothing.item() < 1e-18


def test_bending_a_skeleton_costs_something():
    _, target = skeletons()
    bent = target.clone()
    bent[0] += 1
    assert joint_distance_loss(bent, target, everywhere(target)) > 0.01


def test_persons_may_come_apart():
    _, target = skeletons()
    apart = target.clone()
    apart[3:] += 100
    real = everywhere(target)
    assert joint_distance_loss(apart, target, real) > 1
    nothing = joint_distance_loss(apart, target, real, persons=(0, 0, 0, 1, 1))
    assert nothing.item() < 1e-8


@pytest.mark.parametrize("kind", KINDS)
def test_joints_in_one_place_give_no_nan(kind):
    predicted = torch.zeros(4, 3, 3).requires_grad_()
    target = skeletons(n_joints=4, n_frames=3)[1]
    loss = joint_distance_loss(predicted, target, everywhere(target), kind=kind)
    loss.backward()
    assert loss.isfinite()
    assert (predicted.grad == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_frames_that_are_not_real_change_nothing(kind):
    predicted, target = skeletons()
    real = everywhere(target)
    padded = [torch.cat((x, 1e3 * drawn(5, 9, 3, seed=3)), dim=1) for x in (predicted, target)]
    longer = torch.cat((real, torch.zeros(5, 9, dtype=torch.bool)), dim=1)
    torch.testing.assert_close(
        joint_distance_loss(*padded, longer, kind=kind),
        joint_distance_loss(predicted, target, real, kind=kind),
    )


def test_a_missing_joint_counts_as_if_it_did_not_exist():
    predicted, target = skeletons()
    real = everywhere(target)
    real[2] = False
    others = [0, 1, 3, 4]
    torch.testing.assert_close(
        joint_distance_loss(predicted, target, real),
        joint_distance_loss(predicted[others], target[others], real[others]),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_joint_distances_teach_the_prediction_only(kind):
    predicted, target = (x.requires_grad_() for x in skeletons())
    real = everywhere(target)
    real[:, 4] = False
    joint_distance_loss(predicted, target, real, kind=kind).backward()
    assert target.grad is None
    assert (predicted.grad[:, :4] != 0).any(dim=2).all()
    assert (predicted.grad[:, 4] == 0).all()


def test_one_joint_has_no_distances():
    predicted = drawn(1, 6, 3).requires_grad_()
    loss = joint_distance_loss(predicted, drawn(1, 6, 3, seed=1), everywhere(predicted))
    loss.backward()
    assert loss.item() == 0


# Both, and time


def test_nothing_real_is_an_error():
    predicted, target = skeletons()
    with pytest.raises(ValueError, match="all values of the batch are padding or missing"):
        joint_distance_loss(predicted, target, ~everywhere(target))
    patches = drawn(2, 4, 3, 2)
    with pytest.raises(ValueError, match="all values of the batch are padding or missing"):
        commitment_loss(patches, patches, torch.zeros(2, 4, 3, dtype=torch.bool))


def test_times_by_hand():
    found = timestamp_loss(torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.5, 0.5, 0.0]))
    assert found.item() == pytest.approx(1.25 / 3)


def test_guessing_the_middle_costs_a_twelfth():
    times = (torch.arange(1000) + 0.5) / 1000
    assert timestamp_loss(torch.full((1000,), 0.5), times).item() == pytest.approx(1 / 12, rel=1e-3)
