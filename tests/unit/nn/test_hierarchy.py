import numpy as np
import pytest
import torch

from histvq.answering import number_by_use
from histvq.chunks import PatchCodes
from histvq.nn.codebook import Codebook
from histvq.nn.hierarchy import HierarchicalQuantiser
from histvq.nn.losses import commitment_loss
from oracles.quantiser import LiteralCodebook

SHAPE = (4, 3, 2)


def luck(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=luck(seed))


def all_real(patches):
    return torch.ones(patches.shape[:3], dtype=torch.bool)


def quantiser_of(*sizes, decay=0.5, min_usage=0.0, distance="patch", seed=0, keep_parents=False):
    return HierarchicalQuantiser(
        [
            Codebook(
                drawn(size, *SHAPE, seed=seed + size),
                decay=decay,
                min_usage=min_usage,
                dead_batches=1,
                distance=distance,
            )
            for size in sizes
        ],
        keep_parents=keep_parents,
    )


levels = pytest.mark.parametrize("sizes", [(5,), (8, 4), (12, 6, 3)], ids=["1", "2", "3"])


@levels
def test_a_value_and_a_code_for_every_patch_and_level(sizes):
    quantiser = quantiser_of(*sizes).eval()
    patches = drawn(20, *SHAPE)
    quantised = quantiser(patches, all_real(patches))
    assert len(quantised.values) == len(quantised.codes) == len(sizes)
    for size, book, value, codes in zip(
        sizes, quantiser.codebooks, quantised.values, quantised.codes, strict=True
    ):
        assert value.shape == patches.shape
        assert codes.shape == (20,)
        assert 0 <= codes.min() <= codes.max() < size
        torch.testing.assert_close(value, book.prototypes[codes])


@levels
@pytest.mark.parametrize("distance", ["patch", "frame"])
def test_every_subaction_has_one_action(sizes, distance):
    quantiser = quantiser_of(*sizes, distance=distance).eval()
    patches = drawn(200, *SHAPE)
    codes = quantiser(patches, all_real(patches)).codes
    for level in range(len(sizes) - 1):
        below, above = codes[level], codes[level + 1]
        assert torch.equal(quantiser.parents(level)[below], above)
    assert torch.equal(quantiser.actions()[codes[0]], codes[-1])
    assert len(quantiser.actions()) == sizes[0]


def test_the_parent_is_the_nearest_prototype_above():
    quantiser = quantiser_of(12, 6, 3)
    for level in (0, 1):
        below, above = (quantiser.codebooks[level + step].prototypes.flatten(1) for step in (0, 1))
        assert torch.equal(quantiser.parents(level), torch.cdist(below, above).argmin(dim=1))


def test_missing_joints_change_no_parent():
    """The action is found from the whole prototype, not from what one patch shows of it."""
    quantiser = quantiser_of(8, 4).eval()
    patches = drawn(100, *SHAPE)
    real = torch.rand(patches.shape[:3], generator=luck(1)) < 0.4
    codes = quantiser(patches, real).codes
    assert torch.equal(quantiser.parents(0)[codes[0]], codes[1])


@levels
@pytest.mark.parametrize("training", [False, True])
def test_the_gradient_goes_straight_through_every_level(sizes, training):
    quantiser = quantiser_of(*sizes, min_usage=1.0).train(training)
    for level in range(len(sizes)):
        patches = drawn(10, *SHAPE, seed=level).requires_grad_()
        quantised = quantiser(patches, all_real(patches), generator=luck())
        weights = drawn(10, *SHAPE, seed=7)
        (quantised.values[level] * weights).sum().backward()
        torch.testing.assert_close(patches.grad, weights, rtol=0, atol=0)
    assert not any(book.prototypes.requires_grad for book in quantiser.codebooks)


@levels
def test_every_commitment_alone_reaches_the_encoder(sizes):
    quantiser = quantiser_of(*sizes).train()
    for level in range(len(sizes)):
        patches = drawn(10, *SHAPE, seed=level).requires_grad_()
        quantised = quantiser(patches, all_real(patches), generator=luck())
        chain = (patches, *quantised.values)
        commitment_loss(chain[level], chain[level + 1], all_real(patches)).backward()
        expected = 2 * (chain[level] - chain[level + 1]).detach() / patches.numel()
        torch.testing.assert_close(patches.grad, expected)
        assert patches.grad.abs().sum() > 0


def test_the_second_level_counts_each_prototype_as_often_as_it_was_chosen():
    quantiser = quantiser_of(6, 3).train()
    upper = LiteralCodebook(quantiser.codebooks[1].prototypes.numpy(), decay=0.5)
    for step in range(10):
        patches = drawn(25, *SHAPE, seed=step)
        before = quantiser.codebooks[1].prototypes.flatten(1)
        codes = quantiser(patches, all_real(patches), generator=luck()).codes
        # One patch after the other: each brings the prototype it was given.
        chosen = quantiser.codebooks[0].prototypes[codes[0]]
        above = torch.cdist(chosen.flatten(1), before).argmin(dim=1)
        assert torch.equal(above, codes[1])
        known = np.ones((25, *SHAPE[:2]), dtype=bool)
        upper.learn(chosen.numpy(), known, above.numpy())
        found = quantiser.codebooks[1]
        np.testing.assert_allclose(found.prototypes, upper.prototypes, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found.mass, upper.count, rtol=1e-5)


def test_a_dead_action_is_put_on_a_subaction_in_use():
    quantiser = quantiser_of(6, 3, min_usage=1.0).train()
    quantiser.codebooks[0].min_usage = 0
    with torch.no_grad():
        quantiser.codebooks[1].prototypes[2] = 1e3
    patches = drawn(25, *SHAPE)
    codes = quantiser(patches, all_real(patches), generator=luck()).codes[0]
    below = quantiser.codebooks[0].prototypes
    matches = (quantiser.codebooks[1].prototypes[2] == below).flatten(1).all(dim=1)
    assert matches.sum() == 1
    assert int(torch.nonzero(matches)) in codes.tolist()


@levels
def test_evaluation_changes_no_state(sizes):
    quantiser = quantiser_of(*sizes, min_usage=3.0).eval()
    before = {name: value.clone() for name, value in quantiser.state_dict().items()}
    patches = drawn(10, *SHAPE)
    for _ in range(3):
        quantiser(patches, all_real(patches))
        quantiser.actions()
        quantiser.distances(patches, all_real(patches))
    for name, value in quantiser.state_dict().items():
        assert torch.equal(value, before[name]), name
    quantiser.train()(patches, all_real(patches), generator=luck())
    assert not torch.equal(quantiser.codebooks[0].mass, before["codebooks.0.mass"])


def test_masked_values_come_out_as_zero_and_do_not_matter():
    quantiser = quantiser_of(8, 4).eval()
    patches = drawn(30, *SHAPE)
    real = torch.rand(patches.shape[:3], generator=luck(1)) < 0.6
    filled = torch.where(real.unsqueeze(-1), patches, 1e6)
    one, other = (quantiser(x, real) for x in (torch.where(real.unsqueeze(-1), patches, 0), filled))
    for level in (0, 1):
        assert torch.equal(one.codes[level], other.codes[level])
        assert (one.values[level][~real] == 0).all()
        assert (other.values[level][~real] == 0).all()
        torch.testing.assert_close(one.values[level], other.values[level])


@levels
def test_reordering_changes_numbers_only(sizes):
    quantiser = quantiser_of(*sizes).eval()
    patches = drawn(40, *SHAPE)
    before = quantiser(patches, all_real(patches))
    orders = [torch.randperm(size, generator=luck(size)) for size in sizes]
    for book, order in zip(quantiser.codebooks, orders, strict=True):
        book.reorder(order)
    after = quantiser(patches, all_real(patches))
    for level, order in enumerate(orders):
        assert torch.equal(order[after.codes[level]], before.codes[level])
        torch.testing.assert_close(after.values[level], before.values[level])


def test_distances_are_those_to_the_finest_level():
    quantiser = quantiser_of(8, 4)
    patches = drawn(10, *SHAPE)
    found = quantiser.distances(patches, all_real(patches))
    finest = quantiser.codebooks[0].prototypes
    expected = torch.cdist(patches.flatten(1).double(), finest.flatten(1).double())
    torch.testing.assert_close(found, expected)


def test_half_precision_outside_full_precision_inside():
    quantiser = quantiser_of(8, 4).train()
    patches = (100 * drawn(10, *SHAPE)).half().requires_grad_()
    quantised = quantiser(patches, all_real(patches), generator=luck())
    assert all(value.dtype == torch.float32 for value in quantised.values)
    assert quantiser.codebooks[0].prototypes.dtype == torch.float32
    quantised.values[1].sum().backward()
    assert patches.grad.dtype == torch.float16


def test_training_needs_a_generator():
    patches = drawn(10, *SHAPE)
    with pytest.raises(ValueError, match="training the quantiser needs a generator"):
        quantiser_of(4, 2).train()(patches, all_real(patches))


def test_what_nobody_measured_has_no_say_in_the_actions():
    """Two groups of subactions, told apart by the one joint that is measured; the others are noise."""
    quantiser = quantiser_of(4, 2, decay=0.0).train()
    lower, upper = quantiser.codebooks
    patches = torch.zeros(40, *SHAPE)
    group = torch.arange(40) % 4
    patches[:, :, 0] = torch.tensor([0.0, 0.1, 9.0, 9.1])[group][:, None, None]
    real = all_real(patches)
    real[:, :, 1:] = False
    for code in range(4):  # start each subaction beside its patches, its other joints far off
        lower.prototypes[code] = 1e3 * torch.randn(SHAPE, generator=luck(code))
        lower.prototypes[code, :, 0] = patches[code, :, 0] + 0.01
    upper.prototypes[0] = 0
    upper.prototypes[1] = 9
    quantiser(patches, real, generator=luck())
    assert quantiser.eval().actions().tolist() == [0, 0, 1, 1]


# Parents that are kept

KEPT = {
    (5,): [],
    (8, 4): [[2, 0, 1, 3, 3, 2, 0, 1]],
    (12, 6, 3): [[0, 1, 2, 3, 4, 5] * 2, [2, 0] * 3],
}
kept_levels = pytest.mark.parametrize("sizes", KEPT, ids=["1", "2", "3"])


def keeping(*sizes, **options):
    """A quantiser whose codes have parents that are not the nearest ones."""
    quantiser = quantiser_of(*sizes, keep_parents=True, **options)
    quantiser.start_at(
        [drawn(size, *SHAPE, seed=100 + size) for size in sizes],
        [torch.tensor(parents) for parents in KEPT[sizes]],
        usage=2.5,
    )
    return quantiser


def parents_of(quantiser):
    return [quantiser.parents(level).tolist() for level in range(len(quantiser.codebooks) - 1)]


@kept_levels
def test_it_starts_where_it_is_told_to(sizes):
    quantiser = keeping(*sizes)
    for size, book in zip(sizes, quantiser.codebooks, strict=True):
        assert torch.equal(book.prototypes, drawn(size, *SHAPE, seed=100 + size))
        # 2.5 patches of a batch for each code of the finest level: so many for each of a higher one.
        torch.testing.assert_close(book.usage, torch.full((size,), 2.5 * sizes[0] / size))
    assert parents_of(quantiser) == KEPT[sizes]


def test_without_keeping_only_the_prototypes_are_taken():
    quantiser = quantiser_of(8, 4)
    values = [drawn(8, *SHAPE, seed=1), drawn(4, *SHAPE, seed=2)]
    quantiser.start_at(values, [torch.tensor(KEPT[8, 4][0])], usage=1.0)
    assert torch.equal(quantiser.codebooks[1].prototypes, values[1])
    nearest = torch.cdist(values[0].flatten(1), values[1].flatten(1)).argmin(dim=1)
    assert torch.equal(quantiser.parents(0), nearest)
    assert not any("parents" in name for name in quantiser.state_dict())


@kept_levels
def test_every_patch_has_the_parents_of_its_code(sizes):
    for quantiser in (keeping(*sizes).train(), keeping(*sizes).eval()):
        patches = drawn(40, *SHAPE)
        quantised = quantiser(patches, all_real(patches), generator=luck())
        for level, parents in enumerate(KEPT[sizes]):
            above = torch.tensor(parents)[quantised.codes[level]]
            assert torch.equal(quantised.codes[level + 1], above)
        for book, value, codes in zip(
            quantiser.codebooks, quantised.values, quantised.codes, strict=True
        ):
            torch.testing.assert_close(value, book.prototypes[codes])
        assert torch.equal(quantiser.actions()[quantised.codes[0]], quantised.codes[-1])


@kept_levels
def test_parents_are_kept_while_training(sizes):
    quantiser = keeping(*sizes).train()
    before = quantiser.codebooks[0].prototypes.clone()
    for seed in range(20):
        patches = 3 * drawn(40, *SHAPE, seed=seed)
        quantiser(patches, all_real(patches), generator=luck(seed))
    assert not torch.equal(quantiser.codebooks[0].prototypes, before)
    assert parents_of(quantiser) == KEPT[sizes]


def test_an_action_moves_to_the_middle_of_its_subactions_as_often_as_they_are_used():
    quantiser = keeping(8, 4, decay=0.0).train()
    patches = drawn(60, *SHAPE)
    codes = quantiser(patches, all_real(patches), generator=luck()).codes[0]
    lower, upper = (book.prototypes for book in quantiser.codebooks)
    parents = torch.tensor(KEPT[8, 4][0])
    for action in range(4):
        weights = torch.bincount(codes, minlength=8) * (parents == action)
        expected = torch.tensordot(weights.float(), lower, dims=1) / weights.sum()
        torch.testing.assert_close(upper[action], expected)


@kept_levels
def test_reordering_any_level_leaves_what_every_patch_means(sizes):
    patches = drawn(40, *SHAPE)
    for level, size in enumerate(sizes):
        quantiser = keeping(*sizes).eval()
        before = quantiser(patches, all_real(patches))
        order = torch.randperm(size, generator=luck(3))
        quantiser.reorder(level, order)
        after = quantiser(patches, all_real(patches))
        for other in range(len(sizes)):
            renamed = order[after.codes[other]] if other == level else after.codes[other]
            assert torch.equal(renamed, before.codes[other])
            assert torch.equal(after.values[other], before.values[other])


@kept_levels
def test_numbering_by_use_leaves_what_every_patch_means(sizes):
    quantiser, patches = keeping(*sizes).eval(), drawn(60, *SHAPE)
    before = quantiser(patches, all_real(patches))
    answers = PatchCodes(before.codes[-1].numpy(), before.codes[0].numpy(), np.zeros(60))
    number_by_use(quantiser, [answers.part(0, 25), answers.part(25, 60)])
    after = quantiser(patches, all_real(patches))
    for level in range(len(sizes)):
        assert torch.equal(after.values[level], before.values[level])
    for level in (0, -1):
        counts = torch.bincount(after.codes[level], minlength=sizes[level])
        assert (counts.diff() <= 0).all()
        assert counts.max() > counts.min()
    assert torch.equal(quantiser.actions()[after.codes[0]], after.codes[-1])


@kept_levels
def test_parents_go_with_the_state(sizes):
    one, other = keeping(*sizes), quantiser_of(*sizes, keep_parents=True, seed=7)
    other.load_state_dict(one.state_dict())
    assert parents_of(other) == KEPT[sizes]
    names = {name for name in one.state_dict() if name.startswith("parents")}
    assert names == {f"parents_{level}" for level in range(len(sizes) - 1)}
