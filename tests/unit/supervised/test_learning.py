"""What is learned, from whom, and which epoch is kept."""

import json

import numpy as np
import pytest
import torch

import histvq
from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.recording import Recording
from histvq.supervised.tcn import MSTCN, SingleStageTCN

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = {"n_maps": 8, "n_layers": 3, "n_stages": 2, "learning_rate": 5e-3, "min_steps": 0}


def pair(id, *, person=None, n_frames=80, actions=("a", "b"), seed=0, noise=0.3):
    rng = np.random.default_rng([seed, *id.encode()])
    labels = np.repeat(rng.permutation(np.arange(-(-n_frames // 20)) % 2), 20)[:n_frames]
    skeleton = labels[:, None, None] + noise * rng.normal(size=(n_frames, 2, 3))
    recording = Recording(id=id, skeleton=skeleton, fps=10, person=person)
    return recording, Annotation(recording_id=id, labels=labels, actions=actions, fps=10)


def pairs(people, each=2, **more):
    made = [pair(f"{p}{k}", person=p, **more) for p in people for k in range(each)]
    return [r for r, _ in made], [a for _, a in made]


def test_the_epoch_kept_is_the_best_one_on_who_was_held_out(monkeypatch):
    recordings, annotations = pairs("abcde", noise=2.0)
    seen = []
    original = MSTCN._validated

    def watched(self, network, held):
        scores = original(self, network, held)
        state = {name: value.clone() for name, value in network.state_dict().items()}
        seen.append((np.mean([*scores.values()]), state, [r.id for r, _ in held]))
        return scores

    monkeypatch.setattr(MSTCN, "_validated", watched)
    model = MSTCN(random_state=0, epochs=6, validation=0.3, **SMALL).fit(recordings, annotations)
    means = [mean for mean, *_ in seen]
    assert len(set(means)) > 1  # or any epoch would do
    best = int(np.argmax(means))
    assert model.kept_epoch_ == best + 1
    for name, value in model.network_.state_dict().items():
        assert torch.equal(value, seen[best][1][name])
    assert all(held == model.held_out_ for *_, held in seen)
    assert (
        len({id[0] for id in model.held_out_}) == 2
    )  # two people of five, both recordings of each
    assert len(model.held_out_) == 4
    assert model.history_[best].keys() >= {"labels", "smoothing", "total", "mof", "edit", "f1@50"}


def test_who_is_held_out_teaches_nothing():
    recordings, annotations = pairs("abcd")
    model = MSTCN(random_state=0, epochs=1, validation=("b",), **SMALL)
    model.fit(recordings, annotations)
    assert model.held_out_ == ["b0", "b1"]
    spoilt = [
        Recording(id=r.id, skeleton=-r.skeleton if r.person == "b" else r.skeleton, fps=10,
                  person=r.person)
        for r in recordings
    ]  # fmt: skip
    other = MSTCN(random_state=0, epochs=1, validation=("b",), **SMALL).fit(spoilt, annotations)
    for one, same in zip(
        model.network_.state_dict().values(), other.network_.state_dict().values(), strict=True
    ):
        assert torch.equal(one, same)


def test_nobody_held_out_the_last_epoch():
    recordings, annotations = pairs("ab")
    model = SingleStageTCN(
        random_state=0, epochs=3, validation=0, n_maps=4, n_layers=2, min_steps=0
    )
    model.fit(recordings, annotations)
    assert (model.kept_epoch_, model.n_iter_, model.held_out_) == (3, 3, [])
    assert "mof" not in model.history_[0]


def test_held_out_people_that_are_not_there_or_everybody():
    recordings, annotations = pairs("ab")
    with pytest.raises(
        ConfigError, match=r"validation=\['z'\]: no labelled recording of z; there are a, b"
    ):
        MSTCN(validation=("z",), **SMALL).fit(recordings, annotations)
    with pytest.raises(ConfigError, match="everybody is held out"):
        MSTCN(validation=("a", "b"), **SMALL).fit(recordings, annotations)
    with pytest.raises(ConfigError, match=r"validation=1.0: give a share, 0 or more and below 1"):
        MSTCN(validation=1.0)


def test_rare_actions_count_as_much_as_common_ones_when_asked():
    model = MSTCN(class_weights="balanced", **SMALL)
    model.actions_ = ("a", "b", "c")
    weights = model._class_weights([np.array([0, 0, 0, -1]), np.array([1])])
    # 4 labelled frames, two actions: 2 each. a: 2 / 3 a frame, b: 2, c: nobody does it.
    torch.testing.assert_close(weights, torch.tensor([2 / 3, 2.0, 0.0]))
    assert MSTCN(**SMALL)._class_weights([]) is None


def test_little_data_more_epochs():
    recordings, annotations = pairs("ab")
    model = MSTCN(random_state=0, epochs=2, validation=0, **{**SMALL, "min_steps": 11})
    assert model.fit(recordings, annotations).n_iter_ == 3  # 4 batches each


def test_pieces_without_labels_are_not_learned_from():
    recording, annotation = pair("a", n_frames=100)
    labels = annotation.labels.copy()
    labels[30:60] = -1
    model = MSTCN(piece_seconds=1.0, **SMALL)
    model.fps_ = 10
    spans = [span for _, span in model._spans([(recording, labels)])]
    assert spans == [(0, 10), (10, 20), (20, 30), (60, 70), (70, 80), (80, 90), (90, 100)]


def test_labels_at_another_rate_are_learned_at_the_right_time():
    """At 20 Hz, half of which the network sees, the borders stay where they were."""
    recordings, annotations = pairs("abc", noise=0.05)
    fast = [
        Recording(id=r.id, skeleton=r.skeleton.repeat(2, axis=0), fps=20, person=r.person)
        for r in recordings
    ]
    labels = [
        Annotation(
            recording_id=a.recording_id, labels=a.labels.repeat(2), actions=a.actions, fps=20
        )
        for a in annotations
    ]
    model = MSTCN(random_state=0, fps=10, epochs=40, validation=0, **SMALL).fit(fast, labels)
    answers = model.predict(fast)
    assert histvq.evaluate(answers, labels).mof > 97
    assert all(a.n_frames == r.n_frames for a, r in zip(answers, fast, strict=True))


def test_what_was_learned_from_whom_goes_to_disk(tmp_path):
    recordings, annotations = pairs("abc")
    model = MSTCN(random_state=0, epochs=1, validation=("a",), **SMALL)
    model.fit(recordings, [*annotations[:-1], None]).save(tmp_path / "m")
    said = json.loads((tmp_path / "m/model.json").read_text())
    assert said["held_out"] == ["a0", "a1"]
    assert (said["n_recordings"], said["actions"], said["kept_epoch"]) == (5, ["a", "b"], 1)
    assert histvq.load_model(tmp_path / "m").get_params()["validation"] == ("a",)


def test_other_joints_are_refused():
    recordings, annotations = pairs("ab")
    model = MSTCN(random_state=0, epochs=1, **SMALL).fit(recordings, annotations)
    with pytest.raises(ConfigError, match="joint names differ"):
        model.predict(Recording(id="x", skeleton=np.zeros((9, 3, 3)), fps=10))


def test_labels_only_where_nothing_was_measured():
    recording, annotation = pair("a")
    skeleton = recording.skeleton.copy()
    skeleton[:40] = np.nan
    labels = np.where(np.arange(80) < 40, annotation.labels, -1)
    half = Recording(id="a", skeleton=skeleton, fps=10)
    told = Annotation(recording_id="a", labels=labels, actions=("a", "b"), fps=10)
    with pytest.raises(ConfigError, match="has a frame that is both measured and labelled"):
        MSTCN(piece_seconds=4.0, **SMALL).fit([half], [told])
