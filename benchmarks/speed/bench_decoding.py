"""The transcript path of a long recording (20,000 frames, 12 actions), against one numpy step a frame.

    PYTHONPATH=tests pytest benchmarks/speed/bench_decoding.py -o python_files='bench_*.py' \
        -o python_functions='bench_*' --benchmark-columns=median,rounds

The table's bracketed ratios are what to read.
"""

import numpy as np
import pytest

from histvq.nn.decoding import transcript_path

SCORES = np.random.default_rng(0).normal(size=(20_000, 12))


def fast():
    return transcript_path(SCORES)


def plain():
    """The recursion as it is written: a row of states a frame, a bit a state to find the way back."""
    n_frames, n_actions = SCORES.shape
    value = np.full(n_actions, -np.inf)
    value[0] = SCORES[0, 0]
    below = np.full(n_actions, -np.inf)
    stepped = np.zeros((n_frames, n_actions), dtype=bool)
    for frame in range(1, n_frames):
        below[1:] = value[:-1]
        stepped[frame] = below >= value
        value = np.maximum(value, below) + SCORES[frame]
    path = np.empty(n_frames, dtype=int)
    action = n_actions - 1
    for frame in range(n_frames - 1, -1, -1):
        path[frame] = action
        action -= bool(stepped[frame, action]) if action else 0
    return path


@pytest.mark.parametrize("decoder", [fast, plain])
def bench_transcript(benchmark, decoder):
    benchmark(decoder)
