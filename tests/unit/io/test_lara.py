import lzma
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histvq.checkpoints.msgcn import PUBLISHED
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import expand, read_many
from histvq.io.lara import CHANNELS, JOINTS, PARENTS, parse_name, read_lara
from histvq.io.parts.lara_labels import ACTIONS
from histvq.supervised.graphs import GRAPHS
from oracles.accidents import spoilt
from oracles.lara_files import (
    CLASSES,
    HEADER_3,
    labels_1,
    labels_3,
    numbers_at,
    put,
    row,
    skeleton,
    text_1,
    text_3,
)

V1 = "L02_S05_R11_A17_N01"


def changed(path, old, new, count=1):
    """The file with some of its text replaced, which must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))
    return path


def cell(path, frame, joint, channel, new, *, header_lines=5):
    """The file with one number replaced."""
    lines = path.read_text().split("\n")
    cells = lines[header_lines + frame].split(",")
    cells[2 + 6 * joint + channel] = new
    lines[header_lines + frame] = ",".join(cells)
    path.write_text("\n".join(lines))
    return path


def test_version_3(tmp_path):
    path = put(tmp_path, classes=[0, 0, 4, 7])
    recording, annotation = read_lara(path)
    np.testing.assert_array_equal(recording.skeleton, skeleton(4))
    assert (recording.id, recording.person, recording.fps) == ("L01_S07_R03", "S07", 200)
    assert (recording.unit, recording.source, recording.history) == ("mm", str(path), ())
    assert recording.metadata == {
        "dataset": "lara", "version": 3, "scenario": "01", "recording": "03",
    }  # fmt: skip
    assert [annotation.actions[c] for c in annotation.labels] == [
        "Standing", "Standing", "Handling(centred)", "None",
    ]  # fmt: skip
    assert (annotation.recording_id, annotation.fps) == ("L01_S07_R03", 200)


def test_version_1(tmp_path):
    path = tmp_path / f"{V1}_norm_data.csv"
    path.write_text(text_1(3))
    (tmp_path / f"{V1}_labels.csv").write_text(labels_1([1, 6, 2]))
    recording, annotation = read_lara(path)
    np.testing.assert_array_equal(recording.skeleton, skeleton(3))
    assert (recording.id, recording.person, recording.metadata["version"]) == (V1, "S05", 1)
    assert (recording.metadata["annotator"], recording.metadata["annotation_run"]) == ("17", "01")
    assert annotation.labels.tolist() == [1, 6, 2]
    assert annotation.recording_id == V1


def test_names_are_those_of_the_published_weights_and_graphs():
    known = next(p for p in PUBLISHED.values() if p.actions == ACTIONS)
    assert known.channel_names == CHANNELS
    assert set(GRAPHS["lara"].joint_names) < set(JOINTS)
    assert len(JOINTS) == len(PARENTS) == 22
    # Left and right hang on each other's twins.
    for joint, parent in zip(JOINTS, PARENTS, strict=True):
        if joint.startswith("left") and (twin := joint.replace("left", "right")):
            theirs = JOINTS[PARENTS[JOINTS.index(twin)]]
            assert theirs == JOINTS[parent].replace("left", "right")


def test_names():
    assert parse_name(Path("l01_s07_r03.csv.xz")).person == "S07"
    assert parse_name(Path(f"{V1}_norm_data.csv")).version == 1
    for other in (
        "L01_S07_R03_labels.csv",
        "L1_S07_R03.csv",
        "L01_S07_R03_x.csv",
        "xL01_S07_R03.csv",
    ):
        assert parse_name(Path(other)) is None


@pytest.mark.parametrize("lead", [[], [5], [5, "S07"]])
def test_up_to_two_leading_columns_of_any_sort(tmp_path, lead):
    path = tmp_path / "L01_S07_R03.csv"
    path.write_text("\n".join(row(t, lead=lead) for t in range(50, 53)) + "\n")
    np.testing.assert_array_equal(read_lara(path)[0].skeleton, skeleton(53)[50:])
    assert read_lara(path)[1] is None


def test_windows_line_ends_a_byte_order_mark_latin_1_and_packed(tmp_path):
    data = text_3(4).replace("Segments", "Gerät").replace("\n", "\r\n")
    path = tmp_path / "L01_S07_R03.csv"
    path.write_bytes(b"\xef\xbb\xbf" + data.encode("latin-1"))
    packed = tmp_path / "L01_S07_R04.csv.xz"
    packed.write_bytes(lzma.compress(data.encode()))
    (tmp_path / "L01_S07_R04_labels.csv.xz").write_bytes(lzma.compress(labels_3([1] * 4).encode()))
    np.testing.assert_array_equal(read_lara(path)[0].skeleton, skeleton(4))
    recording, annotation = read_lara(packed)
    np.testing.assert_array_equal(recording.skeleton, skeleton(4))
    assert (recording.id, annotation.n_frames) == ("L01_S07_R04", 4)


def test_labels_files_are_neither_recordings_nor_faults(tmp_path):
    path = put(tmp_path)
    assert expand(tmp_path) == [("lara", path)]
    assert read_many(tmp_path).skipped == ()


def test_labels_in_another_folder(tmp_path):
    path = put(tmp_path / "motion", labels=False)
    (tmp_path / "labels" / "S07").mkdir(parents=True)
    (tmp_path / "labels" / "S07" / "L01_S07_R03_labels.csv").write_text(labels_3([2] * 40))
    assert read_lara(path)[1] is None
    assert set(read_lara(path, labels=tmp_path)[1].labels) == {2}
    with pytest.raises(ConfigError, match=r"labels='.*gone': not a folder"):
        read_lara(path, labels=tmp_path / "gone")


def test_class_names_with_prefixes_spaces_and_in_another_order(tmp_path):
    path = put(tmp_path, classes=[3, 5])
    names = [f"C{n}_{name}".replace("(", " (") for n, name in enumerate(CLASSES, 1)]
    (tmp_path / "L01_S07_R03_labels.csv").write_text(labels_3([3, 5], names))
    assert read_lara(path)[1].labels.tolist() == [3, 5]
    (tmp_path / "L01_S07_R03_labels.csv").write_text(labels_3([3, 5], names[::-1]))
    assert read_lara(path)[1].labels.tolist() == [4, 2]


def test_every_so_maniest_row(tmp_path):
    path = put(tmp_path, classes=[0, 1, 2, 3, 4, 5, 6])
    recording, annotation = read_lara(path, stride=3)
    np.testing.assert_array_equal(recording.skeleton, skeleton(7)[::3])
    assert annotation.labels.tolist() == [0, 3, 6]
    assert recording.fps == annotation.fps == pytest.approx(200 / 3)
    assert recording.history == ("stride(3)",)
    with pytest.raises(ConfigError, match="stride 0"):
        read_lara(path, stride=0)


def test_rows_with_several_classes_or_none(tmp_path):
    path = put(tmp_path, classes=[0, None, 1, None])
    changed(tmp_path / "L01_S07_R03_labels.csv", "\n0,1,0,", "\n0,1,1,")
    with pytest.warns(DataWarning) as caught:
        labels = read_lara(path)[1].labels
    assert labels.tolist() == [0, 7, 1, 7]
    assert [str(w.message) for w in caught] == [
        "L01_S07_R03_labels.csv: 1 rows, the first at line 4, have several classes; the first counts",
        "L01_S07_R03_labels.csv: 2 rows, the first at line 3, have no class; they become None",
    ]


@pytest.mark.parametrize("n_labels", [39, 41])
def test_one_row_more_or_less_is_cut(tmp_path, n_labels):
    path = put(tmp_path)
    (tmp_path / "L01_S07_R03_labels.csv").write_text(labels_3([0] * n_labels))
    with pytest.warns(DataWarning, match=f"40 frames but its labels file has {n_labels} rows. Cut"):
        recording, annotation = read_lara(path)
    assert recording.n_frames == annotation.n_frames == min(40, n_labels)


@pytest.mark.parametrize("n_labels", [37, 42])
def test_other_differences_are_an_error(tmp_path, n_labels):
    path = put(tmp_path)
    (tmp_path / "L01_S07_R03_labels.csv").write_text(labels_3([0] * n_labels))
    with pytest.raises(FileFormatError, match=f"{n_labels} rows. Pass cut_to_shorter=True"):
        read_lara(path)
    with pytest.warns(DataWarning, match="Cut to the shorter"):
        recording, annotation = read_lara(path, cut_to_shorter=True)
    assert recording.n_frames == annotation.n_frames == min(40, n_labels)
    assert recording.history == (f"cut_to_shorter: 40 frames, {n_labels} labels",)


def test_gaps_are_filled_along_a_line_and_angles_the_short_way_round(tmp_path):
    path = put(tmp_path)
    for frame, angle in enumerate(("170", "", "-170"), start=4):
        cell(path, frame, 18, 0, angle)
    cell(path, 5, 18, 4, "nan")
    cell(path, 39, 3, 5, "")
    with pytest.warns(DataWarning) as caught:
        recording, _ = read_lara(path)
    expected = skeleton(40)
    expected[4:7, 18, 0] = 170, -180, -170
    np.testing.assert_allclose(recording.skeleton, expected)  # y grows evenly, height stays
    found = "frames with missing values: left_elbow 1, right_toe 1; the first at line 11"
    assert [str(w.message) for w in caught] == [f"L01_S07_R03.csv: {found}. Interpolated"]
    assert recording.history == (f"gaps(interpolate): {found}. Interpolated",)
    assert recording.metadata["gaps"] == "interpolate"
    with pytest.raises(FileFormatError, match=r"right_toe 1; the first at line 11\. Pass gaps="):
        read_lara(path, gaps="error")
    with pytest.warns(DataWarning, match="right_toe 1"):
        kept, _ = read_lara(path, gaps="keep")
    assert np.argwhere(np.isnan(kept.skeleton)).tolist() == [[5, 18, 0], [5, 18, 4], [39, 3, 5]]


@pytest.mark.parametrize(("length", "filled"), [(100, True), (101, False)])
def test_gaps_of_half_a_second_are_filled_no_longer_ones(tmp_path, length, filled):
    path = put(tmp_path, classes=(0,) * 130)
    lines = path.read_text().split("\n")
    for place in range(10, 10 + length):
        lines[5 + place] = ",".join(lines[5 + place].split(",")[:-6]) + "," * 6
    path.write_text("\n".join(lines))
    if filled:
        with pytest.warns(DataWarning, match="root 100; the first at line 16"):
            recording, _ = read_lara(path)
        np.testing.assert_allclose(recording.skeleton, skeleton(130), rtol=1e-6)
    else:
        with pytest.raises(FileFormatError, match=r'line 16: root is missing for 0\.505 s.*"keep"'):
            read_lara(path)


def test_a_first_frame_with_nothing_in_it_is_no_header(tmp_path):
    path = tmp_path / "L01_S07_R03.csv"
    path.write_text("\n".join([HEADER_3, "0,0" + "," * 132, row(1), row(2)]) + "\n")
    with pytest.warns(DataWarning, match="root 1; the first at line 6"):
        assert read_lara(path)[0].n_frames == 3


def with_positions(tmp_path, change):
    """A recording whose positions, a list [x, y, z] by joint and frame, went through `change`."""
    lines = [HEADER_3]
    for frame in range(6):
        numbers = [0.0, 0.0]
        for joint in range(22):
            values = numbers_at(frame, joint)
            numbers += [*values[:3], *change(joint, values[3:])]
        lines.append(",".join(map(str, numbers)))
    path = tmp_path / "L01_S07_R03.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda j, p: [p[0], p[2], p[1]], "the head is below the toes in most frames: z is not up"),
        (lambda j, p: [x * 1000 for x in p], "range over 1775 m, if they are millimetres"),
        (lambda j, p: [x / 1000 for x in p], r"range over 1\.77 mm only; are they metres"),
        (
            lambda j, p: [0, 0, 0] if j == 21 else p,
            "root stays at 0: positions are centred already",
        ),
        (lambda j, p: [0, 0, 0] if j == 11 else p, "lower_back stays at 0.* as in version 1"),
    ],
)
def test_what_looks_odd_is_said(tmp_path, change, words):
    # With y and z swapped the head is as high as the toes: lift the toes a little.
    path = with_positions(
        tmp_path, lambda j, p: change(j, [p[0], p[1] + (j == 8 or j == 18), p[2]])
    )
    with pytest.warns(DataWarning, match=words):
        read_lara(path)


@pytest.mark.parametrize("measured", [3, 2, 0])
def test_axes_that_were_never_measured(tmp_path, measured):
    path = with_positions(tmp_path, lambda j, p: [*p[:measured], *["nan"] * (3 - measured)])
    if measured == 3:
        read_lara(path)
    else:
        with pytest.warns(DataWarning, match="root 6; the first at line 6"):
            assert np.isnan(read_lara(path, gaps="keep")[0].skeleton[:, :, 3 + measured :]).all()


def test_version_1_may_be_centred(tmp_path):
    path = with_positions(tmp_path, lambda j, p: [0, 0, 0] if j == 11 else p)
    read_lara(path.rename(tmp_path / f"{V1}_norm_data.csv"))  # no warning, else an error


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda p: cell(p, 2, 18, 3, "x1"), "line 8, column 114 right_toe/x: 'x1' is not a finite"),
        (lambda p: cell(p, 2, 0, 0, "inf"), "line 8, column 3 head/rotation_x: 'inf'"),
        (lambda p: cell(p, 2, 0, 0, "1e99"), "line 8, column 3 head/rotation_x: '1e99'"),
        (lambda p: cell(p, 0, 0, 0, "abc"), "line 6, column 3 head/rotation_x: 'abc'"),
        (lambda p: cell(p, 2, 0, 0, "1,2"), "line 8: 135 cells, expected 134. The file may be cut"),
        (lambda p: cell(p, 2, 0, 0, "1\n2"), "line 8: 3 cells, expected 134"),
        (lambda p: p.write_text(HEADER_3 + "\n"), "no line of 132 numbers (22 joints x 6)"),
        (lambda p: p.write_text(""), "the file is empty"),
        (lambda p: p.write_bytes(text_3(4).encode("utf-16")), "it may be UTF-16"),
        (lambda p: p.write_text(text_3(4).replace(",", ";")), "no line of 132 numbers"),
        (lambda p: p.write_text(labels_3([1, 2])), "no line of 132 numbers"),
        (lambda p: p.write_text("1," * 10_000 + "1\n"), "line 1: 10001 cells, expected 134"),
    ],
)
@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_what_is_wrong_and_where(tmp_path, edit, words):
    path = put(tmp_path)
    edit(path)
    with pytest.raises(FileFormatError) as caught:
        read_lara(path)
    assert words in str(caught.value)
    assert path.name in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no row of labels"),
        (labels_3([]), "no row of labels"),
        (labels_3([1, 2]).replace("\n0,1", "\n0,2"), "line 2, Walking: 2, expected 0 or 1; 1 such"),
        (labels_3([1, 2]).replace("\n0,1", "\n0,"), "line 2, column 2 Walking: '' is not a finite"),
        (labels_3([1, 2]).replace("Cart", "Card"), "27 columns (Standing, Walking, Card"),
        (labels_1([1, 8]), "line 3: class 8, expected 0 to 7; 1 such lines"),
        (labels_1([0.5]), "line 2: class 0.5, expected 0 to 7"),
        (labels_1([1, 2]).rpartition(",1")[0], "last line 3: 19 cells, expected 20"),
        (labels_3([1, 2]).encode("utf-16"), "it may be UTF-16"),
    ],
)
def test_what_is_wrong_with_the_labels(tmp_path, text, words):
    path = put(tmp_path, classes=[1, 2])
    labels = tmp_path / "L01_S07_R03_labels.csv"
    labels.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileFormatError) as caught:
        read_lara(path)
    assert words in str(caught.value)
    assert str(labels) in str(caught.value)


def test_class_numbers_without_a_header(tmp_path):
    path = put(tmp_path, classes=[1, 2])
    (tmp_path / "L01_S07_R03_labels.csv").write_text(labels_1([4, 5]).partition("\n")[2])
    assert read_lara(path)[1].labels.tolist() == [4, 5]


def test_one_frame(tmp_path):
    recording, annotation = read_lara(put(tmp_path, classes=[6]))
    assert (recording.n_frames, annotation.labels.tolist()) == (1, [6])


def test_a_missing_last_line_end_is_told(tmp_path):
    path = put(tmp_path)
    path.write_text(path.read_text().rstrip("\n"))
    with pytest.warns(DataWarning, match="the last line has no line end"):
        read_lara(path)


def test_options_out_of_bounds(tmp_path):
    path = put(tmp_path)
    with pytest.raises(ConfigError, match="gaps='fill': must be one of"):
        read_lara(path, gaps="fill")
    with pytest.raises(
        FileFormatError, match="not a recording of LARa by its name; expected L<scen"
    ):
        read_lara(path.rename(tmp_path / "walk.csv"))


GOOD = text_3(6).encode(), labels_3([0, 1, 2, 7, 0, 1]).encode()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(motion=spoilt(GOOD[0]), labels=spoilt(GOOD[1]), which=st.sampled_from(["motion", "labels"]))
@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_whatever_is_in_the_files_only_our_errors_come_out(tmp_path, motion, labels, which):
    path = tmp_path / "L01_S07_R03.csv"
    path.write_bytes(motion if which == "motion" else GOOD[0])
    (tmp_path / "L01_S07_R03_labels.csv").write_bytes(labels if which == "labels" else GOOD[1])
    said = ""
    try:
        recording, annotation = read_lara(path)
    except FileFormatError as error:
        said = str(error)
    assert "L01_S07_R03" in said or recording.n_frames == annotation.n_frames > 0
