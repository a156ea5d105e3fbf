import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.annotation import Annotation
from histvq.errors import FileFormatError
from histvq.report import read_frames, usage_table, write_frames, write_segments
from histvq.report.frames import read_truth
from histvq.segments import SEGMENT_COLUMNS, Segmentation


def answer(name, actions, *, fps=2.0, **more):
    return Segmentation(
        recording_id=name, fps=fps, actions=np.array(actions, dtype=np.int32), **more
    )


def test_segments_of_a_case_cut_by_hand(tmp_path):
    one = answer(
        "a", [1, 1, 1, -1, 0, 0], fps=3.0, person="Ann",
        subactions=np.array([2, 3, 3, -1, 0, 0]), confidence=np.array([1, 0.5, 0.5, 0, 1, 1]),
    )  # fmt: skip
    path = write_segments(tmp_path / "deep" / "segments.csv", [one, answer("b, 2", [0])])
    assert path.read_text(encoding="utf-8").splitlines() == [
        ",".join(SEGMENT_COLUMNS),
        "a,Ann,action,0,0,3,0.0,1.0,1.0,1,action 1,0.6667,",
        "a,Ann,action,1,4,6,1.333333,2.0,0.666667,0,action 0,1.0,",
        "a,Ann,subaction,0,0,1,0.0,0.333333,0.333333,2,subaction 2,1.0,0",
        "a,Ann,subaction,1,1,3,0.333333,1.0,0.666667,3,subaction 3,0.5,0",
        "a,Ann,subaction,2,4,6,1.333333,2.0,0.666667,0,subaction 0,1.0,1",
        '"b, 2",,action,0,0,1,0.0,0.5,0.5,0,action 0,,',
    ]


def test_no_segments_still_make_a_table_with_its_columns(tmp_path):
    path = write_segments(tmp_path / "segments.csv", [answer("a", [-1, -1])])
    assert list(pd.read_csv(path).columns) == SEGMENT_COLUMNS


def test_frames_of_a_case_worked_by_hand(tmp_path):
    truth = Annotation(
        recording_id="a", labels=np.array([0, -1, 1]), actions=("go", "stop, wait"), fps=2.0
    )
    answers = [answer("a", [4, 4, -1], confidence=np.array([0.5, 1 / 3, 0])), answer("b", [0])]
    path = write_frames(tmp_path / "frames.csv", answers, [truth])
    assert path.read_text(encoding="utf-8").splitlines() == [
        "recording,frame,time_s,action,subaction,confidence,true_action",
        "a,0,0.0,4,,0.5,go",
        "a,1,0.5,4,,0.3333,",
        'a,2,1.0,-1,,0.0,"stop, wait"',
        "b,0,0.0,0,,,",
    ]


@given(
    labels=st.lists(st.lists(st.integers(-1, 5), min_size=2, max_size=30), max_size=4),
    fps=st.sampled_from([1.0, 25.0, 29.97, 30.0, 58.83, 59.94, 120.0, 1000.0]),
    name=st.sampled_from(["x", "NA", "nan", 'a "b", c', "007", "1e5", " ü "]),
    levels=st.booleans(),
)
def test_frames_survive_the_way_through_the_file(tmp_path_factory, labels, fps, name, levels):
    path = tmp_path_factory.mktemp("frames") / "frames.csv"
    answers = [
        answer(
            f"{name}{k or ''}", row, fps=fps,
            subactions=np.array(row) * 2 + 1 if levels else None,
            confidence=np.linspace(0, 1, len(row)) if levels else None,
        )
        for k, row in enumerate(labels)
    ]  # fmt: skip
    back = read_frames(write_frames(path, answers))
    assert [b.recording_id for b in back] == [a.recording_id for a in answers]
    for ours, theirs in zip(answers, back, strict=True):
        assert theirs.fps == fps
        np.testing.assert_array_equal(theirs.actions, ours.actions)
        if levels:
            np.testing.assert_array_equal(theirs.subactions, ours.subactions)
            np.testing.assert_allclose(theirs.confidence, ours.confidence, atol=6e-5)
        else:
            assert theirs.subactions is None
            assert theirs.confidence is None


HEAD = "recording,frame,time_s,action,subaction,confidence\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a table of frames"),
        ("time,value\n1,2\n", "no column recording, frame, time_s, action"),
        (HEAD + "a,0,0.0,1,,\na,1,0.5,walk,,\n", "line 3: action is walk; expected a whole"),
        (HEAD + "a,0,0.0,1,,\na,1,0.5,,,\n", "line 3: action is empty"),
        (HEAD + "a,0,0.0,1.5,,\na,1,0.5,1,,\n", "line 2: action is 1.5"),
        (HEAD + "a,0,0.0,1,,\na,2,1.0,1,,\n", "line 3: frame 2 of recording 'a', expected 1"),
        (HEAD + "a,0,0,1,,\nb,0,0,1,,\na,1,1,1,,\n", "do not stand together"),
        (HEAD + "a,0,0.0,1,,\n", "too few frames to tell their rate"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_with_the_place(tmp_path, text, message):
    path = tmp_path / "frames.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError, match=message):
        read_frames(path)


def test_one_frame_is_read_when_the_rate_is_given(tmp_path):
    path = write_frames(tmp_path / "frames.csv", [answer("a", [3])])
    (back,) = read_frames(path, fps=60)
    assert (back.fps, back.actions.tolist()) == (60, [3])


def test_one_frame_takes_the_rate_the_others_have_in_common(tmp_path):
    answers = [answer("a", [3]), answer("b", [1, 1, 2], fps=30.0), answer("c", [0, 0], fps=30.0)]
    back = read_frames(write_frames(tmp_path / "frames.csv", answers))
    assert [(b.recording_id, b.fps) for b in back] == [("a", 30), ("b", 30), ("c", 30)]
    mixed = [*answers, answer("d", [0, 0], fps=25.0)]
    with pytest.raises(FileFormatError, match="'a' has too few frames to tell their rate"):
        read_frames(write_frames(tmp_path / "frames.csv", mixed))


def test_truth_out_of_step_is_refused_and_leaves_no_file(tmp_path):
    truth = Annotation(recording_id="a", labels=np.array([0]), actions=("go",), fps=2.0)
    with pytest.raises(ValueError, match="'a': the answer has 2 frames, its annotation 1"):
        write_frames(tmp_path / "frames.csv", [answer("a", [0, 0])], [truth])
    assert list(tmp_path.iterdir()) == []


def test_usage_of_a_case_counted_by_hand():
    table = usage_table(
        [
            answer("a", [0, 0, 0, 1, 0, -1, 2, 2], person="Ann"),
            answer("b", [0, 0, 2, 2], person="Ann"),
            answer("c", [0, 0, 0, 0], fps=4.0, person="Bob"),
        ]
    ).set_index("action")
    # Action 0: runs of 1.5, 0.5, 1 and 1 s; all labelled time is 3.5 + 2 + 1 = 6.5 s.
    assert table.loc[0].to_dict() == {
        "name": "action 0", "total_s": 4.0, "share": pytest.approx(4 / 6.5), "n_segments": 4,
        "median_s": 1.0, "n_recordings": 3, "n_people": 2, "flag": "",
    }  # fmt: skip
    assert table.loc[1, "flag"] == "only in recording a"
    assert table.loc[2, "flag"] == "only in person Ann"
    assert table["share"].sum() == pytest.approx(1)


def test_nothing_to_compare_with_nothing_to_flag():
    assert usage_table([answer("a", [0, 1])])["flag"].tolist() == ["", ""]
    assert len(usage_table([])) == len(usage_table([answer("a", [-1])])) == 0


NAMES = {0: "walk", 1: "1", 2: "None"}


def test_names_stand_in_every_table(tmp_path):
    one = answer("a", [1, 1, 0, -1], fps=2.0, names=NAMES)
    lines = write_frames(tmp_path / "frames.csv", [one]).read_text("utf-8").splitlines()
    assert lines == [
        "recording,frame,time_s,action,subaction,confidence,name",
        "a,0,0.0,1,,,1", "a,1,0.5,1,,,1", "a,2,1.0,0,,,walk", "a,3,1.5,-1,,,",
    ]  # fmt: skip
    segments = pd.read_csv(write_segments(tmp_path / "segments.csv", [one]), dtype=str)
    assert segments["name"].tolist() == ["1", "walk"]
    assert usage_table([one])["name"].tolist() == ["walk", "1"]


def test_names_that_occur_come_back_from_the_file(tmp_path):
    one = answer("a", [1, 1, 0, -1], names=NAMES)
    other = answer("b", [2, 2], names=NAMES)
    truth = Annotation(recording_id="a", labels=np.zeros(4, int), actions=("x",), fps=2.0)
    for annotations in (None, [truth]):
        path = write_frames(tmp_path / "frames.csv", [one, other], annotations)
        back = read_frames(path)
        assert [answer.names for answer in back] == [NAMES, NAMES]
        assert back[0].actions.tolist() == [1, 1, 0, -1]


def test_one_code_with_two_names_is_refused(tmp_path):
    path = write_frames(tmp_path / "frames.csv", [answer("a", [1, 1, 1], names=NAMES)])
    text = path.read_text("utf-8")
    path.write_text(text.removesuffix("1\n") + "go\n", "utf-8")
    with pytest.raises(FileFormatError, match=r"line 4: action 1 is called '1' and 'go'"):
        read_frames(path)


def test_frames_written_in_blocks_are_those_written_at_once(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    answers = [
        answer(
            name, random.integers(-1, 3, n), fps=7.0, subactions=random.integers(-1, 6, n),
            confidence=random.random(n).astype(np.float32), names={0: "a, b", 2: 'c "d"'},
        )
        for name, n in (("a", 25), ("none", 0), ("b", 10), ("c", 1))
    ]  # fmt: skip
    truth = [
        Annotation(recording_id="a", labels=random.integers(-1, 2, 25), actions=("x", "y"), fps=7.0)
    ]
    whole = write_frames(tmp_path / "whole.csv", answers, truth).read_bytes()
    monkeypatch.setattr("histvq.report.frames.ROWS_AT_ONCE", 10)
    assert write_frames(tmp_path / "blocks.csv", answers, truth).read_bytes() == whole


def test_frames_read_in_blocks_are_those_that_were_written(tmp_path, monkeypatch):
    monkeypatch.setattr("histvq.report.frames_read.ROWS_A_BLOCK", 10)
    random = np.random.default_rng(0)
    answers = [
        answer(
            name, random.integers(-1, 3, n), fps=7.0, names={0: "a", 1: "007", 2: "c"},
            subactions=random.integers(-1, 6, n) if n > 15 else None,
            confidence=random.random(n).round(2) if n > 15 else None,
        )
        for name, n in (("10", 25), ("a", 12), ("9", 31))
    ]  # fmt: skip
    labels = random.integers(-1, 2, 31)
    truth = [Annotation(recording_id="9", labels=labels, actions=("x", "y"), fps=7.0)]
    path = write_frames(tmp_path / "frames.csv", answers, truth)
    back = read_frames(path)
    assert [one.recording_id for one in back] == ["10", "a", "9"]
    for one, other in zip(back, answers, strict=True):
        np.testing.assert_array_equal(one.actions, other.actions)
        assert one.names == other.names
        for found, wanted in (
            (one.subactions, other.subactions),
            (one.confidence, other.confidence),
        ):
            assert (found is None) == (wanted is None)
            if wanted is not None:
                np.testing.assert_allclose(found, wanted)
    [known] = read_truth(path, back, actions=("x", "y"))
    np.testing.assert_array_equal(known.labels, labels)
    assert known.recording_id == "9"


def test_a_fault_far_down_is_told_by_its_own_line(tmp_path, monkeypatch):
    monkeypatch.setattr("histvq.report.frames_read.ROWS_A_BLOCK", 10)
    path = write_frames(tmp_path / "frames.csv", [answer("a", [0] * 40)])
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:33], lines[33].replace(",0,", ",x,"), *lines[34:]]))
    with pytest.raises(FileFormatError, match="line 34: action is x"):
        read_frames(path)
