"""Transitions, groups and lengths: cases worked by hand, and properties."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.metrics.jsd import length_bias, length_distance
from histvq.metrics.pairs import LabelPairs
from histvq.report.analysis import by_group, segment_lengths, transitions
from histvq.segments import Segmentation

LABELS = st.lists(st.integers(-1, 4), max_size=40)


def answer(name, actions, *, fps=2.0, **more):
    return Segmentation(
        recording_id=name, fps=fps, actions=np.array(actions, dtype=np.int32), **more
    )


def truth(name, labels, *, fps=2.0):
    return Annotation(
        recording_id=name, labels=np.array(labels, dtype=int), actions=tuple("abcde"), fps=fps
    )


def test_transitions_of_a_case_worked_by_hand():
    table = transitions(
        [answer("a", [0, 0, 1, 1, 0, 2]), answer("b", [0, 1, -1, 0, -1, -1]), answer("c", [2])]
    )
    assert table.to_dict("split")["data"] == [
        [0, 1, 2, 2 / 3],
        [0, 2, 1, 1 / 3],
        [1, 0, 1, 1.0],  # in a; in b nobody knows what follows 1
    ]
    assert list(table) == ["action", "next", "count", "share"]


@given(st.lists(LABELS, max_size=4))
def test_transitions_by_counting(rows):
    pairs = Counter((a, b) for row in rows for a, b in pairwise(row) if a != b and a >= 0 <= b)
    table = transitions([answer(str(k), row) for k, row in enumerate(rows)])
    found = {(a, b): count for a, b, count, _ in table.itertuples(index=False)}
    assert found == pairs
    np.testing.assert_allclose(table.groupby("action")["share"].sum(), 1)


def of(tables, kind, group, action):
    table = tables[kind]
    (row,) = table[(table["group"] == group) & (table["action"] == action)].to_dict("records")
    return row


@pytest.fixture
def hand():
    answers = [
        answer("a", [0, 0, 1, -1], person="Ann"),
        answer("b", [0, 1, 1, 0], person="Ann"),
        answer("c", [2, 2], fps=1.0),
        answer("d", [-1, -1], person="Eve"),
        answer("e", [3, 3]),
    ]
    return by_group(answers, {"a": "x", "b": "x", "c": "y", "d": "y", "gone": "z"})


def test_usage_of_groups_worked_by_hand(hand):
    row = of(hand, "usage", "x", 0)
    assert row["share_mean"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert row["share_sd"] == pytest.approx((2 / 3 - 1 / 2) / 2**0.5)
    assert (row["n_recordings"], row["n_people"], row["name"]) == (2, 1, "action 0")
    row = of(hand, "usage", "y", 2)
    assert (row["n_recordings"], row["n_people"], row["share_mean"]) == (1, 0, 1.0)
    assert np.isnan(row["share_sd"])  # of one recording there is none


def test_an_action_that_a_group_lacks_is_zero(hand):
    for group, action in (("x", 2), ("x", 3), ("y", 0), ("y", 3)):
        assert of(hand, "usage", group, action)["share_mean"] == 0
        row = of(hand, "durations", group, action)
        assert (row["n_segments"], row["total_s"]) == (0, 0)
        assert np.isnan(row["median_s"])
    assert of(hand, "usage", "x", 2)["share_sd"] == 0
    assert len(hand["usage"]) == len(hand["durations"]) == 2 * 4


def test_durations_of_groups_worked_by_hand(hand):
    row = of(hand, "durations", "x", 0)  # 1 s, 0.5 s, 0.5 s
    assert (row["n_segments"], row["total_s"], row["median_s"]) == (3, 2, 0.5)
    assert (row["q25_s"], row["q75_s"]) == (0.5, 0.75)
    assert row["mean_s"] == pytest.approx(2 / 3)
    assert row["sd_s"] == pytest.approx((1 / 12) ** 0.5)
    assert of(hand, "durations", "y", 2)["mean_s"] == 2


def test_transitions_of_groups_worked_by_hand(hand):
    assert hand["transitions"].to_dict("split")["data"] == [
        ["x", 0, 1, 2, 1.0],
        ["x", 1, 0, 1, 1.0],
        ["y", 0, 1, 0, 0.0],
        ["y", 1, 0, 0, 0.0],
    ]


def test_an_action_that_only_has_a_name_has_rows_too():
    tables = by_group([answer("a", [0, 0], names={0: "go", 7: "fly"})], {"a": "x"})
    assert tables["usage"][["action", "name", "share_mean"]].to_numpy().tolist() == [
        [0, "go", 1.0],
        [7, "fly", 0.0],
    ]


@pytest.mark.parametrize(
    "answers", [[], [answer("a", [])], [answer("a", [-1])], [answer("a", [1])]]
)
@pytest.mark.parametrize("groups", [{}, {"a": "x"}, {"b": "y"}])
def test_next_to_nothing_is_no_crash(answers, groups):
    tables = by_group(answers, groups)
    assert list(tables) == ["usage", "durations", "transitions"]
    assert all(
        isinstance(table, pd.DataFrame) and len(table.columns) > 4 for table in tables.values()
    )


@given(st.lists(LABELS, max_size=6), st.lists(st.sampled_from("xyz"), min_size=6, max_size=6))
def test_groups_hold_what_their_recordings_hold(rows, groups):
    answers = [answer(str(k), row) for k, row in enumerate(rows)]
    tables = by_group(answers, {str(k): group for k, group in enumerate(groups)})
    together = by_group(answers, {str(k): "all" for k in range(6)})
    for kind, column in (
        ("durations", "n_segments"),
        ("durations", "total_s"),
        ("transitions", "count"),
    ):
        assert tables[kind][column].sum() == together[kind][column].sum()
    shares = tables["usage"].groupby("group")["share_mean"].sum(min_count=1).dropna().astype(float)
    np.testing.assert_allclose(shares, 1)


def test_lengths_of_a_case_worked_by_hand():
    answers = [answer("a", [0] * 19 + [1] * 20 + [-1] * 5 + [0] * 45), answer("b", [0] * 7)]
    assert segment_lengths(answers).to_numpy().tolist() == [[0, 20, 2], [20, 40, 1], [40, 60, 1]]
    table = segment_lengths(answers, [truth("a", [0] * 39 + [-1] * 5 + [1] * 10 + [2] * 35)])
    assert list(table) == ["start_frame", "stop_frame", "found", "true"]
    assert table.to_numpy().tolist() == [[0, 20, 1, 1], [20, 40, 1, 2], [40, 60, 1, 0]]
    assert segment_lengths(answers[1:], bin_frames=7).to_numpy().tolist() == [[0, 7, 0], [7, 14, 1]]


def test_lengths_of_nothing_have_no_rows():
    assert segment_lengths([]).shape == (0, 3)
    assert segment_lengths([answer("a", [0])], [truth("b", [0])]).shape == (0, 4)


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 4)), min_size=1, max_size=300))
def test_the_bias_in_lengths_is_what_the_histograms_show(rows):
    found, true = np.array(rows).T
    assume((true >= 0).any())
    table = segment_lengths([answer("a", found)], [truth("a", true)], bin_frames=20)
    stand_in = [
        np.repeat(table["start_frame"], table[name]).to_numpy() for name in ("found", "true")
    ]
    bias = length_bias(LabelPairs.build([found], [true]))
    assert 100 * length_distance(*stand_in) == pytest.approx(bias)


def test_lengths_that_cannot_be_told_are_refused():
    with pytest.raises(ConfigError, match="bin_frames 0"):
        segment_lengths([], bin_frames=0)
    with pytest.raises(ValueError, match="'a': the answer has 1 frames, its annotation 2"):
        segment_lengths([answer("a", [0])], [truth("a", [0, 0])])
