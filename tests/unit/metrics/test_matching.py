import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.metrics import best_match, contingency, match_codes, matching, translate
from oracles.scores import best_total


def test_frames_shared_counted_by_hand():
    predicted = np.array([0, 0, 1, 1, 1, -1])
    true = np.array([2, 2, 2, 0, -1, 0])
    # Code 0: two frames of action 2. Code 1: one of action 2, one of action 0, one unlabelled.
    overlap = contingency(predicted, true, n_codes=2, n_actions=3)
    assert overlap.tolist() == [[0, 0, 2], [1, 0, 1]]


def test_the_greedy_choice_is_not_the_best():
    # Greedy takes 10 + 0; the best pairing is 9 + 8.
    assert best_match(np.array([[10, 9], [8, 0]])) == {0: 1, 1: 0}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shape", [(5, 5), (6, 4), (3, 5)])
def test_no_permutation_beats_the_match(seed, shape):
    overlap = np.random.default_rng(seed).integers(0, 50, size=shape)
    match = best_match(overlap)
    assert len(set(match.values())) == len(match)
    assert sum(overlap[pair] for pair in match.items()) == best_total(overlap.tolist())


def test_a_code_left_over_takes_the_action_left_over():
    assert best_match(np.array([[5, 0], [3, 0]])) == {0: 0, 1: 1}


def test_surplus_codes_get_distinct_labels_above_the_actions():
    predicted = np.array([7, 7, 7, 3, 3, 9, 4])
    true = np.array([0, 0, 0, 1, 1, 1, -1])
    # 7 -> 0 and 3 -> 1; 9 lost action 1 to 3; 4 was seen on an unlabelled frame only.
    assert match_codes(predicted, true, n_actions=2) == {7: 0, 3: 1, 9: 2, 4: 3}


def test_fewer_codes_than_actions():
    match = match_codes(np.array([0, 0, 1]), np.array([4, 4, 2]), n_actions=5)
    assert match == {0: 4, 1: 2}


def test_no_answer_stays_no_answer():
    assert translate(np.array([5, -1, 2]), {2: 0, 5: 1}).tolist() == [1, -1, 0]


def test_a_code_without_a_match_is_named():
    with pytest.raises(KeyError, match=r"codes \[8\] were not matched; known are \[2, 5\]"):
        translate(np.array([5, 8]), {2: 0, 5: 1})


@given(
    st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 3)), min_size=1),
    st.permutations(range(5)),
)
def test_renamed_codes_are_matched_alike(frames, names):
    predicted, true = np.array(frames).T
    renamed = translate(predicted, dict(enumerate(names)))
    match = match_codes(predicted, true, n_actions=4)
    assert match_codes(renamed, true, n_actions=4) == {names[c]: a for c, a in match.items()}


def test_blocks_of_frames_change_no_count(monkeypatch):
    chance = np.random.default_rng(0)
    predicted, true = chance.integers(-1, 4, (2, 100))
    whole = contingency(predicted, true, n_codes=4, n_actions=4)
    monkeypatch.setattr(matching, "FRAMES_A_BLOCK", 7)
    np.testing.assert_array_equal(contingency(predicted, true, n_codes=4, n_actions=4), whole)
    assert whole[2, 3] == sum((predicted == 2) & (true == 3))


@pytest.mark.parametrize("code", [3, 10**9])
@pytest.mark.parametrize("image", [5, 2**40])
def test_translated_whatever_the_codes(code, image):
    labels = np.array([0, -1, code, -2, 0])
    np.testing.assert_array_equal(translate(labels, {0: 1, code: image}), [1, -1, image, -1, 1])
