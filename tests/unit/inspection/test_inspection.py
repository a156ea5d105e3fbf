import json
import re

import numpy as np
import pytest

from histvq.annotation import Annotation
from histvq.inspection import changes_before, inspect_recording, swapped_sides
from histvq.inspection.sides import handedness
from histvq.inspection.suspicions import _across, _quantile
from histvq.recording import Recording

RNG = np.random.default_rng(0)


def made(skeleton=None, **about):
    """Ten seconds of three joints about a metre apart, shaking."""
    if skeleton is None:
        skeleton = motion()
    about = {"id": "a", "fps": 30, "unit": "m", "joint_names": ("hip", "knee", "toe")} | about
    return Recording(skeleton=skeleton, **about)


def motion(n_frames=300, n_joints=3, n_channels=3):
    walk = RNG.normal(scale=0.01, size=(n_frames, n_joints, n_channels)).cumsum(axis=0)
    return walk + np.arange(n_joints)[:, None] * 0.5


def test_what_was_understood_of_one():
    skeleton = motion()
    skeleton[10:40, 1] = np.nan  # a second
    skeleton[100:103, 1, 0] = np.nan
    labels = np.repeat([0, 1, -1], 100)
    truth = Annotation(recording_id="a", labels=labels, actions=("x", "y", "z"), fps=30)
    found = inspect_recording(made(skeleton, person="ann"), truth, format="npz")
    assert found.missing == {"hip": 0, "knee": pytest.approx(33 / 300), "toe": 0}
    assert found.longest_gap_s == {"hip": 0, "knee": 1.0, "toe": 0}
    assert (found.n_actions, found.duration_s, found.n_persons) == (2, 10, 1)
    assert (found.format, found.person, found.unit, found.suspicious) == ("npz", "ann", "m", ())
    assert json.loads(json.dumps(found.as_dict()))["joints"] == ["hip", "knee", "toe"]


def test_nothing_at_all():
    found = inspect_recording(made(np.zeros((0, 3, 3))))
    assert found.missing == {"hip": 0, "knee": 0, "toe": 0}
    assert found.duration_s == 0


def zeroed(values):
    values[50:60, 2] = 0
    return values


def held(values):
    values[100:131] = values[100]
    return values


def spiked(values):
    values[77, 1, 2] += 40
    return values


def stuck(values):
    values[:, 1] = 0.25
    return values


def gone(values):
    values[:, 2] = np.nan
    return values


def clipped(values):
    return np.clip((values - values.mean(axis=0)) * 100, -2, 2)


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        (made(unit="mm"), "joints lie 0.00.* m apart: is the unit 'mm' right"),
        (made(motion() * 1000), "is the unit 'm' right"),
        (made(zeroed(motion())), "exactly 0 in 10 frames: toe"),
        (made(held(motion())), "one frame repeated 31 times from 3.33 s on"),
        (made(spiked(motion())), "1 jumps there and back .* first at frame 77: knee z = "),
        (made(stuck(motion())), "never moves: knee$"),
        (made(gone(motion())), "never measured: toe$"),
        (made(fps=2), "2 frames a second: is that right"),
        (
            made(clipped(motion()), channel_names=("acc_x", "acc_y", "acc_z"), unit="g"),
            r"channels stay at their highest or lowest value .* clipped",
        ),
    ],
)  # fmt: skip
def test_what_looks_wrong_is_said(recording, words):
    (said,) = inspect_recording(recording).suspicious
    assert re.search(words, said), said


def test_a_centred_root_may_stand_still():
    centred = motion()
    centred[:, 0] = 0
    assert inspect_recording(made(centred, parents=(-1, 0, 1))).suspicious == ()


def test_pixels_and_sensors_have_no_body_size():
    assert inspect_recording(made(motion() * 1e5, unit="px")).suspicious == ()


def body(*, mirrored=False, names=None):
    """Somebody who stands, looking along y, up along z, right along x."""
    places = {
        "left_hip": (-0.1, 0, 1), "right_hip": (0.1, 0, 1), "left_ankle": (-0.1, 0, 0.1),
        "right_ankle": (0.1, 0, 0.1), "left_toe": (-0.1, 0.2, 0), "right_toe": (0.1, 0.2, 0),
        "head": (0, 0.05, 1.7),
    }  # fmt: skip
    skeleton = np.tile(np.array(list(places.values())), (60, 1, 1))
    skeleton = skeleton + RNG.normal(scale=0.003, size=skeleton.shape)
    if mirrored:
        skeleton[..., 0] *= -1
    return Recording(
        id="b", skeleton=skeleton, fps=30, unit="m", joint_names=names or tuple(places)
    )


@pytest.mark.parametrize(
    "names",
    [
        None,
        ("LHip", "RHip", "LAnkle", "RAnkle", "LBigToe", "RBigToe", "Head"),
        ("LASI", "RASI", "LANK", "RANK", "LTOE", "RTOE", "Head"),
        ("lfemur", "rfemur", "ltibia", "rtibia", "ltoes", "rtoes", "head"),
        ("UpperLeg_L", "UpperLeg_R", "Foot_L", "Foot_R", "Toes_L", "Toes_R", "Head"),
        ("LUpLeg", "RUpLeg", "LFoot", "RFoot", "LToe", "RToe", "Head"),
        ("HipLeft", "HipRight", "AnkleLeft", "AnkleRight", "FootLeft", "FootRight", "Head"),
        ("left hip", "right hip", "left ankle", "right ankle", "left foot index", "right foot index",
         "nose"),
    ],
)  # fmt: skip
def test_a_body_has_a_left_and_a_right_side_whatever_its_joints_are_called(names):
    assert handedness(body(names=names)) == 1
    assert handedness(body(names=names, mirrored=True)) == -1


def test_how_a_body_is_turned_does_not_matter():
    turn = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    upright = body()
    turned = Recording(
        id="t", skeleton=upright.skeleton @ turn.T, fps=30, joint_names=upright.joint_names
    )
    assert handedness(turned) == 1


@pytest.mark.parametrize("names", [("a",) * 7, tuple(f"joint{j}" for j in range(7))])
def test_nobody_knows_sides_without_names(names):
    assert handedness(body(names=names)) == 0


def test_who_is_odd_among_several():
    def called(id, **how):
        given = body(**how)
        return Recording(id=id, skeleton=given.skeleton, fps=30, joint_names=given.joint_names)

    (said,) = swapped_sides([called("a"), called("b", mirrored=True), called("c")])
    assert "the other way round in b than in 2 others" in said
    assert swapped_sides([called("a"), called("c")]) == []


def test_what_will_be_done_is_listed():
    slow = made(motion(100), id="slow", fps=10, parents=(-1, 0, 1))
    holes = made(gone(motion()), id="holes", unit="cm", parents=(-1, 0, 1))
    lines = changes_before([slow, holes])
    assert lines[0] == "positions in m, as in slow; other lengths are converted"
    assert lines[1] == "10 frames a second for all, without aliases (low-pass at 4.5 Hz first)"
    assert lines[2].startswith("positions relative to hip")
    assert lines[3].startswith("gaps stay gaps")
    assert changes_before([made()]) == []


@pytest.mark.parametrize("seed", range(5))
def test_what_most_steps_stay_below_is_numpys_lower_quantile(seed):
    random = np.random.default_rng(seed)
    steps = random.exponential(size=random.integers(1, 300)).astype(np.float32)
    steps[random.random(len(steps)) < 0.2] = np.nan
    known = steps[~np.isnan(steps)]
    expected = np.quantile(known, 0.99, method="lower") if len(known) else 0
    assert _quantile(steps, 0.99) == expected
    assert _quantile(np.full(3, np.nan), 0.99) == 0


@pytest.mark.parametrize("seed", range(5))
def test_jumps_are_counted_and_the_first_is_named(seed):
    random = np.random.default_rng(seed)
    skeleton = random.normal(size=(3000, 3, 2)).cumsum(axis=0).astype(np.float32)
    frames = np.sort(random.choice(np.arange(2, 2998, 3), 4, replace=False))
    joints, channels = random.integers(0, 3, 4), random.integers(0, 2, 4)
    # Jumps of several joints at once: the first of these is named.
    skeleton[frames, joints, channels] += 1e5
    skeleton[frames[0], :, :] = 1e5
    recording = Recording(id="r", skeleton=skeleton, fps=60, channel_names=("u", "v"))
    said = [words for words in inspect_recording(recording).suspicious if "jumps" in words]
    assert len(said) == 1
    assert f"9 jumps there and back within two frames, the first at frame {frames[0]}" in said[0]
    assert "joint0 u = 100000" in said[0]


@pytest.mark.parametrize("seed", range(5))
def test_a_body_is_as_large_as_the_box_around_its_joints(seed):
    random = np.random.default_rng(seed)
    skeleton = random.normal(size=(50, 4, 3)).astype(np.float32)
    skeleton[random.random(skeleton.shape) < 0.03] = np.nan
    boxes = []
    for frame in skeleton[:, [0, 2, 3]]:
        if not np.isnan(frame).any():
            boxes.append(np.sqrt(((frame.max(axis=0) - frame.min(axis=0)) ** 2).sum()))
    np.testing.assert_allclose(_across(skeleton, np.array([0, 2, 3]), [0, 1, 2]), boxes, rtol=1e-6)
    assert not len(_across(skeleton, np.array([1]), [0, 1, 2]))
