"""HiST-VQ with the settings of preset `best`: statistics in, a start on clusters, answers that last."""

import json
import tomllib
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.metrics import adjusted_rand_score

from histvq.choosing import Choice
from histvq.coding import patch_codes
from histvq.errors import ConfigError, FileFormatError
from histvq.methods.histvq import HiSTVQ, HiSTVQConfig
from histvq.modelfile import DESCRIPTION, TENSORS
from histvq.onnx_model import export_onnx
from histvq.recording import Recording
from histvq.streaming import StreamingSegmenter
from histvq.windowing import Windows

pytestmark = pytest.mark.usefixtures("one_thread")

BEST = tomllib.loads((resources.files("histvq.presets") / "best.toml").read_text())["method"]
BEST = {name: value for name, value in BEST.items() if name != "name"}
SMALL = {"n_maps": 4, "n_latent": 4, "n_layers": 2, "temporal_hidden": 4, "n_starts": 4}
CHANNELS = {
    "positions": ("x", "y", "z"),
    "inertial": ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"),
}
NOISE = {"positions": 0.05, "inertial": 0.3}
# What preset `best` sets that models saved before it know nothing of.
NEW = (
    "input", "window_seconds", "own_mean", "shortcut", "start", "n_starts", "parents", "stay",
    "confidence",
)  # fmt: skip
both = pytest.mark.parametrize("kind", CHANNELS)


def best(**settings):
    given = {"n_actions": 3, "random_state": 0, "epochs": 1}
    given |= {"patch_seconds": 0.5, "window_seconds": 1.0}
    return HiSTVQ(**{**BEST, **SMALL, **given, **settings})


def moving(kind, n_frames=480, *, seed=0, fps=20, person=None, gap=None):
    """Three ways to move, each in a posture and as wide as no other, for eight seconds at a time."""
    rng = np.random.default_rng(seed)
    channels = CHANNELS[kind]
    postures = np.random.default_rng(7).normal(size=(3, 2, len(channels)))
    n_stretches = -(-n_frames // (8 * fps))
    truth = np.repeat(rng.permutation(np.arange(n_stretches) % 3), 8 * fps)[:n_frames]
    swing = np.array([0.2, 0.5, 1.2])[truth] * np.sin(2 * np.pi * 3 * np.arange(n_frames) / fps)
    skeleton = postures[truth] + swing[:, None, None]
    skeleton += NOISE[kind] * rng.normal(size=(n_frames, 2, len(channels)))
    if gap is not None:
        skeleton[slice(*gap)] = np.nan
    made = Recording(
        id=f"r{seed}", skeleton=skeleton, fps=fps, channel_names=channels, person=person
    )
    return made, truth


def several(kind):
    """Of two people and nobody in particular, at two rates; one has a gap, one is less than a patch."""
    made = [
        moving(kind, seed=1, person="ada"),
        moving(kind, seed=2, person="ben"),
        moving(kind, 960, seed=3, person="ada", fps=40),
        moving(kind, seed=4, gap=(100, 200)),
        moving(kind, 7, seed=5, person="ben"),
    ]
    return [recording for recording, _ in made], [truth for _, truth in made]


@pytest.fixture(params=CHANNELS, scope="module")
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def recordings(kind):
    return several(kind)[0]


@pytest.fixture(scope="module")
def fitted(recordings):
    return best().fit(recordings)


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        assert a.recording_id == b.recording_id
        for name in ("actions", "subactions", "confidence"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def tensors_of(model, place):
    model.save(place)
    return load_file(place / TENSORS)


# What it finds


def test_motions_that_last_are_found(kind, recordings, fitted):
    truth = np.concatenate(several(kind)[1])
    found = np.concatenate([answer.actions for answer in fitted.predict(recordings)])
    assert set(found.tolist()) == {-1, 0, 1, 2}
    known = found >= 0
    assert adjusted_rand_score(truth[known], found[known]) > 0.8


def test_every_frame_has_an_answer_but_those_of_a_gap(recordings, fitted):
    answers = fitted.predict(recordings)
    for recording, answer in zip(recordings, answers, strict=True):
        assert len(answer.actions) == recording.n_frames
        known = answer.actions >= 0
        measured = ~np.isnan(recording.skeleton).all(axis=(1, 2))
        assert (known | ~measured).all()
        assert ((answer.confidence >= 0) & (answer.confidence <= 1)).all()
        assert (answer.subactions >= 0).tolist() == known.tolist()
        assert (answer.confidence[~known] == 0).all()
    unknown = answers[3].actions == -1  # windows of the patches beside the gap reach out of it
    assert unknown[130:170].all()
    assert not unknown[:90].any()
    assert not unknown[210:].any()


def test_every_subaction_has_the_action_it_started_with(fitted, recordings):
    parents = fitted.network_.quantiser.actions().numpy()
    assert np.bincount(parents).tolist() == [4, 4, 4]
    for answer in fitted.predict(recordings):
        known = answer.actions >= 0
        np.testing.assert_array_equal(parents[answer.subactions[known]], answer.actions[known])


def assert_frames_have_the_answers_of_their_patches(model, recording):
    windows = Windows.of(
        recording.n_frames,
        fps=recording.fps,
        patch_seconds=model.front_end_.patch_seconds,
        window_seconds=model.front_end_.window_seconds,
    )
    coder = model._coder(model.network_)
    [codes] = patch_codes([model.front_end_(recording)], coder, decision=model.decision_)
    assert len(codes) == windows.n_patches
    answer = model.predict(recording)
    for name in ("actions", "subactions", "confidence"):
        np.testing.assert_array_equal(getattr(answer, name), getattr(codes, name)[windows.patches])
    return set(answer.actions.tolist())


def test_frames_have_the_answer_of_the_patch_they_lie_in(kind, fitted):
    whole, _ = moving(kind, 960, seed=9)
    for n_frames, fps, step in ((1, 20, 1), (7, 20, 1), (960, 23.98, 1), (480, 9.7, 2)):
        recording = replace(whole, fps=fps, skeleton=whole.skeleton[::step][:n_frames])
        found = assert_frames_have_the_answers_of_their_patches(fitted, recording)
        assert len(found) > 1 or n_frames < 10


def test_with_less_than_a_frame_a_patch_each_frame_is_one(kind):
    slow = [replace(r, fps=1.0, skeleton=r.skeleton[::20]) for r in several(kind)[0]]
    model = best().fit(slow)
    found = [assert_frames_have_the_answers_of_their_patches(model, r) for r in slow]
    assert set.union(*found) >= {0, 1, 2}


def test_a_recording_of_nothing_and_one_of_somebody_new(kind, fitted):
    new, truth = moving(kind, 640, seed=11, person="eve")
    nothing = replace(new, id="nothing", skeleton=np.full_like(new.skeleton, np.nan))
    answer, empty = fitted.predict([new, nothing])
    assert (empty.actions == -1).all()
    assert adjusted_rand_score(truth, answer.actions) > 0.6
    unnamed = fitted.predict(replace(new, person=None))
    assert unnamed.actions.shape == answer.actions.shape


def test_an_answer_depends_on_its_recording_alone(fitted, recordings):
    assert_same([fitted.predict(recording) for recording in recordings], fitted.predict(recordings))


def test_at_a_higher_price_there_are_fewer_changes(recordings):
    def changes(stay):
        answers = best(stay=stay).fit_predict(recordings)
        return sum((np.diff(answer.actions) != 0).sum() for answer in answers)

    assert changes(50.0) < changes(0.0)


def test_where_a_person_stands_does_not_matter_once_centred():
    rooted = [replace(recording, parents=(-1, 0)) for recording in several("positions")[0]]
    model = best().fit(rooted)
    assert model.centred_
    for recording in rooted:
        there = replace(recording, skeleton=recording.skeleton + np.float32(16))
        here, moved = model.predict([recording, replace(there, id="there")])
        assert (here.actions == moved.actions).mean() > 0.99


# Same in, same out


def test_same_seed_same_labels_and_another_after_a_refit(fitted, recordings):
    answers = fitted.predict(recordings)
    again = best()
    assert_same(again.fit_predict(recordings), answers)
    assert_same(again.fit_predict(recordings), answers)


def test_saved_and_loaded_it_is_the_same_to_the_last_bit(fitted, recordings, tmp_path):
    before = tensors_of(fitted, tmp_path / "one")
    loaded = HiSTVQ.load(tmp_path / "one")
    assert loaded.get_params() == fitted.get_params()
    assert_same(loaded.predict(recordings), fitted.predict(recordings))
    after = tensors_of(loaded, tmp_path / "two")
    assert before.keys() == after.keys()
    assert all(before[name].tobytes() == after[name].tobytes() for name in before)
    texts = [(tmp_path / name / DESCRIPTION).read_text() for name in ("one", "two")]
    assert texts[0] == texts[1]


MOTION = {
    "input": "motion", "stay": 0.0, "confidence": "margin", "start": "random",
    "parents": "quantised", "shortcut": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, MOTION),
        (MOTION, {}),
        ({"n_levels": 3, "patch_seconds": 1.0}, {"alpha": 2}),
        ({"stay": 2.0}, {"stay": 0.0, "confidence": "margin"}),
    ],
)
def test_fitted_anew_with_other_settings_nothing_is_left_behind(first, second, tmp_path):
    recordings = several("positions")[0]
    model = best(**first).fit(recordings)
    fresh = best(**second).fit(recordings)
    model.set_params(**fresh.get_params()).fit(recordings)
    assert (model.front_end_ is None) == (fresh.front_end_ is None) == (second == MOTION)
    assert (model.decision_ is None) == (fresh.decision_ is None)
    assert_same(model.predict(recordings), fresh.predict(recordings))
    found, expected = (tensors_of(m, tmp_path / n) for m, n in ((model, "a"), (fresh, "b")))
    assert found.keys() == expected.keys()
    assert all(found[name].tobytes() == expected[name].tobytes() for name in found)
    assert (tmp_path / "a" / DESCRIPTION).read_text() == (tmp_path / "b" / DESCRIPTION).read_text()


def test_fitted_anew_to_another_kind_of_data():
    model = best(patch_seconds="auto").fit(several("positions")[0])
    other = several("inertial")[0]
    assert_same(
        model.fit_predict(other), best(patch_seconds="auto").fit_predict(other)
    )  # fmt: skip
    assert model.front_end_.kind == "inertial"


def test_a_model_saved_before_there_were_these_settings(tmp_path):
    recordings = several("positions")[0]
    model = HiSTVQ(n_actions=3, random_state=0, min_steps=0, n_maps=4, n_latent=4)
    model.fit(recordings).save(tmp_path)
    place = tmp_path / DESCRIPTION
    described = json.loads(place.read_text())
    for name in NEW:
        del described["params"][name]
    del described["n_actions"]
    place.write_text(json.dumps(described))
    loaded = HiSTVQ.load(tmp_path)
    assert loaded.get_params() == model.get_params()
    assert (loaded.front_end_, loaded.decision_) == (None, None)
    assert_same(loaded.predict(recordings), model.predict(recordings))
    assert set(NEW) <= HiSTVQConfig.model_fields.keys()


@pytest.mark.parametrize("lost", ["statistics", "n_actions"])
def test_a_description_that_lacks_what_the_model_needs(fitted, tmp_path, lost):
    settings = {"n_actions": "auto"} if lost == "n_actions" else {}
    fitted.save(tmp_path)
    place = tmp_path / DESCRIPTION
    described = json.loads(place.read_text())
    del described[lost]
    described["params"] |= settings
    place.write_text(json.dumps(described))
    with pytest.raises(FileFormatError, match=r"(?s)the model is incomplete, .*save it again"):
        HiSTVQ.load(tmp_path)


# Settings


@pytest.mark.parametrize(
    "settings",
    [
        {"alpha": 1},
        {"alpha": 3, "n_levels": 3},
        {"n_levels": 1},
        {"n_levels": 1, "spatial_input": "both", "temporal_input": "action"},
        {"parents": "quantised"},
        {"start": "random", "parents": "quantised"},
        {"shortcut": False},
        {"distance": "frame"},
        {"own_mean": "recording", "window_seconds": "auto"},
        {"own_mean": "none", "piece_seconds": 5.0},
        {"keep": "steadiest", "min_usage_patches": 0.5, "dropout": 0.3},
        {"input": "motion", "stay": 1.0, "window_seconds": "auto"},
        {"input": "motion", "stay": 0.0, "fps": 10.0},
    ],
    ids=str,
)
def test_every_setting_runs(settings, tmp_path):
    recordings = several("positions")[0]
    model = best(**settings)
    answers = model.fit_predict(recordings)
    for recording, answer in zip(recordings, answers, strict=True):
        assert len(answer.actions) == recording.n_frames
        assert set(answer.actions.tolist()) <= {-1, 0, 1, 2}
        assert ((answer.confidence >= 0) & (answer.confidence <= 1)).all()
        assert (answer.subactions is None) == (model.n_levels == 1)
    model.save(tmp_path / "m")
    loaded = HiSTVQ.load(tmp_path / "m")
    for a, b in zip(loaded.predict(recordings), answers, strict=True):
        np.testing.assert_array_equal(a.actions, b.actions)
        np.testing.assert_array_equal(a.confidence, b.confidence)


@both
@pytest.mark.parametrize("settings", [{}, {"input": "motion", "stay": 0.0}], ids=str)
def test_with_a_shortcut_there_is_room_for_every_channel_of_the_input(kind, settings):
    model = best(n_latent=2, **settings).fit(several(kind)[0])
    n_channels = model.network_.encoder.stages[0].enter.in_features
    assert n_channels == (model.front_end_.means.shape[2] if not settings else len(CHANNELS[kind]))
    assert model.network_.quantiser.shapes[0][-1] == n_channels + n_channels % 2


def test_lengths_that_are_auto_are_told_from_the_recordings():
    model = best(patch_seconds="auto").fit(several("inertial")[0])
    given = model.front_end_
    again = best(patch_seconds=given.patch_seconds, window_seconds=given.window_seconds)
    again.fit(several("inertial")[0])
    assert model.fps_ == again.fps_ == given.rate
    assert model.patch_frames_ == 1
    recordings = several("inertial")[0]
    assert_same(model.predict(recordings), again.predict(recordings))


def test_how_many_actions_can_be_left_to_the_data(recordings, fitted, monkeypatch):
    asked = {}

    def suggest(recordings, **settings):
        asked.update(settings)
        return Choice(3, (), (), "people")

    monkeypatch.setattr("histvq.saving.choose_k", suggest)
    model = best(n_actions="auto", patch_seconds="auto", window_seconds="auto").fit(recordings)
    assert (model.n_actions, model.n_actions_) == ("auto", 3)
    # Lengths that are told from the data are left to the search, which has its own.
    assert not {"patch_seconds", "window_seconds"} & asked.keys()
    assert asked["own_mean"] == "person"
    assert_same(
        best(n_actions="auto").fit_predict(recordings), fitted.predict(recordings)
    )  # fmt: skip
    assert asked["patch_seconds"] == 0.5


# What goes wrong


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"input": "motion", "stay": 0.0, "patch_seconds": "auto"}, "auto is told from window st"),
        ({"input": "motion"}, "auto is told .* give a number, or input='statistics'"),
        ({"fps": 10.0}, "fps says at what rate motion is taken; leave it out with input="),
        ({"start": "random"}, "parents='kept' needs start='clusters'"),
        ({"n_starts": 0}, "n_starts=0"),
        ({"stay": -1}, "stay=-1: input should be greater than or equal to 0"),
        ({"stay": float("inf")}, "stay=inf: input should be a finite number"),
        ({"window_seconds": float("inf")}, "window_seconds=inf: input should be a finite number"),
        ({"stay": "much"}, "stay='much': input should be a valid number"),
        ({"window_seconds": 0}, "window_seconds=0: input should be greater than 0"),
        ({"input": "poses"}, "input='poses': input should be 'motion' or 'statistics'"),
        ({"own_mean": "people"}, "own_mean='people': input should be 'person', 'recording'"),
    ],
)
def test_settings_that_do_not_go_together_or_are_out_of_bounds(settings, words):
    with pytest.raises(ConfigError, match=f"HiSTVQ: .*{words}"):
        best(**settings)


def test_a_wrong_combination_changes_nothing():
    model = best()
    before = model.get_params()
    with pytest.raises(ConfigError, match="leave it out with input='statistics'"):
        model.set_params(fps=10.0)
    assert model.get_params() == before


def test_fewer_patches_than_codes():
    with pytest.raises(ConfigError, match=r"4 patches of 0.5 s for 12 codes: give more"):
        best().fit([moving("positions", 40)[0]])


def test_nothing_was_measured():
    nothing = replace(moving("positions")[0], skeleton=np.full((480, 2, 3), np.nan))
    with pytest.raises(ConfigError, match="every value of every recording is missing"):
        best().fit([nothing])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"stay": 0.0, "confidence": "margin"},
        {"input": "motion", "stay": 1.0, "confidence": "margin"},
        {"input": "motion", "stay": 0.0},
    ],
)
def test_what_cannot_stream_or_be_exported_says_what_can(settings, tmp_path):
    model = best(**settings).fit(several("positions")[0])
    words = r"takes motion and answers patch by patch.*without a preset .histvq fit --method histvq"
    with pytest.raises(ConfigError, match=words):
        StreamingSegmenter(model)
    with pytest.raises(ConfigError, match=words):
        export_onnx(model, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
