import math
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from histvq.nn.decoding import DECODERS, decode, markov_path, order_by_time, transcript_path

STAYS = (0.05, 0.5, 0.95)  # under three actions or more, the first favours switching


def small(seed, *, levels=3, max_actions=4):
    """Few frames, few actions, whole scores from few levels: ties abound."""
    rng = np.random.default_rng(seed)
    n_actions = int(rng.integers(1, max_actions + 1))
    return rng.integers(0, levels, size=(int(rng.integers(n_actions, 8)), n_actions)).astype(float)


def total(scores, path):
    return math.fsum(row[action] for row, action in zip(scores.tolist(), path, strict=True))


def chain(scores, path, stay):
    """Log-probability of a path: its scores and what its steps cost."""
    switch = (1 - stay) / max(scores.shape[1] - 1, 1)
    steps = (stay if one == other else switch for one, other in pairwise(path))
    return total(scores, path) + sum(map(math.log, steps))


def every_cut(n_frames, n_actions):
    for cuts in combinations(range(1, n_frames), n_actions - 1):
        yield tuple(sum(cut <= frame for cut in cuts) for frame in range(n_frames))


def first_from_the_end(paths, scores):
    """Of the best paths, the one with the lowest action at the last frame, then at the one before."""
    paths = list(paths)
    best = max(total(scores, path) for path in paths)
    return min((p for p in paths if total(scores, p) == best), key=lambda p: p[::-1])


def by_recursion(scores, *, skip=False):
    """The recursion frame by frame, number by number; of equal predecessors the lowest."""
    rows = scores.tolist()
    n_actions = len(rows[0])
    value = rows[0] if skip else [rows[0][0]] + [-math.inf] * (n_actions - 1)
    pointers = []
    for row in rows[1:]:
        sources = [range(0 if skip else max(k - 1, 0), k + 1) for k in range(n_actions)]
        pointers.append([max(source, key=value.__getitem__) for source in sources])
        value = [row[k] + value[pointers[-1][k]] for k in range(n_actions)]
    path = [max(range(n_actions), key=value.__getitem__) if skip else n_actions - 1]
    for pointer in reversed(pointers):
        path.append(pointer[path[-1]])
    return path[::-1]


def by_dense_chain(scores, stay):
    """Viterbi with the whole matrix of transitions; of equal predecessors the action itself."""
    n_frames, n_actions = scores.shape
    step = np.full((n_actions, n_actions), math.log((1 - stay) / (n_actions - 1)))
    np.fill_diagonal(step, math.log(stay))
    value, pointers = scores[0], []
    for frame in range(1, n_frames):
        reached = value[:, None] + step
        best = reached.max(axis=0)
        own = reached.diagonal() == best
        pointers.append(np.where(own, np.arange(n_actions), reached.argmax(axis=0)))
        value = scores[frame] + best
    path = [int(value.argmax())]
    for pointer in reversed(pointers):
        path.append(int(pointer[path[-1]]))
    return path[::-1]


# Transcripts


def test_an_action_comes_as_late_as_it_can():  # worked by hand
    scores = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0.0]])
    # The middle action wants frame 3; the last has frame 4 alone, and nothing moves the first step up.
    assert transcript_path(scores).tolist() == [0, 0, 0, 1, 2]
    # Without that wish, all wait for the end.
    assert transcript_path(np.zeros((5, 3))).tolist() == [0, 0, 0, 1, 2]
    assert transcript_path(np.zeros((5, 3)), skip=True).tolist() == [0] * 5


def test_skipping_by_hand():
    scores = np.array([[0, 5, 0, 0], [0, 5, 0, 0], [9, 0, 0, 1], [0, 0, 0, 3.0]])
    # The 9 of action 0 would cost both fives, and there is no way back.
    assert transcript_path(scores, skip=True).tolist() == [1, 1, 3, 3]
    assert transcript_path(scores).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(100))
def test_no_cut_beats_the_transcript(seed):  # brute force
    scores = small(seed)
    found = tuple(transcript_path(scores).tolist())
    assert found == first_from_the_end(every_cut(*scores.shape), scores)


@pytest.mark.parametrize("seed", range(100))
def test_no_path_upwards_beats_the_one_that_may_skip(seed):  # brute force
    scores = small(seed)
    n_frames, n_actions = scores.shape
    found = tuple(transcript_path(scores, skip=True).tolist())
    every = combinations_with_replacement(range(n_actions), n_frames)
    assert found == first_from_the_end(every, scores)


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_transcripts_agree_with_the_plain_recursion(seed, skip):
    rng = np.random.default_rng(seed)
    shape = int(rng.integers(10, 120)), int(rng.integers(1, 9))
    scores = rng.integers(-1, 2, size=shape).astype(float)
    assert transcript_path(scores, skip=skip).tolist() == by_recursion(scores, skip=skip)
    scores = rng.normal(size=shape)
    assert transcript_path(scores, skip=skip).tolist() == by_recursion(scores, skip=skip)


@pytest.mark.parametrize("seed", range(20))
def test_too_few_frames_for_every_action(seed):
    rng = np.random.default_rng(seed)
    n_frames = int(rng.integers(1, 5))
    scores = rng.integers(0, 3, size=(n_frames, 5)).astype(float)
    every = combinations_with_replacement(range(5), n_frames)
    assert tuple(transcript_path(scores).tolist()) == first_from_the_end(every, scores)


@given(st.data(), st.booleans())
def test_a_transcript_never_goes_back_nor_leaves_an_action_out(data, skip):  # property
    n_actions = data.draw(st.integers(1, 6))
    shape = data.draw(st.integers(n_actions, 40)), n_actions
    finite = st.floats(-1e5, 1e5) | st.just(-math.inf)
    scores = data.draw(arrays(float, shape, elements=finite))
    path = transcript_path(scores, skip=skip)
    assert (np.diff(path) >= 0).all()
    if not skip:
        assert set(path.tolist()) == set(range(n_actions))


@given(st.integers(0, 10_000), st.booleans())
def test_what_a_frame_adds_to_all_actions_moves_no_path(seed, skip):  # property
    scores = small(seed)
    offset = np.random.default_rng(seed).integers(-99, 99, size=(len(scores), 1))
    expected = transcript_path(scores, skip=skip).tolist()
    assert transcript_path(scores + offset, skip=skip).tolist() == expected


@pytest.mark.parametrize("skip", [False, True])
def test_large_scores_over_many_frames_stay_exact_enough(skip):
    rng = np.random.default_rng(0)
    scores = rng.normal(-1e5, 0.01, size=(20_000, 4))
    # The best total by recursion, in more digits than the code has.
    value, *rows = scores.astype(np.longdouble)
    if not skip:
        value[1:] = -np.inf
    for row in rows:
        below = np.concatenate(([-np.inf], value[:-1]))
        value = row + (np.maximum.accumulate(value) if skip else np.maximum(value, below))
    best = float(value.max() if skip else value[-1])
    found = total(scores, transcript_path(scores, skip=skip).tolist())
    assert found == pytest.approx(best, abs=1e-3)  # of 2e9


def test_a_million_below_the_best_of_the_frame_is_as_far_as_a_score_goes():
    scores = np.array([[-5e6, 0], [0, -0.7e6], [0, -0.7e6]])
    # 0, 0, 0 costs 1 million, not 5; 1, 1, 1 costs 1.4
    assert transcript_path(scores, skip=True).tolist() == [0, 0, 0]
    scores[0, 0] = -np.inf
    assert transcript_path(scores, skip=True).tolist() == [0, 0, 0]
    assert markov_path(scores, stay=1 - 1e-12).tolist() == [1, 0, 0]  # the way back costs less


def test_a_frame_that_fits_nothing_still_says_what_it_fits_least_badly():
    scores = np.array([[0, -5], [-5e6, -2e6], [0, -5.0]])
    assert markov_path(scores, stay=0.9).tolist() == [0, 1, 0]


# A chain


@pytest.mark.parametrize("stay", STAYS)
@pytest.mark.parametrize("seed", range(40))
def test_no_labels_at_all_beat_the_chain(seed, stay):  # brute force
    scores = small(seed, max_actions=3)
    n_frames, n_actions = scores.shape
    found = chain(scores, markov_path(scores, stay=stay).tolist(), stay)
    every = product(range(n_actions), repeat=n_frames)
    assert found == pytest.approx(max(chain(scores, path, stay) for path in every), abs=1e-9)


@pytest.mark.parametrize("stay", [0.01, 0.1, 0.6, 0.9, 0.999])
def test_the_chain_agrees_with_a_dense_one(stay):
    scores = np.random.default_rng(0).normal(size=(500, 6))
    assert markov_path(scores, stay=stay).tolist() == by_dense_chain(scores, stay)


@pytest.mark.parametrize("seed", range(30))
def test_where_chances_are_even_the_chain_would_rather_stay(seed):
    # Of two actions at even chances both steps cost the same to the last bit, so ties are true ties.
    scores = np.random.default_rng(seed).integers(0, 2, size=(30, 2)).astype(float)
    assert markov_path(scores, stay=0.5).tolist() == by_dense_chain(scores, 0.5)


def test_ties_of_a_chain_by_hand():
    scores = np.array([[0, 1], [3, 3], [2, 0.0]])
    # The last frame is 0. Both actions stand at 4 before it, so it stays; that 0 came from the better 1.
    assert markov_path(scores, stay=0.5).tolist() == [1, 0, 0]
    assert markov_path(np.zeros((4, 3)), stay=0.9).tolist() == [0] * 4
    # 1 and 2 are equals until 0 takes over for good.
    scores = np.array([[0, 9, 9], [99, 0, 0.0]])
    assert markov_path(scores, stay=0.9).tolist() == [1, 0]


@given(st.integers(0, 10_000), st.integers(2, 9))
def test_a_chain_at_even_chances_takes_the_best_of_each_frame(seed, n_actions):  # property
    scores = np.random.default_rng(seed).normal(size=(30, n_actions))
    assert (markov_path(scores, stay=1 / n_actions) == scores.argmax(axis=1)).all()


def test_a_chain_that_all_but_never_lets_go_keeps_the_best_action():
    scores = np.random.default_rng(0).normal(size=(200, 5))
    path = markov_path(scores, stay=1 - 1e-15)
    scores[:, 3] += 0.5
    assert set(path.tolist()) != {3}
    assert (markov_path(scores, stay=1 - 1e-15) == 3).all()


@pytest.mark.parametrize("stay", [0.0, 1.0, -0.5, math.nan])
def test_a_chance_out_of_bounds(stay):
    with pytest.raises(ValueError, match=f"stay is {stay}; it is a probability"):
        markov_path(np.zeros((3, 2)), stay=stay)


# Any decoder


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_edges(decoder, dtype):
    def labels(*shape):
        return decode(np.ones(shape, dtype=dtype), decoder=decoder, stay=0.9).tolist()

    assert labels(0, 4) == []
    assert labels(1, 1) == [0]
    assert labels(6, 1) == [0] * 6
    assert len(labels(1, 3)) == 1


@pytest.mark.parametrize("path", [transcript_path, lambda s: markov_path(s, stay=0.9)])
def test_no_frame_no_label(path):
    assert path(np.zeros((0, 3))).tolist() == []


def test_each_name_is_its_path():
    scores = np.random.default_rng(3).normal(size=(40, 4))
    scores[:, 2] -= 2  # so poor that a path skips it where it may
    expected = {
        "none": scores.argmax(axis=1).tolist(),
        "transcript": by_recursion(scores),
        "transcript_skip": by_recursion(scores, skip=True),
        "markov": by_dense_chain(scores, 0.8),
    }
    assert len(set(map(tuple, expected.values()))) == len(DECODERS) == len(expected)
    for decoder, path in expected.items():
        assert decode(scores, decoder=decoder, stay=0.8).tolist() == path


def test_scores_far_below_are_still_told_apart_one_frame_at_a_time():
    assert decode(np.array([[-3e6, -2e6]]), decoder="none", stay=0.9).tolist() == [1]


@pytest.mark.parametrize("decoder", DECODERS)
def test_empty_actions_get_no_frame_and_change_nothing(decoder):
    scores = np.random.default_rng(1).normal(size=(30, 3))
    wide = np.full((30, 6), -np.inf)
    wide[:, [1, 2, 5]] = scores
    wide[:, 3] = np.nan
    wide[:10, 4] = np.nan
    before = wide.copy()
    expected = np.array([1, 2, 5])[decode(scores, decoder=decoder, stay=0.9)]
    assert decode(wide, decoder=decoder, stay=0.9).tolist() == expected.tolist()
    np.testing.assert_array_equal(wide, before)


@pytest.mark.parametrize("decoder", DECODERS)
def test_frames_nothing_is_known_of_count_nothing(decoder):
    scores = np.random.default_rng(2).normal(size=(30, 3))
    scores[[0, 7, 8, 29]] = 0
    expected = decode(scores, decoder=decoder, stay=0.9)
    scores[[0, 7, 8, 29]] = np.nan
    assert (decode(scores, decoder=decoder, stay=0.9) == expected).all()
    scores = np.column_stack((scores, np.full(30, -np.inf)))
    assert (decode(scores, decoder=decoder, stay=0.9) == expected).all()


@pytest.mark.parametrize("decoder", DECODERS)
def test_nothing_known_at_all(decoder):
    scores = np.full((5, 3), np.nan)
    assert decode(scores, decoder=decoder, stay=0.9).tolist() == [0] * 5
    scores[:, 1] = -np.inf
    assert decode(scores, decoder=decoder, stay=0.9).tolist() == [0] * 5


@pytest.mark.parametrize("decoder", DECODERS)
def test_scores_that_cannot_be_used(decoder):
    scores = np.zeros((5, 4))
    scores[:, 0] = -np.inf
    scores[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"score of frame 3, action 2 is nan; .* mend it"):
        decode(scores, decoder=decoder, stay=0.9)
    scores[3, 2] = np.inf
    with pytest.raises(ValueError, match="score of frame 3, action 2 is inf"):
        decode(scores, decoder=decoder, stay=0.9)
    with pytest.raises(ValueError, match="all 4 actions are empty"):
        decode(np.full((5, 4), -np.inf), decoder=decoder, stay=0.9)


@pytest.mark.parametrize("path", [transcript_path, lambda s: markov_path(s, stay=0.9)])
def test_a_path_needs_numbers_and_actions(path):
    with pytest.raises(ValueError, match="frame 1, action 0 is nan"):
        path(np.array([[0.0, 0.0], [math.nan, math.nan]]))
    with pytest.raises(ValueError, match="at least one action"):
        path(np.zeros((3, 0)))


def test_an_unknown_decoder():
    with pytest.raises(ValueError, match="no decoder 'viterbi'; choose one of none, transcript"):
        decode(np.zeros((3, 2)), decoder="viterbi", stay=0.9)


# Order


def test_order_by_hand():
    recordings = [np.array([4, 4, -1, -1, -1, 1, -1, -1, -1, -1]), np.array([1, 4, 0, 0])]
    # 4: (0 + 1/10 + 1/4) / 3 = 0.12; 1: (5/10 + 0) / 2 = 0.25; 0: (2/4 + 3/4) / 2 = 0.625
    used, empty = order_by_time(recordings, 6)
    assert used.tolist() == [4, 1, 0]
    assert empty.tolist() == [2, 3, 5]


def test_equal_times_stand_by_index():
    # Both at 3/10, as (1/5 + 2/5) / 2 and (0 + 3/5) / 2, which differ in their last bits as floats.
    assert 1 / 5 + 2 / 5 != 3 / 5
    used, _ = order_by_time([np.array([1, 0, 0, 1, 2])], 3)
    assert used.tolist() == [0, 1, 2]


@given(st.lists(st.lists(st.integers(-1, 4), max_size=12), max_size=4))
def test_order_agrees_with_exact_fractions(recordings):
    times = {}
    for labels in recordings:
        for frame, label in enumerate(labels):
            times.setdefault(label, []).append(Fraction(frame, len(labels)))
    times.pop(-1, None)
    used, empty = order_by_time([np.array(labels, dtype=int) for labels in recordings], 5)
    assert used.tolist() == sorted(times, key=lambda k: (sum(times[k]) / len(times[k]), k))
    assert empty.tolist() == [k for k in range(5) if k not in times]


@pytest.mark.parametrize("label", [-2, 3])
def test_a_label_that_is_no_action(label):
    with pytest.raises(ValueError, match=f"recording 1 has label {label}; labels run from 0 to 2"):
        order_by_time([np.array([0]), np.array([1, label])], 3)
