"""Recordings that differ are brought together, or refused in words."""

import warnings

import numpy as np
import pytest

from histvq.errors import ConfigError, DataWarning
from histvq.inputs import alike, checked, layout_of
from histvq.methods.window_kmeans import WindowKMeans
from histvq.recording import Recording

JOINTS = ("hip", "left_knee", "right_knee", "head")


def walk(id="a", joints=JOINTS, *, unit="mm", factor=1.0, n_frames=300, seed=0, **about):
    """Half the time still, half the time shaking; joints by name, wherever they stand."""
    rng = np.random.default_rng(seed)
    motion = {name: rng.normal(size=(n_frames, 3)) * 100 for name in JOINTS}
    for values in motion.values():
        values[: n_frames // 2] *= 0.01
    skeleton = np.stack([motion.get(name, motion["hip"]) for name in joints], axis=1) * factor
    return Recording(
        id=id, skeleton=skeleton, fps=30, unit=unit, joint_names=tuple(joints), **about
    )


def test_joints_in_another_order_are_the_same_joints():
    turned = walk(joints=JOINTS[::-1])
    back = alike(turned, layout_of(walk()))
    np.testing.assert_array_equal(back.skeleton, walk().skeleton)
    assert back.joint_names == JOINTS


def test_parents_follow_their_joints():
    turned = walk(joints=JOINTS[::-1], parents=(3, 3, 3, -1))
    assert alike(turned, layout_of(walk())).parents == (-1, 0, 0, 0)


def test_channels_in_another_order():
    given = walk()
    mixed = Recording(
        id="b", skeleton=given.skeleton[:, :, [2, 0, 1]], fps=30, unit="mm", joint_names=JOINTS,
        channel_names=("z", "x", "y"),
    )  # fmt: skip
    back = alike(mixed, layout_of(given))
    np.testing.assert_array_equal(back.skeleton, given.skeleton)
    assert back.channel_names == ("x", "y", "z")


def test_metres_and_millimetres_come_together():
    metres = alike(walk(unit="m", factor=0.001), layout_of(walk()))
    np.testing.assert_allclose(metres.skeleton, walk().skeleton, rtol=1e-5)
    assert metres.unit == "mm"
    with pytest.raises(ConfigError, match=r"unit differ .px instead of mm"):
        alike(walk(unit="px"), layout_of(walk()))


def test_a_joint_one_file_lacks_is_missing_in_it():
    with pytest.warns(DataWarning, match="'b' lacks joints, taken as missing throughout: head$"):
        both = checked([walk("b", JOINTS[:3], parents=(-1, 0, 0)), walk("a")])
    assert np.isnan(both[0].skeleton[:, 3]).all()
    np.testing.assert_array_equal(both[0].skeleton[:, :3], walk().skeleton[:, :3])
    assert both[0].parents == (-1, 0, 0, 0)
    assert np.isfinite(both[1].skeleton).all()


def test_a_joint_too_many_is_left_out_at_prediction():
    with pytest.warns(DataWarning, match="'a' has joints that the others lack; left out: head$"):
        assert alike(walk(), layout_of(walk(joints=JOINTS[:3]))).joint_names == JOINTS[:3]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (walk("b", ("hip", "LKnee", "RKnee", "head")), "missing left_knee, right_knee; not expected LK"),
        (walk("b", JOINTS[:1]), "missing left_knee, right_knee, head; not expected none"),
        (Recording(id="b", skeleton=np.zeros((9, 4, 2)), fps=1, unit="mm", joint_names=JOINTS),
         "channel names differ .missing z"),
        (walk("b", joint_persons=(0, 0, 1, 1)), "joint persons differ"),
    ],
)  # fmt: skip
def test_what_nobody_can_tell_is_refused(other, words):
    with pytest.raises(ConfigError, match=words):
        checked([walk("a"), other])


def test_joints_nobody_named_are_never_filled_in():
    three, four = (Recording(id=f"{n}", skeleton=np.zeros((9, n, 3)), fps=1) for n in (3, 4))
    with pytest.raises(ConfigError, match="missing joint3"):
        checked([four, three])


def test_people_keep_their_joints():
    names = ("ann/hip", "ann/head", "bob/hip", "bob/head")
    pair = Recording(
        id="pair", skeleton=np.arange(12.0).reshape(1, 4, 3), fps=1, joint_names=names,
        joint_persons=(0, 0, 1, 1), parents=(-1, 0, -1, 2),
    )  # fmt: skip
    lacking = Recording(
        id="less", skeleton=pair.skeleton[:, :3], fps=1, joint_names=names[:3],
        joint_persons=(0, 0, 1), parents=(-1, 0, -1),
    )  # fmt: skip
    with pytest.warns(DataWarning, match="bob/head"):
        filled = alike(lacking, layout_of(pair))
    assert filled.joint_persons == (0, 0, 1, 1)
    assert filled.parents == (-1, 0, -1, 2)


def test_an_answer_does_not_hang_on_order_or_unit():
    model = WindowKMeans(n_actions=2, random_state=0).fit([walk("a"), walk("b", seed=1)])
    expected = model.predict(walk("c", seed=2))
    assert set(expected.actions.tolist()) == {0, 1}
    other = walk("c", JOINTS[::-1], unit="m", factor=0.001, seed=2)
    np.testing.assert_array_equal(model.predict(other).actions, expected.actions)


def test_nothing_is_said_where_nothing_is_done():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = walk()
        assert checked([one])[0] is one
