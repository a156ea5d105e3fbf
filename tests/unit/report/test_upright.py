import numpy as np
import pytest

from histvq.recording import Recording
from histvq.report.upright import positions_in, shape_of, up_axis

NAMES = ("pelvis", "head", "left_foot", "right_foot")


def standing(axis, direction=1, *, names=NAMES, channels=3, **more):
    """A body two long along one axis, arms' width along the others."""
    skeleton = np.zeros((5, 4, channels), np.float32)
    skeleton[:, :, axis] = direction * np.array([1, 2, 0, 0])
    skeleton[:, 3, (axis + 1) % channels] += 0.5
    return Recording(id="a", skeleton=skeleton, fps=10, joint_names=names, **more)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("direction", [1, -1])
def test_the_head_is_above_the_feet(axis, direction):
    assert up_axis(standing(axis, direction)) == (axis, direction)


def test_what_the_file_says_counts_most():
    assert up_axis(standing(1, metadata={"up": "z"})) == (2, 1)
    assert up_axis(standing(1, metadata={"up": "-Y"})) == (1, -1)


@pytest.mark.parametrize("axis", [1, 2])
def test_without_names_the_longer_of_y_and_z_is_up(axis):
    assert up_axis(standing(axis, names=())) == (axis, 1)


def test_rows_of_pictures_count_downwards():
    flat = {"names": (), "channels": 2}
    assert up_axis(standing(1, unit="px", **flat)) == (1, -1)
    assert up_axis(standing(1, unit="m", **flat)) == (1, 1)
    assert up_axis(standing(1, -1, unit="m", channels=2)) == (1, -1)


def test_nothing_measured_is_no_reason_to_fail():
    nothing = standing(1).noted("lost", skeleton=np.full((5, 4, 3), np.nan))
    assert up_axis(nothing) == (1, 1)
    assert shape_of(nothing.noted("cut", skeleton=nothing.skeleton[:0]))["up"] == [1, 1]


def test_bodies_and_signals():
    body = shape_of(standing(1, parents=(-1, 0, 0, 0)))
    assert (body["kind"], body["parents"], body["sides"]) == (
        "positions", [-1, 0, 0, 0], [0, 0, -1, 1],
    )  # fmt: skip
    sensors = Recording(
        id="a", skeleton=np.zeros((2, 1, 3)), fps=1, channel_names=("acc_x", "acc_y", "gyro_x")
    )
    assert positions_in(sensors) == []
    assert shape_of(sensors)["quantities"] == ["acc", "acc", "gyro"]
