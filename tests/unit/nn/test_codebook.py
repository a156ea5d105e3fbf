import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError
from sklearn.cluster import KMeans

from histvq.nn.codebook import Codebook, ema_step, prototype_distances
from oracles.quantiser import LiteralCodebook, distances_by_loop

DISTANCES = ("patch", "frame")


def luck(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=luck(seed))


def all_real(patches):
    return torch.ones(patches.shape[:3], dtype=torch.bool)


def some_real(*shape, seed=0):
    """About a third missing, but something of every patch is there."""
    real = torch.rand(shape, generator=luck(seed)) > 0.35
    real[:, 0, 0] = True
    return real


def codebook_of(prototypes, *, decay=0.5, min_usage=0.0, dead_batches=3, distance="patch"):
    return Codebook(
        prototypes,
        decay=decay,
        min_usage=min_usage,
        dead_batches=dead_batches,
        distance=distance,
    )


def values(*numbers):
    """Patches of one frame, one joint, one latent."""
    return torch.tensor(numbers).float().reshape(-1, 1, 1, 1)


def state_of(codebook):
    return {name: value.clone() for name, value in codebook.state_dict().items()}


# Distances


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("seed", range(3))
def test_distances_agree_with_the_loop(distance, seed):
    patches, prototypes = drawn(12, 4, 3, 2, seed=seed), drawn(5, 4, 3, 2, seed=seed + 50)
    for real in (all_real(patches), some_real(12, 4, 3, seed=seed)):
        found = prototype_distances(patches, real, prototypes, distance=distance)
        expected = distances_by_loop(
            patches.numpy(), real.numpy(), prototypes.numpy(), distance=distance
        )
        np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("distance", DISTANCES)
def test_large_values_keep_the_digits_that_decide(distance):
    """Raw sensor counts: neighbours 0.01 apart at 3e4, which the squares in float32 cannot hold."""
    patches = 3e4 + drawn(20, 5, 3, 4)
    prototypes = patches[:6] + 0.01 * drawn(6, 5, 3, 4, seed=1)
    real = some_real(20, 5, 3)
    found = prototype_distances(patches, real, prototypes, distance=distance)
    expected = distances_by_loop(
        patches.numpy(), real.numpy(), prototypes.numpy(), distance=distance
    )
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-2)
    assert found[:6].argmin(dim=1).tolist() == list(range(6))


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_patch_on_its_prototype_is_no_nan_away(distance):
    patches = 3e4 + drawn(8, 3, 2, 2)
    found = prototype_distances(patches, all_real(patches), patches, distance=distance)
    assert found.isfinite().all()
    # Squares of 3e4 summed over a patch have an ulp of 1e-6 in float64.
    assert (found.diagonal() < 0.01).all()


def test_the_two_distances_disagree_where_one_frame_is_far_off():
    # To the first: frames 3.5 and 0 away; to the second: 2 and 2.
    # One norm: 3.5 > sqrt(8); sum of the frames' norms: 3.5 < 4.
    patch = torch.zeros(1, 2, 1, 1)
    prototypes = torch.tensor([[3.5, 0.0], [2.0, 2.0]]).reshape(2, 2, 1, 1)
    real = all_real(patch)
    found = {d: prototype_distances(patch, real, prototypes, distance=d)[0] for d in DISTANCES}
    torch.testing.assert_close(found["patch"], torch.tensor([3.5, 8**0.5]).double())
    torch.testing.assert_close(found["frame"], torch.tensor([3.5, 4.0]).double())
    chosen = [codebook_of(prototypes, distance=d).assign(patch, real).item() for d in DISTANCES]
    assert chosen == [1, 0]


@pytest.mark.parametrize("distance", DISTANCES)
def test_no_patches_have_no_distances(distance):
    patches = torch.zeros(0, 3, 2, 2)
    found = prototype_distances(patches, all_real(patches), drawn(4, 3, 2, 2), distance=distance)
    assert found.shape == (0, 4)


def test_swapped_joints_and_frames_are_caught():
    codebook = codebook_of(drawn(4, 3, 2, 5))
    patches = drawn(6, 2, 3, 5)
    with pytest.raises(TypeCheckError):
        prototype_distances(patches, all_real(patches), codebook.prototypes, distance="patch")


# The moving average


def test_one_step_by_hand():
    # Code 0 stands at 10 with count 1 and gets 2 and 4; code 1 stands at 0 and gets nothing.
    # n = 0.5 * 1 + 0.5 * 2 = 1.5; m = 0.5 * 10 + 0.5 * 6 = 8; m / n = 16 / 3.
    # Code 1: n = 0.5, and it stays.
    codebook = codebook_of(values(10, 0))
    batch = values(2, 4)
    codebook.learn(batch, all_real(batch), torch.tensor([0, 0]), generator=luck())
    torch.testing.assert_close(codebook.prototypes, values(16 / 3, 0))
    torch.testing.assert_close(codebook.mass.flatten(), torch.tensor([1.5, 0.5]))
    torch.testing.assert_close(codebook.usage, torch.tensor([1.5, 0.5]))
    # Once more with 1 for code 0 and 8 for code 1, beta 0.5:
    # n = 0.75 + 0.5 = 1.25, m = 4 + 0.5 = 4.5, 3.6; n = 0.25 + 0.5 = 0.75, m = 0 + 4, 16 / 3.
    batch = values(1, 8)
    codebook.learn(batch, all_real(batch), torch.tensor([0, 1]), generator=luck())
    torch.testing.assert_close(codebook.prototypes, values(3.6, 16 / 3))


def test_without_memory_it_is_one_step_of_lloyds_kmeans():
    patches = drawn(200, 5, 3, 2)
    codebook = codebook_of(patches[:4], decay=0.0)
    codes = codebook.assign(patches, all_real(patches))
    codebook.learn(patches, all_real(patches), codes, generator=luck())
    first, flat = patches[:4].flatten(1).numpy(), patches.flatten(1).numpy()
    lloyd = KMeans(4, init=first, n_init=1, max_iter=1, tol=0).fit(flat)
    expected = torch.from_numpy(lloyd.cluster_centers_)
    torch.testing.assert_close(codebook.prototypes.flatten(1), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("weighted", [False, True])
def test_many_steps_are_the_sums_and_counts_as_written(decay, weighted):
    prototypes = drawn(5, 4, 3, 2)
    codebook = codebook_of(prototypes, decay=decay)
    literal = LiteralCodebook(prototypes.numpy(), decay=decay)
    rng = np.random.default_rng(0)
    for step in range(30):
        n_patches = int(rng.integers(1, 12))
        patches = drawn(n_patches, 4, 3, 2, seed=step) + step
        real = some_real(n_patches, 4, 3, seed=step)
        codes = torch.from_numpy(rng.integers(0, 5, n_patches))
        weights = torch.from_numpy(rng.integers(0, 4, n_patches)).float() if weighted else None
        codebook.learn(patches, real, codes, weights=weights, generator=luck())
        before = literal.prototypes
        literal.learn(
            patches.numpy(),
            real.numpy(),
            codes.numpy(),
            None if weights is None else weights.numpy(),
        )
        # Without memory the literal sums of an unused value are 0 / 0; there it stays.
        lost = literal.count == 0
        literal.total[lost] = before[lost]
        literal.count[lost] = 1
        np.testing.assert_allclose(codebook.prototypes, literal.prototypes, rtol=2e-4, atol=2e-4)
        if decay:
            np.testing.assert_allclose(codebook.mass, literal.count, rtol=1e-5)


def test_steady_patches_of_5_settle_at_5():
    # With the prototype in the place of the running sum, as printed, they settle at 2.63.
    codebook = codebook_of(values(0, 100))
    batch = values(*[5] * 10)
    for _ in range(40):
        codes = codebook.assign(batch, all_real(batch))
        codebook.learn(batch, all_real(batch), codes, generator=luck())
    torch.testing.assert_close(codebook.prototypes[0], values(5)[0])
    torch.testing.assert_close(codebook.mass[0].flatten(), torch.tensor([10.0]))


def test_a_code_nobody_uses_keeps_its_place_exactly():
    prototypes = torch.cat((drawn(1, 4, 3, 2), 1e3 + drawn(1, 4, 3, 2) / 3))
    codebook = codebook_of(prototypes)
    for step in range(300):  # long enough for its count to underflow
        batch = drawn(8, 4, 3, 2, seed=step)
        codes = codebook.assign(batch, all_real(batch))
        assert (codes == 0).all()
        codebook.learn(batch, all_real(batch), codes, generator=luck())
    assert codebook.usage[1] == 0
    assert torch.equal(codebook.prototypes[1], prototypes[1])
    # Whoever comes then is all there is to average.
    batch = 1e3 + drawn(3, 4, 3, 2, seed=7)
    codebook.learn(batch, all_real(batch), torch.tensor([1, 1, 1]), generator=luck())
    torch.testing.assert_close(codebook.prototypes[1], batch.mean(dim=0))


@pytest.mark.parametrize("distance", DISTANCES)
def test_masked_values_change_nothing(distance):
    prototypes, patches = drawn(3, 4, 3, 2), drawn(10, 4, 3, 2, seed=1)
    real = some_real(10, 4, 3)
    books = []
    for filler in (0.0, 1e9):
        codebook = codebook_of(prototypes, distance=distance, min_usage=2.0, dead_batches=1)
        filled = torch.where(real.unsqueeze(-1), patches, filler)
        codes = codebook.assign(filled, real)
        codebook.learn(filled, real, codes, generator=luck())
        books.append((codes, state_of(codebook)))
    (codes, state), (other_codes, other_state) = books
    assert torch.equal(codes, other_codes)
    for name in state:
        torch.testing.assert_close(state[name], other_state[name], rtol=0, atol=0)


def test_a_masked_patch_weighs_in_usage_but_moves_no_prototype():
    codebook = codebook_of(values(10))
    batch = values(99)
    codebook.learn(batch, ~all_real(batch), torch.tensor([0]), generator=luck())
    assert codebook.prototypes.item() == 10
    assert codebook.mass.item() == 0.5


# Replacing the dead


def starve(codebook, n_batches, *, generator, seed=0):
    """Batches near 0, all of code 0; the last one."""
    for step in range(n_batches):
        batch = drawn(6, *codebook.prototypes.shape[1:], seed=seed + step)
        codebook.learn(
            batch, all_real(batch), torch.zeros(6, dtype=torch.long), generator=generator
        )
    return batch


def test_a_dead_code_is_replaced_after_so_many_batches_in_a_row():
    far = 1e3 + drawn(3, 2, 2, 2)
    codebook = codebook_of(torch.cat((0 * far[:1], far[1:])), min_usage=1.0, dead_batches=3)
    generator = luck()
    starve(codebook, 2, generator=generator)
    assert torch.equal(codebook.prototypes[1:], far[1:])
    batch = starve(codebook, 1, generator=generator, seed=9)
    for code in (1, 2):
        matches = (codebook.prototypes[code] == batch).flatten(1).all(dim=1)
        assert matches.sum() == 1
        assert codebook.usage[code] == 1
        assert (codebook.mass[code] == 1).all()
        assert codebook.idle[code] == 0
    # Two codes, two patches: one patch twice would be a wasted code.
    assert not torch.equal(codebook.prototypes[1], codebook.prototypes[2])


def test_one_busy_batch_starts_the_count_anew():
    codebook = codebook_of(values(0, 50), min_usage=1.0, dead_batches=3)
    generator = luck()
    starve(codebook, 2, generator=generator)
    busy = values(50, 50, 50, 50)
    codebook.learn(busy, all_real(busy), torch.ones(4, dtype=torch.long), generator=generator)
    starve(codebook, 2, generator=generator)  # usage 2.1, 1.1, 0.5: once below nu
    assert codebook.idle[1] == 1
    assert codebook.prototypes[1].item() == 50


def test_the_old_sum_does_not_overwrite_a_new_code():
    codebook = codebook_of(values(0, 1e4), min_usage=1.0, dead_batches=1, decay=0.5)
    generator = luck()
    starve(codebook, 1, generator=generator)
    new = codebook.prototypes[1].item()
    batch = values(new + 1)
    codebook.learn(batch, all_real(batch), torch.tensor([1]), generator=generator)
    # n = m / prototype = 1 before; (0.5 * new + 0.5 * (new + 1)) / 1
    assert codebook.prototypes[1].item() == pytest.approx(new + 0.5)


def test_nu_0_never_replaces_and_never_gives_nan():
    prototypes = torch.cat((torch.zeros(1, 2, 2, 2), 1e3 + drawn(2, 2, 2, 2)))
    for decay in (0.0, 0.5):
        codebook = codebook_of(prototypes, min_usage=0.0, dead_batches=1, decay=decay)
        starve(codebook, 200, generator=luck())
        assert torch.equal(codebook.prototypes[1:], prototypes[1:])
        assert all(value.isfinite().all() for value in codebook.state_dict().values())


def test_more_dead_codes_than_patches():
    prototypes = 1e3 + drawn(6, 2, 2, 2)
    codebook = codebook_of(prototypes, min_usage=5.0, dead_batches=2)
    batch = drawn(2, 2, 2, 2, seed=1)
    patches = {tuple(patch.flatten().tolist()) for patch in batch}
    generator, codes = luck(), torch.tensor([4, 5])
    codebook.learn(batch, all_real(batch), codes, generator=generator)
    codebook.learn(batch, all_real(batch), codes, generator=generator)
    # Each patch once; the other codes wait for the next batch.
    assert {tuple(p.flatten().tolist()) for p in codebook.prototypes[:2]} == patches
    assert torch.equal(codebook.prototypes[2:4], prototypes[2:4])
    codebook.learn(batch, all_real(batch), codes, generator=generator)
    assert {tuple(p.flatten().tolist()) for p in codebook.prototypes[2:4]} == patches


def test_a_code_takes_only_what_its_patch_shows():
    codebook = codebook_of(1e3 + drawn(2, 2, 2, 2), min_usage=5.0, dead_batches=1, decay=0.9)
    before = codebook.prototypes[1].clone()
    batch, real = drawn(1, 2, 2, 2, seed=1), torch.ones(1, 2, 2, dtype=torch.bool)
    real[0, 1, 0] = False
    codebook.idle[0] = -5  # only code 1 is dead
    codebook.learn(batch, real, torch.tensor([0]), generator=luck())
    assert torch.equal(codebook.prototypes[1, 1, 0], before[1, 0])
    assert torch.equal(codebook.prototypes[1][real[0]], batch[0][real[0]])


def test_weightless_patches_replace_nobody():
    codebook = codebook_of(values(0, 100, 200, 300), min_usage=1.0, dead_batches=1)
    batch = values(1, 2, 3)
    codebook.learn(
        batch,
        all_real(batch),
        torch.tensor([0, 0, 0]),
        weights=torch.tensor([4.0, 0.0, 0.0]),
        generator=luck(),
    )
    assert codebook.prototypes[1].item() == 1
    assert codebook.prototypes[2:].flatten().tolist() == [200, 300]


def test_same_luck_same_replacements():
    def replaced(seed):
        codebook = codebook_of(1e3 + drawn(6, 2, 2, 2), min_usage=1.0, dead_batches=2)
        starve(codebook, 4, generator=luck(seed))
        return codebook.prototypes

    assert torch.equal(replaced(3), replaced(3))
    assert not torch.equal(replaced(3), replaced(4))


# State


def test_no_gradient_reaches_a_prototype():
    codebook = codebook_of(drawn(3, 4, 3, 2), min_usage=3.0, dead_batches=1)
    patches = drawn(10, 4, 3, 2, seed=1).requires_grad_()
    codes = codebook.assign(patches, all_real(patches))
    codebook.learn(patches, all_real(patches), codes, generator=luck())
    assert list(codebook.parameters()) == []
    assert not any(value.requires_grad for value in codebook.state_dict().values())
    assert not codebook.prototypes.requires_grad


def test_asking_changes_nothing():
    codebook = codebook_of(drawn(3, 4, 3, 2), min_usage=3.0, dead_batches=1)
    before = state_of(codebook)
    patches = drawn(10, 4, 3, 2, seed=1)
    for _ in range(5):
        codebook.assign(patches, all_real(patches))
    for name, value in codebook.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_the_prototypes_given_are_left_as_they_were():
    given = drawn(3, 2, 2, 2)
    kept = given.clone()
    starve(codebook_of(given, min_usage=3.0, dead_batches=1), 3, generator=luck())
    assert torch.equal(given, kept)


def test_a_step_is_pure():
    arguments = (values(1, 2), torch.ones(2, 1, 1), values(5), all_real(values(5)))
    kept = [argument.clone() for argument in arguments]
    ema_step(*arguments, torch.tensor([[1.0, 0.0]]), decay=0.5)
    for argument, before in zip(arguments, kept, strict=True):
        assert torch.equal(argument, before)


def test_reordering_changes_numbers_only():
    codebook = codebook_of(drawn(4, 3, 2, 2), min_usage=0.1)
    starve(codebook, 2, generator=luck())
    patches = drawn(30, 3, 2, 2, seed=5)
    before, state = codebook.assign(patches, all_real(patches)), state_of(codebook)
    order = torch.tensor([2, 0, 3, 1])
    codebook.reorder(order)
    assert torch.equal(order[codebook.assign(patches, all_real(patches))], before)
    for name, value in codebook.state_dict().items():
        assert torch.equal(value, state[name][order]), name


# Where it is put


def started(usage, **options):
    codebook = codebook_of(values(1.0, 2.0), **options).train()
    for seed in range(3):  # seen, used and idle unlike at first
        patches = drawn(5, 1, 1, 1, seed=seed)
        codebook.learn(patches, all_real(patches), torch.zeros(5, dtype=int), generator=luck())
    codebook.start_at(values(0.0, 10.0), usage=usage)
    return codebook


def test_put_on_prototypes_it_forgets_what_it_was():
    slow = {"min_usage": 0.9, "dead_batches": 9}
    fresh = codebook_of(values(5.0, 6.0), **slow)
    fresh.start_at(values(0.0, 10.0), usage=4.0)
    for name, value in state_of(started(4.0, **slow)).items():
        assert torch.equal(value, state_of(fresh)[name]), name
    assert fresh.prototypes.flatten().tolist() == [0, 10]
    assert fresh.shown().all()


def test_a_start_counts_as_so_many_patches_of_the_past():
    """Half of the past, 4 patches at 0, and half of the batch, 2 at 3: at 1."""
    codebook = started(4.0, decay=0.5)
    patches = values(3.0, 3.0)
    codebook.learn(patches, all_real(patches), torch.zeros(2, dtype=int), generator=luck())
    assert codebook.prototypes.flatten().tolist() == pytest.approx([1.0, 10.0])
    assert codebook.usage.tolist() == [3.0, 2.0]


def test_after_a_start_codes_are_dead_as_late_as_others():
    codebook = started(4.0, decay=0.0, min_usage=1.0, dead_batches=3)
    patches = values(0.0, 0.0)
    for idle in (1, 2):
        codebook.learn(patches, all_real(patches), torch.zeros(2, dtype=int), generator=luck())
        assert codebook.idle.tolist() == [0, idle]
        assert codebook.prototypes.flatten().tolist() == [0, 10]


def test_the_prototypes_it_is_put_on_are_left_as_they_were():
    given = values(0.0, 10.0)
    codebook = codebook_of(values(5.0, 6.0)).train()
    codebook.start_at(given, usage=1.0)
    patches = values(1.0, 9.0)
    codebook.learn(patches, all_real(patches), torch.tensor([0, 1]), generator=luck())
    assert given.flatten().tolist() == [0, 10]
