"""SMQ's published weights on the whole benchmark. They are not ours to hand on: name the file."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import histvq
from histvq.errors import DataWarning
from oracles.smq import answers_by_loop

PLACE = os.environ.get("HISTVQ_SMQ_WEIGHTS", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_data,
    pytest.mark.skipif(
        not PLACE,
        reason="$HISTVQ_SMQ_WEIGHTS names no file: models/pretrained/hugadb.model of bachlab/SMQ",
    ),
]


@pytest.fixture(scope="module")
def data(shared_data: Path, tmp_path_factory):
    raw = tmp_path_factory.mktemp("hugadb")
    subprocess.run([sys.executable, shared_data / "hugadb" / "unpack.py", raw], check=True)
    with pytest.warns(DataWarning, match="1306072"):
        return histvq.load_dataset("hugadb", raw)


@pytest.fixture(scope="module")
def model():
    return histvq.import_checkpoint("smq", PLACE)


def test_they_score_what_the_published_code_scores(data, model):
    # What the official code, run with these weights on these (version 1) labels, prints.
    scores = histvq.evaluate(model.predict(list(data.recordings)), data.annotations).values
    found = [round(scores[name], 2) for name in ("mof", "edit", "f1@10", "f1@25", "f1@50")]
    assert found == [41.46, 36.07, 38.42, 31.48, 23.11]


def test_frame_by_frame_they_answer_as_the_formulas_say(data, model):
    weights = torch.load(PLACE, map_location="cpu", weights_only=True)
    shortest = sorted(data.recordings, key=lambda recording: recording.n_frames)[:4]
    for recording in shortest:
        expected = answers_by_loop(weights, recording.skeleton)
        assert len(np.unique(expected)) > 1
        np.testing.assert_array_equal(model.predict(recording).actions, expected)
