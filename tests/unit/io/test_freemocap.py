import io

import numpy as np
import pytest

from histvq.errors import FileFormatError
from histvq.io import expand, read, read_many
from histvq.io.freemocap import read_freemocap
from histvq.io.parts.asked import NotSaidError
from histvq.skeletons import SKELETONS


def points(n_frames=4, n_points=33):
    """Point j of frame t lies at (t, j, 0.5)."""
    array = np.full((n_frames, n_points, 3), 0.5)
    array[..., 0] = np.arange(n_frames)[:, None]
    array[..., 1] = np.arange(n_points)
    return array


@pytest.fixture
def write(tmp_path):
    def write_(array, name="mediapipe_body_3d_xyz.npy"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(array, bytes):
            file.write_bytes(array)
        else:
            np.save(file, array, allow_pickle=True)
        return file

    return write_


@pytest.mark.parametrize(
    ("name", "n_points"),
    [
        ("mediapipe_body_3d_xyz.npy", 33),
        ("mediaPipeSkel_3d_body_hands_face.npy", 553),
        ("mediapipe_skeleton_3d.npy", 553),
        ("mediaPipeSkel_3d_body_hands_face.npy", 543),
        ("walk_3d_xyz.npy", 75),
    ],
)
def test_the_body_comes_first(write, name, n_points):
    array = points(n_points=n_points)
    array[2, 5] = np.nan
    path = write(array, name)
    recording, annotation = read(path, fps=30)
    assert annotation is None
    assert (recording.fps, recording.unit, recording.id) == (30, "mm", path.stem)
    assert recording.joint_names == SKELETONS["mediapipe-33"].joint_names
    assert recording.parents == SKELETONS["mediapipe-33"].parents
    np.testing.assert_array_equal(recording.skeleton, array[:, :33].astype(np.float32))
    assert recording.metadata == {"points": n_points}
    assert recording.history == (f"the 33 points of the body, of {n_points}",)


def test_of_a_session_the_body_is_read_once(write, tmp_path):
    for session in ("one", "two"):
        for part, n in (("body", 33), ("right_hand", 21), ("left_hand", 21), ("face", 478)):
            write(points(n_points=n), f"{session}/output_data/mediapipe_{part}_3d_xyz.npy")
        write(points(n_points=553), f"{session}/output_data/mediapipe_skeleton_3d.npy")
    many = read_many(tmp_path, fps=30)
    assert {recording.id for recording in many.recordings} == {
        "one_mediapipe_body_3d_xyz",
        "two_mediapipe_body_3d_xyz",
    }


def test_arrays_of_the_smq_layout_stay_its_own(write):
    path = write(np.zeros((3, 5, 33, 1)), "set/features/walk_3d_xyz.npy")
    assert expand(path) == [("smq", path)]


def test_whole_numbers_and_another_unit(write):
    path = write(points().astype(np.int16))
    recording, _ = read_freemocap(path, fps=30, unit="centimetres")
    assert recording.unit == "cm"
    assert recording.skeleton[3, 7].tolist() == [3, 7, 0]
    with pytest.raises(NotSaidError, match="no frame rate in FreeMoCap files"):
        read_freemocap(path)


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def huge(shape):
    """A header that promises more than any machine has, and ten numbers."""
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + bytes(80)


INFINITE = points()
INFINITE[1, 2, 1] = np.inf


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an array numpy can load"),
        (b"x, y, z\n1, 2, 3\n", "not an array numpy can load"),
        (saved(points())[:-1], "not an array numpy can load"),
        (saved(points())[:60], "not an array numpy can load"),
        (huge((10**12, 33, 3)), "not an array numpy can load"),
        (huge((4, 10**12, 3)), "not an array numpy can load"),
        (huge((10**30, 33, 3)), "not an array numpy can load"),
        (huge((-1, 33, 3)), "not an array numpy can load"),
        (np.array([{}, 3], dtype=object), "not an array numpy can load"),
        (np.array([["a"]]), "not an array of numbers"),
        (points().astype(complex), "not an array of numbers"),
        (points() > 1, "not an array of numbers"),
        (points(n_points=133), r"shape \(4, 133, 3\); expected \(frame, point, 3\) with 33"),
        (points()[..., :2], r"shape \(4, 33, 2\)"),
        (points()[0], r"shape \(33, 3\)"),
        (points(n_frames=0), "no frame in it"),
        (INFINITE, "frame 1, left_eye, y: inf, expected a number, or NaN"),
        (points() * 1e300, r"frame 0, nose, z: 5e\+299, expected a number"),
    ],
)
def test_what_is_wrong(write, content, words):
    path = write(content)
    with pytest.raises(FileFormatError, match=words) as caught:
        read_freemocap(path, fps=30)
    assert path.name in str(caught.value)


@pytest.mark.parametrize("seed", range(50))
def test_damaged_bytes_are_read_or_an_error(write, seed):
    chance = np.random.default_rng(seed)
    data = bytearray(saved(points()))
    for place in chance.integers(0, 128, size=3):  # of the header
        data[place] = chance.integers(0, 256)
    path = write(bytes(data))
    try:
        read_freemocap(path, fps=30)
    except FileFormatError as error:
        assert path.name in str(error)  # noqa: PT017


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileFormatError, match=r"no_3d_xyz\.npy"):
        read_freemocap(tmp_path / "no_3d_xyz.npy", fps=30)


def test_one_frame(write):
    assert read_freemocap(write(points(n_frames=1)), fps=30)[0].n_frames == 1
