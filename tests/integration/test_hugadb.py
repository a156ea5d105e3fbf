"""The main job on real recordings."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from histvq.annotation import Annotation
from histvq.datasets import load_dataset
from histvq.evaluation import evaluate
from histvq.experiment import run
from histvq.models import make_method
from histvq.segments import Segmentation
from histvq.streaming import StreamingSegmenter
from oracles.spread import spread

pytestmark = pytest.mark.real_data


def test_a_dozen_recordings_from_files_to_report(hugadb_sample: Path, tmp_path: Path):
    with pytest.warns(match="line 26, column 25 acc_ls_x: 1306072"):
        data = load_dataset("hugadb", hugadb_sample)
    assert len(data.recordings) == 12
    method = make_method("histvq", preset="hugadb-fast", epochs=8, batch_size=2, random_state=0)
    done = run(
        data.recordings,
        method,
        tmp_path / "run",
        annotations=data.annotations,
        skipped=data.skipped,
    )
    for recording, answer in zip(data.recordings, done.answers, strict=True):
        assert answer.n_frames == recording.n_frames
        assert answer.actions.min() >= 0
    # One action for everything scores the share of the most frequent one.
    constant = [np.zeros(a.n_frames, int) for a in data.annotations]
    assert done.scores.mof > evaluate(constant, data.annotations).mof + 5
    assert done.files["report"].stat().st_size > 10_000


def test_chunks_and_streams_say_what_whole_recordings_encoded_at_once_say(hugadb_sample: Path):
    with pytest.warns(match="line 26, column 25 acc_ls_x: 1306072"):
        recordings = load_dataset("hugadb", hugadb_sample).recordings
    method = make_method("histvq", preset="hugadb-fast", epochs=1, n_maps=8, random_state=0)
    spread(method.fit(recordings[:4]), recordings[0])
    n_found = set()
    for recording in recordings:
        prepared = method._prepare(recording)
        batch = method._pack([(prepared, (0, prepared.n_frames))])
        with torch.no_grad():
            encoded = method.network_.encode(batch.skeleton, batch.real)
            distances = method.network_.quantiser.distances(encoded.patches, encoded.compared)
        plain = np.repeat(distances.argmin(dim=1).numpy(), 60)[: recording.n_frames]
        answer = method.predict(recording)
        np.testing.assert_array_equal(answer.subactions, plain)
        stream = StreamingSegmenter(method, fps=60)
        given = [*stream.push(recording.skeleton[:999]), *stream.push(recording.skeleton[999:])]
        given += stream.finish()
        frames = [a.stop_frame - a.start_frame for a in given]
        np.testing.assert_array_equal(np.repeat([a.action for a in given], frames), answer.actions)
        confidence = np.repeat(np.float32([a.confidence for a in given]), frames)
        np.testing.assert_array_equal(confidence, answer.confidence)
        n_found |= set(plain.tolist())
    assert len(n_found) > 5


@pytest.mark.filterwarnings("ignore:HuGaDB_v1_various_10_08:histvq.errors.DataWarning")
def test_clusters_of_windows_set_the_mark_on_the_whole_benchmark(shared_data: Path, tmp_path: Path):
    unpack = [sys.executable, shared_data / "hugadb" / "unpack.py", tmp_path]
    subprocess.run(unpack, check=True, stdout=subprocess.DEVNULL)
    data = load_dataset("hugadb", tmp_path)
    method = make_method("window-kmeans", preset="window-kmeans-hugadb", random_state=0)
    scores = evaluate(method.fit_predict(data.recordings), data.annotations)
    # Three seeds score MoF 62.6 (0.4), Edit 64.0 (1.5); no method of the paper comes near.
    assert scores.mof > 58
    assert scores.edit > 56


@pytest.mark.slow
def test_the_whole_benchmark_scored_against_itself_and_against_chance(
    shared_data: Path,
):
    truth = whole_truth(shared_data)
    assert len(truth) == 364
    assert sum(len(labels) for labels in truth) == 1_137_986
    rng = np.random.default_rng(0)
    answers = [np.repeat(rng.integers(0, 10, len(t) // 60 + 1), 60)[: len(t)] for t in truth]
    assert evaluate(answers, annotated(truth)).mof < 20
    perfect = [Segmentation(recording_id=str(i), fps=60, actions=t) for i, t in enumerate(truth)]
    scores = evaluate(perfect, annotated(truth))
    assert (scores.mof, scores.edit, scores.f1[50], scores.jsd) == pytest.approx((100, 100, 100, 0))


def whole_truth(shared_data: Path) -> list[np.ndarray]:
    """True labels of all recordings, from the compact copy the data come in."""
    place = shared_data / "hugadb" / "unpack.py"
    spec = importlib.util.spec_from_file_location("unpack", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [values[:, 38] - 1 for _, _, values in module.load()]


def annotated(truth: list[np.ndarray]):
    names = tuple(f"activity {k}" for k in range(1, 13))
    return [
        Annotation(recording_id=str(i), labels=labels, actions=names, fps=60)
        for i, labels in enumerate(truth)
    ]
