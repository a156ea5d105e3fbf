"""All scores of a dataset, against the same scores by plain loops.

    PYTHONPATH=tests pytest benchmarks/speed/bench_scores.py -o python_files='bench_*.py' \
        -o python_functions='bench_*' --benchmark-columns=median,rounds

The table's bracketed ratios are what to read; the oracle gets the labels
already matched, so the matching counts against the fast side only.
"""

import numpy as np
import pytest

from histvq.annotation import Annotation
from histvq.evaluation import evaluate
from oracles.scores import all_scores

N_ACTIONS, PATCH_FRAMES = 10, 60


def blocks(rng, n_frames):
    return np.repeat(rng.integers(0, N_ACTIONS, -(-n_frames // PATCH_FRAMES)), PATCH_FRAMES)[
        :n_frames
    ]


def dataset(n_recordings, n_frames=3_000, seed=0):
    """Labels about as long and as many as those of a benchmark, wrong throughout."""
    rng = np.random.default_rng(seed)
    return [[blocks(rng, n_frames) for _ in range(n_recordings)] for _ in ("predicted", "true")]


def fast(predicted, true):
    actions = tuple(f"action {i}" for i in range(N_ACTIONS))
    annotations = [
        Annotation(recording_id=str(i), labels=labels, actions=actions, fps=60.0)
        for i, labels in enumerate(true)
    ]
    return dict(evaluate(predicted, annotations, matching=None).values)


def plain(predicted, true):
    as_lists = [[labels.tolist() for labels in side] for side in (predicted, true)]
    return all_scores(*as_lists, ["all"] * len(true))


@pytest.mark.parametrize("score", [fast, plain])
def bench_scores_of_forty_recordings(benchmark, score):
    benchmark(score, *dataset(40))


def bench_scores_of_a_million_frames(benchmark):
    benchmark(fast, *dataset(364))
