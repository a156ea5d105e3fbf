import lzma
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import expand, read
from histvq.io.bvh import joint_positions, read_bvh
from histvq.io.parts.bvh_motion import frame_rate
from histvq.io.parts.bvh_skeleton import MAX_JOINTS, parse_hierarchy
from oracles.accidents import spoilt
from oracles.bvh import positions_by_loop

# Two bones of one unit along x.
ARM = """HIERARCHY
ROOT shoulder
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT elbow
  {
    OFFSET 1 0 0
    CHANNELS 1 Zrotation
    End Site
    {
      OFFSET 1 0 0
    }
  }
}
"""
STILL = "0 0 0 0 0 0 0"


def bvh(*rows, skeleton=ARM, n_frames=None, frame_time="0.01"):
    return (
        f"{skeleton}MOTION\nFrames: {len(rows) if n_frames is None else n_frames}\n"
        f"Frame Time: {frame_time}\n" + "".join(f"{row}\n" for row in rows)
    )


@pytest.fixture
def write(tmp_path):
    def write_(content, name="arm.bvh"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return write_


def fault(path, **options):
    with pytest.raises(FileFormatError) as caught:
        read_bvh(path, **{"unit": "cm", **options})
    return str(caught.value)


# By hand


def test_a_bent_elbow_by_hand(write):
    path = write(
        bvh(STILL, "0 0 0 0 0 0 90", "0 0 0 90 0 0 90", "1 2 3 0 0 90 0", frame_time="0.0166667")
    )
    recording, annotation = read_bvh(path, unit="Centimeters", end_sites=True)
    expected = [
        [[0, 0, 0], [1, 0, 0], [2, 0, 0]],
        [[0, 0, 0], [1, 0, 0], [1, 1, 0]],
        [[0, 0, 0], [0, 1, 0], [-1, 1, 0]],
        [[1, 2, 3], [1, 2, 2], [1, 2, 1]],  # turning x about y by 90 degrees gives -z
    ]
    np.testing.assert_allclose(recording.skeleton, expected, atol=1e-7)
    assert recording.joint_names == ("shoulder", "elbow", "elbow_end")
    assert recording.parents == (-1, 0, 1)
    assert (recording.fps, recording.unit, recording.id) == (60, "cm", "arm")
    assert recording.history == ("frame_time(0.0166667 s): 60 frames a second",)
    assert recording.joint_persons is None
    assert annotation is None
    assert expand(path) == [("bvh", path)]


def test_without_ends_of_limbs_nothing_else_changes(write):
    hand = "JOINT hand {\nOFFSET 0 1 0\nEnd Site {\nOFFSET 1 1 1\n}}\n"
    branches = ARM.replace("    End Site", f"{hand}    End Site")
    path = write(bvh("0 0 0 10 20 30 40", skeleton=branches))
    whole, _ = read_bvh(path, unit="cm", end_sites=True)
    bare, _ = read_bvh(path, unit="cm")
    assert whole.joint_names == ("shoulder", "elbow", "hand", "hand_end", "elbow_end")
    assert whole.parents == (-1, 0, 1, 2, 1)
    assert (bare.joint_names, bare.parents) == (("shoulder", "elbow", "hand"), (-1, 0, 1))
    np.testing.assert_array_equal(bare.skeleton, whole.skeleton[:, :3])


def test_position_channels_take_the_place_of_the_offset(write):
    skeleton = ARM.replace("CHANNELS 1 Zrotation", "CHANNELS 2 yposition Zrotation").replace(
        "OFFSET 0 0 0", "OFFSET 7 8 9"
    )
    recording, _ = read_bvh(write(bvh("1 2 3 90 0 0 5 0", skeleton=skeleton)), unit="cm")
    # The root is where its channels say. The elbow keeps x = 1 and has y = 5; a quarter turn about
    # z makes of (1, 5, 0): (-5, 1, 0).
    np.testing.assert_allclose(recording.skeleton[0], [[1, 2, 3], [-4, 3, 3]], atol=1e-6)


def test_a_root_without_positions_stays_at_its_offset(write):
    skeleton = ARM.replace("6 Xposition Yposition Zposition", "3").replace("0 0 0", "7 8 9")
    recording, _ = read_bvh(write(bvh("0 0 0 0", skeleton=skeleton)), unit="cm")
    np.testing.assert_allclose(recording.skeleton[0], [[7, 8, 9], [8, 8, 9]])


def test_several_people_side_by_side(write):
    two = ARM + ARM.removeprefix("HIERARCHY\n")
    path = write(bvh(f"{STILL} 5 0 0 0 0 0 90", skeleton=two))
    recording, _ = read_bvh(path, unit="cm", end_sites=True)
    assert recording.joint_names[2:4] == ("person0/elbow_end", "person1/shoulder")
    assert recording.joint_persons == (0, 0, 0, 1, 1, 1)
    assert recording.parents == (-1, 0, 1, -1, 3, 4)
    np.testing.assert_allclose(recording.skeleton[0, 2:, 0], [2, 5, 6, 6], atol=1e-7)


# Frame rates


@pytest.mark.parametrize(
    ("frame_time", "fps"),
    [
        ("0.033333", 30), ("0.0333", 30), ("0.033", 30), ("0.0333333351", 30), ("0.04", 25),
        ("0.00833333", 120), ("0.008333", 120), ("0.0166", 60), ("0.0167", 60), ("1e-2", 100),
        (".008", 125), ("0.041667", 24), ("2", 0.5), ("1", 1), ("0.0333333333333333333333", 30),
        ("0.033367", 1 / 0.033367), ("0.0333667", 1 / 0.0333667), ("0.041708", 1 / 0.041708),
    ],
)  # fmt: skip
def test_frame_rates_that_the_digits_tell(frame_time, fps, write):
    recording, _ = read_bvh(write(bvh(STILL, frame_time=frame_time)), unit="cm")
    assert recording.fps == fps


@pytest.mark.parametrize("digits", [2, 3, 4, 5, 6])
def test_a_whole_rate_is_found_where_no_other_prints_alike(digits):
    """Brute force: all rates to 1,000 by the two texts a program may write of their frame time."""
    texts: dict[str, set[int]] = {}
    for rate in range(1, 1001):
        scaled = 10**digits / rate
        for number in (math.floor(scaled), math.floor(scaled + 0.5)):
            texts.setdefault(f"{number / 10**digits:.{digits}f}", set()).add(rate)
    found = 0
    for text, rates in texts.items():
        exact = [rate for rate in rates if math.isclose(1 / rate, float(text), rel_tol=1e-7)]
        if float(text) and max(rates) < 1000:
            fps, n_rates = frame_rate(text)
            assert (fps in rates) == (len(rates) == 1 or bool(exact))
            assert n_rates == (1 if exact else len(rates))
            found += len(rates) == 1
    assert found > 5


def test_a_frame_time_of_too_few_digits_is_told(write):
    path = write(bvh(STILL, frame_time="0.017"))
    words = r"arm\.bvh, line 18: frame time 0\.017 has too few digits to tell 5 .*; 58\.82 taken"
    with pytest.warns(DataWarning, match=words):
        recording, _ = read_bvh(path, unit="cm")
    assert recording.fps == pytest.approx(1 / 0.017)


@pytest.mark.parametrize(
    "frame_time", ["0", "-0.01", "nan", "inf", "1e-400", "0,01", "fast", "0.0"]
)
def test_frame_times_that_are_none(frame_time, write):
    words = f"line 18: frame time '{frame_time}'; expected the seconds"
    assert words in fault(write(bvh(STILL, frame_time=frame_time)))


# Against others


ORDERS = ["XYZ", "ZXY", "YZX", "ZYX", "XZY", "YXZ"]


def body(rng, *, n_joints=12, n_frames=7, odd=False):
    """A random tree with Euler angles of mixed orders, as a file.

    In an odd one, a joint has up to four rotations about any axes, and perhaps positions in between.
    """
    children = [[] for _ in range(n_joints)]
    for joint in range(1, n_joints):
        children[int(rng.integers(joint))].append(joint)

    def block(joint):
        order = rng.choice(list("XYZ"), size=rng.integers(5)) if odd else ORDERS[rng.integers(6)]
        channels = [f"{axis}rotation" for axis in order]
        if joint == 0 or (odd and rng.random() < 0.4):
            channels = [*(f"{axis}position" for axis in "XYZ"), *channels]
        if odd:
            rng.shuffle(channels)
        offset = " ".join(f"{x:.6f}" for x in rng.normal(size=3))
        counts.append(len(channels))
        below = "".join(block(child) for child in children[joint])
        if not below:
            below = f"End Site\n{{\nOFFSET {offset}\n}}\n"
        return (
            f"{'JOINT' if joint else 'ROOT'} j{joint}\n{{\nOFFSET {offset}\n"
            f"CHANNELS {len(channels)} {' '.join(channels)}\n{below}}}\n"
        )

    counts: list[int] = []
    skeleton = "HIERARCHY\n" + block(0)
    rows = rng.uniform(-180, 180, size=(n_frames, sum(counts)))
    return bvh(*(" ".join(f"{x:.6f}" for x in row) for row in rows), skeleton=skeleton)


@pytest.mark.parametrize("seed", range(8))
def test_positions_equal_a_loop_over_matrices(seed, write):
    text = body(np.random.default_rng(seed), odd=True)
    recording, _ = read_bvh(write(text), unit="cm", end_sites=True)
    frames = positions_by_loop(text)
    assert set(recording.joint_names) == set(frames[0])
    expected = [[frame[name] for name in recording.joint_names] for frame in frames]
    np.testing.assert_allclose(recording.skeleton, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_positions_equal_another_librarys(seed, write):
    import pybvh

    path = write(body(np.random.default_rng(seed)))
    theirs = pybvh.read_bvh_file(path)
    recording, _ = read_bvh(path, unit="cm")
    assert recording.joint_names == tuple(theirs.joint_names)
    assert recording.fps == pytest.approx(theirs.fps)
    np.testing.assert_allclose(recording.skeleton, theirs.joint_positions(), rtol=1e-5, atol=1e-4)
    assert {(p, j) for j, p in enumerate(recording.parents) if p >= 0} == {
        tuple(sorted(edge)) for edge in theirs.edges
    }


def test_angles_written_by_scipy_are_turned_back_into_positions(write):
    """Round trip: rotations drawn at random -> Euler angles -> file -> ends of the bones."""
    first, second = Rotation.random(50, rng=np.random.default_rng(3)), Rotation.random(
        50, rng=np.random.default_rng(4)
    )  # fmt: skip
    skeleton = ARM.replace("CHANNELS 1 Zrotation", "CHANNELS 3 Yrotation Zrotation Xrotation")
    angles = np.hstack(
        [first.as_euler("ZXY", degrees=True), second.as_euler("YZX", degrees=True)]
    )  # upper case: about the axes that turn along, the order of the format
    rows = ("0 0 0 " + " ".join(map(repr, row)) for row in angles.tolist())
    path = write(bvh(*rows, skeleton=skeleton))
    recording, _ = read_bvh(path, unit="cm", end_sites=True)
    elbow = first.apply([1, 0, 0])
    np.testing.assert_allclose(recording.skeleton[:, 1], elbow, atol=1e-6)
    np.testing.assert_allclose(
        recording.skeleton[:, 2], elbow + (first * second).apply([1, 0, 0]), atol=1e-6
    )


def test_every_bone_keeps_its_length(write):
    path = write(body(np.random.default_rng(0), n_joints=30, n_frames=50))
    recording, _ = read_bvh(path, unit="cm")
    joints = parse_hierarchy(
        path.read_text().split("MOTION")[0].splitlines(), path, end_sites=False
    )
    for place, joint in enumerate(joints[1:], start=1):
        spans = recording.skeleton[:, place] - recording.skeleton[:, joint.parent]
        length = np.linalg.norm(joint.offset)
        np.testing.assert_allclose(np.linalg.norm(spans, axis=1), length, rtol=1e-3)


def test_a_long_recording_is_that_of_its_parts(write):
    text = body(np.random.default_rng(0), n_joints=3, n_frames=9_000)
    whole, _ = read_bvh(write(text), unit="cm")
    skeleton, rows = text.split("MOTION\n")[0], text.splitlines()[-5_000:]
    last, _ = read_bvh(write(bvh(*rows, skeleton=skeleton)), unit="cm")
    np.testing.assert_array_equal(whole.skeleton[-5_000:], last.skeleton)


def test_turning_the_root_turns_everything(write):
    rng = np.random.default_rng(5)
    path = write(body(rng))
    joints = parse_hierarchy(path.read_text().split("MOTION")[0].splitlines(), path, end_sites=True)
    values = rng.uniform(-180, 180, size=(4, sum(len(joint.channels) for joint in joints)))
    values[:, :3] = 0
    before = joint_positions(joints, values)
    order = "".join(channel[0].upper() for channel in joints[0].channels[3:])
    turn = Rotation.from_euler(order, values[:, 3:6], degrees=True)
    turned = values.copy()
    more = Rotation.from_euler("y", 25, degrees=True)
    turned[:, 3:6] = (more * turn).as_euler(order, degrees=True)
    after = joint_positions(joints, turned)
    np.testing.assert_allclose(after, before @ more.as_matrix().T, atol=1e-9)


# Files as they are met


def test_spellings_and_line_ends(write):
    plain, _ = read_bvh(write(bvh("1 2 3 4 5 6 7", STILL)), unit="cm")
    text = bvh("1 2 3 4 5 6 7", STILL)
    met = {
        "windows": "\ufeff" + text.replace("\n", "\r\n"),
        "mac": text.replace("\n", "\r"),
        "brace": text.replace("\n{", " {").replace("shoulder {", "shoulder{"),
        "flat": text.replace("\n  ", "\n").replace(" ", "\t"),
        "case": text.replace("position", "POSITION").replace("Frame Time", "FRAME TIME"),
        "empty_lines": text.replace("\n", "\n\n") + "\n \n",
        "no_colon_space": text.replace("Frames: ", "Frames:").replace("Frame Time: ", "Frame Time:\t"),
    }  # fmt: skip
    for name, content in met.items():
        recording, _ = read_bvh(write(content, f"{name}.bvh"), unit="cm")
        np.testing.assert_array_equal(recording.skeleton, plain.skeleton, err_msg=name)
        assert recording.joint_names == plain.joint_names
    packed = write(lzma.compress(text.encode()), "a.b.BVH.xz")
    recording, _ = read(packed, unit="cm")
    np.testing.assert_array_equal(recording.skeleton, plain.skeleton)
    assert recording.id == "a.b"


def test_names_of_several_words_and_other_alphabets(write):
    text = bvh(STILL).replace("elbow", "左 ひじ")
    assert read_bvh(write(text), unit="cm")[0].joint_names == ("shoulder", "左 ひじ")


def test_the_unit_is_asked_for(write):
    assert "no unit in BVH files. Pass unit= (--unit), as unit='cm'" in fault(
        write(bvh(STILL)), unit=None
    )
    with pytest.raises(ConfigError, match="these files say their own rate"):
        read(write(bvh(STILL)), unit="cm", fps=30)


def test_one_frame_and_none(write):
    assert read_bvh(write(bvh(STILL)), unit="cm")[0].n_frames == 1
    assert "no frame in it (Frames: 0)" in fault(write(bvh()))


def test_a_last_line_without_end_is_told(write):
    with pytest.warns(DataWarning, match=r"arm\.bvh: the last line has no line end"):
        recording, _ = read_bvh(write(bvh(STILL)[:-1]), unit="cm")
    assert recording.n_frames == 1


# What is wrong


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bvh(STILL, STILL, n_frames=3),
         "Frames: 3 and 7 channels make 21 numbers, but there are 14 in 2 lines. The file may be"),
        (bvh(STILL, STILL, n_frames=1), "Frames: 1 and 7 channels make 7 numbers, but there are 14"),
        (bvh(STILL, "0 0 0 0 0 0", STILL),
         "make 21 numbers, but there are 20 in 3 lines; line 20 has 6, not 7"),
        (bvh(STILL + " 0", STILL + " 0"), "14 numbers, but there are 16 in 2 lines; line 19 has 8"),
        (bvh(STILL, n_frames=10**17), "but there are 7 in 1 lines"),
        (bvh(STILL, n_frames=-1), "line 17: 'Frames: -1'; expected a line as 'Frames: 40'"),
        (bvh(STILL, n_frames="many"), "line 17: 'Frames: many'; expected"),
        (bvh(STILL, n_frames="9" * 5000), "line 17: 'Frames: 999"),
        (bvh(STILL, n_frames=1).replace("Frame Time", "Frame Tide"), "line 18: 'Frame Tide: 0.01'"),
        (ARM + "MOTION\nFrames: 1\n", "the file ends; expected a line as 'Frame Time: 0.0333333'"),
        (bvh(STILL, "0 0 0 0 O 0 0"), "line 20, shoulder xrotation: 'O' is no finite number"),
        (bvh(STILL, "0 0 0 0 0 0 nan"), "line 20, elbow zrotation: 'nan' is no finite number"),
        (bvh(STILL, "0 0 inf 0 0 0 0"), "line 20, shoulder zposition: 'inf' is no finite number"),
        (bvh(STILL, "0 1e39 0 0 0 0 0"), "line 20, shoulder yposition: '1e39' is no finite number"),
        (bvh("0 0 0 0 0 0 1_0"), "'1_0' to float64"),
        (bvh("0,0 0 0 0 0 0 0"), "line 19, shoulder xposition: '0,0' is no finite number"),
        (ARM, "no MOTION in its 15 lines"),
        ("", "begins with '', expected HIERARCHY: no BVH file"),
        ("hello", "begins with 'hello', expected HIERARCHY"),
        ("HIERARCHY\nMOTION\n", "the hierarchy ends without ROOT"),
        ("HIERARCHY\nROOT a\nMOTION\n", "the hierarchy ends without a brace of ROOT a of line 2"),
        (bvh(STILL).encode("utf-16"), "not a text file"),
        (bvh(STILL).replace("elbow", "Füße").encode("latin-1"), "not a text file"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_and_where(content, words, write):
    message = fault(write(content))
    assert words in message
    assert "arm.bvh" in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("OFFSET 1 0 0\n    CH", "OFFSET 1 0\n    CH", "line 8: 'OFFSET 1 0'; expected OFFSET and 3"),
        ("OFFSET 1 0 0\n    CH", "OFFSET 1 0 nan\n    CH", "line 8: 'OFFSET 1 0 nan'; expected"),
        ("OFFSET 1 0 0\n    CH", "OFFSET 1 0 x\n    CH", "line 8: 'OFFSET 1 0 x'; expected"),
        ("OFFSET 1 0 0\n    CH", "CH", "line 13: JOINT elbow of line 6 has no OFFSET"),
        ("CHANNELS 1 Z", "CHANNELS 2 Z", "line 9: 'CHANNELS 2 Zrotation'; expected CHANNELS, how"),
        ("CHANNELS 1 Zr", "CHANNELS Zr", "line 9: 'CHANNELS Zrotation'; expected CHANNELS, how"),
        ("CHANNELS 1 Zr", "CHANNELS 1 Wr", "line 9: channel wrotation is not known; known are xpo"),
        ("6 Xposition Y", "6 Yposition Y", "line 5: channel yposition is given twice"),
        ("JOINT elbow\n", "JOINT\n", "line 6: JOINT without a name"),
        ("JOINT elbow\n", "JOINT shoulder\n", "lines 2 and 6: two joints are called shoulder"),
        ("JOINT elbow\n", "ROOT elbow\n", "line 6: 'ROOT elbow' has no place inside ROOT shoulder"),
        ("ROOT", "JOINT", "line 2: 'JOINT shoulder' has no place outside every joint"),
        ("  {\n    OFFSET 1", "    OFFSET 1", "line 7: 'OFFSET 1 0 0'; expected { after JOINT elbow"),
        ("      OFFSET 1 0 0\n", "", "line 12: END elbow_end of line 10 has no OFFSET"),
        ("      OFFSET 1 0 0\n", "      CHANNELS 0\n", "'CHANNELS 0' has no place inside END elbow_"),
        ("}\n  }\n}\n", "}\n  }\n", "the hierarchy ends without a brace of ROOT shoulder of line 2"),
        ("}\n  }\n}\n", "}\n  }\n}\n}\n", "line 16: '}' has no place outside every joint"),
        ("  JOINT", "  {\n  JOINT", "line 6: '{' has no place inside ROOT shoulder"),
        ("  JOINT", "  OFFSET 0 0 0\n  JOINT", "line 6: 'OFFSET 0 0 0' has no place inside ROOT"),
        ("  JOINT", "  HIERARCHY\n  JOINT", "line 6: 'HIERARCHY' has no place inside ROOT shoulder"),
        ("  JOINT", "  SCALE 1\n  JOINT", "line 6: 'SCALE 1' has no place inside ROOT shoulder"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_skeleton_and_where(old, new, words, write):
    assert old in ARM
    assert words in fault(write(bvh(STILL, skeleton=ARM.replace(old, new))))


def test_two_ends_of_one_joint(write):
    end = "    End Site\n    {\n      OFFSET 1 0 0\n    }\n"
    path = write(bvh(STILL, skeleton=ARM.replace(end, 2 * end)))
    assert read_bvh(path, unit="cm")[0].joint_names == ("shoulder", "elbow")
    assert (
        "lines 10 and 14: two joints are called elbow_end. Rename one, or pass end_sites"
        in fault(path, end_sites=True)
    )


def test_a_skeleton_that_does_not_move(write):
    still = ARM.replace("CHANNELS 1 Zrotation", "").replace("CHANNELS 6 Xp", "#")
    still = "\n".join(line for line in still.splitlines() if "#" not in line) + "\n"
    assert "no joint has CHANNELS" in fault(write(bvh("", skeleton=still)))


def test_deep_skeletons_do_not_overflow(write):
    def chain(n_joints):
        blocks = "".join(
            f"{'JOINT' if j else 'ROOT'} j{j} {{\nOFFSET 0 1 0\nCHANNELS {int(not j)}"
            f"{' Xposition' * (not j)}\n"
            for j in range(n_joints)
        )
        return f"HIERARCHY\n{blocks}{'}' * n_joints}\n"

    recording, _ = read_bvh(write(bvh("5", skeleton=chain(2_000))), unit="cm")
    np.testing.assert_array_equal(recording.skeleton[0, -1], [5, 2_000, 0])
    assert "more than 10,000 joints" in fault(write(bvh("5", skeleton=chain(MAX_JOINTS + 1))))


# Fuzz

GOOD = bvh("1 2 3 4 5 6 7", STILL, STILL).encode()


def attempt(path, content):
    """Either a recording or an error of ours, never another one."""
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            recording, _ = read_bvh(path, unit="cm", end_sites=True)
        except FileFormatError as error:
            words = str(error)
        else:
            assert np.isfinite(recording.skeleton).all()
            return
    assert path.name in words


@given(data=st.data())
def test_damaged_files_are_read_or_refused_in_words(data, tmp_path_factory):
    content = data.draw(spoilt(GOOD))
    attempt(tmp_path_factory.getbasetemp() / "fuzz.bvh", content)


@given(
    words=st.lists(
        st.sampled_from(
            ["HIERARCHY", "ROOT", "JOINT", "End", "Site", "{", "}", "OFFSET", "CHANNELS", "MOTION",
             "Frames:", "Frame", "Time:", "0", "1", "3", "a", "Xposition", "Zrotation", "\n", "1e999"]
        )
    ),
    tail=st.text(max_size=20),
)  # fmt: skip
def test_any_text_is_refused_in_words(words, tail, tmp_path_factory):
    text = "HIERARCHY " + " ".join(words) + tail
    attempt(tmp_path_factory.getbasetemp() / "fuzz.bvh", text.encode("utf-8", "surrogatepass"))
