import lzma

import numpy as np
import pytest

from histvq.errors import FileFormatError
from histvq.io.acclaim import joint_positions, read_acclaim, read_channels
from histvq.io.parts.asf_skeleton import read_skeleton
from oracles.acclaim import positions_by_loop

# Two bones of one unit along x; a unit is 2 inches (length 0.5), so 0.0508 m.
ARM = """# by hand
:version 1.10
:units
  mass 1.0
  length 0.5
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name upper
    direction 1 0 0
    length 1
    axis 0 0 0 XYZ
    dof rx ry rz
    limits (-180 180)
           (-180 180)
           (-180 180)
  end
  begin
    id 2
    name lower
    direction 1 0 0
    length 1
    axis 0 0 0 XYZ
    dof rz
    limits (-180 180)
  end
:hierarchy
  begin
    root upper
    upper lower
  end
"""
UNIT = 2 * 0.0254


def frame(number, *, root=(0,) * 6, upper=(0, 0, 0), lower=(0,)):
    rows = (("root", root), ("upper", upper), ("lower", lower))
    return "\n".join([str(number), *(f"{n} {' '.join(map(str, v))}" for n, v in rows)]) + "\n"


def amc(*frames):
    return ":FULLY-SPECIFIED\n:DEGREES\n" + "".join(frames)


@pytest.fixture
def write(tmp_path):
    def write_(motion, skeleton=ARM, name="arm.amc"):
        (tmp_path / "arm.asf").write_text(skeleton)
        (tmp_path / name).write_text(motion)
        return tmp_path / name

    return write_


def fault(path, **options):
    with pytest.raises(FileFormatError) as caught:
        read_acclaim(path, **{"fps": 120, **options})
    return str(caught.value)


def test_a_bent_elbow_by_hand(write):
    path = write(
        amc(
            frame(1),
            frame(2, lower=(90,)),
            frame(3, upper=(0, 0, 90), lower=(90,)),
            frame(4, root=(1, 2, 3, 0, 90, 0)),
        )
    )
    recording, annotation = read_acclaim(path, fps=120)
    expected = [
        [[0, 0, 0], [1, 0, 0], [2, 0, 0]],
        [[0, 0, 0], [1, 0, 0], [1, 1, 0]],
        [[0, 0, 0], [0, 1, 0], [-1, 1, 0]],
        [[1, 2, 3], [1, 2, 2], [1, 2, 1]],  # turning x about y by 90 degrees gives -z
    ]
    np.testing.assert_allclose(recording.skeleton, np.array(expected) * UNIT, atol=1e-7)
    assert recording.joint_names == ("root", "upper", "lower")
    assert recording.parents == (-1, 0, 1)
    assert (recording.fps, recording.unit, recording.id) == (120, "m", "arm")
    assert annotation is None


def test_the_axis_of_a_bone_turns_its_angles(write):
    # With the axis a quarter turn about y, the bone's own z points along x, so rz leaves x alone.
    skeleton = ARM.replace("id 2\n", "id 2\n").replace(
        "name lower\n    direction 1 0 0\n    length 1\n    axis 0 0 0",
        "name lower\n    direction 1 0 0\n    length 1\n    axis 0 90 0",
    )
    recording, _ = read_acclaim(write(amc(frame(1, lower=(90,))), skeleton), fps=120)
    np.testing.assert_allclose(recording.skeleton[0, 2], [2 * UNIT, 0, 0], atol=1e-7)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["13_29", "14_20"])
def test_real_positions_equal_a_loop_over_matrices(name, shared_data):
    folder = shared_data / "cmu_exercises"
    recording, _ = read_acclaim(folder / f"{name}.amc.xz", fps=120)
    motion = lzma.decompress((folder / f"{name}.amc.xz").read_bytes()).decode()
    expected = positions_by_loop((folder / "86.asf").read_text(), motion, 200)
    assert len(expected) == 200
    for place, joint in enumerate(recording.joint_names):
        np.testing.assert_allclose(
            recording.skeleton[:200, place], [frame[joint] for frame in expected], atol=1e-6
        )


@pytest.mark.real_data
def test_every_bone_keeps_its_length_in_every_frame(shared_data):
    folder = shared_data / "cmu_exercises"
    rest = read_skeleton(folder / "86.asf")
    lengths = [np.linalg.norm(bone.offset) for bone in rest.bones]
    files = sorted(folder.glob("*.amc.xz"))
    assert len(files) == 5
    for file in files:
        positions = joint_positions(rest, read_channels(file, rest))
        for place, bone in enumerate(rest.bones[1:], start=1):
            spans = np.linalg.norm(positions[:, place] - positions[:, bone.parent], axis=1)
            np.testing.assert_allclose(spans, lengths[place], rtol=1e-9)


def test_packed_files_windows_line_ends_and_a_bone_left_out(tmp_path, write):
    plain, _ = read_acclaim(write(amc(frame(1), frame(2, lower=(45,)))), fps=60)
    windows = amc(frame(1), frame(2, lower=(45,))).replace("\n", "\r\n").encode()
    (tmp_path / "other.amc.xz").write_bytes(lzma.compress(windows))
    packed, _ = read_acclaim(tmp_path / "other.amc.xz", fps=60)
    np.testing.assert_array_equal(plain.skeleton, packed.skeleton)
    still = amc(frame(1)).replace("lower 0\n", "")
    recording, _ = read_acclaim(write(still), fps=60)
    np.testing.assert_allclose(recording.skeleton[0, 2], [2 * UNIT, 0, 0], atol=1e-7)


def test_which_skeleton(tmp_path, write):
    path = write(amc(frame(1)), name="13_29.amc")
    assert read_acclaim(path, fps=120)[0].metadata["skeleton"] == "arm.asf"  # the only one
    (tmp_path / "86.asf").write_text(ARM)
    assert "2 lie beside it, none of its name. Put 13.asf there" in fault(path)
    (tmp_path / "13.asf").write_text(ARM)
    assert read_acclaim(path, fps=120)[0].metadata["skeleton"] == "13.asf"
    named, _ = read_acclaim(path, fps=120, skeleton=tmp_path / "86.asf")
    assert named.metadata["skeleton"] == "86.asf"
    for asf in tmp_path.glob("*.asf"):
        asf.unlink()
    assert "none lies beside it" in fault(path)


def test_the_rate_is_asked_for(write):
    assert "Pass fps=" in fault(write(amc(frame(1))), fps=None)


@pytest.mark.parametrize(
    ("motion", "words"),
    [
        (amc(frame(1), frame(2)).replace("upper 0 0 0\nlower 0\n", "upper 0 0\nlower 0\n", 1),
         "line 5: 'upper 0 0'; expected upper and 3 numbers"),
        (amc(frame(1), frame(3)), "line 7: '3'; expected frame number 2"),
        (amc(frame(1), frame(2))[:-8], "line 9: the last frame has 2 of 3 bones"),
        (amc(frame(1)).replace("lower", "tail"), "line 6: the skeleton has no bone 'tail'"),
        (amc(frame(1)).replace("lower 0", "lower zero"), "could not convert string to float"),
        (amc(frame(1)).replace("lower 0", "lower nan"), "a number is not finite"),
        (":RADIANS\n" + frame(1), "line 1: :RADIANS, but the skeleton's angles are in degrees"),
        (":SIDEWAYS\n" + frame(1), "line 1: :SIDEWAYS is not understood"),
        (amc(), "no frame in it"),
        (amc(frame(1)).replace("root", "r00t"), "the skeleton has no bone 'r00t'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_motion_and_where(motion, words, write):
    assert words in fault(write(motion))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (":hierarchy", ":nothing", "no :hierarchy in it"),
        ("name lower", "nome lower", "bone ?: no name"),
        ("direction 1 0 0", "direction 1 0", "direction: '1 0'; expected 3 numbers"),
        ("direction 1 0 0", "direction 1e308 1e308 0", "a length of 1 along"),
        ("dof rz", "dof rz l", "bone lower, dof: l; only rotations"),
        ("upper lower", "upper louder", "bone louder is not among the bones"),
        ("upper lower", "upper upper", "bone upper has two parents"),
        ("angle deg", "angle gon", "angle gon; expected deg or rad"),
        ("order TX TY TZ", "order TX TY", ":root: order tx ty rx ry rz; expected"),
        ("  end\n:hierarchy", ":hierarchy", "a bone has no end"),
    ],
)
def test_what_is_wrong_with_a_skeleton(old, new, words, write):
    assert old in ARM
    assert words in fault(write(amc(frame(1)), ARM.replace(old, new)))
