import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from histvq.metrics import LabelPairs, jsd, length_bias
from histvq.metrics.jsd import length_distance
from oracles.scores import histogram, jensen_shannon

lengths = st.lists(st.integers(1, 200), min_size=1, max_size=10)


def labels(*segment_lengths):
    """Labels whose runs have these lengths."""
    return np.repeat(np.arange(len(segment_lengths)), segment_lengths)


def test_half_the_segments_in_the_right_bin():
    # Predicted 10, 30 against true 10, 10: p = (1/2, 1/2), q = (1, 0), m = (3/4, 1/4).
    # KL(p, m) = log2(2/3) / 2 + log2(2) / 2 = 0.2075, KL(q, m) = log2(4/3) = 0.4150,
    # so the distance is the root of their mean 0.3113.
    assert length_distance(np.array([10, 30]), np.array([10, 10])) == pytest.approx(
        0.5579, abs=1e-4
    )


def test_a_bin_includes_its_lower_end_only():
    assert length_distance(np.array([19]), np.array([1])) == 0
    assert length_distance(np.array([20]), np.array([19])) == 1
    assert length_distance(np.array([20]), np.array([39])) == 0


def test_which_action_does_not_count():
    assert length_bias(LabelPairs.build([labels(40, 5) + 7], [labels(5, 40)])) == 0


def test_recordings_within_activities_then_activities_by_frames():
    # Activity a: 0 and `first` over 60 frames; activity b: 0 over 20 frames.
    matched = [labels(30), labels(10, 20), labels(20)]
    true = [labels(30), labels(30), labels(20)]
    first = length_distance(np.array([10, 20]), np.array([30]))
    both = LabelPairs.build(matched, true, activities=["a", "a", "b"])
    assert length_bias(both) == pytest.approx(100 * (first / 2 * 60 + 0 * 20) / 80)
    one = LabelPairs.build(matched, true)
    assert length_bias(one) == pytest.approx(100 * first / 3)


def test_bins_that_end_at_the_longest_true_segment_leave_out_longer_ones():
    # Predicted 10 and 90 against true 10: with bins to 20 the 90 is not seen.
    predicted, true = np.array([10, 90]), np.array([10])
    assert length_distance(predicted, true, bins="true") == 0
    assert length_distance(predicted, true) == pytest.approx(0.5579, abs=1e-4)
    assert length_distance(np.array([90]), true, bins="true") == 1


@given(lengths, lengths)
def test_the_oracle_agrees_with_scipy_and_with_us(predicted, true):
    n_bins = max(predicted + true) // 20 + 1
    p, q = histogram(predicted, n_bins), histogram(true, n_bins)
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2), abs=1e-7)
    found = length_distance(np.array(predicted), np.array(true))
    assert found == pytest.approx(jensen_shannon(p, q), abs=1e-7)
    assert 0 <= found <= 1


@given(
    st.lists(st.tuples(lengths, lengths), min_size=1, max_size=12), st.sampled_from([1, 12, 10**6])
)
def test_recordings_taken_together_are_those_taken_alone(recordings, most_cells):
    pairs_of = [(m, t) for m, t in recordings if sum(m) <= sum(t)]
    matched = [labels(*m, sum(t) - sum(m) + 1) for m, t in pairs_of]
    true = [labels(*t, 1) for m, t in pairs_of]
    matched, true = [*matched, labels(3)], [*true, np.full(3, -1)]  # one is not scored
    if not pairs_of:
        return
    pairs = LabelPairs.build(matched, true)
    alone = [
        length_distance(one.matched_runs.length, one.true_runs.length)
        for one in map(pairs.only, range(len(pairs_of)))
    ]
    before = jsd.MOST_CELLS
    jsd.MOST_CELLS = most_cells
    try:
        assert length_bias(pairs) == pytest.approx(100 * float(np.mean(alone)), rel=1e-12)
    finally:
        jsd.MOST_CELLS = before
