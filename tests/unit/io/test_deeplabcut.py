import warnings
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import expand, find_reader
from histvq.io.deeplabcut import read_deeplabcut
from histvq.io.parts.asked import NotSaidError
from oracles.accidents import spoilt

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.PerformanceWarning")

COORDS = ("x", "y", "likelihood")
BY_HAND = """\
scorer,net,net,net,net,net,net
bodyparts,nose,nose,nose,tail,tail,tail
coords,x,y,likelihood,x,y,likelihood
0,10.0,20.0,0.99,30.0,40.0,0.9
1,11.0,21.0,0.60,,,
2,12.0,22.0,0.59,32.0,42.0,0.7
"""


def table(individuals=("",), keypoints=("nose", "tail"), coords=COORDS, n_frames=6):
    """A table as DeepLabCut makes it, multi-animal where individuals have names."""
    names = [
        ("net", *([who] if who else []), keypoint, coord)
        for who in individuals
        for keypoint in keypoints
        for coord in coords
    ]
    levels = ["scorer", *(["individuals"] if individuals[0] else []), "bodyparts", "coords"]
    values = np.random.default_rng(0).uniform(0.7, 1, size=(n_frames, len(names)))
    return pd.DataFrame(values, columns=pd.MultiIndex.from_tuples(names, names=levels))


def write(frame, path):
    """Write the table in the form the name says, as DeepLabCut does."""
    if path.suffix == ".csv":
        frame.to_csv(path)
    else:
        format = "fixed" if "fixed" in path.name else "table"
        frame.to_hdf(path, key="df_with_missing", format=format, mode="w")
    return path


every_form = pytest.mark.parametrize("name", ["mouse.csv", "mouse.h5", "fixed.h5"])


def read(path, **options):
    return read_deeplabcut(path, **{"fps": 30, **options})[0]


@pytest.fixture
def write_text(tmp_path):
    def write_(content, name="mouse.csv"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return write_


def test_a_file_written_by_hand(write_text):
    path = write_text(BY_HAND)
    recording, annotation = read_deeplabcut(path, fps=29.97)
    assert annotation is None
    assert (recording.id, recording.fps, recording.unit) == ("mouse", 29.97, "px")
    assert recording.joint_names == ("nose", "tail")
    assert recording.joint_persons is None
    assert recording.metadata == {"scorer": "net"}
    nan = np.nan
    np.testing.assert_array_equal(
        recording.skeleton,
        [[[10, 20], [30, 40]], [[11, 21], [nan, nan]], [[nan, nan], [32, 42]]],
    )
    assert recording.history == ("min_confidence(0.6): 1 of 5 positions set missing",)
    assert expand(path) == [("deeplabcut", path)]


@every_form
def test_individuals_stand_side_by_side(name, tmp_path):
    frame = table(("white", "black"))
    recording = read(write(frame, tmp_path / name))
    assert recording.joint_names == ("white/nose", "white/tail", "black/nose", "black/tail")
    assert recording.joint_persons == (0, 0, 1, 1)
    assert recording.metadata["individuals"] == ["white", "black"]
    for joint, (who, keypoint) in enumerate(n.split("/") for n in recording.joint_names):
        expected = frame["net", who, keypoint][["x", "y"]].to_numpy(np.float32)
        np.testing.assert_array_equal(recording.skeleton[:, joint], expected)


@every_form
def test_keypoints_of_one_individual_come_together_and_x_comes_first(name, tmp_path):
    frame = table(("white", "black"))
    jumbled = frame.iloc[:, np.arange(12).reshape(2, 6).T.ravel()[::-1]]  # black, white, black ...
    recording = read(write(jumbled, tmp_path / name))
    assert sorted(recording.joint_persons) == list(recording.joint_persons)
    for joint, label in enumerate(recording.joint_names):
        expected = frame["net", *label.split("/")][["x", "y"]].to_numpy(np.float32)
        np.testing.assert_array_equal(recording.skeleton[:, joint], expected)


def test_bodyparts_only_some_individuals_have(tmp_path):
    frame = pd.concat([table(("white",)), table(("single",), ("corner",))], axis=1)
    recording = read(write(frame, tmp_path / "mouse.csv"))
    assert recording.joint_names == ("white/nose", "white/tail", "single/corner")
    assert recording.joint_persons == (0, 0, 1)


@every_form
def test_three_dimensions_need_a_unit(name, tmp_path):
    path = write(table(coords=("x", "y", "z")), tmp_path / name)
    recording = read(path, unit="millimetres")
    assert recording.channel_names == ("x", "y", "z")
    assert (recording.unit, recording.history) == ("mm", ())
    with pytest.raises(NotSaidError, match="no unit in 3-D DeepLabCut files"):
        read(path)


def test_the_frame_rate_must_be_given(write_text):
    with pytest.raises(NotSaidError, match=r"mouse\.csv: no frame rate in DeepLabCut files"):
        read_deeplabcut(write_text(BY_HAND))


@pytest.mark.parametrize("limit", [-0.1, np.nan, np.inf, "high"])
def test_the_least_confidence_is_a_number(limit, write_text):
    with pytest.raises(ConfigError, match="min_confidence is"):
        read(write_text(BY_HAND), min_confidence=limit)


def test_confidence_can_be_left_alone(write_text):
    recording = read(write_text(BY_HAND), min_confidence=0)
    assert np.isnan(recording.skeleton).sum() == 2
    assert recording.history == ("min_confidence(0): 0 of 5 positions set missing",)


def test_what_was_not_found_is_not_doubted(write_text):
    path = write_text(BY_HAND.replace("0.60,,,", "0.60,,,0.1"))
    assert read(path).history == ("min_confidence(0.6): 1 of 5 positions set missing",)


@every_form
def test_keypoints_mostly_doubted_are_told(name, tmp_path):
    frame = table(("white", "black"))
    frame.loc[:3, ("net", "black", "tail", "likelihood")] = 0.1
    frame.loc[:2, ("net", "white", "tail", "likelihood")] = 0.1  # half is not more than half
    words = r"from 1 of 4 keypoints: black/tail \(67%\)"
    with pytest.warns(DataWarning, match=words):
        recording = read(write(frame, tmp_path / name))
    assert np.isnan(recording.skeleton).sum() == 2 * (4 + 3)


@every_form
def test_an_individual_never_seen_stays_as_missing(name, tmp_path):
    frame = table(("white", "black"))
    frame.loc[:, ("net", "black")] = np.nan
    with pytest.warns(DataWarning, match="never seen: black; kept as missing"):
        recording = read(write(frame, tmp_path / name))
    assert np.isnan(recording.skeleton).all(axis=(0, 2)).tolist() == [False, False, True, True]


@every_form
def test_frames_without_a_row_are_missing(name, tmp_path):
    frame = table(n_frames=10).drop(index=[4, 5])
    with pytest.warns(DataWarning, match="no row for 2 of the 10 frames 0 to 9"):
        recording = read(write(frame, tmp_path / name))
    missing = np.isnan(recording.skeleton).all(axis=(1, 2))
    assert np.flatnonzero(missing).tolist() == [4, 5]
    np.testing.assert_array_equal(
        recording.skeleton[9, 1], frame.loc[9, "net"]["tail"][["x", "y"]].to_numpy(np.float32)
    )


@every_form
def test_a_piece_cut_out_of_a_video(name, tmp_path):
    recording = read(write(table(n_frames=10).loc[4:], tmp_path / name))
    assert recording.n_frames == 6
    assert recording.metadata["first_frame"] == 4


@every_form
def test_one_frame(name, tmp_path):
    assert read(write(table(n_frames=1), tmp_path / name)).n_frames == 1


@every_form
def test_rows_out_of_order_are_put_in_order(name, tmp_path):
    frame = table()
    straight = read(write(frame, tmp_path / name)).skeleton
    turned = read(write(frame.iloc[::-1], tmp_path / f"turned_{name}")).skeleton
    np.testing.assert_array_equal(straight, turned)


@every_form
@pytest.mark.parametrize(
    ("index", "words"),
    [
        ([0, 1, 2, 2, 3, 4], "frame 2 is there 2 times"),
        ([0, 1, 2, 3, 4, -1], "frame number -1"),
        ([0, 1, 2, 3, 4, 10**12], "6 rows for the frames 0 to 1000000000000: nearly all"),
        ([0, 1, 2, 3, 4, 4.5], "frame number 4.5"),
        ([f"img{n}.png" for n in range(6)], "names of pictures stand where frame numbers belong"),
    ],
)
def test_frame_numbers_that_are_none(index, words, name, tmp_path):
    path = write(table().set_index(pd.Index(index)), tmp_path / name)
    with pytest.raises(FileFormatError, match=words):
        read(path)


@every_form
@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
def test_a_position_beyond_all_bounds(value, name, tmp_path):
    frame = table()
    frame.loc[3, ("net", "tail", "y")] = value
    with pytest.raises(FileFormatError, match=r"frame 3, tail: \S+ is no position"):
        read(write(frame, tmp_path / name))


@every_form
@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (table(coords=("x", "likelihood")), "nose: has x, likelihood; expected x, y"),
        (table(coords=("x", "y", "speed")), "nose: has x, y, speed; expected"),
        (table().iloc[:, :-1], "tail: has x, y; expected"),
        (pd.concat([table(), table().rename(columns={"net": "man"})], axis=1), "2 scorers, man"),
    ],
)
def test_columns_that_are_no_keypoints(frame, words, name, tmp_path):
    with pytest.raises(FileFormatError, match=words):
        read(write(frame, tmp_path / name))


@pytest.mark.parametrize("name", ["mouse.csv", "mouse.h5"])  # pandas writes no such fixed one
def test_a_keypoint_twice(name, tmp_path):
    with pytest.raises(FileFormatError, match="nose has x twice"):
        read(write(table(keypoints=("nose", "nose")), tmp_path / name))


@pytest.mark.parametrize("name", ["mouse.csv", "fixed.h5"])  # pandas writes no such table
def test_no_frame(name, tmp_path):
    with pytest.raises(FileFormatError, match="no frame in it"):
        read(write(table(n_frames=0), tmp_path / name))


def replaced(old, new):
    assert old in BY_HAND
    return BY_HAND.replace(old, new)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (replaced("11.0,21.0", "11.0;21.0"), "line 5: 6 cells, expected 7"),
        (replaced("11.0,21.0", "11.0,21,0"), "line 5: 8 cells, expected 7"),
        (replaced("32.0", "32 px"), "line 6, tail x: '32 px' is no number"),
        (replaced("32.0", "3_2"), "line 6: '_' within the numbers"),
        (replaced("\n1,", "\n,"), "line 5: no frame number"),
        (replaced("nose,nose,nose", "nose,nose"), "line 2: 6 cells, expected 7"),
        (replaced("bodyparts", "parts"), "begin with scorer, parts, coords"),
        (replaced(",", ";"), "saved by a spreadsheet"),
        (replaced("\n1,11", '\n1,"11'), "line 5, nose x: '\"11.0' is no number"),
        (replaced(",nose,nose,nose", ',"nose,nose,nose'), "line 2: unexpected end of data"),
        ("scorer\nbodyparts\ncoords\n0\n", "line 1: 1 cells, expected 2"),
        (replaced("scorer,net", "scorer,"), "a column without a name"),
        ("", "begin with nothing"),
        (BY_HAND.encode("utf-16"), "not a text file"),
        (replaced("nose", "Öhr").encode("latin-1"), "not a text file"),
    ],
)
def test_what_is_wrong_and_where(content, words, write_text):
    with pytest.raises(FileFormatError) as caught:
        read(write_text(content))
    assert words in str(caught.value)
    assert "mouse.csv" in str(caught.value)


def test_windows_line_ends_byte_order_mark_and_quotes(write_text):
    windows = "\ufeff" + BY_HAND.replace("nose", '"nose, upper"').replace("\n", "\r\n")
    path = write_text(windows, "other.csv")
    recording = read(path)
    assert recording.joint_names == ("nose, upper", "tail")
    np.testing.assert_array_equal(recording.skeleton, read(write_text(BY_HAND)).skeleton)
    assert expand(path) == [("deeplabcut", path)]


def test_a_header_that_promises_much_costs_nothing(write_text):
    wide = ["net"] * 200_000
    header = "\n".join(",".join([level, *wide]) for level in ("scorer", "bodyparts", "coords"))
    with pytest.raises(FileFormatError, match="line 4: 1 cells, expected 200001"):
        read(write_text(header + "\n0" * 200_000))


def test_other_tables_are_left_to_others(write_text):
    for content in ("scorer of the game,1\n", "frame,x,y\n0,1,2\n", "scorer,net\nplayers,a\n"):
        assert not find_reader("deeplabcut").knows(write_text(content))


def test_the_table_beside_an_h5_of_its_name_gives_way_to_it(write_text, tmp_path):
    path = write_text(BY_HAND)
    assert expand(tmp_path) == [("deeplabcut", path)]
    write(table(), path.with_suffix(".h5"))
    assert [file.suffix for _, file in expand(tmp_path)] == [".h5"]


@given(data=st.data())
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_the_file_holds_errors_are_ours(data, write_text):
    path = write_text(data.draw(spoilt(BY_HAND.encode())))
    with warnings.catch_warnings(), suppress(FileFormatError):
        warnings.simplefilter("ignore", DataWarning)
        read(path)
