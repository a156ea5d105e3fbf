"""The example recordings: read by our readers, and held against physics."""

import re
from collections import Counter

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from histvq.datasets._examples import KINDS, make_example, put, write_example
from histvq.datasets._examples.inertial import axes_along, specific_force, turning
from histvq.datasets._examples.pose_tracks import SURE
from histvq.errors import ConfigError
from histvq.io import read_many
from histvq.io.labels.segment_table import read_labels

WRITTEN = {  # folder -> how its files are to be read, and half of the last digit they are written with
    "mocap": {"takes": ({"unit": "cm"}, 0.01), "work": ({}, 0.0005)},
    "pose-tracks": {"30fps": ({"fps": 30}, 0.0005), "25fps": ({"fps": 25}, 0.0005)},
    "sensors": {"recordings": ({}, 0.00005)},
}
FACTS = {  # kind -> rate and unit, and how many recordings have them
    "mocap": {(60, "cm"): 6, (30, "mm"): 8},
    "pose-tracks": {(30, "px"): 8, (25, "px"): 2},
    "sensors": {(50, "m/s2, rad/s"): 8},
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def example(kind):
    return make_example(kind)


@pytest.fixture(scope="module")
def folder(example, tmp_path_factory):
    folder = tmp_path_factory.mktemp("example")
    put(example, folder)
    return folder


@pytest.fixture(scope="module")
def found(kind, folder):
    """Folder -> what our readers make of it."""
    return {
        name: read_many(folder / name, people="apart", strict=True, **how)
        for name, (how, _) in WRITTEN[kind].items()
    }


def test_every_kind_is_tested():
    assert set(WRITTEN) == set(FACTS) == set(KINDS)


def test_files_hold_the_recordings_to_within_rounding(kind, example, found):
    made = {recording.id: recording for recording in example.recordings}
    read = {one.id: (one, name) for name, many in found.items() for one in many.recordings}
    assert set(read) == set(made)
    for id, (one, name) in read.items():
        expected = made[id]
        order = [one.joint_names.index(joint) for joint in expected.joint_names]
        assert len(order) == len(one.joint_names)
        assert (one.fps, one.unit, one.person) == (expected.fps, expected.unit, expected.person)
        assert one.channel_names == expected.channel_names
        half = WRITTEN[kind][name][1] + 4e-7 * np.nanmax(np.abs(expected.skeleton))  # float32
        np.testing.assert_allclose(one.skeleton[:, order], expected.skeleton, rtol=0, atol=half)


def test_rates_units_and_numbers_of_recordings(kind, found):
    recordings = [one for many in found.values() for one in many.recordings]
    assert Counter((one.fps, one.unit) for one in recordings) == FACTS[kind]


def test_label_tables_say_what_is_done_in_every_frame(folder, example, found):
    recordings = [one for many in found.values() for one in many.recordings]
    ours = {truth.recording_id: truth for truth in example.annotations}
    seen = set()
    for table in folder.glob("*labels.csv"):
        named = {line.split(",")[0] for line in table.read_text().splitlines()[1:]}
        about = [one for one in recordings if one.id in named]
        for truth in read_labels(table, about):
            expected = ours[truth.recording_id]
            names = [truth.actions[label] for label in truth.labels]
            assert names == [expected.actions[label] for label in expected.labels]
            seen.add(truth.recording_id)
    assert seen == set(ours)


def test_the_same_seed_gives_the_same_files(kind, example):
    assert make_example(kind).texts == example.texts


def test_another_seed_gives_others():
    tracks = [make_example("pose-tracks", seed=seed).texts["30fps/duo.csv"] for seed in (0, 1)]
    assert tracks[0] != tracks[1]


def test_people_in_pose_tracks_are_lost_for_short_and_for_long():
    example = make_example("pose-tracks")
    gaps = []
    for recording in example.recordings:
        lost = np.isnan(recording.skeleton[..., 0]).T
        for joint in lost:
            runs = "".join("x" if here else " " for here in joint).split()
            gaps += [len(run) / recording.fps for run in runs]
    assert min(gaps) <= 0.2
    assert sum(gap >= 1 for gap in gaps) >= 10
    lacking = [r.id for r in example.recordings if "left_wrist" not in r.joint_names]
    assert lacking == ["ben-after"]
    cells = [
        line.split(",")[3::3] for line in example.texts["30fps/ada-before.csv"].split("\n")[3:-1]
    ]
    likelihood = np.array(cells, float)
    assert 0.01 < (likelihood < SURE).mean() < 0.3
    assert ((likelihood >= 0) & (likelihood <= 1)).all()


def test_after_the_treatment_people_walk_more():
    example = make_example("pose-tracks")
    share = {"before": [], "after": []}
    for truth in example.annotations:
        when = "after" if truth.recording_id.endswith("after") else "before"
        share[when].append((truth.labels == truth.actions.index("walk")).mean())
    assert np.mean(share["after"]) > 1.3 * np.mean(share["before"])


def test_a_sensor_at_rest_feels_its_weight_and_does_not_turn():
    still = np.zeros((20, 3))
    axes = axes_along(np.tile([0, 0, -1.0], (20, 1)), np.tile([0, 1.0, 0], (20, 1)))
    # x points down the leg, and what holds the sensor pushes it up.
    np.testing.assert_allclose(
        specific_force(still, axes, fps=50), np.tile([-9.81, 0, 0], (20, 1)), atol=1e-12
    )
    np.testing.assert_allclose(turning(axes, fps=50), 0, atol=1e-12)


def test_a_falling_sensor_feels_nothing():
    times = np.arange(50) / 50
    falling = np.stack([0 * times, 0 * times, -9.81 * times**2 / 2], axis=1)
    axes = Rotation.from_rotvec(np.tile([0.3, -0.2, 0.5], (50, 1)))
    np.testing.assert_allclose(specific_force(falling, axes, fps=50)[2:-2], 0, atol=1e-9)


def test_a_leg_that_swings_turns_as_fast_as_it_swings():
    times = np.arange(100) / 50
    angle = 0.5 * np.sin(3 * times)
    bone = np.stack([np.sin(angle), 0 * angle, -np.cos(angle)], axis=1)
    axes = axes_along(bone, np.tile([0, 1.0, 0], (100, 1)))
    found = turning(axes, fps=50)
    # forwards is to turn against y, which points to the left; half-way between two frames
    np.testing.assert_allclose(found[:-1, 1], -1.5 * np.cos(3 * (times[:-1] + 0.01)), atol=1e-3)
    np.testing.assert_allclose(found[:, [0, 2]], 0, atol=1e-9)


def test_an_unknown_kind_is_told():
    with pytest.raises(ConfigError, match=r"no example is called 'sensor'.*sensors"):
        make_example("sensor")


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "mine.csv").write_text("1")
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path}: something is there already")):
        write_example("sensors", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.csv"]
