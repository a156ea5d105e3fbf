import numpy as np
import pytest

from histvq.recording import Recording
from histvq.statistics.front_end import kind_of
from histvq.statistics.sensors import Sensors


def recording(*channels):
    return Recording(
        id="r", skeleton=np.zeros((2, 1, len(channels))), fps=30, channel_names=channels
    )


def test_sensors_are_told_by_the_names_of_their_channels():
    names = ("emg", "Gyro_x", "Gyro_y", "Gyro_z", "acc_x", "acc_y", "acc_z")
    found = Sensors.of(recording(*names))
    assert found.quantities == {"emg": [0], "Gyro": [1, 2, 3], "acc": [4, 5, 6]}
    assert found.held == [0, 4, 5, 6]
    assert (found.accelerometer, found.gyroscope) == ([4, 5, 6], [1, 2, 3])
    assert found.quantity_places == [0, 1, 1, 1, 2, 2, 2]
    pairs = [(4, 1), (4, 2), (4, 3), (5, 1), (5, 2), (5, 3), (6, 1), (6, 2), (6, 3)]
    assert list(zip(*found.pairs, strict=True)) == pairs


def test_a_sensor_without_three_axes_is_no_triple():
    found = Sensors.of(recording("acc_x", "acc_y", "angular_velocity_z"))
    assert (found.accelerometer, found.gyroscope, found.pairs) == ([], [], ([], []))
    assert found.held == [0, 1]


@pytest.mark.parametrize(
    ("channels", "kind"),
    [
        (("acc_x", "acc_y", "acc_z"), "inertial"),
        (("gyro_x", "gyro_y", "gyro_z"), "inertial"),
        (("Accelerometer_x", "rotation_rate_x"), "inertial"),
        (("x", "y", "z"), "positions"),
        (("x", "y", "z", "rot_x", "rot_y", "rot_z"), "positions"),
        (("channel0", "channel1"), "positions"),
    ],
)
def test_kind_of_data(channels, kind):
    assert kind_of(recording(*channels)) == kind
