import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.methods.histvq import HiSTVQ
from histvq.methods.smq import SMQ
from histvq.onnx_model import export_onnx
from histvq.recording import Recording
from histvq.transforms import centre_on_root
from oracles.onnx_runs import assert_answers_alike, outputs_of, session_of

pytest.importorskip("onnx")
pytestmark = pytest.mark.usefixtures("one_thread")

FPS, PATCH = 10, 5
TINY = {
    "n_actions": 3, "patch_seconds": 0.5, "n_maps": 8, "n_latent": 4, "n_layers": 3, "epochs": 3,
    "min_steps": 0, "batch_size": 2, "random_state": 0, "keep": "last",
}  # fmt: skip
ALONE = {
    "joint_names": ("hip", "knee", "head", "hand"), "channel_names": ("x", "y", "z"),
    "parents": (-1, 0, 0, 2),
}  # fmt: skip
PAIR = {
    "joint_names": ("a/knee", "a/hip", "b/hip", "b/knee"), "channel_names": ("y", "sure", "x"),
    "parents": (1, -1, -1, 2), "joint_persons": (3, 3, 7, 7),
}  # fmt: skip
SENSORS = {"joint_names": ("left", "right"), "channel_names": ("acc_x", "acc_y", "gyro_x")}
CASES = {
    "two levels": (HiSTVQ, {}, ALONE, ["hip"]),
    "three levels, each frame a norm": (
        HiSTVQ, {"n_levels": 3, "distance": "frame", "centre": False}, ALONE, [],
    ),
    "one level, raw numbers": (HiSTVQ, {"n_levels": 1, "input_scale": "none"}, SENSORS, []),
    "alpha of one": (HiSTVQ, {"alpha": 1}, SENSORS, []),
    "one action": (HiSTVQ, {"n_actions": 1}, SENSORS, []),
    "several persons": (HiSTVQ, {"centre": True}, PAIR, ["b/hip", "a/hip"]),
    "smq": (SMQ, {}, ALONE, ["hip"]),
    "smq, whole patches": (
        SMQ,
        {"short_patches": "zeros", "distance": "frame", "revival": "representative", "min_usage": 2},
        SENSORS, [],
    ),
}  # fmt: skip


def recording(about, n_frames, *, seed, missing=0.0, id="r"):
    """Motion that changes from second to second; values, joints and stretches of it are missing."""
    rng = np.random.default_rng(seed)
    shape = (n_frames, len(about["joint_names"]), len(about["channel_names"]))
    postures = rng.normal(size=(-(-n_frames // FPS), *shape[1:])).repeat(FPS, axis=0)[:n_frames]
    skeleton = 1000 + 300 * postures + 30 * rng.normal(size=shape)
    skeleton[rng.random(shape) < missing / 4] = np.nan
    skeleton[rng.random(shape[:2]) < missing / 2] = np.nan
    skeleton[:, rng.random(shape[1]) < missing / 2] = np.nan
    if rng.random() < missing:
        skeleton[n_frames // 3 : 2 * n_frames // 3] = np.nan
    return Recording(id=id, skeleton=skeleton, fps=FPS, unit="mm", **about)


def spread(model, about):
    """Put the prototypes on patches far apart: so short a fit leaves one action for everything."""
    motion = recording(about, FPS * len(model.network_.quantiser.actions()), seed=99)
    motion = centre_on_root(motion) if model.centred_ else motion
    skeleton = torch.from_numpy(model.scale_.apply(motion.skeleton)).transpose(0, 1)
    measured = torch.ones(skeleton.shape[:2], dtype=torch.bool)
    with torch.no_grad():
        below = model.network_.encode(skeleton, measured).patches[:: FPS // PATCH]
    for codebook in model.network_.quantiser.codebooks:
        codebook.prototypes = below[:: len(below) // len(codebook.prototypes)].clone()
        below = codebook.prototypes


@pytest.fixture(scope="module", params=CASES)
def exported(request, tmp_path_factory):
    kind, settings_, about, roots = CASES[request.param]
    model = kind(**{**TINY, **settings_})
    # A joint that is never measured: prototypes stay there as they were drawn.
    train = [recording(about, 97 + k, seed=k, missing=0.2, id=str(k)) for k in range(6)]
    for each in train:
        each.skeleton[:, -1] = np.nan
    model.fit(train)
    spread(model, about)
    file = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(model, file, roots=roots)
    return model, session_of(file), about


FRAMES = st.sampled_from([1, PATCH - 1, PATCH, PATCH + 1]) | st.integers(1, 12 * PATCH)


@given(n_frames=FRAMES, seed=st.integers(0, 10**6), missing=st.sampled_from([0.0, 0.3, 0.9]))
@settings(max_examples=40)
def test_labels_are_those_of_predict(exported, n_frames, seed, missing):
    model, session, about = exported
    assert_answers_alike(session, model, recording(about, n_frames, seed=seed, missing=missing))


def test_more_than_one_action_is_told_apart(exported):
    model, session, about = exported
    motion = recording(about, 400, seed=1)
    assert assert_answers_alike(session, model, motion) >= min(2, model.n_actions)


def test_nothing_measured(exported):
    _, session, about = exported
    shape = (2 * PATCH + 1, len(about["joint_names"]), len(about["channel_names"]))
    found = outputs_of(session, np.full(shape, np.nan))
    assert found.pop("confidence").tolist() == [0, 0, 0]
    assert all(codes.tolist() == [-1, -1, -1] for codes in found.values())
