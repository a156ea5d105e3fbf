"""Labels end to end and rows packed come back; what is put together uses them where it may."""

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.corpus import Reading, saved_model, working
from histvq.corpus.asked import Asked
from histvq.corpus.findings import Findings
from histvq.corpus.gathering import Gathering
from histvq.corpus.joined import KINDS, joined, taken_apart
from histvq.corpus.pieces import cut
from histvq.corpus.seen import claimed
from histvq.corpus.spool import Spool
from histvq.corpus.texts import packed, unpacked
from histvq.io import readers_for
from histvq.io.parts.finding import places
from histvq.methods.window_kmeans import WindowKMeans
from oracles.corpora import motion, write_good

pytestmark = pytest.mark.usefixtures("one_thread")


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(KINDS, st.integers(0, 5)))))
def test_labels_end_to_end_come_apart_again(lengths):
    chance = np.random.default_rng(0)
    labels = [{kind: chance.integers(-1, 9, n) for kind, n in one.items()} for one in lengths]
    found = taken_apart(joined(labels))
    assert len(found) == len(labels)
    for one, other in zip(found, labels, strict=True):
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[kind], other[kind]) for kind in one)


@given(st.lists(st.binary(max_size=50)))
def test_packed_texts_come_back(texts):
    assert b"".join(unpacked(packed(texts))) == b"".join(texts)


def test_a_long_text_comes_back_in_parts_of_a_bounded_size():
    text = bytes(3 * 2**20)
    parts = list(unpacked(packed([text])))
    assert b"".join(parts) == text
    assert max(map(len, parts)) <= 2**20


@pytest.fixture
def gather(tmp_path, monkeypatch):
    """Pieces of three files each answered for here, and put together."""
    given = [motion(f"g{seed}", seed)[0] for seed in range(4)]
    model = tmp_path / "model"
    WindowKMeans(n_actions=2, patch_seconds=1.0, random_state=0, n_init=2).fit(given).save(model)

    def gather(folder, **more):
        asked = Asked(claim=claimed(tmp_path / "out"), reading=Reading(), model=saved_model(model))
        monkeypatch.setattr(working, "shared", lambda name: asked)
        named = list(places(folder, readers_for()))
        entries = [entry for place in named for entry in place.entries]
        with Spool(tmp_path) as spool:
            gathering = Gathering(spool)
            for start in range(0, len(entries), 3):
                (piece,) = cut(entries[start : start + 3], size=10**9, about="")
                assert working.answered(piece).refused is None
                arrays, words = asked.claim.store.get(piece.key)
                gathering.add(Findings.of_words(words), arrays)
            found = gathering.end(named, format=None, options={}, strict=False, **more)
            return {
                place: [a.recording_id for a in found.answers[place : place + rows.n_answers]]
                for place, rows in found.ready.items()
            }

    return gather


def test_rows_of_all_pieces_are_ready(gather, tmp_path):
    write_good(tmp_path / "files", 7)
    assert {place: len(ids) for place, ids in gather(tmp_path / "files").items()} == {
        0: 3,
        3: 3,
        6: 1,
    }


def test_rows_of_recordings_with_another_id_or_left_out_are_not(gather, tmp_path):
    write_good(tmp_path / "files", 9)
    (tmp_path / "files" / "twice").mkdir()
    shutil.copy(tmp_path / "files" / "good008.npz", tmp_path / "files" / "twice" / "good008.npz")
    ready = gather(tmp_path / "files", left_out={"good004": "as a test"})
    # The second group lacks one, and of the third and the last one a recording is called otherwise.
    assert [*ready] == [0]
