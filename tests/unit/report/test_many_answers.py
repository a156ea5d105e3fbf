"""Tables of many short answers are those of each alone in turn; the page is about the first."""

import numpy as np
from hypothesis import given, settings
from hypothesis.strategies import booleans, integers, lists, tuples

from histvq import report
from histvq.annotation import Annotation
from histvq.report import frames, laid, tables
from histvq.report.frames import frame_rows, write_frames
from histvq.report.key import make_key
from histvq.report.ready import Rows
from histvq.report.tables import segment_rows, segments_table, usage_table, write_segments
from histvq.segments import Segmentation, to_segments

kinds = lists(tuples(integers(0, 40), booleans(), booleans(), booleans()), min_size=1, max_size=12)


def made(kinds):
    """Answers of so many frames, with and without subactions, confidence and truth."""
    chance = np.random.default_rng(0)
    answers, truth = [], []
    for number, (n, fine, sure, labelled) in enumerate(kinds):
        actions = np.repeat(chance.integers(-1, 3, n), 2).astype(np.int32)
        answers.append(
            Segmentation(
                recording_id=f"r,{number}",
                fps=29.97 + number % 3,
                actions=actions,
                subactions=2 * actions if fine else None,
                confidence=chance.random(2 * n, dtype=np.float32) if sure else None,
                person=f"p{number % 2}",
            )
        )
        if labelled:
            labels = chance.integers(-1, 2, 2 * n)
            truth.append(
                Annotation(recording_id=f"r,{number}", labels=labels, actions=("a, b", "c"), fps=30)
            )
    return answers, truth


@given(kinds)
@settings(max_examples=25)
def test_blocks_of_rows_are_the_rows_of_each_answer(tmp_path_factory, kinds):
    folder = tmp_path_factory.mktemp("tables")
    answers, truth = made(kinds)
    before = frames.ROWS_AT_ONCE, tables.ROWS_A_BLOCK
    frames.ROWS_AT_ONCE = tables.ROWS_A_BLOCK = 30
    try:
        for write, given in ((write_frames, [truth]), (write_segments, [])):
            together = write(folder / "all.csv", answers, *given).read_text().splitlines()
            each = [
                write(folder / "one.csv", [a], *given).read_text().splitlines() for a in answers
            ]
            assert together == [each[0][0], *(line for rows in each for line in rows[1:])]
        rows = write_segments(folder / "all.csv", answers).read_text().split("\n")
        assert len(segments_table(answers)) == len(rows) - 2
    finally:
        frames.ROWS_AT_ONCE, tables.ROWS_A_BLOCK = before


@given(kinds)
@settings(max_examples=25)
def test_usage_counts_every_run(kinds):
    answers, _ = made(kinds)
    runs = [(answer, run) for answer in answers for run in to_segments(answer.actions)]
    table = usage_table(answers)
    assert table["action"].tolist() == sorted({label for _, (*_, label) in runs if label >= 0})
    for row in table.to_dict("records"):
        mine = [(a, stop - start) for a, (start, stop, label) in runs if label == row["action"]]
        assert row["total_s"] == sum(n / a.fps for a, n in mine)
        assert row["n_segments"] == len(mine)
        assert row["n_recordings"] == len({a.recording_id for a, _ in mine})


def test_the_page_is_about_as_many_as_a_browser_can_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "MOST_RECORDINGS", 3)
    answers, _ = made([(10, False, False, False)] * 5)
    report.write_report(tmp_path, answers)
    page = (tmp_path / "report.html").read_text()
    assert "This page is about the first 3 of 5 recordings" in page
    assert [f"r,{n}" in page for n in range(5)] == [True] * 3 + [False] * 2
    assert len((tmp_path / "frames.csv").read_text().splitlines()) == 101
    monkeypatch.setattr(report, "MOST_RUNS", 12)
    runs = [len(to_segments(answer.actions)) for answer in answers]
    n_shown = len(report.on_page(answers))
    assert sum(runs[:n_shown]) <= 12 or n_shown == 1


@given(kinds, integers(1, 4))
@settings(max_examples=25)
def test_ready_rows_are_copied_where_their_columns_are_those_of_the_table(
    tmp_path_factory, kinds, size
):
    folder = tmp_path_factory.mktemp("tables")
    answers, truth = made(kinds)
    known = {one.recording_id: one for one in truth}
    ready, marked = {}, {}
    for start in range(0, len(answers), size)[::2]:  # every other group
        some = answers[start : start + size]
        fits = [known[a.recording_id] for a in some if a.recording_id in known]
        columns, rows = frame_rows(some, fits or None)
        parts = list(rows), list(segment_rows(some))
        ready[start] = rows_ready(len(some), columns, *parts)
        marked[start] = rows_ready(len(some), columns, [b"copied\n"], [b"copied\n"])
    for write, with_truth in ((write_frames, [truth or None]), (write_segments, [])):
        plain = write(folder / "plain.csv", answers, *with_truth).read_bytes()
        assert write(folder / "ready.csv", answers, *with_truth, ready=ready).read_bytes() == plain
        copied = write(folder / "marked.csv", answers, *with_truth, ready=marked).read_bytes()
        head = plain.split(b"\n")[0].decode().split(",")
        usable = [
            one for one in marked.values() if write is write_segments or [*one.columns] == head
        ]
        assert copied.count(b"copied\n") == len(usable)


def rows_ready(n_answers, columns, frames, segments):
    return Rows(
        n_answers=n_answers, columns=columns, frames=lambda: frames, segments=lambda: segments
    )


@given(kinds)
@settings(max_examples=25)
def test_groups_of_answers_change_no_key_and_no_usage(kinds):
    answers, truth = made(kinds)
    known = {one.recording_id: one for one in truth}
    before = laid.MOST_FRAMES
    found = []
    try:
        for laid.MOST_FRAMES in (7, 10**6):
            found.append((make_key(answers, known, {}), usage_table(answers)))
    finally:
        laid.MOST_FRAMES = before
    (key, usage), (whole, usage_of_all) = found
    assert key == whole
    assert usage.equals(usage_of_all)
    codes = {code for a in answers for code in a.actions.tolist() if code >= 0}
    assert key.looks.keys() == codes
    for code in codes:
        seconds = [
            (stop - start) / a.fps
            for a in answers
            for start, stop, label in to_segments(a.actions)
            if label == code
        ]
        row = usage[usage["action"] == code].iloc[0]
        assert (row["n_segments"], row["total_s"]) == (len(seconds), sum(seconds))
