from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from histvq.report.analysis.choosing import Ranking, choose, to_be_seen
from histvq.report.analysis.spans import LONGEST_CLIP_S, Spans, pieces_of, segments_of
from histvq.segments import Segmentation

TYPICAL, BORDERLINE, RANDOM = "typical", "borderline", "random"


def answer(name, actions, *, fps=10.0, **more):
    return Segmentation(
        recording_id=name, fps=fps, actions=np.array(actions, dtype=np.int32), **more
    )


def segments(seconds, *, recording=None):
    """A piece a segment, one recording each unless told otherwise, 10 frames a second."""
    seconds = np.array(seconds, dtype=float)
    n = len(seconds)
    return Spans(
        recording=np.arange(n) if recording is None else np.array(recording),
        segment=np.arange(n),
        start=np.zeros(n, dtype=int),
        stop=np.round(seconds * 10).astype(int),
        action=np.zeros(n, dtype=int),
        seconds=seconds,
    )


def chosen(pieces, far, margin=None, *, person=None, n=2, seed=0):
    count = len(pieces.start)
    ranking = Ranking(
        far=np.array(far, dtype=float),
        margin=np.full(count, np.nan) if margin is None else np.array(margin, dtype=float),
        visible=np.ones(count, dtype=bool),
        person=pieces.recording if person is None else np.array(person),
    )
    found = choose(
        np.arange(count),
        pieces,
        ranking,
        pieces.seconds,
        n=n,
        generator=np.random.default_rng(seed),
    )
    return {
        kind: [k for k, what in found if what == kind] for kind in (TYPICAL, BORDERLINE, RANDOM)
    }


def test_pieces_of_a_case_cut_by_hand():
    labels = [3] * 20 + [-1] * 10 + [0] * 105 + [3] * 40 + [0] * 39
    pieces = pieces_of(*(lambda a: (segments_of(a), a))([answer("a", labels)]))
    assert list(zip(pieces.start, pieces.stop, pieces.action, pieces.segment, strict=True)) == [
        (0, 20, 3, 0),
        (42, 82, 0, 1),  # two pieces of 4 s around the middle of 10.5 s
        (82, 122, 0, 1),
        (135, 175, 3, 2),
        (175, 214, 0, 3),
    ]
    assert pieces.seconds.tolist() == [2, 4, 4, 4, 3.9]


@given(
    rates=st.lists(st.sampled_from([0.1, 1.0, 29.97, 58.82, 120.0]), min_size=1, max_size=3),
    runs=st.lists(st.tuples(st.integers(-1, 2), st.integers(1, 900)), max_size=8),
)
def test_pieces_lie_in_their_segments_apart_from_one_another(rates, runs):
    labels = [label for label, length in runs for _ in range(length)]
    answers = [answer(f"r{k}", labels, fps=rate) for k, rate in enumerate(rates)]
    whole = segments_of(answers)
    pieces = pieces_of(whole, answers)
    assert set(pieces.segment.tolist()) == set(range(len(whole.start)))
    for k, segment in enumerate(pieces.segment.tolist()):
        fps = rates[pieces.recording[k]]
        assert whole.start[segment] <= pieces.start[k] < pieces.stop[k] <= whole.stop[segment]
        assert whole.action[segment] == pieces.action[k]
        assert pieces.stop[k] - pieces.start[k] <= max(round(LONGEST_CLIP_S * fps), 1)
        if k and pieces.segment[k - 1] == segment:
            assert pieces.start[k] == pieces.stop[k - 1]
        assert pieces.seconds[k] == (pieces.stop[k] - pieces.start[k]) / fps


def test_clips_are_long_enough_to_see_where_there_are_such():
    pieces = segments([0.2, 0.5, 0.9, 3.0])
    every, everything = np.arange(4), np.ones(4, dtype=bool)
    assert to_be_seen(pieces, everything, every).tolist() == [2, 3]
    assert to_be_seen(pieces, everything, every[:2]).tolist() == [1]
    assert to_be_seen(pieces, everything, every[:1]).tolist() == []
    assert to_be_seen(pieces, np.array([1, 1, 0, 0], dtype=bool), every).tolist() == [1]


def test_one_frame_does_not_move():
    pieces = pieces_of(*(lambda a: (segments_of(a), a))([answer("a", [0, 1, 1], fps=1.0)]))
    assert to_be_seen(pieces, np.ones(2, dtype=bool), np.arange(2)).tolist() == [1]


def test_typical_is_the_nearest_first():
    found = chosen(segments([2] * 8), [5, 1, 7, 3, 2, 8, 6, 4])
    assert found[TYPICAL] == [1, 4]
    assert found[BORDERLINE] == []
    assert len(found[RANDOM]) == 2


def test_typical_has_a_typical_length():
    # 20 s in all; a quarter of it has gone by in segments of up to 3 s, three quarters up to 4 s.
    assert chosen(segments([1, 1, 3, 3, 4, 8]), [1, 2, 3, 4, 5, 6])[TYPICAL] == [2]
    # None of the nearer half is of such a length: then any.
    assert chosen(segments([1, 1, 4, 4]), [1, 2, 3, 4])[TYPICAL] == [0, 1]


def test_longer_than_a_clip_is_as_good_as_any_longer_one():
    assert chosen(segments([5, 40, 40, 40]), [1, 2, 3, 4])[TYPICAL] == [0, 1]


def test_clips_come_from_different_people_then_recordings_then_segments():
    recording = [0, 0, 1, 2, 9, 9, 9, 9]
    person = [0, 0, 0, 1, 9, 9, 9, 9]
    pieces = segments([2] * 8, recording=recording)
    far = [1, 2, 3, 4, 5, 6, 7, 8]  # the nearer half: the first four
    assert chosen(pieces, far, person=person, n=3)[TYPICAL] == [0, 3, 2]
    assert chosen(pieces, far, person=[0] * 8, n=3)[TYPICAL] == [0, 2, 3]
    assert chosen(pieces, far, person=person, n=9)[TYPICAL] == [0, 3, 2, 1]


def test_somebody_seen_once_comes_before_a_new_recording_of_somebody_seen_twice():
    recording = [0, 2, 1, 3, 2, *range(10, 15)]
    person = [0, 1, 0, 0, 1, *range(10, 15)]
    pieces = segments([2] * 10, recording=recording)
    assert chosen(pieces, range(10), person=person, n=5)[TYPICAL] == [0, 1, 2, 4, 3]


def test_borderline_has_the_smallest_margin():
    margin = [9, 8, -1, 7, 6, 0, 4, 3]
    found = chosen(segments([2] * 8), [1, 2, 3, 4, 5, 6, 7, 8], margin)
    assert found[BORDERLINE] == [2, 5]
    # One that is shown as typical is not shown again.
    assert chosen(segments([2] * 4), [1, 2, 3, 4], [0, 5, 5, 5])[BORDERLINE] == []


def test_one_piece_is_typical():
    assert chosen(segments([2]), [1], [1]) == {TYPICAL: [0], BORDERLINE: [], RANDOM: []}


def test_without_knowledge_all_is_chance():
    found = chosen(segments([2] * 5), [np.nan] * 5)
    assert (found[TYPICAL], found[BORDERLINE], len(found[RANDOM])) == ([], [], 2)


def test_every_second_has_the_same_chance():
    pieces = segments([1, 1, 2, 4])
    draws = [chosen(pieces, [np.nan] * 4, n=1, seed=seed)[RANDOM][0] for seed in range(4000)]
    shares = np.bincount(draws, minlength=4) / len(draws)
    np.testing.assert_allclose(shares, [1 / 8, 1 / 8, 1 / 4, 1 / 2], atol=0.03)


def test_what_is_typical_does_not_change_the_lot():
    pieces = segments([2] * 50)
    one = chosen(pieces, np.arange(50), n=3)
    other = chosen(pieces, np.arange(50)[::-1], n=3)
    assert set(one[RANDOM]) & set(other[RANDOM])
    assert one != other


@given(st.data(), st.integers(0, 12), st.integers(0, 4))
def test_no_clip_twice_and_never_too_many(data, count, n):
    numbers = st.floats(-5, 5) | st.just(float("nan"))
    far, margin = (data.draw(st.lists(numbers, min_size=count, max_size=count)) for _ in range(2))
    seconds = data.draw(st.lists(st.sampled_from([1.0, 2.0, 4.0]), min_size=count, max_size=count))
    found = chosen(segments(seconds), far, margin, n=n)
    shown = [k for places in found.values() for k in places]
    assert max(Counter(shown).values(), default=1) == 1
    assert all(len(places) <= n for places in found.values())
    assert len(found[RANDOM]) == min(n, count - len(found[TYPICAL]) - len(found[BORDERLINE]))
    assert not any(np.isnan(far[k]) for k in found[TYPICAL])
    assert not any(np.isnan(margin[k]) for k in found[BORDERLINE])
    known = [value for value in far if not np.isnan(value)]
    assert all(far[k] <= sorted(known)[(len(known) - 1) // 2] for k in found[TYPICAL])
