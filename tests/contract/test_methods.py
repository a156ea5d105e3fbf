"""What every method in the table keeps to."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import histvq.methods
from histvq.choosing import Choice
from histvq.errors import ConfigError, NotFittedError
from histvq.methods import METHODS
from histvq.recording import Recording
from histvq.registry import resolve
from histvq.segmenter import Segmenter

pytestmark = pytest.mark.usefixtures("one_thread")

# Settings that make a method quick; whoever has none is quick as it is.
QUICK = {
    "histvq": {"n_maps": 4, "n_latent": 4, "temporal_hidden": 8, "epochs": 2, "min_steps": 0},
    "smq": {"n_maps": 4, "n_latent": 4, "epochs": 2, "min_steps": 0},
    "cte": {"epochs": 2, "min_steps": 0},
    "tot": {"steps": 6, "sample_frames": 64},
    "asot": {"epochs": 2, "min_steps": 0, "sample_frames": 64},
    "hvq": {"n_maps": 4, "n_layers": 2, "epochs": 2, "min_steps": 0},
}
# What is to be held beside every method as it comes: other ways to an answer.
VARIANTS = {
    "cte, transcript": ("cte", {"decoder": "transcript"}),
    "cte, markov": ("cte", {"decoder": "markov", "kmeans": "full", "embed_activation": "sigmoid"}),
    "tot, transcript": ("tot", {"decoder": "transcript", "temporal_prior": False}),
    "tot, transcript_skip": ("tot", {"decoder": "transcript_skip", "coherence": False}),
    "asot, fixed": ("asot", {"marginals": "fixed", "kmeans_init": False}),
    "hvq, none": ("hvq", {"decoder": "none", "kmeans_init": False}),
    "hvq, counts": ("hvq", {"decoder": "counts", "shuffle": True}),
    "hvq, transcript": ("hvq", {"decoder": "transcript", "input_scale": "dataset"}),
    "window-kmeans, one level": ("window-kmeans", {"alpha": 1, "own_mean": "recording"}),
}
BEST = {
    "input": "statistics",
    "patch_seconds": "auto",
    "shortcut": True,
    "start": "clusters",
    "n_starts": 4,
    "parents": "kept",
    "stay": "auto",
    "confidence": "rank",
}
VARIANTS |= {
    "histvq, best": ("histvq", BEST),
    "histvq, statistics patch by patch": ("histvq", {**BEST, "stay": 0.0, "parents": "quantised"}),
    "histvq, motion from clusters": (
        "histvq",
        {"start": "clusters", "shortcut": True, "parents": "kept", "stay": 0.5},
    ),
}
CASES = {**{name: (name, {}) for name in METHODS}, **VARIANTS}
N_ACTIONS = 3


def wandering(n_frames, *, id, seed):
    """Three joints that stand in one of four postures for two seconds at a time."""
    rng = np.random.default_rng(seed)
    postures = np.random.default_rng(0).normal(size=(4, 3, 3))
    at = np.repeat(rng.integers(0, 4, size=-(-n_frames // 20)), 20)[:n_frames]
    skeleton = postures[at] + 0.1 * rng.normal(size=(n_frames, 3, 3))
    return Recording(id=id, skeleton=skeleton, fps=10)


# The last ones: no whole number of seconds, exactly one, and less than one.
RECORDINGS = [wandering(n, id=f"r{k}", seed=k) for k, n in enumerate((120, 120, 100, 87, 10, 4))]


@pytest.fixture(params=CASES, scope="module")
def method(request):
    name, settings = CASES[request.param]
    kind = resolve(name, METHODS, kind="method")
    return kind(n_actions=N_ACTIONS, random_state=0, **QUICK.get(name, {}), **settings)


@pytest.fixture(scope="module")
def fitted(method):
    return clone(method).fit(RECORDINGS)


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        assert a.recording_id == b.recording_id
        np.testing.assert_array_equal(a.actions, b.actions)
        np.testing.assert_array_equal(a.labels("subaction"), b.labels("subaction"))
        np.testing.assert_array_equal(a.confidence, b.confidence)


def assert_fit_to_use(answers, recordings, *, n_actions=N_ACTIONS):
    for recording, answer in zip(recordings, answers, strict=True):
        assert answer.actions.shape == (recording.n_frames,)
        assert set(answer.actions.tolist()) <= set(range(n_actions))
        if answer.subactions is not None:
            assert answer.subactions.shape == answer.actions.shape
            assert (answer.subactions >= 0).all()
        if answer.confidence is not None:
            assert answer.confidence.shape == answer.actions.shape
            assert ((answer.confidence >= 0) & (answer.confidence <= 1)).all()


def test_it_is_a_segmenter(method):
    assert isinstance(method, Segmenter)


def test_one_known_action_for_every_frame(fitted):
    answers = fitted.predict(RECORDINGS)
    assert_fit_to_use(answers, RECORDINGS)
    for recording, answer in zip(RECORDINGS, answers, strict=True):
        assert (answer.recording_id, answer.fps) == (recording.id, recording.fps)
        assert np.issubdtype(answer.actions.dtype, np.integer)


def test_one_recording_gives_one_answer_and_several_a_list(fitted):
    answers = fitted.predict(RECORDINGS)
    assert isinstance(answers, list)
    assert_same([fitted.predict(recording) for recording in RECORDINGS], answers)


def test_fit_predict_is_fit_then_predict(method, fitted):
    assert_same(clone(method).fit_predict(RECORDINGS), fitted.predict(RECORDINGS))


def test_fit_returns_the_method_itself(method):
    copy = clone(method)
    assert copy.fit(RECORDINGS) is copy


def test_it_can_be_cloned(method, fitted):
    copy = clone(fitted)
    assert copy is not fitted
    assert type(copy) is type(method)
    assert copy.get_params() == method.get_params()


def test_saved_and_loaded_it_answers_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = type(fitted).load(tmp_path / "model")
    assert loaded.get_params() == fitted.get_params()
    assert_same(loaded.predict(RECORDINGS), fitted.predict(RECORDINGS))


def test_auto_is_the_number_that_is_suggested(method, fitted, tmp_path, monkeypatch):
    def suggest(recordings, **settings):
        assert recordings is RECORDINGS
        return Choice(N_ACTIONS, (), (), "people")

    monkeypatch.setattr("histvq.saving.choose_k", suggest)
    auto = clone(method).set_params(n_actions="auto")
    assert auto.config.n_actions == "auto"
    assert_same(auto.fit(RECORDINGS).predict(RECORDINGS), fitted.predict(RECORDINGS))
    assert (auto.n_actions, auto.n_actions_) == ("auto", N_ACTIONS)
    assert clone(auto).get_params() == auto.get_params()
    auto.save(tmp_path / "model")
    loaded = type(auto).load(tmp_path / "model")
    assert (loaded.n_actions, loaded.n_actions_) == ("auto", N_ACTIONS)
    assert_same(loaded.predict(RECORDINGS), fitted.predict(RECORDINGS))


def test_before_fitting_there_is_no_answer(method, tmp_path):
    with pytest.raises(NotFittedError, match=r"not fitted yet: call fit\(recordings\)"):
        clone(method).predict(RECORDINGS)
    with pytest.raises(NotFittedError):
        clone(method).save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_nothing_to_learn_from(method):
    with pytest.raises(ConfigError, match="no recordings"):
        clone(method).fit([])


def test_a_misspelt_setting(method):
    with pytest.raises(ConfigError, match="no parameter 'n_action'; did you mean 'n_actions'"):
        type(method)(n_actions=3, n_action=3)
    with pytest.raises(ConfigError, match="n_actions=0"):
        clone(method).set_params(n_actions=0)


def test_recordings_are_left_alone(method):
    kept = [recording.skeleton.copy() for recording in RECORDINGS]
    clone(method).fit_predict(RECORDINGS)
    for recording, before in zip(RECORDINGS, kept, strict=True):
        np.testing.assert_array_equal(recording.skeleton, before)


def test_fewer_frames_than_actions(fitted):
    short = [wandering(n, id=f"short{n}", seed=n) for n in (1, 2)]
    assert_fit_to_use(fitted.predict(short), short)


def test_no_frames_at_all(fitted):
    with pytest.raises(ConfigError, match="recording 'none' has no frames; leave it out"):
        fitted.predict(Recording(id="none", skeleton=np.zeros((0, 3, 3)), fps=10))


def test_one_recording_is_enough(method):
    only = [wandering(200, id="only", seed=0)]
    assert_fit_to_use(clone(method).fit_predict(only), only)


def test_recordings_of_very_different_length(method):
    uneven = [wandering(n, id=f"of{n}", seed=n) for n in (3, 1500, 40)]
    assert_fit_to_use(clone(method).fit_predict(uneven), uneven)


def test_another_frame_rate(fitted):
    there = Recording(id="fast", skeleton=np.repeat(RECORDINGS[0].skeleton, 3, axis=0), fps=30)
    assert_fit_to_use([fitted.predict(there)], [there])


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_nothing_ever_moves(method):
    still = [Recording(id=f"s{n}", skeleton=np.full((n, 3, 3), 7.0), fps=10) for n in (60, 90)]
    answers = clone(method).fit_predict(still)
    assert_fit_to_use(answers, still)
    # ASOT's prior cuts even what is all the same into an order; HVQ's convolutions reach so far over the
    # ends of a recording that hardly two of its frames are the same to them.
    if method.method_name not in ("asot", "hvq"):
        assert len({int(action) for answer in answers for action in answer.actions}) == 1


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_fewer_different_frames_than_actions(method):
    postures = np.random.default_rng(0).normal(size=(2, 3, 3))
    two = [Recording(id="two", skeleton=postures[np.arange(120) // 30 % 2], fps=10)]
    many = clone(method).set_params(n_actions=6)
    assert_fit_to_use(many.fit_predict(two), two, n_actions=6)


def test_fewer_frames_than_codes_is_said(method):
    with pytest.raises(ConfigError, match=r"for \d+ codes: give more recordings"):
        clone(method).set_params(n_actions=50).fit([wandering(30, id="r", seed=0)])


def test_a_joint_nobody_measured_and_gaps(method):
    gappy = []
    for number in range(3):
        whole = wandering(120, id=f"g{number}", seed=number)
        skeleton = whole.skeleton.copy()
        skeleton[:, 1] = np.nan
        skeleton[10:12] = np.nan
        gappy.append(Recording(id=whole.id, skeleton=skeleton, fps=10))
    for answer in clone(method).fit_predict(gappy):
        assert ((answer.actions >= -1) & (answer.actions < N_ACTIONS)).all()
        assert (answer.actions[20:] >= 0).all()


def test_nothing_measured_anywhere(method):
    empty = [Recording(id="empty", skeleton=np.full((250, 3, 3), np.nan), fps=10)]
    with pytest.raises(ConfigError, match="every value of every recording is missing"):
        clone(method).fit(empty)


def test_a_recording_without_any_value(method):
    empty = Recording(id="empty", skeleton=np.full((25, 3, 3), np.nan), fps=10)
    answers = clone(method).fit_predict([*RECORDINGS, empty])
    assert (answers[-1].actions == -1).all()
    assert_fit_to_use(answers[:-1], RECORDINGS)


def test_the_table_can_be_read_without_torch():
    script = "import sys; sys.modules['torch'] = None; from histvq.methods import METHODS"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_no_method_is_left_out_of_the_table():
    folder = Path(histvq.methods.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    listed = {target.partition(":")[0].rpartition(".")[2] for target in METHODS.values()}
    assert files == listed
