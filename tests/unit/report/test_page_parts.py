import numpy as np
import pandas as pd
import pytest

from histvq.report.page_groups import MAX_GROUPS, extras, group_tables
from histvq.report.page_parts import (
    confusion_parts,
    distinct_in_words,
    duration_histogram,
    histogram,
    in_wider_bins,
    matrix,
    occurs_in,
    round_up,
    spread_over,
)
from histvq.segments import Segmentation


def test_lengths_lie_in_their_bins_and_the_rest_in_the_last():
    made = histogram(np.array([0.1, 0.5, 0.9, 1.0, 7.0]), width_s=0.5, n_bins=3)
    assert made.counts == (1, 2, 2)
    assert made.overflow
    assert made.bin_in_words(0) == "1 of 0 to 0.5 s"
    assert made.bin_in_words(2) == "2 of 1 s or more"
    assert made.in_words.startswith("5 segments: 1 of 0 to 0.5 s, ")


@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_every_segment_is_counted_once(n):
    lengths = np.random.default_rng(0).exponential(3, n)
    assert duration_histogram(lengths).total == n


def test_round_widths():
    assert [round_up(x) for x in (0.011, 0.05, 0.13, 1, 1.2, 6, 0)] == [
        pytest.approx(x) for x in (0.02, 0.05, 0.2, 1, 2, 10, 1)
    ]


def test_bins_are_joined_until_they_can_be_drawn():
    counts = np.zeros(100, dtype=int)
    counts[[0, 1, 59]] = 10
    counts[99] = 1  # two in sixty at most may be left to the last bin
    table = pd.DataFrame({"start_frame": np.arange(100) * 20, "stop_frame": np.arange(1, 101) * 20})
    made = in_wider_bins(table.assign(true=counts, found=counts), 40.0)
    assert made["frames"] % 20 == 0
    assert made["true"].total == made["found"].total == 31
    assert len(made["true"].counts) <= 31
    assert made["true"].width_s == made["frames"] / 40
    assert made["true"].counts[0] == 20
    assert in_wider_bins(table.assign(true=0, found=0), 40.0) is None


def test_narrow_bins_stay_as_they_are():
    table = pd.DataFrame(
        {"start_frame": [0, 20], "stop_frame": [20, 40], "true": [1, 2], "found": [3, 0]}
    )
    made = in_wider_bins(table, 10.0)
    assert (made["true"].counts, made["found"].counts) == ((1, 2), (3, 0))
    assert (made["frames"], made["true"].overflow) == (20, False)


def test_recordings_from_the_worst_to_the_best():
    table = pd.DataFrame({"mof": [50.0, np.nan, 10, 90, 30, 70, 20]}, index=list("abcdefg"))
    assert [name for name, _ in spread_over(table, n=3)] == ["c", "e", "d"]
    assert spread_over(table.iloc[:1]) == [("a", 50.0)]
    assert spread_over(None) == spread_over(table.iloc[1:2]) == []


def test_where_it_occurs_most_first():
    made = occurs_in({f"r{k}": float(k) for k in range(1, 21)})
    assert made["rows"][0] == ("r20", 20.0, 1.0)
    assert (len(made["rows"]), made["more"], made["n"]) == (12, 8, 20)


def test_silhouettes_in_words():
    assert [distinct_in_words(x) for x in (0.5, 0.49, 0.25, 0.0, -0.01, None)] == [
        "stands apart", "distinct", "distinct", "weakly distinct", "hardly distinct", "",
    ]  # fmt: skip


def test_tables_as_rows_and_columns():
    table = pd.DataFrame({"action": [0, 2], "next": [2, 0], "count": [3, 1], "share": [1.0, 0.5]})
    assert matrix(table, [0, 1, 2]) == [[0, 0, 1], [0, 0, 0], [0.5, 0, 0]]
    made = confusion_parts(pd.DataFrame([[3, 1], [0, 0]], index=["a", "b"], columns=["a", "x"]))
    assert made["shares"] == [[0.75, 0.25], [0, 0]]
    assert made["texts"] == [["75", "25"], ["", ""]]


def answer(name, actions):
    return Segmentation(recording_id=name, fps=1.0, actions=np.array(actions))


def test_groups_stand_side_by_side():
    answers = [answer("a", [0, 0, 1, 1]), answer("b", [0, 0, 0, 1]), answer("c", [1, 1, 1, 1])]
    groups = pd.DataFrame(
        {"drug": ["no", "no", "yes"], "day": [1, 1, 1], "age": [3, None, 4]}, index=list("abc")
    )
    tables = group_tables(answers, groups, {0: "walk", 1: "sit"})
    assert list(tables) == ["drug", "age"]  # a day they all have in common compares nothing
    usage, durations, transitions = tables["drug"]
    assert usage["heads"] == ["", "no", "yes"]
    # 2/4 and 3/4: mean 62.5, sd 17.7 of two; nobody of "yes" walks.
    assert usage["rows"] == [["walk", "62.5 (sd 17.7)", "0.0"], ["sit", "37.5 (sd 17.7)", "100.0"]]
    assert durations["rows"][0] == ["walk", "2.50 (2.25 to 2.75), 2", "0 segments"]
    assert transitions["rows"] == [["walk → sit", "100.0", "0.0"]]
    assert extras(groups)["b"] == {"drug": "no", "day": "1", "age": ""}


def test_a_value_for_each_recording_is_no_group():
    answers = [answer(str(k), [0, 1]) for k in range(MAX_GROUPS + 1)]
    groups = pd.DataFrame({"date": range(len(answers))}, index=[a.recording_id for a in answers])
    (said,) = group_tables(answers, groups, {0: "a", 1: "b"})["date"]
    assert said["note"].startswith("25 different values: too many")
    assert group_tables(answers, None, {}) == {}
