import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from histvq.metrics import LabelPairs, mean_over_frames
from histvq.metrics.mof import mean_over_frames_apart


def test_frames_are_pooled_over_recordings():
    matched = [np.array([0]), np.array([0, 1, -1, 2, 1])]
    true = [np.array([0]), np.array([0, 0, 0, -1, 1])]
    # 1 of 1, then 2 of 4 (one is unlabelled): 3 of 5, where a mean over recordings would be 75.
    assert mean_over_frames(LabelPairs.build(matched, true)) == 60


@given(
    st.lists(st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 2)), max_size=9), min_size=1)
)
def test_each_recording_by_itself(recordings):
    labels = [np.array(one, dtype=np.int32).reshape(-1, 2).T for one in recordings]
    pairs = LabelPairs.build([m for m, _ in labels], [t for _, t in labels])
    alone = [pairs.only(number) for number in range(len(labels))]
    expected = [mean_over_frames(one) if one.n_frames else np.nan for one in alone]
    np.testing.assert_array_equal(mean_over_frames_apart(pairs), expected)
