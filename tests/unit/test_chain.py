import numpy as np
import pytest

from histvq import transforms
from histvq.chain import STEPS, Chain
from histvq.errors import ConfigError
from histvq.recording import Recording


def recording(fps=60.0, n_frames=121, unit="m"):
    skeleton = np.random.default_rng(0).normal(size=(n_frames, 3, 3))
    return Recording(
        id="r", skeleton=skeleton, fps=fps, unit=unit, parents=(-1, 0, 0),
        joint_names=("pelvis", "left_hip", "right_hip"),
    )  # fmt: skip


def test_steps_are_taken_in_order():
    chain = Chain.of(["unit=mm", "centre=left_hip", "select=pelvis,right_hip", "resample=30"])
    made = chain(recording())
    assert made.unit == "mm"
    assert made.joint_names == ("pelvis", "right_hip")
    assert (made.fps, made.n_frames) == (30, 61)
    assert [note.partition("(")[0] for note in made.history] == [
        "to_unit", "centre_on", "select_joints", "low_pass", "stride",
    ]  # fmt: skip


def test_no_steps_change_nothing():
    one = recording()
    assert Chain()(one) is one


@pytest.mark.parametrize("name", STEPS)
def test_every_step_is_written_as_its_example_says(name):
    step = STEPS[name]
    example = step.example.replace("LKNE:knee", "pelvis:hips")
    example = example.replace("hip,knee", "left_hip,pelvis").replace(
        "lhip,rhip", "left_hip,right_hip"
    )
    example = example.replace("coco-17", "smpl-24")
    assert example.partition("=")[0] == name
    gappy = recording(fps=100, unit="mm")
    gappy.skeleton[10:12, 0] = np.nan
    assert Chain.of([example])(gappy).history  # something was done


def test_a_known_skeleton_names_joints_and_hangs_them_together():
    nameless = Recording(id="n", skeleton=np.zeros((2, 17, 2)), fps=30)
    coco = Chain.of(["skeleton=coco-17"])(nameless)
    assert coco.joint_names[:2] == ("nose", "left_eye")
    assert coco.parents == (-1, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14)
    some = ("right_wrist", "right_shoulder", "nose")
    given = Recording(id="s", skeleton=np.zeros((2, 3, 2)), fps=30, joint_names=some)
    assert Chain.of(["skeleton=coco-17"])(given).parents == (1, 2, -1)  # without its elbow
    two = Recording(
        id="t", skeleton=np.zeros((2, 4, 2)), fps=30, joint_persons=(0, 0, 1, 1),
        joint_names=("a/nose", "a/left_hip", "b/nose", "b/left_hip"),
    )  # fmt: skip
    assert Chain.of(["skeleton=coco-17"])(two).parents == (-1, 0, -1, 2)
    with pytest.raises(ConfigError, match="coco-17 has no joint 'Nose'; did you mean 'nose'"):
        Chain.of(["skeleton=coco-17", "rename=nose:x"])(
            Recording(id="s", skeleton=np.zeros((2, 1, 2)), fps=30, joint_names=("Nose",))
        )
    with pytest.raises(ConfigError, match="16 joints without names, coco-17 has 17"):
        Chain.of(["skeleton=coco-17"])(Recording(id="n", skeleton=np.zeros((2, 16, 2)), fps=30))


def test_slower_without_aliases_faster_without_a_filter():
    one = recording()
    slow = Chain.of(["resample=20"])(one)
    np.testing.assert_array_equal(
        slow.skeleton, transforms.resample(transforms.low_pass(one, 9), 20).skeleton
    )
    fast = Chain.of(["resample=120"])(one)
    np.testing.assert_array_equal(fast.skeleton, transforms.resample(one, 120).skeleton)
    assert Chain.of(["resample=60"])(one) is one


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("skeleton=coco17", "no such skeleton; did you mean 'coco-17'"),
        ("centr=pelvis", "no transform 'centr'; did you mean 'centre'"),
        ("resample=fast", "'resample=fast': give a number above 0; it is written as resample=30"),
        ("resample=-3", "give a number above 0"),
        ("resample", "give a number above 0"),
        ("rename=a", "give pairs old:new"),
        ("select=a,,b", "give names, parted by commas"),
        ("heading=a", "give the left joint, the right joint"),
        ("heading=a,b,z,q", "give the left joint, the right joint"),
        ("unit=furlong", "give one of mm, cm, m, inch"),
        ("body-size=3", "it takes nothing after its name"),
    ],
)
def test_steps_that_cannot_be_meant(step, words):
    with pytest.raises(ConfigError, match=words):
        Chain.of([step])
