import numpy as np

from histvq.metrics import LabelPairs


def rows(runs):
    columns = (runs.recording, runs.start, runs.stop, runs.label)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_runs_by_hand():
    pairs = LabelPairs.build(
        [np.array([1, 1, 0]), np.array([0, 0])], [np.array([1, 1, 1]), np.array([1, 0])]
    )
    # The two recordings touch in 0 | 0 and 1 | 1, and runs still end between them.
    assert rows(pairs.matched_runs) == [(0, 0, 2, 1), (0, 2, 3, 0), (1, 3, 5, 0)]
    assert rows(pairs.true_runs) == [(0, 0, 3, 1), (1, 3, 4, 1), (1, 4, 5, 0)]


def test_unlabelled_frames_are_left_out_and_cut():
    pairs = LabelPairs.build([np.array([2, 2, 2, 2, 2])], [np.array([0, 0, -1, 0, 1])])
    assert pairs.n_frames == 4
    assert rows(pairs.true_runs) == [(0, 0, 2, 0), (0, 2, 3, 0), (0, 3, 4, 1)]
    assert rows(pairs.matched_runs) == [(0, 0, 2, 2), (0, 2, 4, 2)]


def test_recordings_without_a_scored_frame_hold_no_segment():
    true = [np.array([-1]), np.array([0, 0]), np.array([], int), np.array([1]), np.array([-1, -1])]
    pairs = LabelPairs.build([np.zeros(len(t), int) for t in true], true)
    assert rows(pairs.true_runs) == [(1, 0, 2, 0), (3, 2, 3, 1)]
    lengths = pairs.true_runs.per_recording(pairs.true_runs.length, pairs.n_recordings)
    assert [x.tolist() for x in lengths] == [[], [2], [], [1], []]


def test_one_recording_by_itself():
    true = [np.array([0, -1, 0]), np.array([1, 1, -1, 0])]
    both = LabelPairs.build(true, true, recordings=["a", "b"])
    alone = LabelPairs.build(true[1:], true[1:], recordings=["b"])
    assert both.only(1).recordings == ("b",)
    assert rows(both.only(1).true_runs) == rows(alone.true_runs)
