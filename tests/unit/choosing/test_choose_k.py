from functools import partial

import numpy as np
import pytest

from histvq import HiSTVQ, WindowKMeans
from histvq.choosing import Choice, Criterion, choose_k
from histvq.choosing.choice import suggestion
from histvq.choosing.reasons import criteria_of
from histvq.errors import ConfigError
from histvq.recording import Recording


def wandering(n_postures, *, id, person=None, seed=0, seconds=60, spread=4.0):
    """Joints that stand for three seconds at a time in one of some postures far from one another."""
    rng = np.random.default_rng(seed)
    postures = spread * np.random.default_rng(1).normal(size=(n_postures, 5, 3))
    at = np.repeat(rng.integers(0, n_postures, size=seconds // 3), 30)
    skeleton = postures[at] + 0.3 * rng.normal(size=(len(at), 5, 3))
    return Recording(id=id, skeleton=skeleton, fps=10, person=person)


def people(n_postures):
    return [wandering(n_postures, id=p, person=p, seed=ord(p)) for p in "abcdef"]


@pytest.mark.parametrize("n_postures", [4, 6])
def test_clear_postures_are_counted(n_postures):
    # Windows over changes of posture are points between them: windows no longer than a patch.
    choice = choose_k(people(n_postures), k_max=8, window_seconds=1.0)
    assert choice.n_actions == n_postures
    assert choice.criteria[0].k == n_postures
    assert choice.halved_by == "people"


def test_a_method_that_is_trained_is_asked_the_same():
    def make(n_actions, seed):
        made.append((n_actions, seed))
        return WindowKMeans(n_actions=n_actions, window_seconds=1.0, n_init=3, random_state=seed)

    made = []
    choice = choose_k(people(4), k_min=3, k_max=5, window_seconds=1.0, repeats=3, make=make)
    assert choice.criteria[0].k == 4
    assert {k for k, _ in made} == {3, 4, 5}
    assert len(made) == 3 * 3 * 4  # K, repeats, two halves and two seeds


def test_the_same_seed_the_same_table():
    tables = [choose_k(people(3), k_max=4, repeats=2, seed=seed).table for seed in (5, 5, 6)]
    assert tables[0] == tables[1] != tables[2]


def test_one_recording_is_halved_in_time():
    choice = choose_k([wandering(3, id="r", seconds=150)], k_max=6, window_seconds=1.0, repeats=4)
    assert choice.halved_by == "stretches of time"
    assert choice.criteria[0].k == 3


def test_where_data_without_structure_agree_as_well_the_others_decide():
    """Clusters along one axis are clusters still when places on that axis are shuffled."""
    along = np.ones((5, 3)) * 4
    at = [np.repeat(np.random.default_rng(n).integers(0, 3, size=20), 30) for n in range(4)]
    noise = np.random.default_rng(9).normal(size=(600, 5, 3))
    line = [
        Recording(id=f"r{n}", skeleton=along * one[:, None, None] + 0.3 * noise, fps=10)
        for n, one in enumerate(at)
    ]
    choice = choose_k(line, k_max=6, window_seconds=1.0)
    assert choice.table[1]["halves"] > 0.98 < choice.table[1]["expected"]
    assert [c.k for c in choice.criteria[1:]] == [3, 3]
    assert choice.n_actions == 3


def test_progress_counts_the_k():
    told = []
    choose_k(people(3), k_max=4, repeats=2, progress=lambda *event: told.append(event))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"k_min": 1}, "k_min=1, k_max=20: from 2 actions on"),
        ({"k_min": 6, "k_max": 5}, "no fewer at most than at least"),
        ({"repeats": 1}, "fewer than 2 have no spread"),
    ],
)
def test_bounds_that_make_no_sense(settings, words):
    with pytest.raises(ConfigError, match=words):
        choose_k(people(3), **settings)


def test_too_little_to_tell():
    still = Recording(id="still", skeleton=np.ones((300, 2, 3)), fps=10)
    with pytest.raises(ConfigError, match="1 different windows in half of the data, for 2 actions"):
        choose_k([still])
    with pytest.raises(ConfigError, match="no recordings"):
        choose_k([])
    missing = Recording(id="nothing", skeleton=np.full((300, 2, 3), np.nan), fps=10)
    with pytest.raises(ConfigError, match="every value of every recording is missing"):
        choose_k([missing])


def test_few_windows_bound_the_k_tried():
    choice = choose_k([wandering(3, id="r", seconds=30)], repeats=2)
    assert choice.table[-1]["k"] <= 15 / 2


def criteria(*ks):
    return tuple(Criterion(name, k, "") for name, k in zip("abcd", ks, strict=False))


@pytest.mark.parametrize(
    ("ks", "expected"),
    [((3, 9, 4), 4), ((None, 4, 7), 6), ((None, None, 5), 5), ((None, None, None), 11)],
)
def test_the_suggestion_is_the_middle(ks, expected):
    assert suggestion(criteria(*ks), range(2, 21)) == expected


@pytest.mark.parametrize(
    ("ks", "words"),
    [
        ((3, 9, 4), "say 3, 4 and 9: the middle is 4; they disagree, so look at 3 and 9 actions"),
        ((5, 4, 6), "say 4, 5 and 6: the middle is 5; they agree within 2"),
        ((None, 5, None), "say 5: the middle is 5; they agree within 2"),
        ((None, None, None), "No criterion can tell: 11 is the middle of the K tried"),
    ],
)
def test_the_verdict_says_who_disagrees(ks, words):
    found = criteria(*ks)
    assert words in Choice(suggestion(found, range(2, 21)), found, (), "people").verdict


def a_table(**columns):
    usual = {"k": range(2, 7), "expected": [0.2] * 5, "seeds": [0.9] * 5}
    columns = {**usual, **columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_reasons_name_what_they_rest_on():
    stability, reconstruction, tree = criteria_of(
        a_table(
            halves=[0.1, 0.5, 0.8, 0.82, 0.3],
            beyond=[0.0, 0.3, 0.75, 0.77, 0.1],
            error=[0.1, 0.1, 0.1, 0.05, 0.1],
            variance_left=[0.9, 0.4, 0.3, 0.2, 0.1],
            merge_height=[9, 5, 1.5, 1.4, 1.3],
        ),
        halved_by="people",
    )
    assert (stability.k, reconstruction.k, tree.k) == (4, 3, 3)
    assert (
        "halves of the people agree by 0.80 (adjusted Rand) with 4 actions, by 0.20"
        in stability.reason
    )
    assert (
        "a standard error of the best, 5; two seeds on all data agree by 0.90" in stability.reason
    )
    assert "3 actions leave 40% of the variance" in reconstruction.reason
    assert "from 3 branches down: 5 to join two of them, 1.5 one step before" in tree.reason


def test_criteria_that_cannot_tell_say_so():
    found = criteria_of(
        a_table(
            halves=[0.1] * 5,
            beyond=[-0.1, -0.2, 0.1, 0, 0],
            error=[0.1, 0.1, 0.2, 0.1, 0.1],
            variance_left=[0.5, 0.4, 0.3, 0.2, 0.1],
            merge_height=[5, 4, 3, 2, 1],
        ),
        halved_by="recordings",
    )
    assert [criterion.k for criterion in found] == [None, None, None]
    assert "no better than in data without structure" in found[0].reason


def test_auto_is_found_learned_and_kept(tmp_path, monkeypatch):
    few = partial(choose_k, k_max=6, repeats=2)
    monkeypatch.setattr("histvq.saving.choose_k", few)
    recordings = people(4)
    method = WindowKMeans(n_actions="auto", window_seconds=1.0, random_state=3)
    assert not hasattr(method, "n_actions_")
    method.fit(recordings)
    assert method.n_actions_ == few(recordings, window_seconds=1.0, seed=3).n_actions == 4
    assert method.get_params()["n_actions"] == "auto"
    method.save(tmp_path / "model")
    loaded = WindowKMeans.load(tmp_path / "model")
    assert (loaded.n_actions, loaded.n_actions_, loaded.config.n_actions) == ("auto", 4, 4)


def test_auto_that_fails_leaves_no_earlier_fit():
    method = WindowKMeans(n_actions=3, random_state=0).fit(people(3))
    still = Recording(id="still", skeleton=np.ones((300, 5, 3)), fps=10)
    with pytest.raises(ConfigError, match="too few to tell how many actions"):
        method.set_params(n_actions="auto").fit([still])
    assert not hasattr(method, "centres_")
    assert not hasattr(method, "n_actions_")


@pytest.mark.parametrize("kind", [WindowKMeans, HiSTVQ])
@pytest.mark.parametrize("wrong", [0, "many", 2.5, None])
def test_what_is_neither_a_number_nor_auto(kind, wrong):
    with pytest.raises(ConfigError, match=rf"n_actions={wrong!r}: input should be"):
        kind(n_actions=wrong)
