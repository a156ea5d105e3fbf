import warnings

import numpy as np
import pytest

from histvq.errors import ConfigError, DataWarning, HistvqError, NotFittedError
from histvq.outcomes import OutOfMemoryError, outcomes
from histvq.recording import Recording
from histvq.segments import Segmentation

FAULTS = {
    "unfit": ConfigError("other joints"),
    "vast": MemoryError(),
    "array": np._core._exceptions._ArrayMemoryError((10**9, 10**9), np.dtype("f4")),
    "torch": RuntimeError("[enforce fail at alloc_cpu.cpp:118] . can't allocate memory"),
    "cuda": RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "bug": ZeroDivisionError("float division by zero"),
}  # fmt: skip


class Failing:
    """Warns of each recording, and fails at those with a fault's name."""

    def __init__(self):
        self.asked = []

    def predict(self, recordings):
        if isinstance(recordings, Recording):
            return self.predict([recordings])[0]
        return [self._one(recording) for recording in recordings]

    def _one(self, recording):
        self.asked.append(recording.id)
        warnings.warn(recording.id, DataWarning, stacklevel=2)
        if recording.id in FAULTS:
            raise FAULTS[recording.id]
        actions = np.full(recording.n_frames, recording.n_frames % 7, np.int32)
        return Segmentation(recording_id=recording.id, fps=1, actions=actions)


def made(*ids):
    return [Recording(id=id, skeleton=np.zeros((n + 1, 1, 2)), fps=1) for n, id in enumerate(ids)]


def all_of(model, recordings):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        return list(outcomes(model, recordings)), [str(w.message) for w in caught]


def test_each_that_fails_costs_only_itself():
    names = ["a", "unfit", "b", "vast", "array", "torch", "c", "cuda", "bug", "d"]
    found, warned = all_of(Failing(), made(*names))
    assert [words for words in warned if not words.startswith("memory ran out on")] == names
    for n, (name, one) in enumerate(zip(names, found, strict=True)):
        if name not in FAULTS:
            assert (one.recording_id, len(one.actions)) == (name, n + 1)
    errors = {name: one for name, one in zip(names, found, strict=True) if name in FAULTS}
    assert all(isinstance(error, HistvqError) for error in errors.values())
    assert errors["unfit"] is FAULTS["unfit"]
    for name in ("vast", "array", "torch", "cuda"):
        assert isinstance(errors[name], OutOfMemoryError)
        assert f"recording {name!r}: its" in str(errors[name])
    assert "by a fault of the program (ZeroDivisionError: float division by zero)" in str(
        errors["bug"]
    )


def test_where_memory_runs_out_half_as_many_are_tried_and_it_is_said():
    names = ["a", "b", "c", "vast"]
    found, warned = all_of(Failing(), made(*names))
    assert [isinstance(one, Segmentation) for one in found] == [True, True, True, False]
    said = "memory ran out on {} recordings at once; half as many at a time from here on"
    assert warned == [said.format(4), "a", "b", said.format(2), "c", "vast"]


def test_those_that_succeed_together_are_asked_once():
    names = [f"r{n}" for n in range(256)]
    names[170] = "unfit"
    model = Failing()
    _, warned = all_of(model, made(*names))
    assert warned == names
    assert model.asked[:128] == names[:128]
    assert {name: model.asked.count(name) for name in names[192:]} == dict.fromkeys(names[192:], 1)
    assert max(map(model.asked.count, names)) <= 8  # 128 halved down to 1


def test_a_method_that_is_not_fitted_is_nobodys_fault_alone(monkeypatch):
    monkeypatch.setitem(FAULTS, "a", NotFittedError("fit first"))
    with pytest.raises(NotFittedError):
        all_of(Failing(), made("a"))
