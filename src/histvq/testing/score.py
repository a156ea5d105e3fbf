"""What a score keeps to."""

import math

import numpy as np

from histvq.evaluation import find_metric
from histvq.metrics import LabelPairs
from histvq.testing.holding import hold


def check_score(score: str) -> None:
    """Try a score on made-up labels, good and bad.

    Args:
        score: `module:function`, or a name of the table.

    Raises:
        AssertionError: At the first thing that is not as it must be; the words say which.
    """
    function = find_metric(score)
    rng = np.random.default_rng(0)
    true, random = _blocks(rng, 4), _blocks(rng, 6)
    pairs = LabelPairs.build(random, true)
    before = pairs.matched.copy(), pairs.true.copy()
    value = function(pairs)
    hold(isinstance(value, float), f"a score must be a float, not {type(value).__name__}")
    for labels, what in (
        (random, "random labels"),
        (true, "the perfect answer"),
        ([np.full_like(one, -1) for one in true], "frames without an answer"),
        ([np.zeros_like(one) for one in true], "one action for everything"),
        ([np.full_like(one, 7) for one in true], "codes that match no action"),
    ):
        found = function(LabelPairs.build(labels, true))
        hold(
            math.isfinite(found) and 0 <= found <= 100,
            f"{what}: a score must be from 0 to 100, not {found}",
        )
    perfect = function(LabelPairs.build(true, true))
    hold(
        math.isclose(perfect, 0, abs_tol=1e-9) or math.isclose(perfect, 100),
        f"the perfect answer must have 100, or 0 where low is good, not {perfect}",
    )
    hold(abs(perfect - value) > 1, "the perfect answer must have another score than a random one")
    turned = function(LabelPairs.build(random[::-1], true[::-1]))
    hold(math.isclose(turned, value), "the order of recordings must not matter")
    unlabelled = [np.full(30, -1), *true]
    more = function(LabelPairs.build([np.zeros(30, int), *random], unlabelled))
    hold(math.isclose(more, value), "a recording that nobody labelled must not matter")
    hold(
        np.array_equal(before[0], pairs.matched) and np.array_equal(before[1], pairs.true),
        "labels must be left as they are",
    )


def _blocks(rng: np.random.Generator, n_labels: int) -> list[np.ndarray]:
    """Labels of four recordings, each held for fifteen frames, some of them unknown (-1)."""
    return [np.repeat(rng.integers(-1, n_labels, 12), 15) for _ in range(4)]
