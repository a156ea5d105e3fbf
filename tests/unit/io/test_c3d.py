import struct
import warnings
from contextlib import suppress

import ezc3d
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histvq.errors import DataWarning, FileFormatError
from histvq.io import expand
from histvq.io.c3d import read_c3d
from histvq.io.parts.asked import NotSaidError


def write(path, labels=("head", "hip", "toe"), *, n_frames=20, values=None, parameters=()):
    """Write a file with ezc3d, and give what went into it: (frame, point, xyz)."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n_frames, len(labels), 3)) * 500 if values is None else values
    file = ezc3d.c3d()
    point = file["parameters"]["POINT"]
    point["LABELS"]["value"] = list(labels)
    point["RATE"]["value"] = [120]
    point["UNITS"]["value"] = ["mm"]
    for name, value in dict(parameters).items():
        if name in point:
            point[name]["value"] = value
        else:
            file.add_parameter("POINT", name, value)
    homogeneous = np.concatenate([values, np.ones((*values.shape[:2], 1))], axis=2)
    file["data"]["points"] = homogeneous.transpose(2, 1, 0)
    file.write(str(path))
    return values


@pytest.fixture
def path(tmp_path):
    return tmp_path / "walk.c3d"


def read(path, **options):
    return read_c3d(path, **options)[0]


def test_what_ezc3d_writes(path):
    values = write(path)
    recording, annotation = read_c3d(path)
    assert annotation is None
    np.testing.assert_array_equal(recording.skeleton, values.astype(np.float32))
    assert (recording.id, recording.fps, recording.unit) == ("walk", 120, "mm")
    assert recording.joint_names == ("head", "hip", "toe")
    assert recording.parents is recording.joint_persons is recording.person is None
    assert recording.metadata == {}
    assert expand(path) == [("c3d", path)]


def test_analog_channels_lie_between(path):
    values = np.random.default_rng(1).normal(size=(10, 2, 3))
    file = ezc3d.c3d()
    file["parameters"]["POINT"]["LABELS"]["value"] = ["a", "b"]
    file["parameters"]["POINT"]["RATE"]["value"] = [100]
    file["parameters"]["POINT"]["UNITS"]["value"] = ["m"]
    file["parameters"]["ANALOG"]["LABELS"]["value"] = ["force", "emg", "push"]
    file["parameters"]["ANALOG"]["RATE"]["value"] = [1000]
    file["data"]["points"] = np.concatenate([values, np.ones((10, 2, 1))], axis=2).transpose(
        2, 1, 0
    )
    file["data"]["analogs"] = np.random.default_rng(2).normal(size=(1, 3, 100))
    file.write(str(path))
    np.testing.assert_array_equal(read(path).skeleton, values.astype(np.float32))


def test_more_than_255_markers(path):
    labels = [f"marker{n}" for n in range(600)]
    values = write(path, labels, n_frames=3)
    recording = read(path)
    assert recording.joint_names == tuple(labels)
    np.testing.assert_array_equal(recording.skeleton, values.astype(np.float32))
    assert read(path, markers="marker599").skeleton.shape == (3, 1, 3)


def test_markers_not_seen_are_missing(path):
    values = np.random.default_rng(0).normal(size=(20, 3, 3))
    values[3, 1] = np.nan
    values[5, 0] = 0
    values[6, 0, :2] = 0  # on an axis, and seen
    write(path, values=values)
    missing = np.isnan(read(path).skeleton)
    assert np.argwhere(missing.any(axis=2)).tolist() == [[3, 1], [5, 0]]
    assert missing.sum() == 6


def test_markers_often_missing_are_told(path):
    values = np.ones((20, 3, 3))
    values[:5, 2] = np.nan
    values[:4, 1] = np.nan  # a fifth is not more than a fifth
    write(path, values=values)
    with pytest.warns(DataWarning, match=r"1 of 3 markers are missing in more .*: toe \(25%\)\. "):
        read(path)


def test_the_subject_before_the_labels(path):
    write(path, ("Anna:LKNE", "Anna:RKNE", "*1"))
    with pytest.warns(DataWarning, match="of 3 points, 1 without a name are left out"):
        recording = read(path)
    assert recording.joint_names == ("LKNE", "RKNE")
    assert recording.person == "Anna"
    assert recording.joint_persons is None


def test_several_subjects_stand_side_by_side(path):
    write(path, ("Anna:LKNE", "Ben:LKNE", "Anna:RKNE"))
    recording = read(path)
    assert recording.joint_names == ("Anna/LKNE", "Ben/LKNE", "Anna/RKNE")
    assert recording.joint_persons == (0, 1, 0)
    assert recording.person is None
    recording = read(path, markers=("R*",))
    assert (recording.joint_names, recording.person) == (("RKNE",), "Anna")


def test_a_subject_of_some_markers_only_is_part_of_their_names(path):
    write(path, ("Anna:LKNE", "box"))
    recording = read(path)
    assert recording.joint_names == ("Anna:LKNE", "box")
    assert recording.person is None


def test_what_is_no_named_marker_is_left_out(path):
    labels = ("head", "*12", "C_7", "", "C_hip", "LHipAngles", "LKneeForce")
    write(path, labels, parameters={"ANGLES": ["LHipAngles"], "FORCES": ["LKneeForce", "other"]})
    words = r"walk\.c3d: of 7 points, 3 without a name and 2 that are no positions"
    with pytest.warns(DataWarning, match=words):
        assert read(path).joint_names == ("head", "C_hip")
    chosen = read(path, markers=("[*]12", "LHipAngles", "head"))
    assert chosen.joint_names == ("*12", "LHipAngles", "head")


def test_markers_are_chosen_in_order_and_once(path):
    values = write(path, ("LKNE", "RKNE", "LANK", "HEAD"))
    recording = read(path, markers=("HEAD", "L*", "LKNE"))
    assert recording.joint_names == ("HEAD", "LKNE", "LANK")
    np.testing.assert_array_equal(recording.skeleton, values[:, [3, 0, 2]].astype(np.float32))


@pytest.mark.parametrize(
    ("markers", "words"),
    [
        (("LKNE", "RKNEE"), "no marker 'RKNEE'; did you mean 'RKNE'"),
        ("T*", r"no marker 'T\*'; known are LKNE, RKNE"),
        (("x", "y"), "no marker 'x', 'y'"),
        ((), "no marker"),
    ],
)
def test_chosen_markers_that_are_not_there(markers, words, path):
    write(path, ("LKNE", "RKNE"))
    with pytest.raises(FileFormatError, match=words):
        read(path, markers=markers)


def test_two_points_with_one_label(path):
    write(path, ("hip", "toe", "hip", "*1", "*1"))
    with (
        pytest.warns(DataWarning, match="2 without a name"),
        pytest.raises(FileFormatError, match="2 points with the label 'hip'"),
    ):
        read(path)
    assert read(path, markers="toe").joint_names == ("toe",)


def test_points_without_names(path):
    write(path, ("*1", "*2"))
    with pytest.raises(FileFormatError, match="none of the 2 points is a marker with a name"):
        read(path)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_coordinates(value, path):
    values = np.ones((5, 3, 3))
    values[2, 1, 0] = value
    write(path, values=values)
    with pytest.raises(FileFormatError, match="frame 2, hip: a coordinate is infinite"):
        read(path)


def test_one_frame(path):
    write(path, n_frames=1)
    assert read(path).n_frames == 1


# Written by hand, from the format's description: the other processors, and whole numbers.


def vax(value):
    """Bytes of a VAX float: those of 4 times the value, with its halves swapped."""
    low, high = struct.unpack("<HH", struct.pack("<f", 4 * value))
    return struct.pack("<HH", high, low)


FLOATS = {
    84: lambda value: struct.pack("<f", value),
    85: vax,
    86: lambda value: struct.pack(">f", value),
}


def by_hand(frames, *, processor=84, scale=-1.0, rate=50.0, unit="cm", n_frames=None, extra=()):
    """A file of `frames`: for each frame, for each point, x, y, z and the fourth number."""
    order = ">" if processor == 86 else "<"
    number = FLOATS[processor]
    n_points = len(frames[0])
    n_frames = len(frames) if n_frames is None else n_frames

    def record(name, group, content):
        return (
            struct.pack("bb", len(name), group)
            + name.encode()
            + struct.pack(f"{order}H", len(content) + 2)
            + content
        )

    def whole(*values):
        sizes = struct.pack("BB", 1, len(values)) if len(values) > 1 else b"\0"
        return b"\2" + sizes + struct.pack(f"{order}{len(values)}H", *values) + b"\0"

    labels = [f"m{n}".ljust(4).encode() for n in range(n_points)]
    records = [  # the group comes after some of its parameters, as it may
        record("USED", 1, whole(n_points)),
        record("FRAMES", 1, whole(min(n_frames, 0xFFFF))),
        record("POINT", -1, b"\0"),
        record("DATA_START", 1, whole(4)),
        record("SCALE", 1, b"\4\0" + number(scale) + b"\0"),
        record("RATE", 1, b"\4\0" + number(rate) + b"\0"),
        record("UNITS", 1, b"\xff\2\2\1" + unit.ljust(2).encode() + b"\0"),
        record("LABELS", 1, b"\xff\2\4" + bytes([n_points]) + b"".join(labels) + b"\0"),
        *(record(name, group, content) for name, group, content in extra),
    ]
    header = bytes([2, 0x50]) + struct.pack(
        f"{order}5H", n_points, 0, 7, 7 + n_frames - 1 & 0xFFFF, 0
    )
    header += number(scale) + struct.pack(f"{order}2H", 4, 0) + number(rate)
    section = b"\1\x50\2" + bytes([processor]) + b"".join(records) + b"\0\0"
    flat = [value for frame in frames for point in frame for value in point]
    data = b"".join(map(number, flat)) if scale < 0 else struct.pack(f"{order}{len(flat)}h", *flat)
    return header.ljust(512, b"\0") + section.ljust(1024, b"\0") + data


@pytest.mark.parametrize("processor", [84, 85, 86])
def test_floats_of_every_processor(processor, path):
    frames = [[(1.5, -2.25, 300.125, 0), (4, 5, 6, -1)], [(-0.5, 0, 7, 1), (1, 1, 1e-3, 0)]]
    path.write_bytes(by_hand(frames, processor=processor))
    with pytest.warns(DataWarning, match=r"m1 \(50%\)"):
        recording = read(path)
    nan = np.nan
    expected = np.array([[[1.5, -2.25, 300.125], [nan] * 3], [[-0.5, 0, 7], [1, 1, 1e-3]]])
    np.testing.assert_array_equal(recording.skeleton, expected.astype(np.float32))
    assert (recording.fps, recording.unit) == (50, "cm")
    assert recording.joint_names == ("m0", "m1")
    assert recording.metadata == {"first_frame": 7}


@pytest.mark.parametrize("processor", [84, 85, 86])
def test_whole_numbers_by_a_scale(processor, path):
    # The fourth holds the cameras that saw the point and a residual; below 0, none did.
    frames = [[(100, -200, 32767, 0x0703)], [(1, 2, 3, 0)], [(4, 5, 6, -1)]]
    path.write_bytes(by_hand(frames, processor=processor, scale=0.25))
    with pytest.warns(DataWarning, match=r"m0 \(33%\)"):
        recording = read(path)
    nan = np.nan
    expected = [[[25, -50, 8191.75]], [[0.25, 0.5, 0.75]], [[nan] * 3]]
    np.testing.assert_array_equal(recording.skeleton, np.array(expected, np.float32))


def test_rate_and_unit_the_file_does_not_say(path):
    path.write_bytes(by_hand([[(1, 2, 3, 0)]], rate=0.0, unit=""))
    with pytest.raises(
        NotSaidError, match=r"walk\.c3d: no frame rate in it: POINT:RATE is 0\. Pass"
    ):
        read(path)
    with pytest.raises(NotSaidError, match="no unit in these C3D files"):
        read(path, fps=100)
    recording = read(path, fps=100, unit="millimetres")
    assert (recording.fps, recording.unit) == (100, "mm")
    path.write_bytes(by_hand([[(1, 2, 3, 0)]]))
    recording = read(path, fps=100, unit="m")
    assert (recording.fps, recording.unit) == (50, "cm")  # what the file says stands


def test_no_points(path):
    path.write_bytes(by_hand([[]] * 5))
    with pytest.raises(FileFormatError, match="no points in it, analog channels alone"):
        read(path)


@pytest.mark.parametrize("rate", [-50.0, float("nan"), float("inf")])
def test_a_rate_that_is_none(rate, path):
    path.write_bytes(by_hand([[(1, 2, 3, 0)]], rate=rate))
    with pytest.raises(NotSaidError, match=f"POINT:RATE is {rate:g}"):
        read(path)


N_LONG = 70_000
LONG = {
    "LONG_FRAMES": [("LONG_FRAMES", 1, b"\4\0" + struct.pack("<f", N_LONG) + b"\0")],
    "TRIAL": [
        ("TRIAL", -2, b"\0"),
        ("ACTUAL_START_FIELD", 2, b"\2\1\2" + struct.pack("<2H", 7, 0) + b"\0"),
        ("ACTUAL_END_FIELD", 2, b"\2\1\2" + struct.pack("<I", N_LONG + 6) + b"\0"),
    ],
}


@pytest.mark.parametrize("extra", LONG.values(), ids=LONG)
def test_more_frames_than_16_bits_count(extra, path):
    frames = [[(n, 1, 2, 0)] for n in range(N_LONG)]
    path.write_bytes(by_hand(frames, n_frames=N_LONG, extra=extra))
    np.testing.assert_array_equal(read(path).skeleton[:, 0, 0], np.arange(N_LONG))


def test_frames_nobody_counts_are_told(path):
    write(path, n_frames=N_LONG)  # ezc3d writes them all, and counts 65535
    with pytest.warns(DataWarning, match=r"bytes after the 65535 frames it says it has are not"):
        assert read(path).n_frames == 65535


GOOD = by_hand([[(1, 2, 3, 0), (4, 5, 6, 0)]] * 8)


def test_by_hand_and_ezc3d_agree(path):
    path.write_bytes(GOOD)
    theirs = ezc3d.c3d(str(path))["data"]["points"][:3].transpose(2, 1, 0)
    np.testing.assert_array_equal(read(path).skeleton, theirs.astype(np.float32))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "does not begin as one"),
        (b"Frame,x,y\n" * 200, "does not begin as one"),
        ("Frame,x,y\n".encode("utf-16") * 200, "does not begin as one"),
        (GOOD[:1000], "does not begin as one"),
        (bytes([200]) + GOOD[1:], "no C3D parameters at byte 101888"),
        (GOOD.replace(b"\1\x50\2\x54", b"\1\x50\2\x53"), "no C3D parameters at byte 512"),
        (GOOD[:-1], "8 frames of 2 points announced, but only 7 are there"),
        (by_hand([[(1, 2, 3, 0)]], n_frames=60_000), "60000 frames of 1 points announced, but"),
        (by_hand([[(1, 2, 3, 0)]], n_frames=0), "no frame in it"),
        (by_hand([[(1, 2, 3, 0)]], scale=float("nan")), "the scale of the points is nan"),
        (by_hand([[(1, 2, 3, 0)]], scale=0.0), "the scale of the points is 0"),
        (
            by_hand(
                [[(1, 2, 3, 0)]], n_frames=0xFFFF, extra=[("LONG_FRAMES", 1, b"\4\0\0\0\x80\xff\0")]
            ),
            "POINT:LONG_FRAMES is -inf, which counts nothing",
        ),
        (
            by_hand(
                [[(1, 2, 3, 0)]], n_frames=0xFFFF, extra=[("LONG_FRAMES", 1, b"\4\0(k\xee\x4e\0")]
            ),
            r"frames of 1 points announced, but only 1 are there",
        ),
        (GOOD.replace(b"\4\0\0\0\x80\xbf", b"\5\0\0\0\x80\xbf"), "values of the kind 5"),
        (
            by_hand([[(1, 2, 3, 0)]], extra=[("MANY", 1, b"\4\7" + b"\xff" * 7)]),
            "values, more than its record holds",
        ),
    ],
)
def test_what_is_wrong_and_where(content, words, path):
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=words) as caught:
        read(path)
    assert "walk.c3d" in str(caught.value)


def test_texts_of_no_length_are_none(path):
    many = ("NAMES", 1, b"\xff\7\0" + b"\xff" * 6 + b"\0")
    path.write_bytes(by_hand([[(1, 2, 3, 0)]], extra=[many]))
    assert read(path).n_frames == 1


@pytest.mark.parametrize("part", np.linspace(0, 0.95, 12))
def test_a_cut_file(part, path):
    write(path, n_frames=300)
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(FileFormatError, match=r"walk\.c3d"):
        read(path)


@given(data=st.data())
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_the_file_holds_errors_are_ours(data, path):
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + 2] = data.draw(st.binary(max_size=4))
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    with warnings.catch_warnings(), suppress(FileFormatError):
        warnings.simplefilter("ignore", DataWarning)
        read(path)
