"""Recordings that are hard but readable go through the whole program together with good ones."""

import warnings

import numpy as np
import pandas as pd
import pytest

from histvq.cli import Exit
from histvq.io.npz import write_npz
from histvq.methods import METHODS
from histvq.recording import Recording
from oracles.commands import histvq

pytestmark = pytest.mark.usefixtures("one_thread")

# Settings that make a method quick, as typed.
QUICK = {
    "histvq": "n_maps=4 n_latent=4 temporal_hidden=8 epochs=2 min_steps=0",
    "smq": "n_maps=4 n_latent=4 epochs=2 min_steps=0",
    "cte": "epochs=2 min_steps=0",
    "tot": "steps=6 sample_frames=64",
    "asot": "epochs=2 min_steps=0 sample_frames=64",
    "hvq": "n_maps=4 n_layers=2 epochs=2 min_steps=0",
    "best": "n_maps=4 n_latent=4 temporal_hidden=8 epochs=2 min_steps=0 n_starts=2",
}
NAN = np.float32(np.nan)
LAYOUTS = {
    "skeleton": {
        "joint_names": ("hip", "knee", "foot"),
        "channel_names": ("x", "y", "z"),
        "parents": (-1, 0, 1),
        "unit": "m",
        "fps": 20,
    },
    "sensors": {
        "joint_names": ("wrist", "ankle", "chest"),
        "channel_names": tuple(f"{kind}_{axis}" for kind in ("acc", "gyro") for axis in "xyz"),
        "unit": "counts",
        "fps": 20,
    },
}


def wandering(n_frames, seed, kind):
    """Three joints that stand in one of four postures for two seconds at a time, shaking."""
    n_channels = len(LAYOUTS[kind]["channel_names"])
    rng = np.random.default_rng(seed)
    postures = np.random.default_rng(0).normal(size=(4, 3, n_channels))
    at = np.repeat(rng.integers(0, 4, size=-(-n_frames // 40)), 40)[:n_frames]
    return (postures[at] + 0.1 * rng.normal(size=(n_frames, 3, n_channels))).astype(np.float32)


def hard(kind):
    """The motion of each hard recording, by what is hard about it."""

    def changed(change, n_frames=150):
        motion = wandering(n_frames, 7, kind)
        change(motion)
        return motion

    def still(motion):
        motion[:] = motion[0]

    def one_still(motion):
        motion[:, 1] = motion[0, 1]

    def one_missing(motion):
        motion[:, 1] = NAN

    def root_missing(motion):
        motion[:, 0] = NAN

    def half_missing(motion):
        motion[len(motion) // 2 :] = NAN

    def mostly_missing(motion):
        motion[np.arange(len(motion)) % 7 != 0] = NAN

    def all_missing(motion):
        motion[:] = NAN

    def zeros(motion):
        motion[:] = 0

    def nothing(motion):
        pass

    return {
        "still": changed(still),
        "one_still": changed(one_still),
        "one_missing": changed(one_missing),
        "root_missing": changed(root_missing),
        "half_missing": changed(half_missing),
        "mostly_missing": changed(mostly_missing),
        "all_missing": changed(all_missing),
        "zeros": changed(zeros),
        "one_frame": changed(nothing, 1),
        "two_frames": changed(nothing, 2),
        "short": changed(nothing, 9),
        "one_frame_missing": changed(all_missing, 1),
        "long": changed(nothing, 9 * 300),
    }


def write(folder, kind, recordings):
    for id, motion in recordings.items():
        write_npz(folder / f"{id}.npz", Recording(id=id, skeleton=motion, **LAYOUTS[kind]))


@pytest.fixture(scope="module", params=LAYOUTS)
def mixed(request, tmp_path_factory):
    """A folder of three good recordings and all hard ones, and the motion in it."""
    kind, folder = request.param, tmp_path_factory.mktemp(request.param)
    good = {f"good{seed}": wandering(400, seed, kind) for seed in range(3)}
    recordings = good | hard(kind)
    write(folder, kind, recordings)
    return folder, recordings


def run(name, files, out, *more):
    """Exit status, what was said, and every warning that is none of ours."""
    asked = ["--preset", "best"] if name == "best" else ["--method", name]
    settings = [part for one in QUICK.get(name, "").split() for part in ("--set", one)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        status, said = histvq("run", files, "-k", 3, "-o", out, *asked, *settings, *more)
    return (
        status,
        said,
        [f"{w.category.__name__}: {w.message} ({w.filename}:{w.lineno})" for w in caught],
    )


@pytest.mark.parametrize("name", [*METHODS, "best"])
def test_they_are_answered_frame_by_frame(name, mixed, tmp_path):
    folder, recordings = mixed
    status, said, warned = run(name, folder, tmp_path / "r")
    assert (status, warned) == (Exit.ALL, []), said
    frames = pd.read_csv(tmp_path / "r" / "frames.csv")
    for id, motion in recordings.items():
        of = frames[frames.recording == id]
        assert len(of) == len(motion)
        assert of.action.between(-1, 2).all()
        if np.isnan(motion).all():
            assert (of.action == -1).all()
        elif not np.isnan(motion).any():
            assert (of.action >= 0).all()
        if "confidence" in frames:
            assert of.confidence.dropna().between(0, 1).all()
    assert "every value is missing" in said
    assert (tmp_path / "r" / "report.html").stat().st_size


@pytest.mark.parametrize("name", [*METHODS, "best"])
def test_large_values_are_taken_and_impossible_ones_told_of(name, tmp_path):
    good = {f"good{seed}": wandering(200, seed, "skeleton") for seed in range(3)}
    large, spike = wandering(200, 3, "skeleton") * np.float32(1e11), wandering(200, 4, "skeleton")
    spike[70, 1, 2] = -1e30
    write(tmp_path, "skeleton", good | {"large": large, "spike": spike})
    status, said, warned = run(name, tmp_path, tmp_path / "r")
    assert (status, warned) == (Exit.SOME_SKIPPED, []), said
    assert "skipped 1 file" in said
    assert "recording 'spike': -1e+30 at frame 70, knee, z: no measured value is so large" in said
    frames = pd.read_csv(tmp_path / "r" / "frames.csv")
    assert set(frames.recording) == {*good, "large"}
    assert frames.action.between(0, 2).all()
    status, said = histvq("predict", tmp_path / "r" / "model", tmp_path, "-o", tmp_path / "p")
    assert (status, "recording 'spike': -1e+30" in said) == (Exit.SOME_SKIPPED, True)
