import numpy as np
import pytest

from histvq.errors import FileFormatError
from histvq.io.parts import body_model
from histvq.io.parts.body_model import chained, matrices, read_body_model
from oracles.body import body_by_loop, model_arrays, turned

SKIN = (7, 3, 59)


@pytest.fixture
def write(tmp_path):
    def write_(arrays, name="model.npz"):
        np.savez(tmp_path / name, **arrays)
        return tmp_path / name

    return write_


@pytest.mark.parametrize("seed", range(3))
def test_joints_and_skin_as_by_plain_loops(seed, write, monkeypatch):
    monkeypatch.setattr(body_model, "_FRAMES", 2)  # the last piece is shorter
    arrays = model_arrays(seed=seed)
    rng = np.random.default_rng(seed)
    poses, betas = rng.normal(size=(5, 52, 3)), rng.normal(size=16)
    model = read_body_model(write(arrays), skin=SKIN)
    joints, skin = model.positions(poses, betas=betas)
    for frame, pose in enumerate(poses):
        expected_joints, expected_skin = body_by_loop(arrays, pose, betas)
        np.testing.assert_allclose(joints[frame], expected_joints, atol=1e-12)
        np.testing.assert_allclose(skin[frame], expected_skin[list(SKIN)], atol=1e-12)


def test_the_mean_body_and_no_skin(write):
    arrays = model_arrays()
    poses = np.random.default_rng(1).normal(size=(2, 52, 3))
    joints, skin = read_body_model(write(arrays)).positions(poses)
    np.testing.assert_allclose(joints[1], body_by_loop(arrays, poses[1])[0], atol=1e-12)
    assert skin.shape == (2, 0, 3)


def test_joints_of_the_body_do_not_need_the_hands(write):
    model = read_body_model(write(model_arrays()))
    poses = np.random.default_rng(1).normal(size=(2, 52, 3))
    part, _ = model.positions(poses[:, :22])
    np.testing.assert_array_equal(part, model.positions(poses)[0][:, :22])


def test_an_arm_bent_by_hand():  # worked by hand
    # Three joints along x; the second bends by a quarter turn about z, and takes the third along y.
    rest = np.array([[0, 0, 0], [1, 0, 0], [3, 0, 0]], dtype=float)
    local = matrices(np.array([[[0, 0, 0], [0, 0, np.pi / 2], [0, 0, 0]]], dtype=float))
    _, positions = chained(local, rest, (-1, 0, 1))
    np.testing.assert_allclose(positions[0], [[0, 0, 0], [1, 0, 0], [1, 2, 0]], atol=1e-15)


def test_rotations_keep_bones_as_long_as_they_are(write):
    model = read_body_model(write(model_arrays()))
    joints, _ = model.positions(np.random.default_rng(2).normal(size=(20, 52, 3)))
    for joint, parent in enumerate(model.parents[1:], start=1):
        lengths = np.linalg.norm(joints[:, joint] - joints[:, parent], axis=1)
        rest = np.linalg.norm(model.joints[joint] - model.joints[parent])
        np.testing.assert_allclose(lengths, rest)


def test_missing_rotations_are_missing_and_so_is_what_hangs_on_them(write):
    model = read_body_model(write(model_arrays()))
    poses = np.zeros((2, 52, 3))
    poses[1, 18] = np.nan  # left elbow
    joints, _ = model.positions(poses)
    missing = {20, *range(22, 37)}  # wrist and hand
    assert set(np.flatnonzero(np.isnan(joints[1]).any(axis=1)).tolist()) == missing
    assert np.isfinite(joints[0]).all()
    np.testing.assert_allclose(matrices(np.array([0.3, -0.2, 0.9])), turned([0.3, -0.2, 0.9]))


def test_no_frames(write):
    joints, skin = read_body_model(write(model_arrays()), skin=SKIN).positions(np.zeros((0, 52, 3)))
    assert joints.shape == (0, 52, 3)
    assert skin.shape == (0, 3, 3)


def test_another_file_under_the_same_name_is_read_anew(write):
    first = read_body_model(write(model_arrays()))
    assert read_body_model(first.path) is first
    second = read_body_model(write(model_arrays(n_vertices=61)))
    assert not np.array_equal(first.joints, second.joints)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"v_template": None}, "array 'v_template': not in the file"),
        ({"J_regressor": np.zeros((52, 59))}, r"'J_regressor': shape \(52, 59\), expected \(52, 60\)"),
        ({"posedirs": np.zeros((60, 3, 9))}, r"'posedirs': shape \(60, 3, 9\), expected \(60, 3, 459\)"),
        ({"weights": np.array([None])}, "'weights': holds Python objects, which are never loaded"),
        ({"v_template": np.full((60, 3), np.inf)}, "an infinite number at "),
        ({"kintree_table": np.zeros((2, 52), int) + 5}, "joint 1 has parent 5; expected one"),
        ({"kintree_table": np.zeros((3, 52), int)}, r"shape \(3, 52\), expected \(2, any\)"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_model(change, words, write):
    arrays = {name: a for name, a in {**model_arrays(), **change}.items() if a is not None}
    path = write(arrays)
    with pytest.raises(FileFormatError, match=words) as caught:
        read_body_model(path, skin=SKIN)
    assert "model.npz" in str(caught.value)


def test_vertices_the_model_does_not_have(write):
    with pytest.raises(FileFormatError, match="60 vertices, vertex 6191 is wanted"):
        read_body_model(write(model_arrays()), skin=(3, 6191))


def test_a_pickle_is_never_opened(tmp_path):
    path = tmp_path / "SMPLH_male.pkl"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    with pytest.raises(FileFormatError, match=r"A \.pkl can run code, and is not opened"):
        read_body_model(path)
    assert not (tmp_path / "ran").exists()


def test_no_such_file(tmp_path):
    with pytest.raises(FileFormatError, match=r"none\.npz: cannot be read"):
        read_body_model(tmp_path / "none.npz")
