"""Spoilt models, settings, labels, weights and archives: read, or refused in words of ours.

A few of the cases of `python -m benchmarks.fuzz`, which gives ten thousand to each.
"""

import random
import warnings

import pytest

from benchmarks.fuzz.targets import targets
from histvq.errors import HistvqError

TARGETS = targets()


@pytest.mark.parametrize("name", [name for name in TARGETS if not name.startswith("reader ")])
def test_accidents(name, tmp_path):
    target = TARGETS[name]
    path = target.make(tmp_path)
    good = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        target.read(path)
        for case in range(30):
            path.write_bytes(target.alter(good, random.Random(f"{name} {case}")))
            try:
                target.read(path)
            except HistvqError as error:
                assert str(error)  # noqa: PT017 - either outcome is right
