import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.recording import Recording
from histvq.supervised.labels import by_name, paired
from histvq.transforms import frames_before_resampling, labels_after_resampling, resample


def recording(id, n_frames=4, fps=10):
    return Recording(id=id, skeleton=np.zeros((n_frames, 1, 1)), fps=fps)


def annotation(id, labels, actions=("a", "b", "c")):
    return Annotation(recording_id=id, labels=np.array(labels), actions=actions, fps=10)


def test_recordings_without_labels_are_left_aside():
    recordings = [recording("one"), recording("two"), recording("three"), recording("four")]
    given = [annotation("three", [0, 0, 1, 1]), None, annotation("one", [2, 2, 2, 2])]
    nobody_said = annotation("four", [-1, -1, -1, -1])
    kept, labels = paired(recordings, [*given, nobody_said])
    assert [r.id for r in kept] == [a.recording_id for a in labels] == ["one", "three"]


def test_labels_that_do_not_fit_are_all_named():
    with pytest.raises(
        ConfigError, match="'two': labels, but no such recording; 'one': 3 labels for 4 frames"
    ):
        paired([recording("one")], [annotation("one", [0, 0, 0]), annotation("two", [0, 0, 0, 0])])


@pytest.mark.parametrize("given", [[], [None], [annotation("one", [-1] * 4)]])
def test_no_label_at_all(given):
    with pytest.raises(ConfigError, match="none of the 1 recordings has a label"):
        paired([recording("one")], given)


def test_names_count_not_numbers():
    first = annotation("one", [2, 0, -1, 0], actions=("walk", "never", "sit"))
    second = annotation("two", [0, 1, 1, -1], actions=("sit", "run"))
    actions, labels = by_name([first, second])
    assert actions == ("walk", "sit", "run")
    assert labels[0].tolist() == [1, 0, -1, 0]
    assert labels[1].tolist() == [1, 2, 2, -1]


def test_labels_at_another_rate_by_hand():
    labels = np.array([0, 0, 0, 1, 1, 1, 2])
    # 3 to 1: the frames 0, 3 and 6. 3 to 2: frames 0, 1.5, 3, 4.5, 6, each the nearer one (even of two).
    assert labels_after_resampling(labels, 3, ratio=3.0).tolist() == [0, 1, 2]
    assert labels_after_resampling(labels, 5, ratio=1.5).tolist() == [0, 0, 1, 1, 2]
    assert labels_after_resampling(labels, 7, ratio=1.0).tolist() == labels.tolist()
    # 1 to 2, and one frame more than the last one reaches
    assert labels_after_resampling(np.array([0, 1]), 4, ratio=0.5).tolist() == [0, 0, 1, 1]


@given(st.integers(1, 60), st.sampled_from([5, 7.5, 10, 12, 20, 30]))
def test_there_and_back_a_segment_moves_by_less_than_a_frame_of_the_slower_rate(n_frames, fps):
    there = resample(recording("r", n_frames), fps)
    ratio = 10 / fps
    labels = np.arange(n_frames)  # every frame its own
    back = labels_after_resampling(labels, there.n_frames, ratio=ratio)[
        frames_before_resampling(n_frames, there.n_frames, ratio=ratio)
    ]
    assert np.abs(back - labels).max() <= max(1, np.ceil(ratio))
