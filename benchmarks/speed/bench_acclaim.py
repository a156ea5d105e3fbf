"""Reading a real ASF/AMC recording (4,592 frames, 31 bones), against a loop over frames and bones.

    PYTHONPATH=tests pytest benchmarks/speed/bench_acclaim.py -o python_files='bench_*.py' \
        -o python_functions='bench_*' --benchmark-columns=median,rounds

The table's bracketed ratios are what to read. Needs ../shared/data or $HISTVQ_SHARED/data.
"""

import lzma
import os
from pathlib import Path

import pytest

from histvq.io.acclaim import read_acclaim
from oracles.acclaim import positions_by_loop

SHARED = Path(os.environ.get("HISTVQ_SHARED", Path(__file__).parents[3] / "shared"))
MOTION = SHARED / "data" / "cmu_exercises" / "13_29.amc.xz"

pytestmark = pytest.mark.skipif(not MOTION.is_file(), reason=f"no {MOTION}")


def fast():
    return read_acclaim(MOTION, fps=120)


def plain():
    motion = lzma.decompress(MOTION.read_bytes()).decode()
    return positions_by_loop((MOTION.parent / "86.asf").read_text(), motion, 5_000)


@pytest.mark.parametrize("reader", [fast, plain])
def bench_reading(benchmark, reader):
    benchmark.pedantic(reader, rounds=3)
