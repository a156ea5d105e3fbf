import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from histvq.metrics import LabelPairs, edit_score
from oracles.scores import levenshtein

labels = st.lists(st.integers(0, 4), max_size=12)


def test_order_of_segments_by_hand():
    matched = [np.array([0, 0, 1, 0, 2]), np.array([1, 1])]
    true = [np.array([0, 0, 0, 2, 2]), np.array([1, 1])]
    # 0 1 0 2 -> 0 2: two deletions of at most four, 50; the second recording 100.
    assert edit_score(LabelPairs.build(matched, true)) == 75


def test_no_answer_is_a_segment_that_matches_nothing():
    # -1 0 against 0: one deletion of two.
    assert edit_score(LabelPairs.build([np.array([-1, 0])], [np.array([0, 0])])) == 50


def test_recordings_nobody_labelled_are_left_out_of_the_mean():
    matched = [np.array([0]), np.array([0])]
    assert edit_score(LabelPairs.build(matched, [np.array([0]), np.array([-1])])) == 100


@given(labels, labels)
def test_the_library_counts_edits_as_the_textbook_does(a, b):
    assert Levenshtein.distance(a, b) == levenshtein(a, b)


@pytest.mark.parametrize("n_cuts", [1, 5, 20])
def test_cutting_an_action_to_pieces_lowers_it(n_cuts):
    matched = np.zeros(100, int)
    matched[: 2 * n_cuts : 2] = 1
    assert edit_score(LabelPairs.build([matched], [np.zeros(100, int)])) == pytest.approx(
        100 / (2 * n_cuts)
    )
