import numpy as np

from histvq.metrics import LabelPairs, mean_over_frames


def test_frames_are_pooled_over_recordings():
    matched = [np.array([0]), np.array([0, 1, -1, 2, 1])]
    true = [np.array([0]), np.array([0, 0, 0, -1, 1])]
    # 1 of 1, then 2 of 4 (one is unlabelled): 3 of 5, where a mean over recordings would be 75.
    assert mean_over_frames(LabelPairs.build(matched, true)) == 60
