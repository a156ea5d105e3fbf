"""Published weights on the whole benchmark. They are not ours to hand on: say where they are."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import histvq
from histvq.errors import DataWarning
from histvq.evaluation import confusion
from histvq.io.hugadb import JOINTS
from histvq.nn.graph import adjacency
from histvq.supervised.graphs import GRAPHS, graph_named
from oracles.msgcn import logits_by_loop
from oracles.smq import answers_by_loop

SMQ = os.environ.get("HISTVQ_SMQ_WEIGHTS", "")
MSGCN = os.environ.get("HISTVQ_MSGCN_WEIGHTS", "")

pytestmark = [pytest.mark.slow, pytest.mark.real_data]

needs_smq = pytest.mark.skipif(
    not SMQ,
    reason="$HISTVQ_SMQ_WEIGHTS names no file: models/pretrained/hugadb.model of bachlab/SMQ",
)
needs_msgcn = pytest.mark.skipif(
    not MSGCN,
    reason="$HISTVQ_MSGCN_WEIGHTS names no folder of hugadb.model, lara.model and pku-mmd.model: "
    "pre-trained-models/*/split_1/epoch-100.model of BenjaminFiltjens/MS-GCN, renamed",
)

# The file that README and docs take these scores from.
RESULTS = Path(__file__).parents[2] / "benchmarks" / "accuracy" / "results"
MEASURED = json.loads((RESULTS / "published-weights.json").read_text(encoding="utf-8"))

# For each joint of the network, its place in HuGaDB's files; the other way round it is the same.
NETWORK_ORDER = [2, 1, 0, 5, 4, 3]


@pytest.fixture(scope="module")
def data(shared_data: Path, tmp_path_factory):
    raw = tmp_path_factory.mktemp("hugadb")
    subprocess.run([sys.executable, shared_data / "hugadb" / "unpack.py", raw], check=True)
    with pytest.warns(DataWarning, match="1306072"):
        return histvq.load_dataset("hugadb", raw)


@pytest.fixture(scope="module")
def smq():
    return histvq.import_checkpoint("smq", SMQ)


@needs_smq
def test_smq_scores_what_the_published_code_scores(data, smq):
    # What the official code, run with these weights on these (version 1) labels, prints.
    scores = histvq.evaluate(smq.predict(list(data.recordings)), data.annotations).values
    expected = MEASURED["smq"]["everybody"]
    assert {name: round(scores[name], 2) for name in expected} == expected


@needs_smq
def test_smq_answers_frame_by_frame_as_the_formulas_say(data, smq):
    weights = torch.load(SMQ, map_location="cpu", weights_only=True)
    shortest = sorted(data.recordings, key=lambda recording: recording.n_frames)[:4]
    for recording in shortest:
        expected = answers_by_loop(weights, recording.skeleton)
        assert len(np.unique(expected)) > 1
        np.testing.assert_array_equal(smq.predict(recording).actions, expected)


@pytest.fixture(scope="module")
def msgcn():
    return histvq.import_checkpoint("ms-gcn", Path(MSGCN, "hugadb.model"))


@pytest.fixture(scope="module")
def msgcn_answers(data, msgcn):
    """Of all recordings; that nothing is warned of is part of the test."""
    return msgcn.predict(list(data.recordings))


# What a plain evaluation of these weights scored on the version 1 labels; they were presumably trained
# on those of version 2, and on all people but the three.
@needs_msgcn
@pytest.mark.parametrize(
    ("people", "n_recordings", "whose"),
    [
        pytest.param(None, 364, "everybody", id="everybody"),
        pytest.param({"02", "08", "13"}, 56, "people 2, 8, 13", id="the three held out"),
    ],
)
def test_msgcn_scores_what_was_measured(data, msgcn_answers, people, n_recordings, whose):
    places = [
        place for place, r in enumerate(data.recordings) if people is None or r.person in people
    ]
    assert len(places) == n_recordings
    scores = histvq.evaluate(
        [msgcn_answers[place] for place in places],
        [data.annotations[place] for place in places],
        matching=None,
    ).values
    expected = MEASURED["ms-gcn"][whose]
    assert {name: scores[name] for name in expected} == pytest.approx(expected, abs=0.05)


@needs_msgcn
def test_msgcn_confuses_the_frames_that_it_was_seen_to_confuse(data, msgcn_answers):
    # Walking, running, up, down, sitting, sitting down, standing up, standing, up and down by lift.
    measured = np.array([
        [303708, 2240, 3866, 3826, 0, 0, 0, 806, 0, 329],
        [633, 63489, 0, 0, 0, 0, 0, 0, 0, 0],
        [3001, 0, 128557, 0, 0, 0, 0, 46, 0, 0],
        [3183, 0, 1926, 111446, 0, 0, 0, 82, 0, 0],
        [0, 0, 0, 0, 74249, 2, 692, 0, 0, 0],
        [0, 0, 0, 0, 7908, 15181, 0, 1023, 0, 0],
        [0, 0, 0, 0, 2824, 0, 17700, 1849, 0, 0],
        [2613, 0, 3838, 3482, 0, 1531, 770, 182065, 20448, 16767],
        [0, 0, 0, 0, 0, 0, 0, 12422, 66564, 10158],
        [0, 0, 0, 0, 0, 0, 0, 7830, 816, 60116],
    ])  # fmt: skip
    scores = histvq.evaluate(msgcn_answers, data.annotations, matching=None)
    found = confusion(scores).to_numpy()
    np.testing.assert_array_equal(found.sum(axis=1), measured.sum(axis=1))
    np.testing.assert_allclose(found[:, :10], measured, rtol=0, atol=30)
    assert found[:, 10:].sum() <= 30


@needs_msgcn
@torch.no_grad()
def test_msgcn_agrees_stage_by_stage_with_the_formulas(data, msgcn):
    weights = torch.load(Path(MSGCN, "hugadb.model"), map_location="cpu", weights_only=True)
    recording = max(data.recordings, key=lambda recording: recording.n_frames)
    skeleton = torch.from_numpy(recording.skeleton).transpose(0, 1)
    logits = msgcn.network_(skeleton, torch.ones(skeleton.shape[:2], dtype=torch.bool))
    expected = logits_by_loop(weights, recording.skeleton[:, NETWORK_ORDER])
    assert len(expected) == 4
    assert len(np.unique(expected[-1].argmax(axis=1))) > 1
    np.testing.assert_allclose(logits, np.stack(expected), rtol=0, atol=1e-4)


@needs_msgcn
def test_msgcn_fails_on_joints_in_another_order_than_their_names_say(data, msgcn):
    pairs = [
        (replace(recording, skeleton=recording.skeleton[:, NETWORK_ORDER]), annotation)
        for recording, annotation in zip(data.recordings, data.annotations, strict=True)
        if recording.person == "02"
    ]
    with pytest.warns(DataWarning, match="joints are in another order than their names say"):
        answers = msgcn.predict([recording for recording, _ in pairs])
    scores = histvq.evaluate(answers, [annotation for _, annotation in pairs], matching=None)
    assert scores.mof < 25


@needs_msgcn
@pytest.mark.parametrize(
    ("name", "graph", "n_classes"),
    [
        ("hugadb", graph_named("hugadb-msgcn", JOINTS), 12),
        ("lara", GRAPHS["lara-msgcn"], 8),
        ("pku-mmd", GRAPHS["pku-mmd"], 52),
    ],
)
def test_msgcn_has_the_graph_we_say_it_has(name, graph, n_classes):
    model = histvq.import_checkpoint("ms-gcn", Path(MSGCN, f"{name}.model"))
    assert tuple(model.layout_["joint_names"]) == graph.joint_names
    assert len(model.actions_) == n_classes
    expected = adjacency(graph.edges, n_joints=len(graph.joint_names), centres=graph.centres)
    torch.testing.assert_close(model.network_.graph.adjacency, expected, rtol=0, atol=1e-6)
