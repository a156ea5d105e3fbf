import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.errors import DataWarning, FileFormatError
from histvq.io.labels.segment_table import read_labels
from histvq.recording import Recording
from histvq.report import write_segments
from histvq.segments import Segmentation, segment_name

FRAMES = "recording,start_frame,stop_frame,name\n"
SECONDS = "recording,start_s,stop_s,name\n"
BOTH = "recording,start_frame,stop_frame,start_s,stop_s,name\n"
LEVEL = "recording,level,start_frame,stop_frame,name\n"


def recording(id, n_frames=6, *, fps=2.0):
    return Recording(id=id, skeleton=np.zeros((n_frames, 1, 3)), fps=fps)


A, B = recording("a"), recording("b", 4, fps=4.0)


@pytest.fixture
def read(tmp_path):
    """Read a table given as text or bytes."""

    def read_table(table, recordings=(A, B)):
        path = tmp_path / "corrected.csv"
        path.write_bytes(table if isinstance(table, bytes) else table.encode())
        return read_labels(path, recordings)

    return read_table


@pytest.fixture
def refuse(read):
    """Check that a table is refused in these words, and return all of them."""

    def check(table, *words, recordings=(A, B)):
        with pytest.raises(FileFormatError, match=re.escape(words[0])) as caught:
            read(table, recordings)
        for word in words:
            assert word in str(caught.value)
        return str(caught.value)

    return check


def names(annotation):
    """The label of each frame as a name, "" where nobody said."""
    if annotation is None:
        return None
    return ["" if label < 0 else annotation.actions[label] for label in annotation.labels]


def answers_of(rows, *, fps, name, levels):
    return [
        Segmentation(
            recording_id=f"{name}{k or ''}", fps=fps, actions=np.array(row, dtype=np.int32),
            subactions=np.array(row, dtype=np.int32)[::-1] if levels else None,
        )
        for k, row in enumerate(rows)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "dropped", [[], ["start_s", "stop_s"], ["start_frame", "stop_frame"]], ids=str
)
@given(
    rows=st.lists(st.lists(st.integers(-1, 5), min_size=1, max_size=30), min_size=1, max_size=4),
    fps=st.sampled_from([1.0, 25.0, 29.97, 58.83, 120.0, 1000.0]),
    name=st.sampled_from(["x", "NA", "nan", 'a "b", c', "007", "1e5", " ü ", "two\nlines"]),
    levels=st.booleans(),
    separator=st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ",")]),
)
def test_labels_survive_the_way_through_the_table(
    tmp_path_factory, dropped, rows, fps, name, levels, separator
):
    path = tmp_path_factory.mktemp("table") / "segments.csv"
    answers = answers_of(rows, fps=fps, name=name, levels=levels)
    recordings = [recording(a.recording_id, a.n_frames, fps=fps) for a in answers]
    write_segments(path, answers)
    table = pd.read_csv(path, dtype={"recording": str}, keep_default_na=False)
    for column in ("start_s", "stop_s"):
        table[column] = table[column].astype(float)
    delimiter, decimal = separator
    table.drop(columns=dropped).to_csv(path, index=False, sep=delimiter, decimal=decimal)
    if not any(label >= 0 for row in rows for label in row):
        with pytest.raises(FileFormatError, match="no row labels a frame"):
            read_labels(path, recordings)
        return
    back = read_labels(path, recordings)
    for answer, annotation in zip(answers, back, strict=True):
        expected = ["" if k < 0 else segment_name("action", k) for k in answer.actions.tolist()]
        if not any(expected):
            assert annotation is None
            continue
        assert names(annotation) == expected
        assert (annotation.recording_id, annotation.fps) == (answer.recording_id, fps)


def test_a_table_worked_by_hand(read):
    one, none, two = read(
        FRAMES + "b,2,4,walk\nb,0,1,sit\na,4,6,sit\na,0,2,run\n", (A, recording("c"), B)
    )
    # Order of first occurrence by recording, then start: a: run, sit; b: sit, walk.
    assert one.actions == two.actions == ("run", "sit", "walk")
    assert one.labels.tolist() == [0, 0, -1, -1, 1, 1]
    assert two.labels.tolist() == [1, -1, 2, 2]
    assert none is None
    assert (one.recording_id, one.fps, two.recording_id, two.fps) == ("a", 2.0, "b", 4.0)


def test_actions_stand_in_the_order_of_the_recordings_not_of_the_rows(read):
    table = FRAMES + "a,0,2,run\nb,0,1,sit\n"
    assert read(table, (A, B))[0].actions == ("run", "sit")
    assert read(table, (B, A))[0].actions == ("sit", "run")


def test_seconds_become_frames_by_the_recordings_own_rate(read):
    one, two = read(SECONDS + "a,0.5,1.6,walk\nb,0.26,0.74,walk\n")
    assert one.labels.tolist() == [-1, 0, 0, -1, -1, -1]  # frames 1.0 to 3.2, at 2 a second
    assert two.labels.tolist() == [-1, 0, 0, -1]  # frames 1.04 to 2.96, at 4 a second


def test_a_folder_of_a_run_stands_for_its_segments(tmp_path):
    (tmp_path / "segments.csv").write_text(FRAMES + "a,0,2,walk\n", encoding="utf-8")
    assert names(read_labels(tmp_path, [A])[0]) == ["walk", "walk", "", "", "", ""]
    (tmp_path / "segments.csv").unlink()
    with pytest.raises(FileFormatError, match=r"segments\.csv: there is no such file"):
        read_labels(str(tmp_path), [A])


@pytest.mark.parametrize(
    "table",
    [
        "recording;start_s;stop_s;name\na;0,5;1,5;go\n",
        "recording\tstart_s\tstop_s\tname\na\t0,5\t1.5\tgo\n",
        "\ufeff" + SECONDS + "a,0.5,1.5,go\n",
        '\ufeff"recording";"start_s";"stop_s";"name"\r\n"a";0,5;"1,5";"go"\r\n',
        " recording , start_s,stop_s , name\n a , 0.5 ,1.5, go \n",
        "\n" + SECONDS + "\n,,,\na,0.5,1.5,go\n\n  \n",
        "recording;start_frame;stop_frame;name\na;1,0;3.0;go\n",
        "recording,start_frame,stop_frame,label\na,1,3,go\n",
        "recording,start_frame,stop_frame,label,name\na,1,3,7,go\n",
        "name,x,stop_frame,start_frame,recording,start_s\ngo,?,3,1,a,99\n",
        BOTH + "a,1,3,,,go\n",
        BOTH + "a,,,0.5,1.5,go\n",
        BOTH + "a,1,3,0.9,1.1,go\n",  # frames 1.8 and 2.2: one off either way
        SECONDS + "a,5e-1,+1.5E0,go\n",
        "recording,start_frame,stop_frame,name,note\na,1,3,go\n",
        FRAMES + "a,1,3,go,,\n",
    ],
)
def test_one_table_in_the_dress_of_many_programs(read, table):
    assert names(read(table, [A])[0]) == ["", "go", "go", "", "", ""]


def test_names_keep_what_they_hold(read):
    table = FRAMES + 'a,0,1,"sit, then stand"\na,1,2,5" step\na,2,3,"say ""hm"""\na,3,4,NA\n'
    table += "a,4,5,gehen ü\n"
    assert names(read(table, [A])[0]) == [
        "sit, then stand", '5" step', 'say "hm"', "NA", "gehen ü", ""
    ]  # fmt: skip


def test_ids_that_look_like_numbers_stay_text(read):
    ids = ("01", "1", "1.0", " 1")
    back = read(FRAMES + "01,0,1,w\n1.0,0,1,x\n 1,0,1,y\n", [recording(id, 1) for id in ids])
    assert [names(annotation) for annotation in back] == [["w"], None, ["x"], ["y"]]


def test_rows_of_level_action_count_where_there_are_any(read):
    table = "a,action,0,2,walk\na,subaction,0,9,left\n"
    assert names(read(LEVEL + table, [A])[0]) == ["walk", "walk", "", "", "", ""]


def test_rows_of_level_subaction_count_where_these_are_all(read):
    table = "a,subaction,0,1,left\na,subaction,1,3,right\n"
    assert names(read(LEVEL + table, [A])[0]) == ["left", "right", "right", "", "", ""]


def test_a_row_without_name_labels_nothing(read, refuse):
    one, two = read(FRAMES + "a,0,2,\na,1,3,go\nb,0,2, \n")
    assert names(one) == ["", "go", "go", "", "", ""]
    assert two is None
    refuse(FRAMES + "a,0,2,\n", "corrected.csv: no row labels a frame")
    refuse(FRAMES, "no row labels a frame")


def test_one_frame_beyond_the_end_is_cut(read):
    assert names(read(FRAMES + "a,4,7,go\n", [A])[0]) == ["", "", "", "", "go", "go"]
    assert names(read(SECONDS + "a,2,3.5,go\n", [A])[0]) == ["", "", "", "", "go", "go"]


def test_rows_of_one_name_may_overlap(read):
    table = FRAMES + "a,2,3,go\na,0,4,go\na,1,6,go\n"
    assert names(read(table, [A])[0]) == ["go"] * 6


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("a,0,3,x\na,2,5,y\n", ["line 3: ", "'a': 'y' and 'x' of line 2 share frames 2 to 3 "]),
        ("a,2,5,y\na,0,3,x\n", ["line 2: ", "'y' and 'x' of line 3 share frames 2 to 3 "]),
        # The long row before the last one of its name counts.
        ("a,0,6,x\na,1,2,x\na,4,5,y\n", ["line 4: ", "'y' and 'x' of line 2 share frames 4 to 5 "]),
        ("a,0,2,x\na,0,2,y\n", ["share frames 0 to 2 (stop excluded); let one stop where"]),
    ],
)
def test_rows_of_two_names_may_not_overlap(refuse, rows, words):
    refuse(FRAMES + rows, *words)


def test_neighbours_do_not_overlap(read):
    assert names(read(FRAMES + "a,3,6,y\na,0,3,x\n", [A])[0]) == ["x"] * 3 + ["y"] * 3


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (FRAMES + "a,3,3,go\n", ["line 2: ", "'a': start_frame 3, stop_frame 3: frames 3 to 3"]),
        (FRAMES + "a,3,2,go\n", ["the recording has 6 (3 s); start must be 0 or more, stop after"]),
        (FRAMES + "a,-1,2,go\n", ["start_frame -1, stop_frame 2: frames -1 to 2"]),
        (FRAMES + "a,4,8,go\n", ["frames 4 to 8, but the recording has 6"]),
        (FRAMES + "a,6,7,go\n", ["frames 6 to 7, but the recording has 6"]),
        (SECONDS + "a,1,1.2,go\n", ["start_s 1, stop_s 1.2: frames 2 to 2, but"]),
        (FRAMES + "a,0.5,2,go\n", ["start_frame is 0.5; frames are whole numbers"]),
        (FRAMES + "a,0,two,go\n", ["stop_frame is 'two', not a number"]),
        (FRAMES + "a,0,,go\n", ["stop_frame is empty; fill it"]),
        (FRAMES + "a,,,go\n", ["start and stop are empty; fill them"]),
        (BOTH + "a,0,,0,1,go\n", ["stop_frame is empty"]),
        (FRAMES + "a,0,nan,go\n", ["stop_frame is 'nan', not a number"]),
        (FRAMES + "a,0,1_0,go\n", ["stop_frame is '1_0', not a number"]),
        (SECONDS + "a,0,1e999,go\n", ["stop_s is '1e999', not a number"]),
        (SECONDS + "a,0,1e99,go\n", ["but the recording has 6"]),
        (SECONDS + 'a,0,"1,5",go\n', ["stop_s is '1,5', not a number"]),
        ("recording;start_s;stop_s;name\na;0;1.000,5;go\n", ["stop_s is '1.000,5', not a number"]),
        (FRAMES + ",0,1,go\n", ["line 2: recording is empty"]),
        (FRAMES + "a,0,1,sit, then stand\n", ["line 2: 5 cells, the header has 4; put what holds"]),
        (FRAMES + 'a,0,1,"sit\na,1,2,go\n', ["line 2: unexpected end of data; close the quotes"]),
        (LEVEL + "a,actions,0,1,go\n", ["line 2: level is actions; expected action or subaction"]),
        (LEVEL + "a,,0,1,go\n", ["line 2: level is empty; expected"]),
        (FRAMES + '\na,0,1,"two\nlines"\n\na,0,9,go\n', ["line 6: ", "frames 0 to 9"]),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(refuse, table, words):
    refuse(table, *words)


def test_frames_and_seconds_at_odds_are_refused_with_both(refuse):
    words = (
        "corrected.csv, line 3: recording 'a': start_frame 2, stop_frame 3, start_s 1.0, stop_s "
        "2.5: these seconds are frames 2 to 5 at 2 frames a second; change both, or delete the two"
    )
    refuse(BOTH + "a,0,1,0,0.5,go\na,2,3,1.0,2.5,stay\n", words)
    refuse(BOTH + "a,0,6,1.0,3.0,go\n", "these seconds are frames 2 to 6")


def test_faults_are_told_together_by_line_ten_at_most(refuse):
    table = LEVEL + "a,action,0,3,x\na,step,0,1,x\na,action,2,4,y\nb,action,0,z,x\n"
    lines = refuse(table, "corrected.csv: 3 faults:").splitlines()[1:]
    assert [line.split(": ")[0] for line in lines] == ["line 3", "line 4", "line 5"]
    told = refuse(FRAMES + "a,1,1,go\n" * 12, "12 faults").splitlines()
    assert told[10].startswith("line 11: ")
    assert told[11:] == ["... and 2 more"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "no column recording, start_frame and stop_frame (or start_s and stop_s), name (or"),
        ("", "the file is empty"),
        ("recording,start_s,stop_frame,name\n", "no column start_frame and stop_frame (or start_s"),
        ("recording,start_s,stop_s,action\n", "no column name (or label); there are recording, st"),
        ("file;start_s;stop_s;name\n", "no column recording; there are file, start_s, stop_s, na"),
        ("recording,start_s,stop_s,name,name\n", "more than one column name; delete the others"),
    ],
)
def test_a_table_without_its_columns_is_refused(refuse, table, words):
    refuse(table, words)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((FRAMES + "a,0,1,go\na,1,2,Gänge\n").encode("cp1252"), "line 3: not UTF-8; save the tab"),
        ((FRAMES + "a,0,1,go\n").encode("utf-16"), "line 1: not UTF-8; save the table as CSV"),
        (b"PK\x03\x04\x14\x00", "a spreadsheet's own format; save the table as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "a spreadsheet's own format; save the table as CSV"),
    ],
)
def test_what_is_no_utf8_csv_is_refused_with_a_way_out(refuse, data, words):
    refuse(data, words)


def test_recordings_nobody_asked_for_are_named_and_left_out(read):
    with pytest.warns(DataWarning, match="no file for recordings c, d; their rows are") as warned:
        back = read(FRAMES + "c,0,1,x\na,0,1,go\nd,x,y,z\n", [A])
    assert warned[0].filename == __file__
    assert back[0].actions == ("go",)


def test_a_table_of_other_recordings_is_refused_with_both_names(refuse):
    table = FRAMES + "".join(f"r{k},0,1,go\n" for k in range(7))
    words = "none of its recordings (r0, r1, r2, r3, r4 and 2 more) is among the files' (a, b)"
    refuse(table, words)
