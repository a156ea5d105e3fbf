"""Reading a BVH file (2,000 frames, 24 joints, 75 channels), against a loop over frames and joints.

    PYTHONPATH=tests pytest benchmarks/speed/bench_bvh.py -o python_files='bench_*.py' \
        -o python_functions='bench_*' --benchmark-columns=median,rounds

The table's bracketed ratios are what to read.
"""

import numpy as np
import pytest

from histvq.io.bvh import read_bvh
from oracles.bvh import positions_by_loop

N_FRAMES, N_JOINTS = 2_000, 24
TURNS = "Zrotation Xrotation Yrotation"


def chain():
    """A file whose joints hang one on another, with random angles."""
    joints = "".join(
        f"{'JOINT' if j else 'ROOT'} joint{j}\n{{\nOFFSET 0 1 0\nCHANNELS "
        f"{'3' if j else '6 Xposition Yposition Zposition'} {TURNS}\n"
        for j in range(N_JOINTS)
    )
    numbers = np.random.default_rng(0).uniform(-180, 180, size=(N_FRAMES, 3 * N_JOINTS + 3))
    rows = "\n".join(" ".join(f"{number:.6f}" for number in row) for row in numbers)
    return (
        f"HIERARCHY\n{joints}End Site\n{{\nOFFSET 0 1 0\n}}\n{'} ' * N_JOINTS}\n"
        f"MOTION\nFrames: {N_FRAMES}\nFrame Time: 0.00833333\n{rows}\n"
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("bvh") / "chain.bvh"
    path.write_text(chain())
    return path


def fast(path):
    return read_bvh(path, unit="cm")


def plain(path):
    return positions_by_loop(path.read_text())


@pytest.mark.parametrize("reader", [fast, plain])
def bench_reading(benchmark, reader, path):
    benchmark.pedantic(reader, args=(path,), rounds=3)
