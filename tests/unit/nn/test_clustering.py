import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.cluster.hierarchy import fcluster, ward

from histvq.nn import clustering
from histvq.nn.clustering import by_use, different_points, distances_to, kmeans, merged, nearest

BATCH_SIZES = (0, 64)
CORNERS = 100 * np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]])


def blobs(*, per_blob=60, seed=0, dtype=np.float64):
    """Points about each corner, and which; far closer to their own than to another."""
    rng = np.random.default_rng(seed)
    corner = np.repeat(np.arange(len(CORNERS)), per_blob)
    rng.shuffle(corner)
    return (CORNERS[corner] + rng.normal(size=(len(corner), 3))).astype(dtype), corner


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def as_set(points):
    return {tuple(point) for point in np.asarray(points).tolist()}


# k-means


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blobs_are_found(batch_size, dtype):
    points, corner = blobs(dtype=dtype)
    centres = kmeans(points, 4, seed=0, n_init=3, batch_size=batch_size)
    assert centres.dtype == np.float64
    codes = nearest(points.astype(np.float64), centres)
    # The centre nearest to each corner, and whether each point has it.
    of_corner = np.array([np.linalg.norm(centres - place, axis=1).argmin() for place in CORNERS])
    assert sorted(of_corner) == [0, 1, 2, 3]
    assert (codes == of_corner[corner]).all()
    if not batch_size:
        means = [points[corner == blob].mean(axis=0, dtype=np.float64) for blob in range(4)]
        np.testing.assert_allclose(centres[of_corner], means, atol=1e-6)


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_the_same_seed_gives_the_same_bits(batch_size):
    points = drawn(3000, 5)
    first, again, other = (
        kmeans(points, 8, seed=seed, n_init=2, batch_size=batch_size) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_of_several_starts_the_best_is_taken():
    points = drawn(300, 2)

    def cost(n_init, seed=0):
        centres = kmeans(points, 12, seed=seed, n_init=n_init)
        return (distances_to(points, centres).min(axis=1) ** 2).sum()

    assert cost(20) <= min(cost(1, seed) for seed in range(3))
    assert cost(20) < cost(1)


def test_each_centre_is_the_mean_of_its_points():
    points = drawn(500, 3)
    centres = kmeans(points, 6, seed=0)
    codes = nearest(points, centres)
    means = [points[codes == code].mean(axis=0) for code in range(6)]
    np.testing.assert_allclose(centres, means, atol=0.02)


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@pytest.mark.parametrize("n_clusters", [3, 4, 7])
def test_with_too_few_different_points_each_is_a_centre(n_clusters, batch_size):
    different = drawn(3, 2)
    points = different[np.random.default_rng(1).integers(0, 3, 50)]
    centres = kmeans(points, n_clusters, seed=0, batch_size=batch_size)
    assert centres.shape == (n_clusters, 2)
    codes = nearest(points, centres)
    assert set(codes) == {0, 1, 2}  # none of the repeated ones
    np.testing.assert_allclose(centres[codes], points, atol=1e-12)
    if n_clusters == 7:
        np.testing.assert_array_equal(centres[3:], centres[[0, 1, 2, 0]])


def test_a_single_point():
    np.testing.assert_array_equal(kmeans(np.full((1, 2), 7.0), 3, seed=0), np.full((3, 2), 7.0))


def test_points_apart_by_rounding_alone_cause_no_warning(recwarn):
    # Different as they come, but not once their mean is taken off.
    points = np.array([[0.0], [1e-20], [1.0]]).repeat(5, axis=0)
    assert kmeans(points, 3, seed=0).shape == (3, 1)
    assert not recwarn.list


# The nearest


@pytest.mark.parametrize("seed", range(3))
def test_distances_agree_with_the_loop(seed):
    points, centres = drawn(20, 4, seed=seed), drawn(6, 4, seed=seed + 50)
    expected = [[np.sqrt(sum((p - c) ** 2)) for c in centres] for p in points]
    np.testing.assert_allclose(distances_to(points, centres), expected, rtol=1e-12)
    codes = [min(range(6), key=row.__getitem__) for row in expected]
    assert nearest(points, centres).tolist() == codes


def test_far_off_points_keep_the_digits_that_decide():
    points = 1e6 + drawn(50, 3)
    centres = points[:5] + 1e-5
    assert nearest(points[:5], centres).tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(
        distances_to(points[:5], centres).diagonal(), 1e-5 * np.sqrt(3), rtol=1e-4
    )


def test_of_several_as_near_it_is_the_first():
    centres = np.array([[9.0, 0], [1, 0], [-1, 0], [0, 1], [1, 0]])
    assert nearest(np.zeros((2, 2)), centres).tolist() == [1, 1]


# Merging


def partition(labels):
    """The same for two labellings that differ in names alone."""
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n_centres", "n_groups"), [(2, 1), (8, 4), (20, 3), (40, 17)])
def test_merging_is_wards_as_scipy_has_it(n_centres, n_groups, seed):
    centres = drawn(n_centres, 5, seed=seed)
    found = merged(centres, n_groups)
    assert set(found.tolist()) == set(range(n_groups))
    expected = fcluster(ward(centres), n_groups, criterion="maxclust")
    assert partition(found) == partition(expected)


@pytest.mark.parametrize("n_groups", [5, 9])
def test_with_nothing_to_merge_each_is_its_own_group(n_groups):
    assert merged(drawn(5, 2), n_groups).tolist() == [0, 1, 2, 3, 4]


# Different points


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 60), st.integers(1, 3)),
        elements=st.integers(-2, 2).map(float),
    ),
    st.integers(1, 80),
    st.sampled_from([1, 7, 4096]),
)
def test_different_points_are_among_numpys_unique_ones(points, at_most, block):
    expected = np.unique(points, axis=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clustering, "_BLOCK", block)
        found = different_points(points, at_most=at_most)
    assert len(found) == min(at_most, len(expected))
    assert len(as_set(found)) == len(found)
    assert as_set(found) <= as_set(expected)
    if at_most >= len(expected):
        np.testing.assert_array_equal(found, expected)


def test_it_looks_no_further_than_it_must():
    # Had it looked at all of them, the smallest would come first.
    points = np.arange(100_000.0)[::-1, None]
    assert different_points(points, at_most=5).min() > 90_000


def test_what_comes_late_is_found_all_the_same():
    points = np.zeros((20_000, 2))
    points[-1] = 1
    assert as_set(different_points(points, at_most=3)) == {(0, 0), (1, 1)}
    assert len(different_points(points, at_most=1)) == 1


# Use


def test_codes_by_use_by_hand():
    # Code 1 three times, 2 twice, 0 and 4 once each, 3 never.
    assert by_use(np.array([2, 1, 4, 1, 2, 0, 1]), 5).tolist() == [1, 2, 0, 4, 3]


def test_codes_nobody_uses_come_last_as_they_stand():
    assert by_use(np.array([3, 3]), 5).tolist() == [3, 0, 1, 2, 4]
