import gzip
import lzma
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import expand, read, read_many
from histvq.io.hugadb import COLUMNS
from histvq.io.parts.asked import NotSaidError
from histvq.io.table import read_table
from histvq.io.tables import cells
from histvq.io.tables.cells import MISSING, Dialect, Wanted
from oracles.accidents import spoilt

WIDE = (
    "frame,time_s,LeftWrist_x,LeftWrist_y,hip_x,hip_y,label\n"
    "0,0.00,1,2,3,4,walk\n"
    "1,0.01,5,6,,8,\n"
    "2,0.02,9,10,11,12,run\n"
)
IMU = "acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z\n1,2,3,4,5,6\n7,8,9,10,11,12\n"
LONG = "frame,joint,x,y\n0,hip,1,2\n0,hand,3,4\n1,hand,7,8\n1,hip,5,6\n"


@pytest.fixture
def write(tmp_path):
    def write_(content, name="walk.csv"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return write_


def test_a_wide_table_written_by_hand(write):
    recording, annotation = read_table(write(WIDE), unit="mm")
    expected = [[[1, 2], [3, 4]], [[5, 6], [np.nan, 8]], [[9, 10], [11, 12]]]
    np.testing.assert_array_equal(recording.skeleton, expected)
    assert (recording.id, recording.fps, recording.unit) == ("walk", 100, "mm")
    assert recording.joint_names == ("LeftWrist", "hip")
    assert recording.channel_names == ("x", "y")
    assert annotation.actions == ("run", "walk")
    assert annotation.labels.tolist() == [1, -1, 0]
    said = " ".join(recording.history)
    for words in (
        "wide",
        "comma",
        "2 joints (LeftWrist, hip)",
        "channels x y",
        "fps 100",
        "'label'",
    ):
        assert words in said


def test_one_sensor(write):
    recording, annotation = read_table(write(IMU), unit="g, deg/s", fps=50)
    assert annotation is None
    assert recording.joint_names == ("sensor",)
    assert recording.channel_names == ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
    assert recording.unit == "g, deg/s"
    np.testing.assert_array_equal(recording.skeleton[:, 0], np.arange(1, 13).reshape(2, 6))
    assert read_table(write(IMU), unit="g", fps=50, joint="wrist")[0].joint_names == ("wrist",)
    with pytest.raises(ConfigError, match="joint='wrist', but its columns name their joints"):
        read_table(write(WIDE), unit="mm", joint="wrist")


def test_a_long_table_in_any_order(write):
    recording, _ = read_table(write(LONG), unit="mm", fps=10)
    np.testing.assert_array_equal(recording.skeleton, [[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    assert recording.joint_names == ("hip", "hand")


def test_a_joint_without_a_row_is_missing(write):
    recording, _ = read_table(write(LONG.replace("1,hand,7,8\n", "")), unit="mm", fps=10)
    assert np.isnan(recording.skeleton[1, 1]).all()
    assert "1 times a joint has no row" in " ".join(recording.history)


def test_several_people_stand_side_by_side(write):
    rows = [f"{t},{who},{joint},{t},{n}" for t in (0, 1) for n, (who, joint) in enumerate(
        [("ann", "hip"), ("bob", "hip"), ("ann", "head"), ("bob", "head")])]  # fmt: skip
    path = write("\n".join(["frame,person,joint,x,y", *rows]))
    recording, _ = read_table(path, unit="m", fps=1, columns={"parents": {"head": "hip"}})
    assert recording.joint_names == ("ann/hip", "ann/head", "bob/hip", "bob/head")
    assert recording.joint_persons == (0, 0, 1, 1)
    assert recording.parents == (-1, 0, -1, 2)
    np.testing.assert_array_equal(recording.skeleton[1, :, 1], [0, 2, 1, 3])


def test_pandas_pivots_a_long_table_alike(write):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [(t, joint, *rng.normal(size=3)) for t in range(30) for joint in "abcd"],
        columns=["frame", "bodypart", "x", "y", "z"],
    ).sample(frac=0.8, random_state=0)
    path = write(table.to_csv(index=False))
    recording, _ = read_table(path, unit="m", fps=30)
    pivoted = table.pivot(index="frame", columns="bodypart", values=["x", "y", "z"])
    for number, joint in enumerate(recording.joint_names):
        for c, channel in enumerate("xyz"):
            expected = pivoted[channel, joint].to_numpy(np.float32)
            np.testing.assert_array_equal(recording.skeleton[:, number, c], expected)


@pytest.mark.parametrize(
    ("separator", "decimal"), [(",", "."), (";", ","), ("\t", "."), ("\t", ",")]
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_however_it_is_written(separator, decimal, pack, write):
    values = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float32)
    values[3, 2] = np.nan
    table = pd.DataFrame(values, columns=[f"{j}.{c}" for j in ("a b", "c") for c in "xyz"])
    table["activity"] = np.where(np.arange(50) < 20, f"sit{separator} down", '"up"')
    text = table.to_csv(sep=separator, decimal=decimal, index=False, lineterminator="\r\n")
    ending = {gzip.compress: ".gz", lzma.compress: ".xz"}.get(pack, "")
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path = write(pack(text.encode(encoding)), "a.csv" + ending)
        recording, annotation = read_table(path, unit="m", fps=20)
        np.testing.assert_array_equal(recording.skeleton, values.reshape(50, 2, 3))
        assert annotation.actions == ('"up"', f"sit{separator} down")
        assert recording.joint_names == ("a b", "c")
        assert recording.id == "a"
    assert ("decimal comma" in recording.history[0]) == (decimal == ",")


def test_whole_numbers_first_do_not_hide_a_decimal_comma(write):
    path = write("a_x;a_y\n" + "1;2\n" * 500 + "1,5;2\n")
    assert read_table(path, unit="m", fps=1)[0].skeleton[-1, 0, 0] == 1.5


def test_decimal_commas_in_quotes_between_commas(write):
    path = write('a_x,a_y\n"1,5",2\n"-3,25",4\n')
    recording, _ = read_table(path, unit="m", fps=1)
    assert recording.skeleton[:, 0].tolist() == [[1.5, 2], [-3.25, 4]]


def test_large_tables_are_read_in_blocks(write, monkeypatch):
    monkeypatch.setattr("histvq.io.tables.cells._CELLS_AT_A_TIME", 21)
    monkeypatch.setattr("histvq.io.tables.cells._FEWEST_ROWS", 1)
    values = np.arange(100, dtype=np.float32).reshape(50, 2)
    rows = [f"{x},{y},{'ab'[n % 2]}" for n, (x, y) in enumerate(values)]
    path = write("\n".join(["a_x,a_y,label", *rows]))
    recording, annotation = read_table(path, unit="m", fps=1)
    np.testing.assert_array_equal(recording.skeleton[:, 0], values)
    assert annotation.labels.tolist() == [0, 1] * 25
    rows[40] = "1,zwei,a"
    path = write("\n".join(["a_x,a_y,label", *rows]))
    with pytest.raises(FileFormatError, match="line 42, column 'a_y': 'zwei', expected a number"):
        read_table(path, unit="m", fps=1)


def test_thousands_of_joints(write):
    names = [f"j{n}_{channel}" for n in range(3000) for channel in "xy"]
    row = ",".join(map(str, range(6000)))
    recording, _ = read_table(write(f"{','.join(names)}\n{row}\n{row}\n"), unit="m", fps=1)
    assert recording.skeleton.shape == (2, 3000, 2)
    assert recording.skeleton[1, 2999].tolist() == [5998, 5999]


def test_the_unit_may_stand_in_brackets(write):
    path = write("Time (ms),a_x [mm],a_y [mm]\n0,1,2\n20,3,4\n")
    recording, _ = read_table(path)
    assert (recording.unit, recording.fps) == ("mm", 50)
    assert read_table(path, unit="cm")[0].unit == "cm"


def test_what_the_table_does_not_say_is_asked_for(write):
    with pytest.raises(NotSaidError, match=r"walk\.csv: no unit in table files.*unit='mm'") as no:
        read_table(write(WIDE))
    assert no.value.option == "unit"
    with pytest.raises(NotSaidError, match="unit='m/s2, rad/s'"):
        read_table(write(IMU), fps=50)
    with pytest.raises(NotSaidError, match="no frame rate in table files") as no:
        read_table(write(IMU), unit="g")
    assert no.value.option == "fps"
    path = write("t,a_x,a_y\n0,1,2\n10,3,4\n20,5,6\n")
    with pytest.raises(
        NotSaidError, match=r"column 't': steps of 10.*--option time_unit=.*time_unit='ms'"
    ) as no:
        read_table(path, unit="m")
    assert no.value.option == "time_unit"
    assert read_table(path, unit="m", time_unit="ms")[0].fps == 100
    one = write("t,a_x,a_y\n0,1,2\n")
    with pytest.raises(NotSaidError, match="one frame, from which no frame rate follows"):
        read_table(one, unit="m")
    assert read_table(one, unit="m", fps=60)[0].n_frames == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no line of column names"),
        (WIDE.splitlines()[0] + "\n", "no row below the column names"),
        (WIDE.replace("hip_y,", ""), "joints with missing channels: hip without y"),
        (
            WIDE.replace("5,6,,", "5,6,"),
            "line 3: 6 cells, expected 7 as in the line of column names",
        ),
        (WIDE.replace("5,6,,", "5,6,,,"), "line 3: 8 cells, expected 7"),
        (WIDE.replace("9,10", "9,ten"), "line 4, column 'LeftWrist_y': 'ten', expected a number"),
        (WIDE.replace("9,10", '9,"1,5"'), "'1,5', but numbers of this file have '.' before the fr"),
        (WIDE.replace("9,10", "9,1_0"), "'1_0', expected a number"),
        (WIDE.replace("9,10", "9,-inf"), "line 4, column 'LeftWrist_y': '-inf' is infinite"),
        (WIDE.replace("9,10", "9,1e39"), "'1e39' is infinite, or too large"),
        (WIDE.replace("9,10", "9,1e999"), "'1e999' is infinite, or too large"),
        (WIDE.replace("2,0.02", "1,0.02"), "line 4: frame 1 a second time"),
        (WIDE.replace("2,0.02", "0.5,0.02"), "line 4: frame number 0.5, expected a whole number"),
        (WIDE.replace("2,0.02", ",0.02"), "line 4: frame number nan"),
        (WIDE.replace("1,0.01", "1,"), "line 3, column 'time_s': no time"),
        (WIDE.replace("2,0.02", "2,inf"), "line 4, column 'time_s': 'inf' is infinite"),
        (WIDE.replace("2,0.02", "2,1e300"), "line 4, column 'time_s': no time, or none there can"),
        ("time_s,a_x,a_y\n0,1,2\n1e-320,1,2\n", "steps of 9.999e-321 s|steps of 1e-320 s"),
        (WIDE.replace("1,0.01", "1,0.00"), "line 3: 0 after 0; times must go up"),
        (WIDE.replace("2,0.02", "2,0.03"), "uneven steps: median 15 ms, worst 10 ms before line 3"),
        ("frame,a_x,a_y\n0,1,2\n1,1,2\n99999999,1,2\n", "line 4: frame numbers leap, to 100000000"),
        (WIDE.replace("hip_x", "LeftWrist_x"), "two columns named 'LeftWrist_x'"),
        (WIDE.replace("hip_x", "LeftWrist.x"), "'LeftWrist_x' and 'LeftWrist.x' both read as"),
        (
            "a,b,c,d,e,f\n1,2,3,4,5,6\n",
            r"no column recognised among 'a', 'b', 'c', 'd', 'e' \.\.\.",
        ),
        ("1,2,3\n4,5,6\n", "no column recognised among '1', '2', '3': a wide table has <joint>_"),
        (
            "Made by X\nrate;60\n\n" + WIDE,
            "'Made by X' does not look like column names, but line 4 does: pass skip_rows=3",
        ),
        (WIDE.replace("walk", '"walk'), "line 2: quotes that do not close"),
        (WIDE.replace("walk", "w\0lk"), "line 2: a zero byte"),
        (WIDE.replace("walk", "gehé").encode("latin-1"), r"line 2: byte 0xE9 after .*Latin-1"),
        (WIDE.encode("utf-16-le"), "a zero byte, so this is no text, or UTF-16 without"),
        (WIDE.encode("utf-16")[:-1], "begins as UTF-16 but does not go on so"),
        (LONG.replace("1,hip", "0,hip"), "line 5: frame 0 of 'hip' a second time, after line 2"),
        (LONG.replace("frame", "lap"), "a long table .*without a column `frame` or `time`"),
        ("frame,joint,x,y,label\n0,a,1,2,up\n0,b,1,2,down\n", "line 3: label 'down', but line 2"),
        ("a_x b_x a_y\n1 2 3\n", "'a_x b_x a_y' with spaces between them. Write commas"),
        (
            "t,a_x,a_y\ns,mm,mm\n0,1,2\n",
            r"line 2, .*`skip_rows: \[2\]` in table.yaml passes it over",
        ),
        ("frame,subject,a_x,a_y\n0,ann,1,2\n1,bob,3,4\n", r"rows of 2 persons \(ann, bob\)"),
    ],
)
def test_what_is_wrong_and_where(content, words, write):
    path = write(content)
    with pytest.raises(FileFormatError, match=words) as caught:
        read_table(path, unit="mm", fps=100)
    assert path.name in str(caught.value)


def test_a_long_table_whose_joint_column_holds_something_else(write):
    rows = "".join(f"{n},{n},1,2\n" for n in range(5000))
    with pytest.raises(FileFormatError, match="5000 names of joints in 5000 frames"):
        read_table(write("frame,joint,x,y\n" + rows), unit="m", fps=1)


def test_frame_numbers_left_out_are_missing_frames(write):
    path = write("frame,a_x,a_y,label\n10,1,2,go\n11,3,4,go\n14,5,6,go\n")
    with pytest.warns(DataWarning, match="2 frames whose numbers are left out are missing"):
        recording, annotation = read_table(path, unit="m", fps=1)
    assert np.isnan(recording.skeleton[:, 0, 0]).tolist() == [False, False, True, True, False]
    assert annotation.labels.tolist() == [0, 0, -1, -1, 0]


def test_left_out_frames_of_a_long_table(write):
    path = write("frame,joint,x,y\n3,b,5,6\n1,a,3,4\n0,a,1,2\n")
    with pytest.warns(DataWarning, match="1 frames whose numbers are left out"):
        recording, _ = read_table(path, unit="m", fps=1)
    nan = np.nan
    expected = [[nan, 1], [nan, 3], [nan, nan], [5, nan]]
    np.testing.assert_array_equal(recording.skeleton[:, :, 0], expected)


def test_a_long_table_with_times_and_no_frame_numbers(write):
    rows = [f"{t / 50},{joint},{t},{n}" for t in (2, 0, 1) for n, joint in enumerate("ab")]
    recording, _ = read_table(write("\n".join(["time_s,sensor,acc_x,acc_y", *rows])), unit="g")
    assert recording.fps == 50
    assert recording.skeleton[:, 1].tolist() == [[0, 1], [1, 1], [2, 1]]


def test_times_are_held_against_frame_numbers(write):
    path = write("frame,time_s,a_x,a_y\n0,0,1,2\n1,0.1,3,4\n4,0.4,5,6\n")
    with pytest.warns(DataWarning, match="2 frames"):
        recording, _ = read_table(path, unit="m")
    assert (recording.fps, recording.n_frames) == (10, 5)


def test_every_fifth_frame_leaves_nothing_out(write):
    recording, _ = read_table(write("frame,a_x,a_y\n0,1,2\n5,3,4\n10,5,6\n"), unit="m", fps=6)
    assert recording.n_frames == 3


def test_columns_without_a_meaning_are_told(write):
    path = write("PacketCounter,a_x,a_y,battery\n1,2,3,full\n2,3,4,full\n")
    with pytest.warns(DataWarning, match="left out: 'battery'"):
        recording, _ = read_table(path, unit="m", fps=1)
    assert "not used: battery" in recording.history[0]
    read_table(path, unit="m", fps=1, columns={"ignore": ["battery"]})


def test_numbers_that_stand_for_missing_ones(write):
    path = write("a_x,a_y\n-999,1\n-999.0,x\n")
    recording, _ = read_table(path, unit="m", fps=1, columns={"missing": [-999, "x"]})
    assert np.isnan(recording.skeleton).tolist() == [[[True, False]], [[True, True]]]


def test_parents_are_checked(write):
    path = write("a_x,a_y,b_x,b_y\n1,2,3,4\n")
    said = {"unit": "m", "fps": 1}
    columns = {"parents": {"a": "b", "b": "a"}}
    with pytest.raises(FileFormatError, match=r"walk\.csv: .* lead nowhere from joint 0"):
        read_table(path, **said, columns=columns)
    columns = {"parents": {"a": "bb"}}
    with pytest.raises(FileFormatError, match=r"no joint 'bb', which `parents\.a` .*mean 'b'"):
        read_table(path, **said, columns=columns)
    recording, _ = read_table(path, **said, columns={"parents": {"a": "b", "b": None}})
    assert recording.parents == (1, -1)


def test_reserved_names_are_actions_like_others(write):
    path = write("a_x,a_y,label\n1,2,none\n1,2,10\n1,2,9\n1,2,nan\n1,2,None\n")
    _, annotation = read_table(path, unit="m", fps=1)
    assert annotation.actions == ("9", "10", "None", "none")
    assert annotation.labels.tolist() == [3, 1, 0, -1, 2]
    assert read_table(write("a_x,a_y,label\n1,2,\n"), unit="m", fps=1)[1] is None


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"uneven": "resampel"}, "did you mean 'resample'"),
        ({"time_unit": "min"}, "time_unit='min'"),
        ({"fps": 0}, "fps=0; give the frames a second"),
        ({"fps": float("nan")}, "fps=nan"),
        ({"skip_rows": -1}, "skip_rows=-1"),
        ({"columns": 7}, "columns=7; expected the path of a YAML"),
    ],
)
def test_options_are_checked(option, words, write):
    with pytest.raises(ConfigError, match=words):
        read_table(write(WIDE), **{"unit": "mm", **option})


def test_lines_before_the_column_names(write):
    path = write("Made by X\n\nrate;60\n" + WIDE)
    assert read_table(path, unit="mm", skip_rows=3)[0].n_frames == 3
    recording, _ = read_table(write("sep=;\na_x;a_y\n1,5;2\n"), unit="mm", fps=1)
    assert recording.skeleton.tolist() == [[[1.5, 2]]]


def test_a_line_of_units_is_passed_over(write):
    path = write("t_s,a_x,a_y\ns,mm,mm\n0,1,2\n0.1,3,4\n")
    recording, _ = read_table(path, unit="mm", columns={"skip_rows": [2]})
    assert recording.skeleton.tolist() == [[[1, 2]], [[3, 4]]]


def test_numpys_own_tables(tmp_path):
    values = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    np.savetxt(tmp_path / "a.txt", values, delimiter="\t", header="a_x\ta_y\tb_x\tb_y")
    recording, _ = read(tmp_path / "a.txt", unit="m", fps=1)
    np.testing.assert_array_equal(recording.skeleton.reshape(20, 4), values)
    assert recording.joint_names == ("a", "b")


def test_the_reader_of_hugadb_finds_the_same_sensors(write):
    rows = np.random.default_rng(0).integers(-9000, 9000, size=(30, 39))
    rows[:, -3:] = 1
    text = "\n".join(["\t".join(COLUMNS), *("\t".join(map(str, row)) for row in rows)]) + "\n"
    head = "#Activity\twalking \n#ActivityID\t1 \n#Date 01-01-01-01\n"
    path = write(head + text, "HuGaDB_v1_various_01_00.txt")
    theirs, _ = read(path)
    columns = {"ignore": ["EMG_r", "EMG_l", "act"], "skip_rows": 3}
    ours, _ = read_table(path, fps=1, unit="counts", columns=columns)
    assert (ours.joint_names, ours.channel_names) == (theirs.joint_names, theirs.channel_names)
    np.testing.assert_array_equal(ours.skeleton, theirs.skeleton)


def test_what_is_no_table_of_motion_is_left_alone(write, tmp_path):
    write("Notes: x, y and z are in millimetres.\n", "README.txt")
    write("name,age\nann,30\n", "ages.csv")
    write("recording,level,start_frame,stop_frame,label\nwalk,action,0,3,1\n", "segments.csv")
    write(b"\x93NUMPY\0\0\0rubbish", "noise.txt")
    table = write(WIDE, "walk.txt")
    assert expand(tmp_path) == [("table", table)]
    many = read_many(tmp_path, unit="mm")
    assert (len(many.recordings), many.ignored) == (1, 4)


def test_tables_other_programs_write_beside_their_own_files(write, tmp_path):
    write("scorer,s,s,s,s\nbodyparts,nose,nose,tail,tail\ncoords,x,y,x,y\n0,1,2,3,4\n", "dlc.csv")
    write("body_nose_x,body_nose_y\n1,2\n", "mediapipe_body_3d_xyz.csv")
    write("timestamp,body_nose_x,body_nose_y\n1,2,3\n", "walk_by_trajectory.csv")
    assert [(name, file.name) for name, file in expand(tmp_path)] == [
        ("deeplabcut", "dlc.csv"),
        ("table", "mediapipe_body_3d_xyz.csv"),
        ("table", "walk_by_trajectory.csv"),
    ]
    (tmp_path / "output_data").mkdir()
    np.save(tmp_path / "output_data" / "mediapipe_body_3d_xyz.npy", np.zeros((4, 33, 3)))
    assert [name for name, _ in expand(tmp_path)] == ["deeplabcut", "freemocap"]
    with pytest.raises(FileFormatError, match=r"two columns named 'x', 'y'.*<joint>_<channel>, if"):
        read_table(tmp_path / "dlc.csv", skip_rows=2)


def test_a_yaml_beside_it_makes_a_table_known(write, tmp_path):
    path = write("t;A1;A2;mood\n0;1;2;glad\n5;3;4;sad\n", "a.txt")
    write("Notes, nothing more.\n", "README.txt")
    write(
        "joints: {hand: {x: A1, y: A2}}\ntime: {column: t, unit: ms}\nlabel: mood\nunit: cm\n",
        "table.yaml",
    )
    assert expand(tmp_path) == [("table", path)]
    recording, annotation = read(path)
    assert (recording.fps, recording.unit, recording.joint_names) == (200, "cm", ("hand",))
    assert annotation.actions == ("glad", "sad")
    write("joints: {foot: {x: A1, y: A2}}\nunit: m\nfps: 5\nignore: [t]\n", "a.table.yaml")
    assert read(path)[0].joint_names == ("foot",)
    write("unti: m\n", "other.yaml")
    with pytest.raises(FileFormatError, match=r"other\.yaml: no key 'unti'; did you mean 'unit'"):
        read(path, columns=tmp_path / "other.yaml")


def test_a_column_may_be_told_to_be_motion_and_label_at_once(write):
    path = write("t;A1;A2;mood\n0;1;2;glad\n5;3;4;sad\n", "a.txt")
    notes = (
        "joints: {{hand: {{x: A1, y: {}}}}}\ntime: {{column: t, unit: ms}}\nlabel: {}\nunit: cm\n"
    )
    write(notes.format("mood", "mood"), "table.yaml")
    with pytest.raises(FileFormatError, match=r"line 2, column 'mood': 'glad', expected a number"):
        read(path)
    write(notes.format("A2", "A2"), "table.yaml")
    recording, annotation = read(path)
    assert recording.skeleton[:, 0, 1].tolist() == [2, 4]
    assert annotation.actions == ("2", "4")


MUTABLE = WIDE + "3,0.03,1.5,-2e3,0.25,7,walk\n" * 2
QUIET = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def attempt(path, content):
    """Reading may fail in our own words only."""
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        expand(path.parent) if path.stat().st_size else None
        try:
            read_table(path, unit="mm", fps=100)
        except (FileFormatError, ConfigError) as error:
            assert path.name in str(error)  # noqa: PT017


@QUIET
@given(
    data=st.data(),
    text=st.sampled_from([MUTABLE, LONG, IMU, MUTABLE.replace(",", ";").replace(".", ",")]),
)
def test_a_spoilt_table_is_an_error_in_words(data, text, tmp_path):
    (tmp_path / "good_a.csv").write_text(WIDE)
    attempt(tmp_path / "spoilt.csv", data.draw(spoilt(text.encode())))


@QUIET
@given(st.text(max_size=200))
def test_any_text_is_a_table_or_an_error_in_words(text):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "good_a.csv").write_text(WIDE)
        attempt(Path(folder) / "any.csv", text.encode(errors="surrogatepass"))
        attempt(Path(folder) / "any.csv", ("a_x,a_y\n" + text).encode(errors="surrogatepass"))


ODD = [
    "", " ", "1", "-9", "-9.0", "-9,0", " 7 ", "+.5", "5.", ".", "1E+05", "1e", "e1", "--1", "1 2",
    "nan", "NaN ", "-nan", "inf", "1_0", "0x1", "1d3", "1f", "True", "\u0663", "1e400", "3e38", "4e38",
    "1,5", "1.5", "1.234,5", '"2"', '"2,5"', '" "', "1e-400", "0" * 400, "9" * 400, "0." + "3" * 400,
]  # fmt: skip
CELL = st.one_of(
    st.sampled_from(ODD),
    st.floats(width=32).map(repr),
    st.text(alphabet='0123456789.,;-+eExX naNAif_"\t', max_size=6),
)


@QUIET
@given(
    rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=3),
    separator=st.sampled_from([",", ";", "\t"]),
    decimal=st.sampled_from([".", ","]),
)
def test_pandas_reads_cells_as_they_are_read_one_by_one(rows, separator, decimal, monkeypatch):
    lines = [(n, separator.join(row)) for n, row in enumerate(rows, 2) if any(map(str.strip, row))]
    dialect = Dialect(separator=separator, decimal=decimal, missing=MISSING | {"-9"})
    wanted = Wanted(motion=(1, 0))
    found = []
    for fast in (cells._fast, lambda *args, **kwargs: None):
        with monkeypatch.context() as patch:
            patch.setattr(cells, "_fast", fast)
            try:
                read = cells.read_cells(
                    lines, wanted, names=["a", "b"], dialect=dialect, path=Path("a.csv")
                )
                found.append(read.motion.tobytes())
            except FileFormatError as error:
                found.append(str(error))
    assert found[0] == found[1]
