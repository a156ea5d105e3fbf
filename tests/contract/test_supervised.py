"""What every method that learns from labels keeps to."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import histvq.supervised
from histvq.annotation import Annotation
from histvq.errors import ConfigError, NotFittedError
from histvq.methods import METHODS
from histvq.recording import Recording
from histvq.registry import resolve
from histvq.supervised import SUPERVISED

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = {"epochs": 1, "min_steps": 150, "validation": 0.0, "learning_rate": 5e-3}
SMALL = {
    "ed-tcn": {"widths": (32, 16), "kernel_frames": 5, "batch_size": 2},
    "ms-gcn": {"n_maps": 8, "n_layers": 3, "n_stages": 2, "batch_size": 2},
    "ms-tcn": {"n_maps": 16, "n_layers": 3, "n_stages": 2, "dropout": 0.1},
    "single-stage-tcn": {"n_maps": 16, "n_layers": 3, "dropout": 0.1},
    "st-gcn": {"n_maps": 8, "n_layers": 3, "batch_size": 2},
}
VARIANTS = {
    "ms-tcn, no input norm": ("ms-tcn", {"input_norm": False}),
    "ms-gcn, relative": ("ms-gcn", {"features": "relative"}),
    "ms-gcn, uniform, balanced": ("ms-gcn", {"partition": "uniform", "class_weights": "balanced"}),
    "ed-tcn, kernel in seconds": ("ed-tcn", {"kernel_seconds": 0.4}),
    "st-gcn, in pieces": ("st-gcn", {"piece_seconds": 3.0, "smoothing_weight": 0.0}),
    "ms-tcn, another rate": ("ms-tcn", {"fps": 5.0}),
}
CASES = {**{name: (name, {}) for name in SUPERVISED}, **VARIANTS}
ACTIONS = ("sit", "stand", "bend")


def labelled(n_frames, *, id, seed, person=None):
    """Three joints of a chain that take the posture of an action for two seconds at a time."""
    rng = np.random.default_rng(seed)
    postures = np.random.default_rng(0).normal(size=(3, 3, 3))
    labels = np.repeat(rng.permutation(np.arange(-(-n_frames // 20)) % 3), 20)[:n_frames]
    skeleton = 300 * (postures[labels] + 0.1 * rng.normal(size=(n_frames, 3, 3))) + 1000
    recording = Recording(
        id=id, skeleton=skeleton, fps=10, parents=(-1, 0, 1), person=person, unit="mm"
    )
    return recording, Annotation(recording_id=id, labels=labels, actions=ACTIONS, fps=10)


PAIRS = [labelled(n, id=f"r{k}", seed=k) for k, n in enumerate((120, 120, 100, 87, 60, 41))]
RECORDINGS, ANNOTATIONS = map(list, zip(*PAIRS, strict=True))


@pytest.fixture(params=CASES, scope="module")
def method(request):
    name, settings = CASES[request.param]
    kind = resolve(name, SUPERVISED, kind="method")
    return kind(random_state=0, **{**QUICK, **SMALL[name], **settings})


@pytest.fixture(scope="module")
def fitted(method):
    return clone(method).fit(RECORDINGS, ANNOTATIONS)


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        assert a.recording_id == b.recording_id
        np.testing.assert_array_equal(a.actions, b.actions)
        np.testing.assert_array_equal(a.confidence, b.confidence)
        assert a.names == b.names


def share_right(answers, annotations):
    right = [a.actions == t.labels for a, t in zip(answers, annotations, strict=True)]
    return np.concatenate(right).mean()


def test_it_learns_what_it_is_told(fitted):
    new = [labelled(n, id=f"new{n}", seed=n) for n in (90, 133)]
    answers = fitted.predict([recording for recording, _ in new])
    assert share_right(answers, [annotation for _, annotation in new]) > 0.7


def test_every_frame_has_a_name_and_a_probability(fitted):
    for recording, answer in zip(RECORDINGS, fitted.predict(RECORDINGS), strict=True):
        assert (answer.recording_id, answer.fps) == (recording.id, recording.fps)
        assert answer.actions.shape == answer.confidence.shape == (recording.n_frames,)
        assert set(answer.actions.tolist()) <= {0, 1, 2}
        assert ((answer.confidence >= 1 / 3 - 1e-6) & (answer.confidence <= 1)).all()
        assert answer.names == dict(enumerate(ACTIONS))
        assert set(answer.segments()["name"]) <= set(ACTIONS)


def test_alone_or_with_others_the_answer_is_the_same(fitted):
    assert_same([fitted.predict(r) for r in RECORDINGS], fitted.predict(RECORDINGS))


def test_a_long_recording_is_answered_in_pieces_as_it_would_be_whole(fitted, monkeypatch):
    long, _ = labelled(1003, id="long", seed=7)
    whole = fitted.predict(long)
    monkeypatch.setattr("histvq.supervised.learning.PIECE_FRAMES", 256)
    pieces = fitted.predict(long)
    np.testing.assert_array_equal(pieces.actions, whole.actions)
    np.testing.assert_allclose(pieces.confidence, whole.confidence, atol=1e-5)


def test_the_same_seed_the_same_answers(method, fitted):
    again = clone(method).fit(RECORDINGS, ANNOTATIONS)
    assert_same(again.predict(RECORDINGS), fitted.predict(RECORDINGS))


def test_fit_returns_the_method_itself_and_leaves_the_data_alone(method):
    copy = clone(method)
    kept = [recording.skeleton.copy() for recording in RECORDINGS]
    assert copy.fit(RECORDINGS, ANNOTATIONS) is copy
    for recording, before in zip(RECORDINGS, kept, strict=True):
        np.testing.assert_array_equal(recording.skeleton, before)


def test_saved_and_loaded_it_answers_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = histvq.load_model(tmp_path / "model")
    assert type(loaded) is type(fitted)
    assert loaded.get_params() == fitted.get_params()
    assert loaded.held_out_ == fitted.held_out_
    assert_same(loaded.predict(RECORDINGS), fitted.predict(RECORDINGS))


def test_before_fitting_there_is_no_answer(method, tmp_path):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        clone(method).predict(RECORDINGS)
    with pytest.raises(NotFittedError):
        clone(method).save(tmp_path / "model")


def test_a_misspelt_setting(method):
    with pytest.raises(ConfigError, match="no parameter 'epoch'; did you mean 'epochs'"):
        type(method)(epoch=3)


def test_lengths_down_to_a_single_frame(fitted):
    short = [labelled(n, id=f"short{n}", seed=n)[0] for n in (1, 2, 3, 5)]
    for recording, answer in zip(short, fitted.predict(short), strict=True):
        assert answer.actions.shape == (recording.n_frames,)
        assert (answer.actions >= 0).all()


def test_another_frame_rate(fitted):
    there = replace(RECORDINGS[0], id="fast", fps=30, skeleton=RECORDINGS[0].skeleton.repeat(3, 0))
    assert fitted.predict(there).actions.shape == (there.n_frames,)


def test_a_joint_nobody_measured_gaps_and_an_empty_recording(method):
    gappy = []
    for recording in RECORDINGS:
        skeleton = recording.skeleton.copy()
        skeleton[:, 2] = np.nan
        skeleton[10:12] = np.nan
        gappy.append(replace(recording, skeleton=skeleton))
    gappy[1] = replace(gappy[1], skeleton=np.full_like(gappy[1].skeleton, np.nan))
    model = clone(method).fit(gappy, ANNOTATIONS)
    for place, answer in enumerate(model.predict(gappy)):
        if place == 1:
            assert (answer.actions == -1).all()
            assert (answer.confidence == 0).all()
        else:
            assert (answer.actions[14:] >= 0).all()
            assert np.isfinite(answer.confidence).all()


def test_nothing_measured_anywhere(method):
    empty = [replace(r, skeleton=np.full_like(r.skeleton, np.nan)) for r in RECORDINGS]
    with pytest.raises(ConfigError, match="every value of every recording is missing"):
        clone(method).fit(empty, ANNOTATIONS)


def test_frames_nobody_labelled_teach_nothing(method):
    """What stands in them may be anything: the network never hears of it."""
    half = [
        replace(a, labels=np.where(np.arange(a.n_frames) < 60, a.labels, -1)) for a in ANNOTATIONS
    ]
    fewer = clone(method).set_params(smoothing_weight=0.0, validation=0.0).fit(RECORDINGS, half)
    other = [replace(a, actions=(*ACTIONS, "fly")) for a in half]
    same = clone(fewer).fit(RECORDINGS, other)
    assert same.actions_ == ACTIONS
    assert_same(same.predict(RECORDINGS), fewer.predict(RECORDINGS))


def test_the_table_can_be_read_without_torch():
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from histvq.supervised import SUPERVISED\nimport histvq.supervised.graphs"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_no_method_is_left_out_of_the_table_and_none_is_unsupervised():
    folder = Path(histvq.supervised.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    named = {line.split('"')[1] for line in text.splitlines() if "method_name = " in line}
    assert named == set(SUPERVISED)
    assert not named & set(METHODS)
    for name, target in SUPERVISED.items():
        assert resolve(name, SUPERVISED, kind="method").method_name == name, target
