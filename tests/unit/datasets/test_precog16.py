import csv
import tarfile

import numpy as np
import pytest

from histvq.datasets import load_dataset
from histvq.errors import DataWarning, FileFormatError
from histvq.evaluation import evaluate
from histvq.io.precog import ACTIONS
from histvq.methods.histvq import HiSTVQ

ARCHIVE = "people_1_to_8.tar.xz"


@pytest.fixture(scope="module")
def unpacked(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("precog")
    with tarfile.open(shared_data / "precog16" / ARCHIVE) as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def data(shared_data):
    with pytest.warns(DataWarning, match="Seq2_10: every value is missing"):
        return load_dataset("precog16", shared_data / "precog16")


@pytest.mark.real_data
def test_counts_taken_another_way(data, unpacked):
    frames, actions = 0, np.zeros(9, int)
    for file in unpacked.rglob("*.csv"):
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.reader(lines, delimiter=";"))[1:]
        frames += len(rows)
        for row in rows:
            actions[int(row[-1])] += file.stem != "Seq2_10"
    assert (data.n_frames, len(data.recordings)) == (frames, 49)
    labels = np.concatenate([a.labels for a in data.annotations])
    assert np.bincount(labels[labels >= 0]).tolist() == actions.tolist()
    assert data.actions == ACTIONS


@pytest.mark.real_data
def test_positions_are_taken_from_the_hips(data, unpacked):
    file = next(unpacked.rglob("Seq3_5.csv"))
    with file.open(encoding="utf-8-sig", newline="") as lines:
        row = list(csv.reader(lines, delimiter=";"))[100]
    joints = np.array([cell.split() for cell in row[:-1]], float)
    recording = next(r for r in data.recordings if r.id == "Seq3_5")
    np.testing.assert_allclose(recording.skeleton[99], joints - joints[0], atol=1e-5)
    assert data.activities["Seq3_5"] == "script 3"


@pytest.mark.real_data
def test_a_folder_or_an_archive(data, unpacked, shared_data):
    with pytest.warns(DataWarning):
        folder = load_dataset("precog16", unpacked)
    for one, other in zip(data.recordings, folder.recordings, strict=True):
        assert one.id == other.id
        np.testing.assert_array_equal(one.skeleton, other.skeleton)
    assert data.recordings[0].source == f"{shared_data / 'precog16' / ARCHIVE}/Seq1_1.csv"


@pytest.mark.real_data
def test_the_empty_recording_is_answered_with_nothing_and_spoils_nothing(data):
    chosen = [r for r in data.recordings if r.id in ("Seq1_1", "Seq2_1", "Seq2_10", "Seq3_1")]
    empty = next(r for r in chosen if r.id == "Seq2_10")
    assert np.isnan(empty.skeleton).all()

    def fitted(recordings):
        model = HiSTVQ(
            n_actions=3, patch_seconds=0.5, n_maps=4, n_latent=4, temporal_hidden=8, epochs=2,
            min_steps=0, random_state=0,
        )  # fmt: skip
        return model.fit(recordings)

    full = [r for r in chosen if r is not empty]
    one, other = fitted(chosen), fitted(full)
    assert (one.predict(empty).actions == -1).all()
    for recording in full:
        np.testing.assert_array_equal(
            one.predict(recording).actions, other.predict(recording).actions
        )

    truth = {annotation.recording_id: annotation for annotation in data.annotations}

    def scores(recordings):
        return evaluate(one.predict(recordings), [truth[r.id] for r in recordings]).values

    assert scores(chosen) == scores(full)
    assert any("Seq2_10: nothing was measured; its 206 labels" in note for note in data.notes)


def test_an_empty_folder_and_a_damaged_archive(tmp_path):
    with pytest.raises(FileFormatError, match=r"no Seq<script>_<person>\.csv in it"):
        load_dataset("precog16", tmp_path)
    (tmp_path / ARCHIVE).write_bytes(b"no archive")
    with pytest.raises(FileFormatError, match="cannot be unpacked"):
        load_dataset("precog16", tmp_path)
    with pytest.raises(FileFormatError, match="there is no such file or folder"):
        load_dataset("precog16", tmp_path / "nowhere")
