import warnings

import numpy as np
import pytest

from histvq.errors import ConfigError, DataWarning, FileFormatError, HistvqError
from histvq.methods.histvq import HiSTVQ
from histvq.models import load_model
from histvq.outcomes import OutOfMemoryError
from histvq.parallel import n_cores, predict_all, predict_each
from histvq.prepared import prepared
from histvq.recording import Recording
from oracles.mortal import Mortal
from oracles.own_method import Own

pytestmark = pytest.mark.usefixtures("one_thread")


def motion(name, n_frames, n_joints=3, unit="m"):
    rng = np.random.default_rng(n_frames)
    names = ("hip", "knee", "foot")[:n_joints]
    skeleton = rng.standard_normal((n_frames, n_joints, 3)).cumsum(axis=0)
    return Recording(id=name, skeleton=skeleton, fps=5, unit=unit, joint_names=names)


@pytest.fixture(scope="module")
def model():
    small = {"n_maps": 4, "n_latent": 4, "n_layers": 2, "temporal_hidden": 4, "epochs": 1}
    method = HiSTVQ(n_actions=3, random_state=0, min_steps=0, **small)
    return prepared(method, ["mirror=x"]).fit([motion("a", 100)])


def test_the_same_answers_and_warnings_in_the_same_order(model):
    recordings = [motion(f"r{n}", 10 + 17 * n, 2 if n == 3 else 3) for n in range(7)]
    said = []
    for jobs in (1, 2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataWarning)
            answers = predict_all(model, recordings, jobs=jobs)
        said.append((answers, [str(w.message) for w in caught if w.category is DataWarning]))
    (alone, told), (shared, told_too) = said
    assert told == told_too
    assert len(told) == 1
    assert "'r3' lacks joints" in told[0]
    for one, other, recording in zip(alone, shared, recordings, strict=True):
        assert one.recording_id == other.recording_id == recording.id
        np.testing.assert_array_equal(one.actions, other.actions)
        np.testing.assert_array_equal(one.subactions, other.subactions)
        np.testing.assert_array_equal(one.confidence, other.confidence)


def test_the_first_recording_that_fails_is_told_as_without(model):
    recordings = [motion("good", 20), motion("bad", 20, unit="px"), motion("worse", 20, unit="V")]
    for jobs in (1, 2):
        with pytest.raises(ConfigError, match="recording 'bad' does not fit the others"):
            predict_all(model, recordings, jobs=jobs)


def test_how_many(model):
    assert n_cores() >= 1
    assert predict_all(model, [], jobs=4) == []
    assert len(predict_all(model, [motion("a", 9)], jobs=0)) == 1  # no process for one recording
    with pytest.raises(ConfigError, match="jobs=-1"):
        predict_all(model, [motion("a", 9)], jobs=-1)


def test_a_folder_without_a_model_is_told_before_anything_is_begun(tmp_path):
    with pytest.raises(FileFormatError, match="not a saved model"):
        predict_each(tmp_path, [motion("a", 9), motion("b", 9)], jobs=2)


@pytest.mark.slow
def test_processes_that_are_killed_cost_no_answer_but_that_of_what_kills_the_last(tmp_path):
    model = Mortal(n_actions=2, random_state=0).fit([motion("a", 100), motion("b", 90)])
    names = ["c", f"once-{tmp_path / 'seen'}", "d", "e", "deadly", "f", "vast", "g"]
    recordings = [motion(name, 40 + 10 * n) for n, name in enumerate(names)]
    with pytest.warns(DataWarning) as warned:
        found = predict_each(model, recordings, jobs=2)
    assert {str(one.message).partition(": ")[0] for one in warned} == {
        f"recording {name!r}" for name in (names[1], "deadly")
    }
    assert all("(tried again at the end, alone)" in str(one.message) for one in warned)
    for name, recording, one in zip(names, recordings, found, strict=True):
        if name in ("deadly", "vast"):
            assert isinstance(one, OutOfMemoryError)
            assert f"recording {name!r}: " in str(one)
            assert ("stopped from outside" in str(one)) == (name == "deadly")
            continue
        plain = model.predict(motion("plain", recording.n_frames))
        assert one.recording_id == recording.id
        np.testing.assert_array_equal(one.actions, plain.actions)
        np.testing.assert_array_equal(one.confidence, plain.confidence)
    with (
        pytest.warns(DataWarning, match="'vast': its 100 frames .* again at the end, alone"),
        pytest.raises(OutOfMemoryError, match="'vast': its 100 frames"),
    ):
        predict_all(model, recordings[5:], jobs=2)


@pytest.mark.slow
def test_where_no_process_can_begin(monkeypatch):
    model = Mortal(n_actions=2, random_state=0).fit([motion("a", 100), motion("b", 90)])
    monkeypatch.setenv("NO_PROCESS_BEGINS", "1")
    with pytest.raises(HistvqError, match=r"no process can be begun .* use jobs=1"):
        predict_each(model, [motion("a", 50), motion("b", 50)], jobs=2)


def test_a_model_of_a_class_of_ones_own_is_loaded_where_that_is_named(tmp_path):
    recordings = [motion("a", 100), motion("b", 90)]
    model = Own(n_actions=2, random_state=0).fit(recordings)
    model.save(tmp_path)
    name = "oracles.own_method:Own"
    assert isinstance(load_model(tmp_path, method=name), Own)
    with pytest.raises(FileFormatError, match=r"known here: 'oracles\.own_method:Own'"):
        load_model(tmp_path)
    with pytest.raises(FileFormatError, match="no method that is known here"):
        load_model(tmp_path, method="oracles.own_method:Other")
    found = predict_each(tmp_path, recordings, jobs=2, method=name)
    for one, plain in zip(found, model.predict(recordings), strict=True):
        np.testing.assert_array_equal(one.actions, plain.actions)
