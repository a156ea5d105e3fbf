from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.segments import SEGMENT_COLUMNS, Segmentation, to_labels, to_segments


def test_segments_of_a_sequence_cut_by_hand():
    labels = np.array([2, 2, 2, 0, 0, 1])
    assert to_segments(labels) == [(0, 3, 2), (3, 5, 0), (5, 6, 1)]
    assert to_segments(np.array([], dtype=int)) == []


@given(st.lists(st.integers(-1, 3)))
def test_labels_survive_the_way_through_segments(labels):
    segments = to_segments(np.array(labels, dtype=int))
    assert to_labels(segments).tolist() == labels
    # Runs are maximal: no neighbour has the same label, and they leave no gap.
    for (_, stop, label), (start, _, next_label) in pairwise(segments):
        assert stop == start
        assert label != next_label


@pytest.fixture
def answer():
    return Segmentation(
        recording_id="r",
        fps=10,
        #                 0  1  2  3  4  5  6   7  8  9
        actions=np.array([1, 1, 1, 1, 0, 0, -1, -1, 0, 0]),
        subactions=np.array([2, 2, 3, 3, 3, 0, 0, 0, -1, 1]),
        confidence=np.linspace(0, 0.9, 10),
        person="anna",
    )


def test_the_table_worked_out_by_hand(answer):
    table = answer.segments("action")
    assert list(table.columns) == SEGMENT_COLUMNS
    assert table["start_frame"].tolist() == [0, 4, 8]
    assert table["stop_frame"].tolist() == [4, 6, 10]
    assert table["start_s"].tolist() == [0, 0.4, 0.8]
    assert table["stop_s"].tolist() == [0.4, 0.6, 1.0]
    assert table["duration_s"].tolist() == pytest.approx([0.4, 0.2, 0.2])
    assert table["label"].tolist() == [1, 0, 0]
    assert table["segment"].tolist() == [0, 1, 2]
    assert table["name"].tolist() == ["action 1", "action 0", "action 0"]
    assert set(table["individual"]) == {"anna"}
    # Confidence is 0.1 a frame: the means of frames 0-3, 4-5 and 8-9.
    assert table["confidence"].tolist() == pytest.approx([0.15, 0.45, 0.85])


def test_a_subaction_names_the_action_segment_it_begins_in(answer):
    table = answer.segments("subaction")
    assert table["start_frame"].tolist() == [0, 2, 5, 9]
    assert table["parent"].tolist() == [0, 0, 1, 2]


def test_a_subaction_that_begins_where_no_action_is_has_no_parent():
    answer = Segmentation(
        recording_id="r",
        fps=1,
        actions=np.array([-1, 0, 0, -1, -1]),
        subactions=np.array([4, 5, 5, 6, 6]),
    )
    parents = answer.segments("subaction")["parent"]
    assert [None if pd.isna(p) else p for p in parents] == [None, 0, None]


def test_both_levels_or_the_only_one(answer):
    assert answer.segments()["level"].tolist() == ["action"] * 3 + ["subaction"] * 4
    flat = Segmentation(recording_id="r", fps=10, actions=answer.actions)
    assert set(flat.segments()["level"]) == {"action"}
    assert flat.segments()["confidence"].isna().all()


def test_an_answer_about_nothing_is_an_empty_table():
    empty = Segmentation(recording_id="r", fps=10, actions=np.array([], dtype=int))
    assert list(empty.segments().columns) == SEGMENT_COLUMNS
    assert len(empty.segments()) == 0


def test_a_method_that_knows_names_says_them():
    one = Segmentation(
        recording_id="a", fps=1.0, actions=np.array([0, 0, 5, 1]), names={0: "walk", 1: "sit"},
        subactions=np.array([0, 0, 1, 1]),
    )  # fmt: skip
    assert one.segments("action")["name"].tolist() == ["walk", "action 5", "sit"]
    assert one.segments("subaction")["name"].tolist() == ["subaction 0", "subaction 1"]
    assert one.name_of(1) == "sit"
