import numpy as np
import pytest

from histvq.metrics import LabelPairs, f1_score


def score(matched, true, percent):
    return f1_score(LabelPairs.build([np.array(matched)], [np.array(true)]), iou_percent=percent)


def test_one_segment_half_covered():
    # Predicted [0, 2) of true [0, 4): IoU exactly 1/2, which reaches 50 %. The other is wrong.
    # One right of two predicted, one found of one true: F1 = 2 / 3.
    assert score([0, 0, 1, 1], [0, 0, 0, 0], 50) == pytest.approx(200 / 3)
    assert score([0, 0, 1, 1], [0, 0, 0, 0], 51) == 0


def test_a_true_segment_is_taken_once():
    # Two predicted pieces of one true segment at IoU 0.4 each: the first is right, the second a
    # false alarm. One right, three predicted, one true: F1 = 2 / 4.
    assert score([0, 0, 1, 0, 0], [0, 0, 0, 0, 0], 25) == 50


def test_a_piece_below_the_threshold_does_not_take_the_segment():
    # IoU 0.1, then 0.8: the first misses 25 %, the second still finds the segment free.
    assert score([0, 1] + [0] * 8, [0] * 10, 25) == 50


def test_a_predicted_segment_asks_for_the_best_true_one_only():
    # The long predicted 0 is on both true 0s at 6/8 and 1/8, and takes one; the other is missed.
    # One right, one predicted, three true: F1 = 2 / 4.
    assert score([0] * 8, [0] * 6 + [1, 0], 10) == 50


def test_of_equal_overlaps_the_earlier_counts():
    # True 0s are [0, 3) and [4, 7). The first predicted 0 takes the first of them; the second has
    # IoU 1/5 with both, asks for the first, and comes too late. One right, four predicted, three
    # true: F1 = 2 / 7. Had it asked for the later, F1 would be 4 / 7.
    assert score([0, 1, 0, 0, 0, 1, 1], [0, 0, 0, 1, 0, 0, 0], 10) == pytest.approx(200 / 7)


def test_hits_are_summed_over_recordings_before_the_ratio():
    matched = [np.array([0]), np.array([1, 0, 1])]
    true = [np.array([0]), np.array([0, 0, 0])]
    # 1 of (1, 1) and 1 of (3, 1), IoU 1/3: 2 * 2 / (4 + 2). A mean would be (100 + 50) / 2.
    assert f1_score(LabelPairs.build(matched, true), iou_percent=25) == pytest.approx(200 / 3)


def test_no_answer_is_a_false_alarm():
    assert score([0, -1], [0, 0], 50) == pytest.approx(200 / 3)


def test_nothing_right_is_zero():
    assert score([1, 1], [0, 0], 10) == 0
