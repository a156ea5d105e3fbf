"""Models learned from real recordings answer alike in onnxruntime."""

import lzma
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from histvq.datasets import load_dataset
from histvq.io import read_many
from histvq.models import make_method
from histvq.onnx_model import export_onnx
from histvq.transforms import resample
from oracles.onnx_runs import assert_answers_alike, session_of

pytest.importorskip("onnx")
pytestmark = [pytest.mark.real_data, pytest.mark.usefixtures("one_thread")]


@pytest.mark.filterwarnings("ignore:HuGaDB_v1_various_10_08:histvq.errors.DataWarning")
def test_inertial_sensors(hugadb_sample: Path, tmp_path: Path):
    recordings = load_dataset("hugadb", hugadb_sample).recordings
    method = make_method("histvq", preset="hugadb-fast", epochs=2, batch_size=2, random_state=0)
    at_rate = [resample(recording, method.fps) for recording in recordings]
    model = method.fit(recordings)
    session = session_of(export_onnx(model, tmp_path / "model.onnx"))
    assert max(assert_answers_alike(session, model, each) for each in at_rate) > 1


def test_positions_of_a_body_without_its_root(shared_data: Path, tmp_path: Path):
    for file in (shared_data / "cmu_exercises").iterdir():
        if file.suffix == ".xz":
            (tmp_path / file.stem).write_bytes(lzma.decompress(file.read_bytes()))
        elif file.suffix == ".asf":
            shutil.copy(file, tmp_path)
    recordings = [resample(r, 12) for r in read_many([tmp_path], fps=120).recordings]
    model = make_method(
        "histvq", n_actions=4, epochs=2, min_steps=0, keep="last", random_state=0
    ).fit(recordings)
    session = session_of(export_onnx(model, tmp_path / "model.onnx", roots=["root"]))
    assert max(assert_answers_alike(session, model, each) for each in recordings) > 1
    skeleton = recordings[0].skeleton.copy()
    skeleton[30:90, recordings[0].joint_names.index("root")] = float("nan")
    skeleton[200:230] = float("nan")
    assert_answers_alike(session, model, replace(recordings[0], skeleton=skeleton))
