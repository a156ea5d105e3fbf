from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.datasets.synthetic import load
from histvq.errors import ConfigError
from histvq.methods.window_kmeans import WindowKMeans
from histvq.recording import Recording
from histvq.report.analysis.points import STEP_S, WINDOW_S, Points, means_within, points_of
from histvq.report.analysis.spans import Spans, segments_of
from histvq.segments import Segmentation, to_segments


def people(*, missing=False, channels=("x", "y", "z")):
    """Four recordings of two people, on other scales; one joint never moves."""
    made = []
    for k in range(4):
        generator = np.random.default_rng(k)
        skeleton = generator.normal(size=(200 + 30 * k, 4, len(channels))).cumsum(axis=0) + 50 * k
        skeleton[:, 3] = skeleton[:, 0] + 1
        skeleton[:, 0] *= 1 + k % 2
        if missing:
            skeleton[20:90, 1] = np.nan
            skeleton[:, 2, 1] = np.nan if k == 1 else skeleton[:, 2, 1]
        made.append(
            Recording(
                id=f"r{k}", skeleton=skeleton, fps=25 + k, person="AB"[k % 2], channel_names=channels,
                parents=(-1, 0, 1, 0),
            )
        )  # fmt: skip
    return made


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("channels", [("x", "y", "z"), ("acc_x", "acc_y", "gyro_x"), ("x", "y")])
def test_points_are_those_of_window_k_means(missing, channels):
    recordings = people(missing=missing, channels=channels)
    method = WindowKMeans(
        n_actions=2, patch_seconds=STEP_S, window_seconds=WINDOW_S, n_init=1, random_state=0
    ).fit(recordings)
    varies = np.isfinite(method.factor_)
    for recording, (id_, ours) in zip(recordings, points_of(recordings).items(), strict=True):
        theirs, known = method._points(recording, method._statistics(recording))
        assert id_ == recording.id
        np.testing.assert_allclose(np.nan_to_num(ours.values), theirs[:, varies], atol=1e-9)
        assert (~np.isnan(ours.values).all(axis=1) == known).all()


def test_without_a_name_all_are_one_person():
    nameless = [replace(recording, person=None) for recording in people()]
    one = [replace(recording, person="one") for recording in people()]
    for ours, theirs in zip(points_of(nameless).values(), points_of(one).values(), strict=True):
        np.testing.assert_array_equal(ours.values, theirs.values)
    assert not np.allclose(points_of(people())["r0"].values, points_of(one)["r0"].values)


def test_recordings_that_do_not_fit_together_are_refused():
    other = Recording(id="x", skeleton=np.zeros((50, 2, 3)), fps=25, joint_names=("a", "b"))
    with pytest.raises(ConfigError, match="'x' does not fit"):
        points_of([*people(), other])


def test_what_never_changes_is_left_out():
    still = Recording(id="still", skeleton=np.ones((100, 1, 3)), fps=25)
    assert points_of([still])["still"].values.shape == (8, 0)  # 4 s, a window every 0.5 s


@given(
    seed=st.integers(0, 10_000),
    patches=st.lists(st.integers(1, 5), min_size=1, max_size=12),
    missing=st.floats(0, 1),
)
def test_means_within_spans_frame_by_frame(seed, patches, missing):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(len(patches), 3)) * 10
    values[generator.random(values.shape) < missing] = np.nan
    points = Points(values, np.repeat(np.arange(len(patches)), patches))
    segments = to_segments(generator.integers(3, size=sum(patches)))
    start, stop, action = np.array(segments).T
    ones = np.ones_like(start)
    # The same spans also in a recording that is not at hand.
    spans = Spans(*(np.tile(column, 2) for column in (ones, ones, start, stop, action, 1.0 * ones)))
    spans.recording[: len(start)] = 0
    means = means_within([points, None], spans)
    assert np.isnan(means[len(start) :]).all()
    for (a, b, _), mean in zip(segments, means, strict=False):
        frames = values[points.patches[a:b]]
        for feature in range(3):
            known = frames[:, feature][~np.isnan(frames[:, feature])]
            expected = known.mean() if len(known) else np.nan
            np.testing.assert_allclose(mean[feature], expected, atol=1e-9)


def test_the_demo_has_points_of_every_frame():
    data = load()
    points = points_of(data.recordings)
    assert [len(points[r.id].patches) for r in data.recordings] == [
        r.n_frames for r in data.recordings
    ]


def test_stretches_of_one_recording_stand_together():
    answers = [
        Segmentation(recording_id=str(k), fps=2.0, actions=np.array(labels, dtype=int))
        for k, labels in enumerate(([0, 1, 1], [-1, -1], [], [2, 0, 0, 1]))
    ]
    spans = segments_of(answers)
    assert [(place, spans.action[here].tolist()) for place, here in spans.by_recording()] == [
        (0, [0, 1]), (3, [2, 0, 1]),
    ]  # fmt: skip
    assert not [*segments_of(answers[1:2]).by_recording()]
