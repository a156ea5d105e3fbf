"""Exported models run by onnxruntime, as somebody without this package would."""

from pathlib import Path

import numpy as np
import pytest


def session_of(model: Path | bytes):
    """A session on one thread; a skip where onnxruntime is missing."""
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    given = model if isinstance(model, bytes) else str(model)
    return runtime.InferenceSession(given, options, providers=["CPUExecutionProvider"])


def outputs_of(session, skeleton: np.ndarray) -> dict[str, np.ndarray]:
    """Every output by its name."""
    names = [output.name for output in session.get_outputs()]
    values = session.run(names, {"skeleton": skeleton.astype(np.float32)})
    return dict(zip(names, values, strict=True))


def assert_answers_alike(session, model, recording) -> int:
    """The outputs, frame by frame, are what `predict` says of a recording at the model's rate.

    Returns how many different actions there were.
    """
    answer = model.predict(recording)
    patch = np.arange(recording.n_frames) // model.patch_frames_
    found = outputs_of(session, recording.skeleton)
    assert found["actions"].shape == (patch[-1] + 1,)
    np.testing.assert_array_equal(found["actions"][patch], answer.actions)
    if answer.subactions is None:
        assert "subactions" not in found
    else:
        np.testing.assert_array_equal(found["subactions"][patch], answer.subactions)
    np.testing.assert_allclose(found["confidence"][patch], answer.confidence, atol=1e-5)
    return len(np.unique(answer.actions[answer.actions >= 0]))
