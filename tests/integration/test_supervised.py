"""Supervised methods on real recordings."""

from dataclasses import replace

import numpy as np
import pytest

import histvq
from histvq.io import read_many
from histvq.io.labels.segment_table import read_labels
from histvq.report import write_segments

pytestmark = [pytest.mark.real_data, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def sample(hugadb_sample):
    return read_many(hugadb_sample)


@pytest.mark.slow
def test_ms_tcn_learns_a_recording_by_heart_in_100_steps(sample):
    recording, truth = max(
        zip(sample.recordings, sample.annotations, strict=True),
        key=lambda pair: (len(set(pair[1].labels.tolist())), -pair[0].n_frames),
    )
    assert len(set(truth.labels.tolist())) >= 4
    model = histvq.make_method(
        "ms-tcn", epochs=100, min_steps=0, validation=0, piece_seconds=0, random_state=0
    ).fit([recording], [truth])
    assert histvq.evaluate([model.predict(recording)], [truth]).mof > 95


def test_labels_written_corrected_and_read_back_teach_the_names_given(sample, tmp_path):
    """The way of the README, on real files, without the command line."""
    recordings = [replace(r, skeleton=r.skeleton[::4], fps=15) for r in sample.recordings[:4]]
    first = histvq.make_method("window-kmeans", n_actions=4, random_state=0).fit(recordings)
    table = write_segments(tmp_path / "segments.csv", first.predict(recordings))
    text = table.read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if ",subaction," not in row]
    corrected = "\n".join(rows).replace(",action 0,", ",walk,").replace(",action 1,", ",stand,")
    table.write_text(corrected, encoding="utf-8")
    labels = read_labels(table, recordings)
    model = histvq.make_method(
        "ms-gcn", n_maps=8, n_layers=5, n_stages=2, epochs=4, min_steps=100, validation=0.3,
        learning_rate=5e-3, random_state=0,
    ).fit(recordings, labels)  # fmt: skip
    assert set(model.actions_) == {"walk", "stand", "action 2", "action 3"}
    assert 0 < len(model.held_out_) < 4
    answers = model.predict(recordings)
    assert histvq.evaluate(answers, labels).mof > 40
    named = np.concatenate([answer.segments()["name"].to_numpy() for answer in answers])
    assert set(named) <= set(model.actions_)
