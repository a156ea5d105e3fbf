import json
from dataclasses import replace

import numpy as np
import pytest

import histvq
from histvq.annotation import Annotation
from histvq.errors import FileFormatError
from histvq.modelfile import TRANSFORMS as FILE
from histvq.prepared import Prepared, prepared, read_chain
from histvq.recording import Recording
from histvq.segmenter import Segmenter
from histvq.transforms import low_pass, resample, to_unit
from oracles.writers import window_kmeans

pytestmark = pytest.mark.usefixtures("one_thread")


def motion(id, *, fps=20, unit="m", n_frames=200):
    labels = np.repeat([0, 1, 0, 1], n_frames // 4)
    rng = np.random.default_rng(len(id))
    skeleton = (labels[:, None, None] + 0.05 * rng.normal(size=(n_frames, 2, 3))) * np.arange(1, 4)
    truth = Annotation(recording_id=id, labels=labels, actions=("a", "b"), fps=fps)
    return Recording(id=id, skeleton=skeleton, fps=fps, unit=unit, person=id), truth


PAIRS = [motion("x"), motion("yy")]
RECORDINGS, TRUTH = map(list, zip(*PAIRS, strict=True))
STEPS = ["unit=cm", "resample=10"]


def clusters():
    return histvq.make_method("window-kmeans", n_actions=2, random_state=0)


def test_it_is_the_method_on_transformed_recordings_labels_as_they_were():
    method = prepared(clusters(), STEPS)
    assert isinstance(method, Segmenter)
    answers = method.fit_predict(RECORDINGS)
    made = [resample(low_pass(to_unit(r, "cm"), 4.5), 10) for r in RECORDINGS]
    for answer, expected, recording in zip(
        answers, clusters().fit_predict(made), RECORDINGS, strict=True
    ):
        assert (answer.n_frames, answer.fps) == (recording.n_frames, recording.fps)
        np.testing.assert_array_equal(answer.actions[::2], expected.actions)
        np.testing.assert_array_equal(answer.actions[1::2], expected.actions)
        np.testing.assert_array_equal(answer.confidence[::2], expected.confidence)
        assert answer.subactions.shape == answer.actions.shape


def test_units_and_rates_that_differ_are_made_alike():
    metres, _ = motion("x")
    other, _ = motion("yy", fps=20)
    millimetres = replace(to_unit(other, "mm"), fps=40)
    method = prepared(clusters(), ["unit=m", "resample=10"]).fit([metres, millimetres])
    answers = method.predict([metres, millimetres])
    assert [a.fps for a in answers] == [20, 40]
    assert [a.n_frames for a in answers] == [200, 200]


def test_without_steps_it_is_the_method_itself():
    method = clusters()
    assert prepared(method, []) is method


def test_saved_and_loaded_the_transforms_come_along(tmp_path):
    method = prepared(clusters(), STEPS).fit(RECORDINGS)
    method.save(tmp_path / "m")
    loaded = histvq.load_model(tmp_path / "m")
    assert isinstance(loaded, Prepared)
    assert loaded.chain.steps == tuple(STEPS)
    for one, same in zip(method.predict(RECORDINGS), loaded.predict(RECORDINGS), strict=True):
        np.testing.assert_array_equal(one.actions, same.actions)
    assert loaded.predict(RECORDINGS[0]).recording_id == "x"
    assert loaded.n_actions == 2  # whatever else is asked, the method answers
    (tmp_path / "m" / FILE).write_text("{}")
    with pytest.raises(FileFormatError, match=r"transforms\.json: not a chain of transforms"):
        histvq.load_model(tmp_path / "m")


def test_labels_are_learned_in_step():
    method = prepared(
        histvq.make_method(
            "ms-tcn", n_maps=8, n_layers=3, n_stages=1, epochs=40, min_steps=0, validation=0,
            learning_rate=5e-3, random_state=0,
        ),
        STEPS,
    ).fit(RECORDINGS, [*TRUTH, None])  # fmt: skip
    answers = method.predict(RECORDINGS)
    assert histvq.evaluate(answers, TRUTH).mof > 95
    assert answers[0].names == {0: "a", 1: "b"}


def test_a_model_saved_without_transforms_loads_as_before(tmp_path):
    clusters().fit(RECORDINGS).save(tmp_path / "m")
    assert not isinstance(histvq.load_model(tmp_path / "m"), Prepared)
    assert "transforms" not in json.loads((tmp_path / "m" / "model.json").read_text())


def test_transforms_of_an_earlier_model_do_not_stay(tmp_path):
    """A model saved over one that stood behind transforms stands behind none."""
    prepared(window_kmeans(0), ["resample=5"]).save(tmp_path)
    assert read_chain(tmp_path).steps == ("resample=5",)
    window_kmeans(0).save(tmp_path)
    assert read_chain(tmp_path).steps == ()
