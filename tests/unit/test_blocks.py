import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq import blocks as module
from histvq.blocks import all_missing, blocks, every, first_infinite


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_BYTES", 64)
        yield


@given(n_rows=st.integers(0, 50), width=st.integers(1, 20))
def test_blocks_make_up_the_array(n_rows, width):
    array = np.arange(n_rows * width, dtype=np.float32).reshape(n_rows, width)
    parts = list(blocks(array))
    np.testing.assert_array_equal(np.concatenate([array[:0], *parts]), array)
    assert all(part.nbytes <= max(64, 4 * width) for part in parts)
    assert all(part.base is not None for part in parts)


@given(n_rows=st.integers(0, 50), length=st.integers(1, 60))
def test_blocks_of_so_many_rows(n_rows, length):
    array = np.arange(3 * n_rows).reshape(n_rows, 3)
    parts = list(blocks(array, n_rows=length))
    np.testing.assert_array_equal(np.concatenate([array[:0], *parts]), array)
    assert all(len(part) == length for part in parts[:-1])
    assert all(1 <= len(part) <= length for part in parts)


@given(n_rows=st.integers(0, 50), step=st.integers(1, 60))
def test_every_so_many_rows(n_rows, step):
    array = np.arange(3 * n_rows).reshape(n_rows, 3)
    np.testing.assert_array_equal(every(array, step), array[::step])


@given(places=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 2)), max_size=4))
def test_the_first_infinite_value_is_that_of_argwhere(places):
    array = np.zeros((30, 3), np.float32)
    for number, place in enumerate(places):
        array[place] = np.inf if number % 2 else -np.inf
    found = np.argwhere(np.isinf(array)).tolist()
    assert first_infinite(array) == (tuple(found[0]) if found else None)


def test_all_missing_looks_at_every_block():
    array = np.full((50, 4), np.nan)
    assert all_missing(array)
    array[49, 3] = 0
    assert not all_missing(array)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("views", ["whole", "every third", "as an array"])
def test_a_mapped_file_does_not_stay_in_memory(tmp_path, monkeypatch, views):
    monkeypatch.setattr(module, "BLOCK_BYTES", 2**20)
    path = tmp_path / "zeros.npy"
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(2**16, 16, 16))
    del array  # 64 MB of nothing, which takes no room on the disk
    mapped = np.load(path, mmap_mode="r")
    mapped = {"whole": mapped, "every third": mapped[::3], "as an array": np.asarray(mapped)}[views]
    before, highest = _resident_mb(), 0.0
    for block in blocks(mapped):
        assert block.sum() == 0
        highest = max(highest, _resident_mb())
    assert highest - before < 16


def test_what_was_written_to_a_mapping_of_ones_own_stays(tmp_path):
    np.save(tmp_path / "ones.npy", np.ones((100, 8), np.float32))
    mine = np.load(tmp_path / "ones.npy", mmap_mode="c")
    mine[3] = 7
    list(blocks(mine))
    assert (mine[3] == 7).all()


def _resident_mb() -> float:
    """Of mapped files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssFile"))
