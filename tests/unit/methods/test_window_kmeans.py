import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from histvq.datasets import load_dataset
from histvq.evaluation import evaluate
from histvq.methods.window_kmeans import WindowKMeans
from histvq.recording import Recording

# Three ways to move, ten seconds each: (where, how much it shakes).
WAYS = [(0.0, 0.01), (0.0, 1.0), (5.0, 0.01)]


def moving(order, *, id="r", person=None, fps=20, lean=0.0, seed=0):
    """Two joints that go through these ways; `lean` is added throughout, as by a tilted sensor."""
    rng = np.random.default_rng(seed)
    parts = [
        where + shake * rng.normal(size=(10 * fps, 2, 3))
        for where, shake in map(WAYS.__getitem__, order)
    ]
    return Recording(id=id, skeleton=np.concatenate(parts) + lean, fps=fps, person=person)  # fmt: skip


def true_frames(order, fps=20):
    return np.repeat(order, 10 * fps)


def agreement(answers, orders, fps=20):
    """Share of frames that agree, with the best names for what was found."""
    found = np.concatenate([answer.actions for answer in answers])
    truth = np.concatenate([true_frames(order, fps) for order in orders])
    table = np.array([[((found == a) & (truth == b)).sum() for b in range(3)] for a in range(3)])
    return table.max(axis=0).sum() / len(truth)


def test_where_and_how_much_it_moves_tell_actions_apart():
    orders = [[0, 1, 2, 0], [1, 0, 2, 1], [2, 1, 0, 2]]
    recordings = [moving(order, id=f"r{k}", seed=k) for k, order in enumerate(orders)]
    answers = WindowKMeans(n_actions=3, alpha=1, random_state=0).fit_predict(recordings)
    assert agreement(answers, orders) > 0.9
    assert all(answer.subactions is None for answer in answers)


def test_each_subaction_has_one_action():
    recordings = [moving([0, 1, 2, 1], id=f"r{k}", seed=k) for k in range(3)]
    model = WindowKMeans(n_actions=3, alpha=2, random_state=0).fit(recordings)
    for answer in model.predict(recordings):
        assert set(answer.subactions.tolist()) <= set(range(6))
        np.testing.assert_array_equal(answer.actions, model.parents_[answer.subactions])


def test_codes_are_numbered_by_use():
    recordings = [moving([0, 0, 0, 0, 1, 1, 1, 2, 2], id=f"r{k}", seed=k) for k in range(3)]
    for alpha in (1, 2):
        answers = WindowKMeans(n_actions=3, alpha=alpha, random_state=0).fit_predict(recordings)
        counts = np.bincount(np.concatenate([a.actions for a in answers]), minlength=3)
        assert (np.diff(counts) <= 0).all()


def test_what_is_usual_of_a_person_does_not_count():
    # Everybody does the same, but two people's sensors sit quite differently.
    order = [0, 1, 2, 0]
    recordings = [
        moving(order, id=f"{person}{k}", person=person, lean=lean, seed=k)
        for person, lean in (("anna", 0.0), ("ben", 30.0))
        for k in range(2)
    ]
    settings = {"n_actions": 3, "alpha": 1, "random_state": 0}
    with_person = WindowKMeans(**settings).fit(recordings)
    assert agreement(with_person.predict(recordings), [order] * 4) > 0.9
    without = WindowKMeans(**settings, own_mean="none").fit_predict(recordings)
    assert agreement(without, [order] * 4) < 0.9
    # Each recording's own mean does as well here, for all of them do the same.
    own = WindowKMeans(**settings, own_mean="recording").fit_predict(recordings)
    assert agreement(own, [order] * 4) > 0.9
    # Whoever is new is measured by people in general, not by this one recording.
    new = replace(
        moving([1, 1], id="new", seed=9),
        person="cleo",
        skeleton=moving([1, 1], seed=9).skeleton + 15,
    )
    first = with_person.predict(recordings[0]).actions[300]
    assert (with_person.predict(new).actions == first).mean() > 0.9  # fmt: skip


def test_people_without_a_name_count_as_one():
    order = [0, 1, 2, 0]
    nameless = [moving(order, id=f"r{k}", seed=k) for k in range(2)]
    named = [replace(recording, person="one") for recording in nameless]
    model = WindowKMeans(n_actions=3, random_state=0)
    for one, other in zip(model.fit_predict(nameless), model.fit_predict(named), strict=True):
        np.testing.assert_array_equal(one.subactions, other.subactions)


def test_rates_may_differ():
    orders = [[0, 1, 2, 0], [1, 0, 2, 1]]
    recordings = [moving(orders[0], id="a"), moving(orders[1], id="b", fps=40, seed=1)]
    answers = WindowKMeans(n_actions=3, alpha=1, random_state=0).fit_predict(recordings)
    assert answers[1].actions.shape == (recordings[1].n_frames,)
    assert agreement(answers[:1], orders[:1]) > 0.9
    assert agreement(answers[1:], orders[1:], fps=40) > 0.9  # fmt: skip


def test_it_runs_without_torch():
    script = (
        "import sys, numpy as np, histvq\n"
        "model = histvq.make_method('window-kmeans', n_actions=2, random_state=0)\n"
        "r = histvq.Recording(id='a', skeleton=np.random.default_rng(0).normal(size=(90, 2, 3)), fps=9)\n"
        "print(model.fit_predict([r])[0].n_frames, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout == "90 False\n", done.stderr


@pytest.mark.real_data
def test_it_finds_the_exercises(shared_data):
    data = load_dataset("cmu-exercises", shared_data / "cmu_exercises")
    found = [
        evaluate(
            WindowKMeans(n_actions=9, alpha=1, random_state=seed).fit_predict(data.recordings),
            data.annotations,
        ).mof
        for seed in range(3)
    ]
    assert np.mean(found) > 60  # one action for everything: 19.7
