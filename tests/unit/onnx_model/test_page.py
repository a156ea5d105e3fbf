"""The code on the page, run as it stands there."""

import re
from pathlib import Path

import numpy as np
import pytest

from histvq.methods.histvq import HiSTVQ
from histvq.onnx_model import export_onnx
from histvq.recording import Recording
from histvq.report.naming import Named, Names

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.usefixtures("one_thread")

PAGE = Path(__file__).resolve().parents[3] / "docs" / "onnx.md"


def test_labels_of_frames_then_of_a_recording_in_pieces(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    motion = rng.normal(size=(190, 3, 2)).repeat(10, axis=0)[:1897] + rng.normal(size=(1897, 3, 2))
    recording = Recording(id="walk", skeleton=motion, fps=10)
    model = HiSTVQ(
        n_actions=4,
        patch_seconds=0.5,
        n_maps=8,
        n_latent=4,
        n_layers=4,
        min_steps=40,
        random_state=0,
    ).fit([recording])
    monkeypatch.chdir(tmp_path)
    export_onnx(model, "model.onnx", names=Names({0: Named("rest"), 1: Named(colour="#000000")}))
    np.save("walk.npy", motion)
    first, pieces = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    there: dict = {}
    exec(first, there)
    answer = model.predict(recording)
    assert {0, 1} <= set(answer.actions.tolist())
    np.testing.assert_array_equal(there["labels"], answer.actions)
    assert {"rest", "action 1"} <= set(there["names"])
    whole = there["actions"]
    exec(pieces, there)
    np.testing.assert_array_equal(there["actions"], whole)
