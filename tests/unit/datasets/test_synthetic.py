from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

from histvq.datasets import load_dataset
from histvq.datasets._kinematics import JOINT_NAMES, OFFSETS, PARENTS, place_joints
from histvq.datasets.synthetic import ACTIONS, draw_script, load
from histvq.errors import ConfigError
from histvq.segments import to_segments


@pytest.fixture(scope="module")
def data():
    return load()


@pytest.fixture(scope="module")
def clean():
    return load(n_people=3, recordings_per_person=1, clean=True)


def joint(name):
    return JOINT_NAMES.index(name)


def test_a_body_of_22_joints_each_after_its_parent():
    assert len(JOINT_NAMES) == len(PARENTS) == 22
    assert PARENTS[0] == -1
    assert all(0 <= parent < j for j, parent in enumerate(PARENTS) if j)


def test_a_person_at_rest_stands_upright_and_alike_on_both_sides():
    (pose,) = place_joints({}, OFFSETS, lift=np.zeros(1))
    # The middle of the head of somebody 1.75 m tall.
    assert 1550 < pose[joint("head"), 2] < 1750
    for name in ("hip", "knee", "ankle", "toe", "shoulder", "elbow", "wrist"):
        left, right = pose[joint(f"left_{name}")], pose[joint(f"right_{name}")]
        np.testing.assert_allclose(left, right * [1, -1, 1])
        assert left[1] > 0


@pytest.mark.parametrize(
    ("angle", "degrees", "moved", "by"),
    [  # worked by hand: a limb of length a + b raised by 90 degrees lies level with its joint
        ("left_arm_forward", 90, "left_wrist", (550, 0, 550)),
        ("left_arm_out", 90, "left_wrist", (0, 550, 550)),
        ("right_arm_out", 90, "right_wrist", (0, -550, 550)),
        ("right_elbow", 90, "right_wrist", (260, 0, 260)),
        ("right_leg_forward", 90, "right_ankle", (830, 0, 830)),
    ],
)
def test_an_angle_bends_the_way_its_name_says(angle, degrees, moved, by):
    rest = place_joints({}, OFFSETS, lift=np.zeros(1))[0]
    bent = place_joints({angle: np.array([degrees])}, OFFSETS, lift=np.zeros(1))[0]
    np.testing.assert_allclose(bent[joint(moved)] - rest[joint(moved)], by, atol=1e-9)


def test_bones_keep_their_length_in_every_frame(clean):
    for recording in clean.recordings:
        bones = recording.skeleton[:, 1:] - recording.skeleton[:, PARENTS[1:]]
        lengths = np.linalg.norm(bones, axis=-1)
        assert lengths.min() > 10
        assert np.ptp(lengths, axis=0).max() < 0.05  # mm; float32 of positions of some metres


def test_feet_stay_on_or_above_the_ground(clean):
    feet = [joint(f"{side}_{name}") for side in ("left", "right") for name in ("ankle", "toe")]
    height = np.concatenate([r.skeleton[:, feet, 2].min(axis=1) for r in clean.recordings])
    assert height.min() > 19  # the toe of a flat foot is 20 mm above the ground
    assert np.median(height) < 75


def test_walking_legs_alternate_and_arms_swing_against_them(clean):
    agree = []
    for recording, truth in zip(clean.recordings, clean.annotations, strict=True):
        x = recording.skeleton[truth.labels == ACTIONS.index("walk"), :, 0]
        legs = x[:, joint("left_ankle")] - x[:, joint("right_ankle")]
        arms = x[:, joint("left_wrist")] - x[:, joint("right_wrist")]
        agree.append(np.corrcoef(legs, arms)[0, 1])
    assert max(agree) < -0.5


def test_motion_has_no_jumps(clean):
    for recording in clean.recordings:
        step = np.linalg.norm(np.diff(recording.skeleton, axis=0), axis=-1)
        assert step.max() < 400  # mm a frame: 12 m/s


def test_labels_and_frames_are_in_step_and_every_action_occurs(data):
    assert len(data.recordings) == 18
    assert len({r.person for r in data.recordings}) == 6
    seen = set()
    for recording, truth in zip(data.recordings, data.annotations, strict=True):
        assert truth.recording_id == recording.id
        assert truth.n_frames == recording.n_frames == 1200
        seen |= set(truth.labels.tolist())
    assert seen == set(range(len(ACTIONS)))
    assert data.recordings[0].unit == "mm"


@pytest.mark.parametrize("seed", range(20))
def test_a_script_fills_the_recording_with_segments_of_1_5_to_8_s(seed):
    script = draw_script(np.random.default_rng(seed), 1200, fps=30.0)
    assert [start for start, _, _ in script] == [0, *(stop for _, stop, _ in script[:-1])]
    assert script[-1][1] == 1200
    assert all(one[2] != other[2] for one, other in pairwise(script))
    lengths = [stop - start for start, stop, _ in script]
    assert min(lengths) >= 45
    assert max(lengths) <= 240 + 45  # the last takes what is left where that is too short


def test_same_seed_same_data_and_another_seed_other_data():
    one, same, other = (
        load(n_people=1, recordings_per_person=1, seconds=6, seed=seed) for seed in (1, 1, 2)
    )
    first = one.recordings[0].skeleton
    np.testing.assert_array_equal(first, same.recordings[0].skeleton)
    assert not np.array_equal(first, other.recordings[0].skeleton, equal_nan=True)


def test_people_who_come_later_leave_earlier_ones_as_they_were():
    few, many = (load(n_people=n, recordings_per_person=1, seconds=6) for n in (1, 2))
    np.testing.assert_array_equal(few.recordings[0].skeleton, many.recordings[0].skeleton)


def test_gaps_are_of_whole_joints_and_short(data):
    for recording in data.recordings:
        missing = np.isnan(recording.skeleton)
        assert missing.any()
        assert (missing.all(axis=2) == missing.any(axis=2)).all()
        assert missing.mean() < 0.05
    whole = [np.isnan(r.skeleton).all(axis=(1, 2)).any() for r in data.recordings]
    assert 0 < sum(whole) < len(whole)


def test_clean_data_have_no_gaps(clean):
    assert not any(np.isnan(r.skeleton).any() for r in clean.recordings)


def test_people_differ_by_more_than_some_actions_do(data):
    poses = {}
    for recording, truth in zip(data.recordings, data.annotations, strict=True):
        relative = recording.skeleton - recording.skeleton[:, :1]
        for action in ("stand", "walk"):
            poses.setdefault((recording.person, action), []).append(
                np.nanmean(relative[truth.labels == ACTIONS.index(action)], axis=0)
            )
    mean = {key: np.mean(value, axis=0) for key, value in poses.items()}
    people = sorted({person for person, _ in mean})

    def apart(one, other):
        return np.sqrt(np.square(mean[one] - mean[other]).sum(axis=-1).mean())

    between = [apart((p, "stand"), (q, "stand")) for p in people for q in people if p < q]
    assert np.mean(between) > np.mean([apart((p, "stand"), (p, "walk")) for p in people])


def matched_share(true, found):
    overlap = np.zeros((found.max() + 1, true.max() + 1))
    np.add.at(overlap, (found, true), 1)
    return overlap[linear_sum_assignment(-overlap)].sum() / len(true)


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:Degrees of freedom")
def test_kmeans_of_one_second_windows_is_far_better_than_chance_and_not_perfect(data):
    windows, true = [], np.concatenate([truth.labels for truth in data.annotations])
    for recording in data.recordings:
        relative = (recording.skeleton - recording.skeleton[:, :1]).reshape(40, 30, -1)
        spread = 100 * np.log(np.nanstd(relative, axis=1) + 5)
        windows.append(np.concatenate([np.nanmean(relative, axis=1), spread], axis=1))
    features = np.nan_to_num(np.concatenate(windows))
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9)
    codes = KMeans(len(ACTIONS), n_init=3, random_state=0).fit_predict(features)
    by_chance = np.random.default_rng(0).integers(0, len(ACTIONS), len(codes))

    constant = matched_share(true, np.zeros(len(true), dtype=int))
    random = matched_share(true, np.repeat(by_chance, 30))
    found = matched_share(true, np.repeat(codes, 30))
    assert random < constant + 0.05 < 0.3
    assert constant + 0.3 < found < 0.95


def test_actions_come_back_within_most_recordings(data):
    repeated = [
        len(to_segments(truth.labels)) > len(set(truth.labels.tolist()))
        for truth in data.annotations
    ]
    assert np.mean(repeated) > 0.8


def test_found_by_name_and_wrong_sizes_are_refused():
    assert load_dataset("synthetic", n_people=1, seconds=3).n_frames == 3 * 90
    with pytest.raises(ConfigError, match=r"n_people 0.*make no frame"):
        load(n_people=0)
    with pytest.raises(ConfigError, match="seconds 0"):
        load(seconds=0)
