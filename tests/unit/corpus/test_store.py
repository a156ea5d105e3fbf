"""Answers of pieces on disk, and in the one mapped file that all are put together in."""

import numpy as np
import pytest

from histvq.corpus.findings import Answered, FileFindings, Findings
from histvq.corpus.spool import Spool
from histvq.corpus.store import Store
from histvq.io.parts.finding import Look

FINDINGS = Findings(
    files=(
        FileFindings(
            look=Look(format="bvh"),
            state=(17, 12345678901234567),
            warnings=("odd \ud800 'words'\n", "ß"),
            recordings=(
                Answered(id="a\x00b", source="s", fps=59.94, person="p", names=0, truth=0),
                Answered(id="c", source="s", fps=1e-3, why="refused", usage=True),
            ),
        ),
        FileFindings(look=Look(fault="empty"), fault=""),
        FileFindings(look=Look(beside=True)),
    ),
    layouts=[(("hip", "knee"), ("x", "y"))],
    names=[({0: "walk", 12: "turn"}, {})],
    actions=[("sit", "stand")],
    said=("warned",),
)
ARRAYS = {
    "0.actions": np.array([3, -1, 2], np.int32),
    "0.subactions": np.arange(3),
    "0.confidence": np.array([0.1, np.nan, 1], np.float32),
    "1.actions": np.empty(0, np.int64),
}


def test_what_came_of_a_piece_comes_back(tmp_path):
    store = Store(str(tmp_path))
    store.put("key", ARRAYS, FINDINGS.as_words())
    arrays, words = store.get("key")
    assert Findings.of_words(words) == FINDINGS
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)


@pytest.mark.parametrize("n_bytes", [0, 7, 100, -1])
def test_what_is_missing_or_no_longer_whole_is_not_there(tmp_path, n_bytes):
    store = Store(str(tmp_path))
    assert store.get("key") is None
    store.put("key", ARRAYS, FINDINGS.as_words())
    (file,) = tmp_path.glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:n_bytes])
    assert store.get("key") is None


def test_arrays_come_back_from_the_mapped_file(tmp_path):
    with Spool(tmp_path) as spool:
        places = {name: spool.put(array) for name, array in ARRAYS.items()}
        for name, array in ARRAYS.items():
            found = spool.get(places[name])
            assert (found.dtype, found.flags.aligned) == (array.dtype, True)
            np.testing.assert_array_equal(found, array)
    assert not list(tmp_path.iterdir())


def test_failed_is_whatever_could_not_be_read_or_answered():
    assert [file.failed for file in FINDINGS.files] == [True, True, False]
