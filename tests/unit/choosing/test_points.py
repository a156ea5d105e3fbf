import numpy as np
import pytest

from histvq.choosing.points import MOST_POINTS, points_of
from histvq.choosing.search import halved
from histvq.methods.window_kmeans import WindowKMeans
from histvq.recording import Recording

USUAL = {"patch_seconds": 1.0, "window_seconds": None, "centre": "auto", "own_mean": "person"}


def noise(id, *, seconds=20, person=None, seed=0, fps=10):
    skeleton = np.random.default_rng(seed).normal(size=(round(seconds * fps), 2, 3))
    return Recording(id=id, skeleton=skeleton, fps=fps, person=person)


@pytest.fixture
def people():
    """Five people with two recordings each."""
    return [noise(f"{p}{n}", person=p, seed=ord(p) + n) for p in "abcde" for n in (0, 1)]


def test_points_are_those_of_window_kmeans(people):
    method = WindowKMeans(n_actions=3, random_state=0).fit(people)
    expected = [method._points(recording, method._statistics(recording))[0] for recording in people]
    np.testing.assert_allclose(points_of(people, **USUAL).values, np.concatenate(expected))


@pytest.mark.parametrize("seed", range(5))
def test_nobody_is_in_both_halves(people, seed):
    points = points_of(people, **USUAL)
    assert points.halved_by == "people"
    halves = halved(points.groups, np.random.default_rng(seed))
    persons = [
        {piece.recording.person for piece in points.pieces if piece.group in half}
        for half in halves
    ]
    assert not persons[0] & persons[1]
    assert persons[0] | persons[1] == set("abcde")
    assert [len(half) for half in halves] == [2, 3]


def test_few_people_are_halved_by_recordings():
    few = [noise(f"r{n}", person="ab"[n % 2], seed=n) for n in range(5)]
    points = points_of(few, **USUAL)
    assert points.halved_by == "recordings"
    assert len(np.unique(points.groups)) == 5


@pytest.mark.parametrize("n_recordings", [1, 2, 3])
def test_few_recordings_are_halved_by_stretches_of_whole_patches(n_recordings):
    recordings = [noise(f"r{n}", seconds=23.4, seed=n) for n in range(n_recordings)]
    points = points_of(recordings, **USUAL)
    assert points.halved_by == "stretches of time"
    assert len(np.unique(points.groups)) >= 8
    laid = np.concatenate([piece.recording.skeleton for piece in points.pieces])
    np.testing.assert_array_equal(laid, np.concatenate([r.skeleton for r in recordings]))
    assert all(piece.recording.n_frames % 10 in (0, 4) for piece in points.pieces)
    assert len({piece.recording.id for piece in points.pieces}) == len(points.pieces)


@pytest.mark.parametrize("n_recordings", [1, 5])
def test_a_point_knows_the_frame_in_its_middle(n_recordings):
    """The mean of a slow ramp over a window is its value in the middle."""
    ramp = np.arange(200.0)[:, None, None] * np.ones((1, 2, 3))
    recordings = [Recording(id=f"r{n}", skeleton=ramp, fps=10) for n in range(n_recordings)]
    points = points_of(recordings, **USUAL)
    at = np.array(
        [
            points.pieces[piece].recording.skeleton[frame, 0, 0]
            for piece, frame in zip(points.piece, points.frame, strict=True)
        ]
    )
    inner = (at > 10) & (at < 190)
    slope = np.polyfit(at[inner], points.values[inner, 0], 1)
    np.testing.assert_allclose(np.polyval(slope, at[inner]), points.values[inner, 0], atol=1e-3)


def test_windows_in_which_nothing_was_measured_are_no_points():
    recording = noise("gap", seconds=40)
    skeleton = recording.skeleton.copy()
    skeleton[100:200] = np.nan
    points = points_of([Recording(id="gap", skeleton=skeleton, fps=10)], **USUAL)
    assert len(points.values) == 40 - 8  # windows of 2 s reach over the gap's ends


def test_of_many_windows_some_are_left_out_evenly():
    points = points_of([noise("long", seconds=2 * MOST_POINTS + 100)], **USUAL)
    assert MOST_POINTS / 2 < len(points.values) <= MOST_POINTS
    assert len(np.unique(points.groups)) == 8
