import numpy as np
import pytest

from histvq.annotation import Annotation
from histvq.errors import FileFormatError
from histvq.recording import Recording


def recording(**about):
    return Recording(**{"id": "r", "skeleton": np.zeros((6, 3, 2)), "fps": 30, **about})


def test_names_stand_in_where_none_are_given():
    plain = recording()
    assert plain.joint_names == ("joint0", "joint1", "joint2")
    assert plain.channel_names == ("x", "y")
    assert recording(skeleton=np.zeros((6, 3, 4))).channel_names[3] == "channel3"
    assert plain.skeleton.dtype == np.float32
    assert (plain.n_frames, plain.duration_s) == (6, 0.2)


def test_noted_keeps_the_old_one():
    old = recording()
    new = old.noted("shifted", skeleton=old.skeleton + 1)
    assert (old.history, new.history) == ((), ("shifted",))
    assert old.skeleton.max() == 0


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"skeleton": np.zeros((6, 3))}, r"shape \(6, 3\)"),
        ({"skeleton": np.zeros((6, 0, 3))}, r"shape \(6, 0, 3\)"),
        ({"fps": 0}, "fps is 0"),
        ({"fps": float("nan")}, "fps is nan"),
        ({"fps": "60"}, "fps is '60'; give the frames a second as a number"),
        ({"fps": None}, "fps is None"),
        ({"fps": [1, 2]}, r"fps is \[1, 2\]"),
        ({"joint_names": ("a",)}, "1 joint_names for 3 joints"),
        ({"channel_names": ("a",)}, "1 channel_names for 2 channels"),
        ({"parents": (-1,)}, "1 parents for 3 joints"),
        ({"joint_persons": (0, 0)}, "2 joint_persons for 3 joints"),
        ({"parents": (-1, 0, 3)}, "lead nowhere from joint 2"),
        ({"parents": (1, 0, -1)}, "lead nowhere from joint 0"),
        ({"parents": (-1, 0, -2)}, "lead nowhere from joint 2"),
    ],
)
def test_what_is_no_recording(about, words):
    with pytest.raises(FileFormatError, match=f"'r': .*{words}"):
        recording(**about)


def test_infinite_values_are_pointed_at():
    skeleton = np.zeros((6, 3, 2))
    skeleton[4, 1, 0] = -np.inf
    with pytest.raises(FileFormatError, match="at frame 4, joint 1, channel 0"):
        recording(skeleton=skeleton)


def test_missing_values_are_fine():
    assert np.isnan(recording(skeleton=np.full((6, 3, 2), np.nan)).skeleton).all()


def annotation(labels):
    return Annotation(recording_id="r", labels=np.array(labels), actions=("a", "b"), fps=30)


def test_labels_are_indices_or_minus_one():
    assert annotation([0, 1, -1]).labels.dtype == np.int32
    for labels, words in [([0, 2], "labels from 0 to 2"), ([-2], "from -2"), ([0.5], "float64")]:
        with pytest.raises(FileFormatError, match=words):
            annotation(labels)
