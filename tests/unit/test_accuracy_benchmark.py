"""What benchmarks/accuracy reckons and keeps; the scores themselves are nobody's business here."""

import json
import sys
from itertools import chain, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ttest_ind
from sklearn.metrics import roc_auc_score

from benchmarks.accuracy import carry_over, confidence, study
from benchmarks.accuracy.carry_over import fits_of, folds_of, lines_of
from benchmarks.accuracy.confidence import draw, measured
from benchmarks.accuracy.confidence import page as confidence_page
from benchmarks.accuracy.data import Data, halves, scores_of
from benchmarks.accuracy.fits import Fit, answers_of, run_fit, run_missing, seconds_of
from benchmarks.accuracy.pages import SCORES, difference, mean_sd
from benchmarks.accuracy.rightness import area, falls, shares_by_confidence
from benchmarks.accuracy.study import page
from benchmarks.accuracy.study_file import read_study, rows_of
from histvq.errors import ConfigError
from histvq.evaluation import evaluate
from histvq.models import make_method
from histvq.presets import load_preset

LITTLE = "oracles.little_people:two_people"
STUDY = """
title = "A little study"
dataset = "{dataset}"
kind = "{kind}"
{end}
[base]
name = "as it is"
method = "window-kmeans"
settings = {{ n_actions = 3, n_init = 1 }}
[[rows]]
name = "one level"
settings = {{ alpha = 1 }}
[[rows]]
name = "own beginning"
method = "window-kmeans"
settings = {{ n_actions = 4 }}
[[rows]]
name = "short patches"
settings = {{ patch_seconds = 0.5 }}
"""


@pytest.fixture(scope="module")
def data():
    return Data.load(LITTLE, None)


def study_at(folder, *, kind="one at a time", end="", text=STUDY):
    place = folder / "study.toml"
    place.write_text(text.format(dataset=LITTLE, kind=kind, end=end), encoding="utf-8")
    return read_study(place)


def test_halves_by_number():
    people = ("01", "02", "09", "10")
    assert halves(people, "odd") == ("01", "09")
    assert halves(people, "even") == ("02", "10")
    assert halves(people, "all") == people


def test_halves_of_people_with_names_take_turns():
    people = ("anna", "bert", "17")
    assert halves(people, "odd") == ("anna", "17")
    assert halves(people, "even") == ("bert",)


def test_a_half_with_nobody_in_it():
    with pytest.raises(ConfigError, match="nobody of 01, 03 is in the half 'even'; take --people"):
        halves(("01", "03"), "even")


def test_rows_one_at_a_time_each_change_the_base(tmp_path, data):
    base, one, own, short = rows_of(study_at(tmp_path), data)
    assert (base.params["alpha"], base.params["patch_seconds"]) == (2, 1.0)
    assert (one.params["alpha"], one.params["patch_seconds"]) == (1, 1.0)
    assert (own.params["n_actions"], own.params["n_init"]) == (4, 10)
    assert (short.params["alpha"], short.params["patch_seconds"]) == (2, 0.5)
    assert [row.against for row in (one, own, short)] == ["as it is"] * 3


def test_rows_of_a_ladder_each_change_the_one_above(tmp_path, data):
    _, one, own, short = rows_of(study_at(tmp_path, kind="ladder"), data)
    assert (short.params["alpha"], short.params["patch_seconds"]) == (1, 0.5)
    assert (one.against, own.against, short.against) == ("as it is", "as it is", "one level")


def test_a_ladder_that_ends_elsewhere_than_it_says(tmp_path, data):
    asked = study_at(tmp_path, kind="ladder", end='ends_at = "window-kmeans-hugadb"')
    with pytest.raises(ConfigError, match=r"'window-kmeans-hugadb'.* alpha"):
        rows_of(asked, data)


def test_a_setting_its_method_does_not_have_names_the_row(tmp_path, data):
    asked = study_at(tmp_path, text=STUDY.replace("alpha = 1", "alhpa = 1"))
    with pytest.raises(ConfigError, match=r"row 'one level': .*alhpa"):
        rows_of(asked, data)


def test_two_rows_of_one_name(tmp_path):
    with pytest.raises(ConfigError, match="several rows are called 'as it is'"):
        study_at(tmp_path, text=STUDY.replace('"one level"', '"as it is"'))


def test_a_study_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        read_study(tmp_path / "nowhere.toml")


def test_every_study_that_comes_along_has_settings_that_fit(data):
    files = sorted((Path(study.__file__).parent / "studies").glob("*.toml"))
    assert files
    for file in files:
        rows_of(read_study(file), data)


def test_a_fit_is_kept_and_its_answers_are_those_of_the_method(tmp_path, data):
    params = data.params("window-kmeans", n_actions=3)
    fit = Fit.to(data, "window-kmeans", params, seed=1, people=data.people)
    run_fit(fit, tmp_path)
    method = make_method("window-kmeans", **params, random_state=1).fit(data.dataset.recordings)
    expected = method.predict(list(data.dataset.recordings))
    kept = answers_of(fit, tmp_path, data.dataset)
    for ours, theirs in zip(kept, expected, strict=True):
        assert ours.recording_id == theirs.recording_id
        np.testing.assert_array_equal(ours.actions, theirs.actions)
        np.testing.assert_array_equal(ours.confidence, theirs.confidence)
    truth = data.dataset.annotations
    assert scores_of(kept, data.dataset, data.people) == evaluate(expected, truth).values
    assert json.loads(fit.place(tmp_path).read_text())["settings"]["params"]["n_actions"] == 3
    assert seconds_of(fit, tmp_path) >= 0


def test_people_left_out_are_not_learned_from_but_answered(tmp_path, data):
    first, second = data.people
    params = data.params("window-kmeans", n_actions=3)
    fit = Fit.to(data, "window-kmeans", params, seed=0, people=[first])
    run_fit(fit, tmp_path)
    known = [r for r in data.dataset.recordings if r.person == first]
    method = make_method("window-kmeans", **params, random_state=0).fit(known)
    for ours, recording in zip(
        answers_of(fit, tmp_path, data.dataset), data.dataset.recordings, strict=True
    ):
        np.testing.assert_array_equal(ours.actions, method.predict(recording).actions)
    assert scores_of(answers_of(fit, tmp_path, data.dataset), data.dataset, [second])["mof"] > 0


def test_whatever_decides_a_fit_gives_it_a_place_of_its_own(tmp_path, data):
    params = data.params("window-kmeans", n_actions=3)
    other = {**params, "alpha": 1}
    places = {
        Fit.to(data, "window-kmeans", p, seed=seed, people=people).place(tmp_path)
        for p, seed, people in product((params, other), (0, 1), (data.people, data.people[:1]))
    }
    assert len(places) == 8


def test_what_is_done_is_not_done_again_and_what_fails_holds_nobody_up(tmp_path, data, capsys):
    good = data.params("window-kmeans", n_actions=3)
    bad = {**good, "n_actions": 10_000}
    too_many, few = (
        Fit.to(data, "window-kmeans", params, seed=0, people=data.people) for params in (bad, good)
    )
    assert run_missing({"too many": [too_many], "few": [few]}, tmp_path, jobs=1) == 1
    assert "too many, seed 0, 2 people: failed: ConfigError" in capsys.readouterr().out
    assert not too_many.place(tmp_path).exists()
    kept = few.place(tmp_path).read_bytes()
    assert run_missing({"few": [few]}, tmp_path, jobs=1) == 0
    assert "0 of 1 fits to do" in capsys.readouterr().out
    assert few.place(tmp_path).read_bytes() == kept


def test_a_process_that_is_killed_is_told_of(tmp_path):
    data = Data.load("oracles.little_people:deadly_for_runs", None)
    params = data.params("window-kmeans", n_actions=3)
    fit = Fit.to(data, "window-kmeans", params, seed=0, people=data.people)
    with pytest.raises(ConfigError, match=r"a process was killed.*with fewer --jobs"):
        run_missing({"doomed": [fit]}, tmp_path, jobs=1)
    assert not fit.place(tmp_path).exists()


def test_settings_of_a_method_by_its_preset(data):
    hugadb = Data(dataset=data.dataset, name="hugadb", root=None, digest="")
    method, by_name = hugadb.chosen("window-kmeans:window-kmeans-precog")
    assert (method, by_name["n_actions"], by_name["patch_seconds"]) == ("window-kmeans", 9, 0.5)
    _, usual = hugadb.chosen("histvq")
    given = load_preset("hugadb-fast").method.model_extra
    assert {name: usual[name] for name in given} == given


@pytest.mark.parametrize(("n_people", "n_folds"), [(18, 3), (9, 4), (2, 2)])
def test_everybody_is_in_one_fold(n_people, n_folds):
    people = [f"{number:02}" for number in range(n_people)]
    folds = folds_of(people, n_folds)
    assert sorted(name for fold in folds for name in fold) == people
    assert max(map(len, folds)) - min(map(len, folds)) <= 1


def test_more_folds_than_people():
    with pytest.raises(ConfigError, match="--folds 3: 2 people allow 2 to 2 folds"):
        folds_of(["a", "b"], 3)


def test_a_model_never_learns_from_its_fold(data):
    folds = fits_of(data, "window-kmeans", {}, n_folds=2)
    for seed, fold in enumerate(folds):
        assert not set(fold.people) & set(fold.without.people)
        assert {*fold.people, *fold.without.people} == {*data.people}
        assert fold.everybody.people == data.people
        assert fold.everybody.seed == fold.without.seed == seed


def test_the_change_is_taken_fold_by_fold():
    folds = [
        {"known": dict.fromkeys(SCORES, known), "new": dict.fromkeys(SCORES, new)}
        for known, new in ((60.0, 50.0), (70.0, 62.0))
    ]
    known, new, change = lines_of("m", folds)
    assert (known[3], new[3], change[3]) == ("65.0 (7.1)", "56.0 (8.5)", "-9.0 (1.4)")


def test_the_area_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    right = rng.random(500) < 0.6
    confidence = np.round(rng.random(500) + 0.3 * right, 1)  # with ties
    assert area(confidence, right) == pytest.approx(roc_auc_score(right, confidence))
    assert np.isnan(area(confidence, np.ones(500, bool)))


def test_shares_by_hand():
    confidence = np.array([0.9, 0.1, 0.5, 0.3])
    right = np.array([True, False, True, False])
    assert shares_by_confidence(confidence, right, 2).tolist() == [0.0, 1.0]
    # All alike: every part is as right as they are together, whatever the order.
    assert shares_by_confidence(np.ones(4), right, 2).tolist() == [0.5, 0.5]


@given(
    arrays(float, 40, elements=st.sampled_from([0.0, 0.2, 0.5, 1.0])),
    arrays(bool, 40),
    st.randoms(use_true_random=False),
)
def test_shares_do_not_depend_on_the_order_of_frames(confidence, right, random):
    order = list(range(40))
    random.shuffle(order)
    here = shares_by_confidence(confidence, right, 10)
    np.testing.assert_allclose(shares_by_confidence(confidence[order], right[order], 10), here)
    assert here.mean() == pytest.approx(right.mean())


def test_falls_by_hand():
    assert falls(np.array([10.0, 30.0, 25.0, 40.0, 38.0])) == 7.0


def test_confidence_of_a_method_that_says_none_is_no_curve(tmp_path, data):
    params = data.params("window-kmeans", n_actions=3)
    fit = Fit.to(data, "window-kmeans", params, seed=0, people=data.people)
    run_fit(fit, tmp_path)
    answers = answers_of(fit, tmp_path, data.dataset)
    found = measured(answers, data.dataset.annotations)
    mof = scores_of(answers, data.dataset, data.people)["mof"]
    assert np.mean(found["halves"]) == pytest.approx(mof, abs=0.5)
    text = confidence_page({"ours": [found], "bare": []}, heading="Confidence")
    assert "| bare | 0 | no confidence |" in text
    draw({"ours": [found], "bare": []}, tmp_path / "curve.svg")
    assert (tmp_path / "curve.svg").read_text().startswith("<?xml")


def test_means_and_deviations_by_hand():
    assert mean_sd([1.0, 2.0, 3.0]) == "2.0 (1.0)"
    assert mean_sd([-1.25]) == "-1.2"
    assert mean_sd([2.0, 4.0], signed=True) == "+3.0 (1.4)"
    assert mean_sd([]) == ""


def test_a_difference_beyond_chance_has_a_star():
    assert difference([60.0, 61.0, 62.0], [50.0, 51.0, 52.0]) == "+10.0*"
    assert difference([60.0, 40.0, 50.0], [49.0, 51.0, 50.0]) == "+0.0"
    assert difference([60.0], [50.0]) == "+10.0"
    assert difference([5.0, 5.0], [5.0, 5.0]) == "+0.0"
    assert difference([6.0, 6.0], [5.0, 5.0]) == "+1.0*"


@pytest.fixture
def in_this_process(monkeypatch):
    """Processes of their own take seconds to start; `run_missing` has its own test."""

    def one_by_one(fits, out, *, jobs):
        for fit in chain.from_iterable(fits.values()):
            run_fit(fit, out)
        return 0

    for module in (study, carry_over, confidence):
        monkeypatch.setattr(module, "run_missing", one_by_one)


def call(module, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
        module.main()


@pytest.mark.usefixtures("in_this_process")
def test_a_study_from_the_command_line(tmp_path):
    study_at(tmp_path)
    call(study, tmp_path / "study.toml", "-o", tmp_path / "out", "--seeds", 2, "--people", "odd")
    text = (tmp_path / "out" / "study-odd.md").read_text()
    assert "odd people (person1), 2 seeds" in text
    assert next(line.split(" | ")[1] for line in text.splitlines() if "| one level" in line) == "2"
    kept = json.loads((tmp_path / "out" / "study-odd.json").read_text())
    assert [row["name"] for row in kept][:2] == ["as it is", "one level"]
    assert len(kept[0]["runs"]) == 2


METHOD = "window-kmeans:window-kmeans-synthetic"


@pytest.mark.usefixtures("in_this_process")
def test_carrying_over_from_the_command_line(tmp_path):
    call(carry_over, LITTLE, "-o", tmp_path, "--folds", 2, "--methods", METHOD)
    (page,) = tmp_path.glob("carry-over-*.md")
    rows = [line for line in page.read_text().splitlines() if METHOD in line]
    assert [row.split(" | ")[1] for row in rows] == ["known", "new", "**change**"]


@pytest.mark.usefixtures("in_this_process")
def test_confidence_from_the_command_line(tmp_path):
    call(confidence, LITTLE, "-o", tmp_path, "--seeds", 2, "--methods", METHOD)
    (page,) = tmp_path.glob("confidence-*.md")
    assert page.with_suffix(".svg").exists()
    assert sum(METHOD in line for line in page.read_text().splitlines()) == 2


@pytest.mark.parametrize("seed", range(5))
def test_stars_are_those_of_scipys_test(seed):
    rng = np.random.default_rng(seed)
    ours, theirs = rng.normal(1.5, 1, size=5), rng.normal(0, 2, size=4)
    star = ttest_ind(ours, theirs, equal_var=False).pvalue < 0.05
    assert difference(ours, theirs).endswith("*") == star


def test_a_page_says_every_row_and_what_it_changes(tmp_path, data):
    asked = study_at(tmp_path)
    rows = rows_of(asked, data)
    run = {**dict.fromkeys(SCORES, 50.0), "seconds": 3.0}
    better = {**dict.fromkeys(SCORES, 55.0), "seconds": 4.0}
    runs = {row.name: [better if row.name == "one level" else run] for row in rows}
    runs["short patches"] = []  # failed, all of them
    text = page(asked, rows, runs, heading="Here.")
    assert "| one level | 1 | 55.0 |" in text
    assert "| one level | as it is | `alpha = 1` | +5.0 |" in text
    assert "| short patches | 0 |  |" in text
