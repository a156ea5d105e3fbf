import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.errors import FileFormatError
from histvq.io import expand, read, read_many
from histvq.io.amass import JOINTS, read_amass
from histvq.io.parts.asked import NotSaidError
from oracles.body import BODY_PARENTS, PARENTS, body_by_loop, model_arrays, turned

N_FRAMES = 5
SMPLX_PARENTS = [*BODY_PARENTS, 15, 15, 15, *(p + 3 if p > 21 else p for p in PARENTS[22:])]


def motion(n_joints=52, **changes):
    """Arrays of one file as the SMPL+H release has them."""
    rng = np.random.default_rng(0)
    arrays = {
        "poses": rng.normal(size=(N_FRAMES, 3 * n_joints)),
        "trans": rng.normal(size=(N_FRAMES, 3)),
        "betas": rng.normal(size=16),
        "dmpls": rng.normal(size=(N_FRAMES, 8)),
        "gender": "female",
        "mocap_framerate": 120.0,
    } | changes
    return {name: array for name, array in arrays.items() if array is not None}


def smplx_motion():
    """The same as the SMPL-X release has them, with an array that needs unpickling."""
    poses = motion(55)["poses"]
    return motion(
        55, dmpls=None, mocap_framerate=None, mocap_frame_rate=100.0, root_orient=poses[:, :3],
        pose_body=poses[:, 3:66], pose_hand=poses[:, 75:], surface_model_type="smplx",
        markers_latent_vids=np.array({"ARIEL": 1}, dtype=object),
    )  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def write_(arrays, name="0020_walk_poses.npz"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **arrays)
        return path

    return write_


def test_rotations_of_the_body(write):
    path = write(motion())
    recording, annotation = read(path)
    assert annotation is None
    assert expand(path) == [("amass", path)]
    assert (recording.id, recording.fps, recording.unit) == ("0020_walk_poses", 120, "rotation")
    assert recording.metadata == {"gender": "female", "model": "SMPL+H"}
    assert recording.parents == tuple(BODY_PARENTS)
    poses = motion()["poses"].reshape(N_FRAMES, 52, 3)
    for frame in range(N_FRAMES):
        for joint in range(22):
            matrix = turned(poses[frame, joint])
            expected = [*matrix[:, 0], *matrix[:, 1]]
            np.testing.assert_allclose(recording.skeleton[frame, joint], expected, atol=1e-6)


def test_the_tree_hangs_together():
    parents = dict(zip(JOINTS, BODY_PARENTS, strict=True))
    for child, parent in {
        "spine3": "spine2", "neck": "spine3", "left_collar": "spine3", "left_shoulder": "left_collar",
        "right_wrist": "right_elbow", "left_foot": "left_ankle", "right_knee": "right_hip",
    }.items():  # fmt: skip
        assert JOINTS[parents[child]] == parent
    assert parents["pelvis"] == -1


def test_the_smplx_release(write):
    path = write(smplx_motion(), "walk_stageii.npz")
    assert expand(path) == [("amass", path)]
    recording, _ = read(path)
    assert (recording.fps, recording.metadata["model"]) == (100, "SMPL-X")
    np.testing.assert_allclose(
        recording.skeleton[0, 3, :3], turned(motion(55)["poses"][0, 9:12])[:, 0], atol=1e-6
    )


@pytest.mark.parametrize("translation", [True, False])
@pytest.mark.parametrize("shape", [True, False])
def test_positions_as_by_plain_loops(translation, shape, write):
    model = model_arrays()
    given = motion()
    recording, _ = read_amass(
        write(given), body_model=write(model, "model.npz"), translation=translation, shape=shape
    )
    assert (recording.unit, recording.channel_names) == ("m", ("x", "y", "z"))
    for frame in range(N_FRAMES):
        pose = given["poses"][frame].reshape(52, 3)
        expected, _ = body_by_loop(model, pose, given["betas"] if shape else ())
        expected = expected[:22] + (given["trans"][frame] if translation else 0)
        np.testing.assert_allclose(recording.skeleton[frame], expected, atol=1e-5)


def test_the_model_of_the_persons_gender(write, tmp_path):
    for seed, gender in enumerate(("male", "female", "neutral")):
        write(model_arrays(seed=seed), f"smplh/{gender}/model.npz")
    by_folder, _ = read_amass(write(motion()), body_model=tmp_path / "smplh")
    file = tmp_path / "smplh" / "female" / "model.npz"
    by_file, _ = read_amass(write(motion()), body_model=file)
    np.testing.assert_array_equal(by_folder.skeleton, by_file.skeleton)
    file.unlink()
    with pytest.raises(
        FileFormatError, match=r"of a female body, and .*smplh has none of female/mod"
    ):
        read_amass(write(motion()), body_model=tmp_path / "smplh")


def test_an_smplx_model_by_its_name(write, tmp_path):
    path = write(model_arrays(SMPLX_PARENTS), "models/SMPLX_FEMALE.npz")
    recording, _ = read_amass(write(smplx_motion()), body_model=path.parent)
    expected, _ = read_amass(write(smplx_motion()), body_model=path)
    np.testing.assert_array_equal(recording.skeleton, expected.skeleton)
    with pytest.raises(FileFormatError, match=r"52 joints \(SMPL\+H\), but .* has 55 \(SMPL-X\)"):
        read_amass(write(motion()), body_model=path)


def test_a_model_with_fewer_shapes(write):
    path = write(model_arrays(n_shapes=10), "model.npz")
    with pytest.raises(
        FileFormatError, match=r"16 shape parameters, but .* has 10.*or shape=False"
    ):
        read_amass(write(motion()), body_model=path)
    read_amass(write(motion()), body_model=path, shape=False)


@pytest.mark.parametrize("gender", [b"male", "male"])
def test_gender_as_text_or_bytes(gender, write):
    assert read_amass(write(motion(gender=gender)))[0].metadata["gender"] == "male"


@pytest.mark.parametrize("gender", [None, "x", np.array(None)])
def test_gender_not_said(gender, write):
    assert "gender" not in read_amass(write(motion(gender=gender)))[0].metadata


def test_a_rate_is_asked_for_only_where_the_file_does_not_say_it(write):
    path = write(motion(mocap_framerate=None))
    with pytest.raises(NotSaidError, match=r"no frame rate in these AMASS files\. Pass fps="):
        read_amass(path)
    assert read_amass(path, fps=60)[0].fps == 60
    assert read_amass(write(motion()), fps=60)[0].fps == 120


def test_files_of_shape_hold_no_motion(write):
    good = write(motion(), "rub001/walk_poses.npz")
    shape = write({"betas": np.zeros(16), "gender": "male"}, "rub001/shape.npz")
    stage = write({"betas": np.zeros(16), "gender": "male"}, "rub001/neutral_stagei.npz")
    with pytest.raises(FileFormatError, match=r"shape\.npz: the shape of a body, without motion"):
        read(shape)
    many = read_many(good.parent)
    assert [recording.id for recording in many.recordings] == ["walk_poses"]
    assert [file for file, _ in many.skipped] == [stage, shape]


def test_one_frame_and_none(write):
    path = write(motion(poses=np.zeros((1, 156)), trans=np.zeros((1, 3))))
    np.testing.assert_array_equal(read_amass(path)[0].skeleton[0, 5], [1, 0, 0, 0, 1, 0])
    path = write(motion(poses=np.zeros((0, 156)), trans=np.zeros((0, 3))))
    assert read_amass(path)[0].n_frames == 0
    assert read_amass(path, body_model=write(model_arrays(), "m.npz"))[0].n_frames == 0


def test_missing_values_stay_missing(write):
    poses = motion()["poses"]
    poses[2, 9] = np.nan  # of spine1
    recording, _ = read_amass(write(motion(poses=poses)))
    assert np.isnan(recording.skeleton[2, 3]).all()
    assert np.isnan(recording.skeleton).sum() == 6


def infinite():
    poses = motion()["poses"]
    poses[3, 7] = np.inf
    return poses


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"poses": infinite()}, r"array 'poses': an infinite number at \[3, 7\]"),
        ({"poses": np.zeros((5, 100))}, r"'poses': 100 numbers a frame, expected 66 .*156 \(SMPL\+H\)"),
        ({"poses": np.zeros((5, 52, 3))}, r"'poses': shape \(5, 52, 3\), expected \(any, any\)"),
        ({"poses": np.array([["a"] * 156])}, "array 'poses': holds <U1; expected numbers"),
        ({"poses": np.full((5, 156), None)}, "array 'poses': holds Python objects"),
        ({"trans": np.zeros((4, 3))}, r"'trans': shape \(4, 3\), expected \(5, 3\)"),
        ({"trans": None}, "no array 'trans' in it, so it is no motion of AMASS; it has poses"),
        ({"betas": np.zeros((5, 16))}, r"'betas': shape \(5, 16\)"),
        ({"mocap_framerate": 0.0}, "array 'mocap_framerate': 0.0, expected a rate above 0"),
        ({"mocap_framerate": np.nan}, "array 'mocap_framerate': nan, expected a rate above 0"),
        ({"mocap_framerate": "fast"}, "array 'mocap_framerate': holds <U4; expected numbers"),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(changes, words, write):
    with pytest.raises(FileFormatError, match=words) as caught:
        read_amass(write(motion(**changes)))
    assert "0020_walk_poses.npz" in str(caught.value)


def test_a_huge_count_is_no_reason_to_make_room(tmp_path):
    header = io.BytesIO()
    about = {"descr": "<f8", "fortran_order": False, "shape": (10**11, 156)}
    np.lib.format.write_array_header_1_0(header, about)
    with zipfile.ZipFile(tmp_path / "big_poses.npz", "w") as zipped:
        for name in ("poses", "trans", "mocap_framerate"):
            zipped.writestr(f"{name}.npy", header.getvalue())
    with pytest.raises(FileFormatError, match="its header promises 124800000000000 bytes"):
        read(tmp_path / "big_poses.npz")


@given(st.data())
def test_whatever_happened_to_a_file_comes_out_as_words(tmp_path_factory, data):
    file = io.BytesIO()
    np.savez(file, **motion())
    content = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        # The headers at the beginning and the list at the end, more often than the numbers.
        place = data.draw(st.integers(0, 300) | st.integers(len(content) - 700, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "fuzzed_poses.npz"
    path.write_bytes(content)
    try:
        read_amass(path)
    except FileFormatError as error:
        assert "fuzzed" in str(error)  # noqa: PT017
