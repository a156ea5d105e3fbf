"""CTE, TOT, ASOT and HVQ: what is theirs alone; what all methods keep to is in the contract tests."""

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from histvq.datasets import load_dataset
from histvq.errors import ConfigError, TrainingError
from histvq.evaluation import evaluate
from histvq.features import frame_series
from histvq.methods.asot import ASOT
from histvq.methods.cte import CTE
from histvq.methods.hvq import HVQ
from histvq.methods.tot import TOT
from histvq.models import make_method
from histvq.recording import Recording
from histvq.segments import to_segments

pytestmark = pytest.mark.usefixtures("one_thread")

POSTURES = 3 * np.random.default_rng(0).normal(size=(4, 3, 3))


def doing(order, *, id="r", seconds=8, fps=10, seed=0):
    """Three joints in one posture after the other, a little unsteady."""
    rng = np.random.default_rng(seed)
    at = np.repeat(order, seconds * fps)
    return Recording(id=id, skeleton=POSTURES[at] + 0.3 * rng.normal(size=(len(at), 3, 3)), fps=fps)


def together(orders):
    return [doing(order, id=f"r{k}", seed=k) for k, order in enumerate(orders)]


IN_ORDER = together([[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]])
ORDERS = [[0, 1, 2, 0, 1], [1, 0, 1, 2], [2, 0, 2, 1, 0], [0, 2, 1, 2]]
COMING_BACK = together(ORDERS)


def runs(answer):
    return [label for *_, label in to_segments(answer.actions)]


def answered(model, recordings, **settings):
    """Answers with other settings than those it was fitted with."""
    before = model.get_params()
    try:
        return model.set_params(**settings).predict(recordings)
    finally:
        model.set_params(**before)


@pytest.fixture(scope="module")
def cte():
    return CTE(n_actions=4, random_state=0, epochs=40, min_steps=0, batch_frames=64).fit(IN_ORDER)


@pytest.fixture(scope="module")
def tot():
    return TOT(n_actions=4, random_state=0, steps=1500, sample_frames=64).fit(IN_ORDER)


@pytest.fixture(scope="module")
def hvq():
    settings = {"n_maps": 16, "n_layers": 3, "epochs": 15, "min_steps": 0}
    return HVQ(n_actions=4, random_state=0, **settings).fit(IN_ORDER)


# CTE


def members(cte):
    """Embeddings and clusters of all training frames."""
    points = [cte._embedded(cte._series(r), cte.network_) for r in IN_ORDER]
    codes = [answer.actions for answer in cte.predict(IN_ORDER)]
    return np.concatenate(points), np.concatenate(codes)


def test_cte_densities_are_those_of_sklearns_gaussian(cte):
    with torch.no_grad():
        points, codes = members(cte)
    ours = cte.log_densities(points)
    for code in range(4):
        mixture = GaussianMixture(1, reg_covar=1e-4, tol=1e-9).fit(points[codes == code])
        np.testing.assert_allclose(ours[:, code], mixture.score_samples(points), rtol=1e-6)


def test_cte_actions_stand_in_the_order_of_their_mean_times(cte):
    times = np.concatenate([np.arange(r.n_frames) / r.n_frames for r in IN_ORDER])
    codes = np.concatenate([answer.actions for answer in cte.predict(IN_ORDER)])
    means = [times[codes == code].mean() for code in range(4)]
    assert means == sorted(means)


def test_cte_learns_the_time_with_a_loss_that_is_a_sum(cte):
    first, last = cte.history_[0]["total"], cte.history_[-1]["total"]
    # 64 frames a batch, times uniform in [0, 1): knowing nothing costs 64 / 12, half of it is known.
    assert last < 64 / 12 / 2 < first


def test_a_cluster_of_one_frame_has_no_gaussian_and_no_place_in_the_transcript(cte):
    sparse = CTE(**cte.get_params()).set_params(decoder="transcript")
    sparse.__dict__.update({k: v for k, v in cte.__dict__.items() if k.endswith("_")})
    sparse.gaussian_means_ = cte.gaussian_means_.copy()
    sparse.gaussian_means_[2] = np.nan
    assert runs(sparse.predict(IN_ORDER[0])) == [0, 1, 3]


def test_the_learning_rate_is_halved_when_asked():
    model = CTE(n_actions=2, random_state=0, epochs=5, min_steps=0, halve_every=2).fit(IN_ORDER)
    rates = [epoch["learning_rate"] for epoch in model.history_]
    np.testing.assert_allclose(rates, [1e-3, 5e-4, 5e-4, 2.5e-4, 2.5e-4])


def test_an_epoch_may_see_a_part_of_the_frames():
    seen = []
    model = CTE(n_actions=2, random_state=0, epochs=1, min_steps=0, max_frames_per_epoch=300)
    model.fit(IN_ORDER, progress=lambda event: seen.append(event.batches))
    assert set(seen) == {2}  # of 256 frames at most; there are 1280


def test_a_loss_that_is_no_number_names_recordings():
    values = np.arange(50, dtype=np.float32)[:, None, None]
    wild = [Recording(id="wild", skeleton=values, fps=10)]
    with pytest.raises(TrainingError, match=r"not a finite number \(total\).*wild"):
        CTE(n_actions=2, input_scale="none", learning_rate=1e30, epochs=9).fit(wild)


# Decoders, for CTE and TOT alike


@pytest.mark.parametrize("name", ["cte", "tot", "hvq"])
def test_with_a_transcript_every_action_comes_once_and_in_order(name, request):
    model = request.getfixturevalue(name)
    for answer in answered(model, IN_ORDER, decoder="transcript"):
        assert runs(answer) == sorted(set(runs(answer)))
        assert len(runs(answer)) == getattr(model, "n_used_", 4)
    for answer in answered(model, IN_ORDER, decoder="transcript_skip"):
        assert runs(answer) == sorted(set(runs(answer)))


@pytest.mark.parametrize("name", ["cte", "tot"])
def test_the_longer_actions_last_the_fewer_segments(name, request):
    model = request.getfixturevalue(name)
    counts = [
        sum(
            map(
                len,
                map(runs, answered(model, COMING_BACK, decoder="markov", dwell_seconds=seconds)),
            )
        )
        for seconds in (0.15, 1e30)
    ]
    assert counts[0] > counts[1]
    assert counts[1] <= sum(map(len, ORDERS))


def test_unknown_decoder():
    with pytest.raises(
        ConfigError, match="decoder='viterbi': input should be 'none', 'transcript'"
    ):
        TOT(n_actions=3, decoder="viterbi")


# TOT


def test_tot_finds_what_comes_in_one_order(tot):
    for answer in tot.predict(IN_ORDER):
        middles = answer.actions[40::80]
        assert len(set(middles.tolist())) == 4


def test_tots_prototypes_do_not_learn_at_first():
    # One recording is one batch an epoch, so two steps are two epochs.
    def prototypes(frozen, rate=1e-3):
        model = TOT(n_actions=3, random_state=0, steps=2, frozen=frozen, learning_rate=rate)
        return model.fit(IN_ORDER[:1]).network_.prototypes.weight.detach().flatten().sort().values

    start = prototypes(0.0, rate=1e-12)
    moved = [(prototypes(frozen) - start).abs().max().item() for frozen in (0.0, 0.5)]
    # Each of Adam's first steps goes 1e-3 at most.
    assert 1.5e-3 < moved[0] < 2.5e-3
    assert 0.5e-3 < moved[1] < 1.5e-3


def test_tots_confidence_is_a_probability_of_the_answer(tot):
    for answer in tot.predict(IN_ORDER):
        assert (answer.confidence >= 1 / 4 - 1e-6).all()  # the best of four


def test_without_prior_and_coherence_there_is_one_loss():
    model = TOT(n_actions=3, random_state=0, steps=2, temporal_prior=False, coherence=False)
    assert set(model.fit(IN_ORDER).history_[0]) == {"epoch", "cluster", "total"}


# ASOT


def test_asot_finds_actions_that_come_back_in_any_order():
    settings = {"n_actions": 3, "random_state": 0, "epochs": 60, "min_steps": 0, "rho": 0.0}
    answers = ASOT(**settings).fit_predict(COMING_BACK)
    names = {}
    for answer, order in zip(answers, ORDERS, strict=True):
        found = answer.actions[40::80].tolist()
        for true, code in zip(order, found, strict=True):
            assert names.setdefault(true, code) == code
        assert len(runs(answer)) <= len(order) + 2
    assert len(set(names.values())) == 3


def test_asots_prototypes_are_of_unit_length():
    model = ASOT(n_actions=3, random_state=0, epochs=2, min_steps=0).fit(COMING_BACK)
    norms = model.network_.prototypes.norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(3), atol=1e-6, rtol=0)


def test_asot_starts_from_kmeans_unless_told_not_to():
    settings = {"n_actions": 3, "random_state": 0, "epochs": 1, "min_steps": 0}
    rate = {"learning_rate": 1e-12, "weight_decay": 0.0}
    start = ASOT(**settings, **rate).fit(COMING_BACK)
    scores = [_embedded(start, r) @ start.network_.prototypes.T for r in COMING_BACK]
    nearest = torch.cat(scores).argmax(dim=1).numpy()
    truth = np.concatenate([np.repeat(order, 80) for order in ORDERS])
    table = np.array([[((nearest == a) & (truth == b)).sum() for b in range(3)] for a in range(3)])
    assert table.max(axis=0).sum() / len(truth) > 0.95  # postures far apart, nothing learned yet
    other = ASOT(**settings, **rate, kmeans_init=False).fit(COMING_BACK)
    assert not torch.allclose(start.network_.prototypes, other.network_.prototypes)


def _embedded(model, recording):
    with torch.no_grad():
        return model.network_(torch.from_numpy(model._series(recording).values))


# HVQ


def test_hvq_puts_every_action_at_most_once_with_the_length_its_codes_have(hvq):
    for decoder in ("fifa", "counts"):
        for answer in answered(hvq, COMING_BACK, decoder=decoder):
            assert runs(answer) == sorted(set(runs(answer)))
    raw = answered(hvq, COMING_BACK, decoder="none")
    for before, after in zip(raw, answered(hvq, COMING_BACK, decoder="counts"), strict=True):
        np.testing.assert_array_equal(
            np.bincount(before.actions, minlength=4), np.bincount(after.actions, minlength=4)
        )
        np.testing.assert_array_equal(before.subactions, after.subactions)


def test_hvq_notes_how_long_actions_last(hvq):
    raw = answered(hvq, IN_ORDER, decoder="none")
    counts = np.array([np.bincount(answer.actions, minlength=4) for answer in raw])
    for code in range(4):
        has = counts[:, code] > 0
        expected = counts[has, code].mean() if has.any() else 0
        assert hvq.mean_frames_[code] == pytest.approx(expected)


def test_hvqs_codes_stand_in_the_order_of_their_mean_times(hvq):
    answers = answered(hvq, IN_ORDER, decoder="none")
    times = np.concatenate([np.arange(r.n_frames) / r.n_frames for r in IN_ORDER])
    for level in ("action", "subaction"):
        codes = np.concatenate([answer.labels(level) for answer in answers])
        means = [times[codes == code].mean() for code in np.unique(codes)]
        assert means == sorted(means)


def test_hvq_gives_each_subaction_one_action(hvq):
    answers = answered(hvq, IN_ORDER, decoder="none")
    pairs = np.concatenate([np.stack([a.subactions, a.actions], axis=1) for a in answers])
    pairs = np.unique(pairs, axis=0)
    assert len(np.unique(pairs[:, 0])) == len(pairs)


# Input scales


@pytest.mark.parametrize(
    ("kind", "scale"),
    [(CTE, "recording"), (TOT, "recording"), (ASOT, "recording_scaled"), (HVQ, "frame_l2")],
)
def test_each_method_sees_the_scale_its_code_has(kind, scale):
    model = kind(n_actions=2)
    assert model.input_scale == scale
    model.set_params(
        **{k: 1 for k in ("epochs", "steps") if k in model.get_params()},
        **{k: 0 for k in ("min_steps",) if k in model.get_params()},
        random_state=0,
    ).fit(IN_ORDER)
    series = model._series(IN_ORDER[0])
    expected = frame_series(IN_ORDER[0], mode=scale, scale=model.scale_)
    np.testing.assert_array_equal(series.values, expected.values)


# Real people


@pytest.mark.real_data
def test_asot_tells_exercises_apart(shared_data):
    data = load_dataset("cmu-exercises", shared_data / "cmu_exercises")
    method = make_method("asot", preset="asot-cmu", min_steps=300, random_state=0)
    found = evaluate(method.fit_predict(data.recordings), data.annotations)
    assert found.mof > 35  # one action for everything: 19.7
    assert found.f1[10] > 40
