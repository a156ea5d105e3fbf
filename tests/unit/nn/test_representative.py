import numpy as np
import pytest
import torch

from histvq.nn.representative import RepresentativeCodebook, revival_groups, smoothed


def codebook(prototypes, **changes):
    settings = {
        "decay": 0.5, "min_usage": 0, "distance": "frame", "candidates": "representative",
        "fixed_luck": True,
    }  # fmt: skip
    shaped = torch.tensor(prototypes, dtype=torch.float32).view(len(prototypes), 1, 1, -1)
    return RepresentativeCodebook(shaped, **{**settings, **changes})


def learn(book, patches, codes=None, seed=0):
    shaped = torch.tensor(patches, dtype=torch.float32).view(len(patches), 1, 1, -1)
    real = torch.ones(shaped.shape[:3], dtype=torch.bool)
    codes = book.assign(shaped, real) if codes is None else torch.tensor(codes)
    book.learn(shaped, real, codes, generator=torch.Generator().manual_seed(seed))
    return book


def test_one_step_by_hand():
    book = learn(codebook([[0.0, 0.0], [10.0, 0.0]]), [[1.0, 1.0], [3.0, 1.0], [8.0, 2.0]])
    # n = .5 * 1 + .5 * 2 and .5 * 1 + .5 * 1; m = .5 * z + .5 * sum.
    np.testing.assert_allclose(book.usage, [1.5, 1.0])
    np.testing.assert_allclose(book.total.flatten(1), [[2.0, 1.0], [9.0, 1.0]])
    np.testing.assert_allclose(
        book.prototypes.flatten(1), [[2 / 1.5, 1 / 1.5], [9.0, 1.0]], rtol=2e-5
    )


def test_the_count_is_smoothed_code_by_code():
    eps, counts = 1e-5, torch.tensor([2.0, 1e-3, 30.0])
    expected = [n * (n + eps) / (n + 3 * eps) for n in counts.tolist()]
    np.testing.assert_allclose(smoothed(counts), expected, rtol=1e-6)
    # Not the textbook's, which shares out over all codes.
    textbook = [(n + eps) / (counts.sum() + 3 * eps) * counts.sum() for n in counts]
    assert abs(float(smoothed(counts)[1]) - float(textbook[1])) > 1e-5


def test_a_dead_code_becomes_the_mean_of_nu_patches_and_starts_with_nu():
    patches = [[float(x)] for x in (0, 0, 1, 1, 2, 2, 3, 3)]
    book = learn(codebook([[1.0], [500.0]], min_usage=4), patches)
    # Code 0 takes all: n = .5 + 4 = 4.5, m = .5 + 6 = 6.5. Code 1 is dead: n = .5.
    centre = 6.5 / 4.5
    near = sorted(range(8), key=lambda i: abs(patches[i][0] - centre))
    pool = sorted(near[:4])  # 1, 1, 2, 2: the better covered half
    assert float(book.prototypes[1]) == pytest.approx(np.mean([patches[i][0] for i in pool]))
    assert float(book.usage[1]) == 4
    assert float(book.total[1]) == pytest.approx(4 * float(book.prototypes[1]))
    assert float(book.usage[0]) == 4.5


@pytest.mark.parametrize(
    ("candidates", "half"), [("representative", "near"), ("exploratory", "far")]
)
def test_which_half_stands_for_the_dead(candidates, half):
    nearest = torch.tensor([5.0, 1.0, 7.0, 2.0, 6.0, 3.0])
    groups = revival_groups(
        nearest, n_dead=1, group_size=3, candidates=candidates, generator=torch.Generator()
    )
    expected = {"near": {1, 3, 5}, "far": {0, 2, 4}}[half]
    assert set(groups.flatten().tolist()) == expected


@pytest.mark.parametrize(
    ("candidates", "half"), [("representative", {1, 2}), ("exploratory", {0, 2})]
)
def test_the_median_itself_is_in_either_half(candidates, half):
    groups = revival_groups(
        torch.tensor([3.0, 1.0, 2.0]),
        n_dead=1, group_size=2, candidates=candidates, generator=torch.Generator(),
    )  # fmt: skip
    assert set(groups.flatten().tolist()) == half


def test_too_few_candidates_are_taken_round_and_round():
    groups = revival_groups(
        torch.tensor([1.0, 1.0, 9.0, 9.0]),
        n_dead=2, group_size=3, candidates="representative", generator=torch.Generator(),
    )  # fmt: skip
    assert groups.tolist() == [[0, 1, 0], [1, 0, 1]]


def test_with_equal_distances_either_half_is_all():
    groups = revival_groups(
        torch.ones(4), n_dead=1, group_size=4, candidates="exploratory", generator=torch.Generator()
    )
    assert sorted(groups.flatten().tolist()) == [0, 1, 2, 3]


def test_luck_is_the_same_at_every_step_only_if_fixed():
    patches = np.random.default_rng(0).normal(size=(400, 1)).tolist()

    def reborn(fixed, seed):
        book = codebook([[0.0], [500.0]], min_usage=10, fixed_luck=fixed)
        return float(learn(book, patches, seed=seed).prototypes[1])

    assert reborn(True, 0) == reborn(True, 1)
    assert reborn(False, 0) != reborn(False, 1)


def test_without_revival_an_unused_code_stays_where_it_is():
    book = codebook([[1.0], [500.0]])
    for _ in range(300):
        learn(book, [[1.0]], codes=[0])
    assert float(book.prototypes[1]) == pytest.approx(500, rel=1e-3)
    assert torch.isfinite(book.prototypes).all()


def test_what_is_missing_counts_as_zero():
    patches = torch.tensor([[[[4.0]], [[0.0]]]])  # the second frame is past the end
    book = RepresentativeCodebook(
        torch.zeros(1, 2, 1, 1),
        decay=0.0, min_usage=0, distance="frame", candidates="representative", fixed_luck=True,
    )  # fmt: skip
    book.learn(
        patches, torch.ones(1, 2, 1, dtype=torch.bool), torch.tensor([0]),
        generator=torch.Generator(),
    )  # fmt: skip
    np.testing.assert_allclose(book.prototypes.flatten(), [4.0, 0.0], rtol=1e-5)
    assert book.seen.all()
