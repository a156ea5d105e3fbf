import pytest

from histvq.errors import FileFormatError
from histvq.io.tables.columns import meaning, plausible, time_unit, understand
from histvq.io.tables.notes import TableNotes, read_notes


@pytest.mark.parametrize(
    ("name", "joint", "channel"),
    [
        ("LeftWrist_x", "LeftWrist", "x"), ("wrist.acc_x", "wrist", "acc_x"),
        ("Wrist X", "Wrist", "x"), ("LKNE:Z", "LKNE", "z"), ("LeftWristX", "LeftWrist", "x"),
        ("thigh_r_gyro_z", "thigh_r", "gyro_z"), ("wristAccX", "wrist", "acc_x"),
        ("accX", "", "acc_x"), ("AccX", "", "acc_x"), ("Acc_X", "", "acc_x"), ("ax", "", "acc_x"),
        ("Acc_X [m/s2]", "", "acc_x"), ("gyr-y", "", "gyro_y"), ("magnetometer_z", "", "mag_z"),
        ("x", "", "x"), ("Y", "", "y"), ("pos_x", "", "x"), ("hip_pos_z", "hip", "z"),
        ("qw", "", "qw"), ("Quat_W", "", "qw"), ("foot_qx", "foot", "qx"), ("roll", "", "roll"),
        ("acc_rf_x", "rf", "acc_x"), ("gyro_left_thigh_y", "left_thigh", "gyro_y"),
        ("FreeAcc_X", "", "linacc_x"), ("userAcceleration.x", "", "linacc_x"),
        ("rotationRate.y", "", "gyro_y"), ("attitude.roll", "", "roll"),
        ("gravity.z", "", "gravity_z"), ("angular_velocity_x", "", "gyro_x"),
        ("linear_acceleration_x", "", "linacc_x"), ("a_x", "a", "x"), ("T8.Euler_x", "T8", "euler_x"),
    ],
)  # fmt: skip
def test_what_a_name_means(name, joint, channel):
    assert meaning(name) == (joint, channel)


@pytest.mark.parametrize(
    "name", ["frame", "label", "Index", "Vertex", "Max", "nose_likelihood", "time", "", "w", "box"]
)
def test_names_that_mean_no_motion(name):
    assert meaning(name) is None


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("time", ""), ("t", ""), ("Timestamp", ""), ("time_s", "s"), ("time_ms", "ms"),
        ("Timestamp (ms)", "ms"), ("Time [s]", "s"), ("t_us", "us"), ("epoch_ns", "ns"),
        ("seconds", "s"), ("SampleTimeFine", "us"), ("datetime", ""), ("unix_time_ms", "ms"),
        ("ts", None), ("s", None), ("times", None), ("time_x", None), ("mins", None),
        ("time_h", None), ("lifetime", None),
    ],
)  # fmt: skip
def test_columns_of_times(name, unit):
    assert time_unit(name) == unit


def test_what_looks_like_column_names():
    assert plausible(["frame", "a_x", "a_y"])
    assert plausible(["acc_x", "acc_y"])
    assert not plausible(["Made by X", "a"])
    assert not plausible(["a_x", "b_y"])


def plan(names, **notes):
    return understand(names.split(","), TableNotes.model_validate(notes), where="a.csv, line 1")


def test_joint_by_joint_and_channel_by_channel_in_the_order_of_the_first_joint():
    found = plan("b_y,frame,a_x,b_x,a_y,activity")
    assert (found.joints, found.channels, found.motion) == (("b", "a"), ("y", "x"), (0, 3, 4, 2))
    assert (found.frame, found.label, found.time) == (1, 5, None)


def test_a_column_of_times_that_says_its_unit_goes_first():
    found = plan("timestamp,time_ms,a_x,a_y,PacketCounter,battery")
    assert (found.time, found.time_unit, found.unused) == (1, "ms", ("battery",))


def test_long_tables():
    found = plan("frame,Marker,x,y")
    assert (found.joint, found.joints, found.motion) == (1, (), (2, 3))
    assert plan("sensor,a_x,a_y").joint is None


def test_notes_go_before_names():
    notes = {"joints": {"hand": {"x": "A", "y": "B"}}, "time": {"column": "C", "unit": "us"}}
    found = plan("A,B,C,a_x,a_y,time_s", **notes)
    assert (found.joints, found.motion, found.time, found.time_unit) == (("hand",), (0, 1), 2, "us")
    assert found.chosen
    found = plan("who,A,B,C", channels={"x": "A", "y": "B"}, joint_column="who", frame="C")
    assert (found.joint, found.frame, found.channels) == (0, 3, ("x", "y"))


def test_a_column_has_one_meaning():
    found = plan("n_x,a_x,a_y", frame="n_x")
    assert (found.frame, found.motion, found.joints) == (0, (1, 2), ("a",))


@pytest.mark.parametrize(
    ("names", "notes", "words"),
    [
        ("LW_X,b", {"joints": {"hand": {"x": "LWX"}}},
         r"no column 'LWX', which `joints\.hand\.x` of the YAML names; did you mean 'LW_X'\?"),
        ("a_x,a_y", {"label": "what"}, "no column 'what', which `label` of the YAML names"),
        ("a_x,a_y", {"time": {"column": "tt"}}, "'tt', which `time` of the YAML"),
        ("a_x,a_y", {"joint_column": "who"}, "'who', which `joint_column` of the YAML"),
        ("a,b", {"joints": {"p": {"x": "a"}, "q": {"y": "b"}}}, "p without y; q without x"),
        ("a_x,a_y,x", {}, "columns without a joint without y"),
    ],
)  # fmt: skip
def test_faults_name_the_key_and_the_nearest_column(names, notes, words):
    with pytest.raises(FileFormatError, match=rf"a\.csv, line 1: .*{words}"):
        plan(names, **notes)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("unti: mm", "no key 'unti'; did you mean 'unit'"),
        ("time: {column: t, units: ms}", r"no key 'time\.units'; did you mean 'unit'"),
        ("time: {column: t, unit: min}", r"time\.unit: 'min'"),
        ("fps: fast", "fps: 'fast'"),
        ("fps: 0", "fps: 0"),
        ("joints: {hand: [a, b]}", r"joints\.hand: \['a', 'b'\]"),
        ("joints: {hand: {x: 1}}", r"joints\.hand\.x: 1"),
        ("label: no", "label: False"),
        ("skip_rows: -2", "skip_rows: -2"),
        ("decimal: ':'", "decimal: ':'"),
        ("separator: '|'", r"separator: '\|'"),
        ("unit: mm\nunit: cm", "key 'unit' a second time in line 2"),
        ("joints: {a: {x: b}, a: {x: c}}", "key 'a' a second time in line 1"),
        ("- a\n- b", "list, expected keys and values"),
        ("", "NoneType, expected keys and values"),
        ("a: [", "not a YAML file"),
        ("[" * 5000, "not a YAML file"),
        ("? [a]\n: b", "not a YAML file"),
        ("joints: {a: {x: b}}\nchannels: {x: c}", "joints beside channels"),
    ],
)
def test_a_yaml_with_faults(content, words, tmp_path):
    (tmp_path / "table.yaml").write_text(content)
    with pytest.raises(FileFormatError, match=rf"table\.yaml: [\s\S]*{words}"):
        read_notes(tmp_path / "table.yaml")


def test_all_keys_of_a_yaml(tmp_path):
    (tmp_path / "table.yaml").write_text(
        "joints: {left_wrist: {x: LW_X, y: LW_Y}}\ntime: {column: t, unit: ms}\nlabel: what\n"
        "unit: mm\nfps: 100\nparents: {left_wrist: null}\nskip_rows: [1, 3]\nseparator: tab\n"
        "decimal: ','\nmissing: ['-999', NA, -1]\nignore: [z]\nframe: n\nperson_column: who\n"
    )
    notes = read_notes(tmp_path / "table.yaml")
    assert (notes.skipped, notes.separator_itself) == ({1, 3}, "\t")
    assert (notes.time_column, notes.time_unit, notes.fps) == ("t", "ms", 100)
    assert TableNotes.model_validate({"skip_rows": 2, "time": "t"}).skipped == {1, 2}
    with pytest.raises(FileFormatError, match=r"gone\.yaml: cannot be read"):
        read_notes(tmp_path / "gone.yaml")
    with pytest.raises(FileFormatError, match="columns: no key 'unti'"):
        read_notes({"unti": "mm"})
