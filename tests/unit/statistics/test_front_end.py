"""The front end as a whole: whose mean is taken off, what scaling does, what missing joints become."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.recording import Recording
from histvq.statistics.front_end import KINDS, fit_front_end, kind_of
from histvq.windowing import Windows

INERTIAL = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
LENGTHS = {"patch_seconds": 0.25, "window_seconds": 1.0}


def recording(kind, n_frames=200, *, person=None, fps=20.0, seed=0, n_joints=2, offset=0.0):
    rng = np.random.default_rng(seed)
    channels = INERTIAL if kind == "inertial" else ("x", "y", "z")
    skeleton = rng.normal(size=(n_frames, n_joints, len(channels)))
    skeleton *= 1 + np.sin(np.arange(n_frames) / 15)[:, None, None]
    return Recording(
        id=f"r{seed}",
        skeleton=skeleton + offset + np.arange(len(channels)),
        fps=fps,
        channel_names=channels,
        person=person,
    )


def several(kind, persons="aabb", **options):
    return [
        recording(kind, person=person, seed=seed, offset=seed, **options)
        for seed, person in enumerate(persons)
    ]


def fitted(recordings, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fit_front_end(recordings, kind=kind_of(recordings[0]), **(LENGTHS | options))


def called(front_end, one):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return front_end(one)


def raw_channels(front_end, one):
    """Channels before a mean is taken off."""
    kind = KINDS[front_end.kind]
    lengths = {"patch_seconds": front_end.patch_seconds, "window_seconds": front_end.window_seconds}
    windows = Windows.of(one.n_frames, fps=one.fps, **lengths)
    return kind.finish(one, kind.measure(one, windows), front_end.still)


both = pytest.mark.parametrize("kind", ["inertial", "positions"])


@both
@pytest.mark.parametrize("own_mean", ["person", "recording", "none"])
def test_what_was_fitted_is_made_again_when_called(kind, own_mean):
    recordings = [*several(kind), recording(kind, 37, seed=9)]
    front_end, made = fitted(recordings, own_mean=own_mean)
    for one, expected in zip(recordings, made, strict=True):
        found = called(front_end, one)
        np.testing.assert_array_equal(found.skeleton, expected.skeleton)
        assert (found.id, found.fps, found.unit) == (one.id, 4.0, "unknown")
        assert found.channel_names == tuple(KINDS[kind].weights(one))
        assert found.joint_names == one.joint_names
        assert found.history[-1] == "statistics of 1 s every 0.25 s"


@both
def test_each_channel_varies_by_its_weight(kind):
    recordings = several(kind)
    _, made = fitted(recordings)
    together = np.concatenate([m.skeleton for m in made]).astype(np.float64)
    expected = np.array(list(KINDS[kind].weights(recordings[0]).values()))
    np.testing.assert_allclose(together.mean(axis=0), 0, atol=1e-5)
    found = np.sqrt((together**2).mean(axis=0))
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-4)


# Whose mean


@both
def test_means_are_those_of_each_persons_patches(kind):
    recordings = several(kind, "aab")
    recordings.append(recording(kind, 90, seed=7))  # nobody in particular
    front_end, made = fitted(recordings)
    assert front_end.persons == ("", "a", "b")
    raw = [raw_channels(front_end, r) for r in recordings]
    for person, own in zip(front_end.persons, front_end.means, strict=True):
        mine = [c for c, r in zip(raw, recordings, strict=True) if (r.person or "") == person]
        np.testing.assert_allclose(own, np.concatenate(mine).mean(axis=0), atol=1e-9)
    for person in "ab":
        mine = [m.skeleton for m in made if m.person == person]
        np.testing.assert_allclose(np.concatenate(mine).mean(axis=0), 0, atol=1e-5)


@both
def test_each_recordings_own_mean(kind):
    front_end, made = fitted(several(kind), own_mean="recording")
    for m in [*made, called(front_end, recording(kind, 80, seed=8, offset=40, person="new"))]:
        np.testing.assert_allclose(m.skeleton.mean(axis=0, dtype=float), 0, atol=1e-4)


@both
def test_without_own_means_all_are_held_against_the_same(kind):
    recordings = several(kind)
    front_end, made = fitted(recordings, own_mean="none")
    assert front_end.persons == ("",)
    assert np.abs(made[0].skeleton[:, :, 0].mean() - made[3].skeleton[:, :, 0].mean()) > 1
    renamed = called(front_end, replace(recordings[0], person="somebody"))
    np.testing.assert_array_equal(renamed.skeleton, made[0].skeleton)


@both
def test_somebody_new_is_held_against_the_mean_of_the_people(kind):
    recordings = several(kind, "aaab")  # each person counts the same
    front_end, _ = fitted(recordings)
    new = recording(kind, person="c", seed=8, offset=5)
    usual = front_end.means.mean(axis=0)
    weight = np.array(list(KINDS[kind].weights(new).values()))
    expected = (raw_channels(front_end, new) - usual) / front_end.factor * weight
    np.testing.assert_allclose(called(front_end, new).skeleton, expected, atol=1e-4)
    unnamed = called(front_end, replace(new, person=None))
    np.testing.assert_allclose(unnamed.skeleton, expected, atol=1e-4)


@both
def test_a_joint_that_is_new_of_somebody_known_is_held_against_the_people(kind):
    recordings = several(kind, "abc")
    unseen = recordings[0].skeleton.copy()
    unseen[:, 1] = np.nan
    front_end, made = fitted([replace(recordings[0], skeleton=unseen), *recordings[1:]])
    assert np.isnan(made[0].skeleton[:, 1]).all()
    found = called(front_end, recordings[0]).skeleton
    new = called(front_end, replace(recordings[0], person="new")).skeleton
    np.testing.assert_array_equal(found[:, 1], new[:, 1])
    # All but the vertical speed, the last one: whether the body is calm is told from all sensors.
    np.testing.assert_array_equal(found[:, 0, :-1], made[0].skeleton[:, 0, :-1])


# What is still, and what is missing


@both
def test_what_is_still_is_told_from_the_usual_spread(kind):
    recordings = several(kind)
    front_end, _ = fitted(recordings)
    windows = [Windows.of(r.n_frames, fps=r.fps, **LENGTHS) for r in recordings]
    pairs = zip(recordings, windows, strict=True)
    spreads = np.concatenate([KINDS[kind].measure(r, w).spreads for r, w in pairs])
    share = {"inertial": 0.01, "positions": 0.1}[kind]
    np.testing.assert_allclose(front_end.still, share * np.sqrt((spreads**2).mean(axis=0)))


@both
def test_joints_that_never_move_are_0(kind):
    recordings = several(kind)
    skeletons = [r.skeleton.copy() for r in recordings]
    for skeleton in skeletons:
        skeleton[:, 1] = 12345.6
    recordings = [replace(r, skeleton=s) for r, s in zip(recordings, skeletons, strict=True)]
    front_end, made = fitted(recordings)
    for m in made:
        assert not m.skeleton[:, 1].any()
        assert m.skeleton[:, 0].any()
    # Nor do they matter once they move: nothing is known of how much that would mean.
    moved = called(front_end, recording(kind, person="a", seed=9))
    assert np.isfinite(moved.skeleton).all()


@both
def test_missing_joints_are_nan_and_no_others(kind):
    recordings = several(kind)
    skeletons = [r.skeleton.copy() for r in recordings]
    for skeleton in skeletons:
        skeleton[:, 0] = np.nan
    skeletons[1][100:180, 1] = np.nan
    recordings = [replace(r, skeleton=s) for r, s in zip(recordings, skeletons, strict=True)]
    front_end, made = fitted(recordings)
    for m, one in zip(made, recordings, strict=True):
        assert np.isnan(m.skeleton[:, 0]).all()
        np.testing.assert_array_equal(called(front_end, one).skeleton, m.skeleton)
    assert not np.isnan(made[0].skeleton[:, 1]).any()
    # Four seconds unseen: the patches in their middle are; either all of a joint's channels or none.
    missing = np.isnan(made[1].skeleton[:, 1])
    assert missing[27:29].all()
    assert not missing[:16].any()
    assert set(missing.mean(axis=1)) == {0, 1}


def test_a_channel_that_is_missing_alone_is_as_usual():
    recordings = several("inertial")
    gone = recordings[0].skeleton.copy()
    gone[:, 0, :3] = np.nan
    front_end, _ = fitted(recordings)
    found = called(front_end, replace(recordings[0], skeleton=gone))
    of_gyroscope = [
        name.startswith("gyro") and "_with_" not in name for name in found.channel_names
    ]
    assert found.skeleton[:, 0][:, of_gyroscope].all()
    assert not found.skeleton[:, 0][:, ~np.array(of_gyroscope)].any()


@both
def test_nothing_at_all_is_nan_without_a_warning(kind):
    empty = recording(kind)
    empty = replace(empty, skeleton=np.full_like(empty.skeleton, np.nan))
    front_end, made = fitted([empty, empty])
    assert np.isnan(made[0].skeleton).all()
    assert np.isnan(called(front_end, recording(kind)).skeleton).sum() == 0


# Units and rates


@settings(max_examples=15)
@given(
    kind=st.sampled_from(["inertial", "positions"]),
    power=st.integers(-12, 12),
    own_mean=st.sampled_from(["person", "recording", "none"]),
    seed=st.integers(0, 100),
)
def test_the_unit_does_not_matter(kind, power, own_mean, seed):
    recordings = [recording(kind, 80, person=p, seed=seed + i) for i, p in enumerate("ab")]
    scaled = [replace(r, skeleton=r.skeleton * np.float32(2.0**power)) for r in recordings]
    _, expected = fitted(recordings, own_mean=own_mean)
    _, found = fitted(scaled, own_mean=own_mean)
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(f.skeleton, e.skeleton, atol=1e-4)


@settings(max_examples=25)
@given(
    kind=st.sampled_from(["inertial", "positions"]),
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=3),
    fps=st.floats(1, 120),
    patch_seconds=st.sampled_from([0.1, 0.25, 1.0]),
    window_seconds=st.sampled_from([0.05, 1.0, 9.0]),
    missing=st.sampled_from([0.0, 0.3, 0.95]),
    seed=st.integers(0, 5),
)
def test_whatever_comes_in_comes_out_finite_or_missing(
    kind, lengths, fps, patch_seconds, window_seconds, missing, seed
):
    rng = np.random.default_rng(seed)
    recordings = []
    for place, n_frames in enumerate(lengths):
        one = recording(kind, n_frames, person="ab"[place % 2], fps=fps, seed=seed + place)
        skeleton = one.skeleton.copy()
        skeleton[rng.random(skeleton.shape) < missing] = np.nan
        recordings.append(replace(one, skeleton=skeleton))
    lengths = {"patch_seconds": patch_seconds, "window_seconds": window_seconds}
    front_end, made = fitted(recordings, **lengths)
    for one, m in zip(recordings, made, strict=True):
        windows = Windows.of(one.n_frames, fps=fps, **lengths)
        assert m.n_frames == windows.n_patches == windows.patches[-1] + 1
        assert set(np.isnan(m.skeleton).mean(axis=2).ravel()) <= {0, 1}
        np.testing.assert_array_equal(called(front_end, one).skeleton, m.skeleton)


@both
@pytest.mark.parametrize("fps", [10.0, 12.5, 50.0, 59.94])
def test_rates_differ_and_patches_keep_time(kind, fps):
    _, made = fitted([recording(kind, int(20 * fps), fps=fps), recording(kind, 400)])
    assert [m.fps for m in made] == [4.0, 4.0]
    assert abs(made[0].n_frames - 80) <= 1
    assert made[1].n_frames == 80


@pytest.mark.parametrize("fps", [12.5, 60.0])
def test_the_same_movement_at_another_rate_gives_about_the_same(fps):
    def seen(fps):
        seconds = np.arange(int(40 * fps)) / fps
        beats = np.sin(2 * np.pi * seconds * 0.3) * (1 + np.sin(seconds / 3))
        skeleton = np.stack([beats, np.cos(seconds), np.sin(seconds / 5)], axis=1)[:, None]
        return Recording(id="r", skeleton=skeleton, fps=fps)

    (_, (found,)), (_, (expected,)) = fitted([seen(fps)]), fitted([seen(30.0)])
    off = found.skeleton[8:-8] - expected.skeleton[8:-8]
    assert (off.std(axis=0) < 0.1 * expected.skeleton[8:-8].std(axis=0)).all()


def test_a_recording_slower_than_patches_says_so():
    front_end, _ = fitted(several("positions"))
    assert front_end.rate == 4
    slow = called(front_end, recording("positions", 10, fps=2.0))
    assert (slow.fps, slow.n_frames) == (2.0, 10)
