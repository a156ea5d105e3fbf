"""The nodes against `centre_on_root`, which numpy's interpolation stands behind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.recording import Recording
from histvq.transforms import centre_on_root
from oracles.onnx_runs import outputs_of, session_of

pytest.importorskip("onnx")

PERSONS, ROOTS, CHANNELS = np.array([0, 1, 0, 1, 1]), (2, 1), ("x", "sure", "z")


@pytest.fixture(scope="module")
def session():
    from histvq.onnx_model.centring import centred
    from histvq.onnx_model.nodes import Nodes

    nodes = Nodes()
    space = [name != "sure" for name in CHANNELS]
    made = centred(nodes, "skeleton", persons=PERSONS, roots=ROOTS, space=space)
    nodes("Identity", made, name="centred")
    axes = ("frame", len(PERSONS), len(CHANNELS))
    model = nodes.model(
        inputs={"skeleton": ("float32", axes)}, outputs={"centred": ("float32", axes)}, metadata={}
    )
    return session_of(model.SerializeToString())


@given(
    n_frames=st.integers(1, 30),
    seed=st.integers(0, 10**6),
    missing=st.sampled_from([0.0, 0.2, 0.8, 1.0]),
)
def test_a_root_that_is_missing_at_times_or_throughout(session, n_frames, seed, missing):
    rng = np.random.default_rng(seed)
    skeleton = 1000 + 300 * rng.normal(size=(n_frames, len(PERSONS), len(CHANNELS)))
    skeleton[rng.random(skeleton.shape) < missing / 2] = np.nan
    at_roots = skeleton[:, ROOTS]
    at_roots[rng.random(at_roots.shape) < missing] = np.nan
    skeleton[:, ROOTS] = at_roots
    motion = Recording(
        id="r", skeleton=skeleton, fps=30, channel_names=CHANNELS, parents=(2, -1, -1, 1, 1),
        joint_persons=tuple(PERSONS.tolist()),
    )  # fmt: skip
    expected = centre_on_root(motion).skeleton
    found = outputs_of(session, motion.skeleton)["centred"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3 if missing == 1 else 0)


def test_by_hand(session):
    skeleton = np.full((5, 5, 3), np.nan)
    skeleton[:, 0] = 10  # a joint that stays; its root passes 2 and 8, three frames apart
    skeleton[[1, 4], 2, 0] = 2, 8
    found = outputs_of(session, skeleton)["centred"]
    assert found[:, 0, 0].tolist() == [8, 8, 6, 4, 2]
    assert found[:, 0, 1].tolist() == [10] * 5  # no coordinate
    assert found[:, 0, 2].tolist() == [0] * 5  # relative to the mean of all joints: to itself
