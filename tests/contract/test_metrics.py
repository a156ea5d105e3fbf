"""What every score in the table keeps to."""

from pathlib import Path

import numpy as np
import pytest

import histvq.metrics
from histvq.metrics import METRICS, PAPER_METRICS, LabelPairs
from histvq.registry import resolve

HELPERS = {"__init__", "answers", "matching", "pairs", "scores"}


def blocks(rng, n_labels):
    return [np.repeat(rng.integers(-1, n_labels, 12), 15) for _ in range(4)]


@pytest.fixture(params=METRICS)
def metric(request):
    return resolve(request.param, METRICS, kind="metric")


@pytest.mark.parametrize("seed", range(5))
def test_one_number_between_0_and_100(metric, seed):
    rng = np.random.default_rng(seed)
    value = metric(LabelPairs.build(blocks(rng, 6), blocks(rng, 4)))
    assert isinstance(value, float)
    assert 0 <= value <= 100


def test_the_perfect_answer_is_an_end_of_the_scale_and_beats_a_random_one(metric):
    rng = np.random.default_rng(0)
    true, random = blocks(rng, 4), blocks(rng, 4)
    best, other = (metric(LabelPairs.build(matched, true)) for matched in (true, random))
    assert best in (0, 100)
    assert abs(other - best) > 1


def test_the_order_of_recordings_does_not_matter(metric):
    rng = np.random.default_rng(1)
    matched, true = blocks(rng, 4), blocks(rng, 4)
    forward = metric(LabelPairs.build(matched, true))
    assert metric(LabelPairs.build(matched[::-1], true[::-1])) == pytest.approx(forward)


def test_inputs_are_left_as_they_were(metric):
    pairs = LabelPairs.build(*[blocks(np.random.default_rng(2), 3)] * 2)
    before = pairs.matched.copy(), pairs.true.copy(), pairs.cut.copy()
    metric(pairs)
    for was, is_ in zip(before, (pairs.matched, pairs.true, pairs.cut), strict=True):
        np.testing.assert_array_equal(was, is_)


def test_no_score_is_left_out_of_the_table():
    files = {path.stem for path in Path(histvq.metrics.__file__).parent.glob("*.py")} - HELPERS
    listed = {target.partition(":")[0].rpartition(".")[2] for target in METRICS.values()}
    assert files == listed
    assert set(PAPER_METRICS) <= set(METRICS)
