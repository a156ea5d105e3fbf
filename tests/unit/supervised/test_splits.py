from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.datasets.hugadb import _PER_PERSON
from histvq.errors import ConfigError
from histvq.recording import Recording
from histvq.supervised.splits import (
    SPLITS,
    held_out,
    in_folds,
    is_tested_on,
    leave_one_person_out,
    split_of,
)


def of(person, n_frames=10, id=None, **metadata):
    return Recording(
        id=id or f"{person}", skeleton=np.zeros((n_frames, 1, 1)), fps=10, person=person,
        metadata=metadata,
    )  # fmt: skip


def test_hugadb_every_person_is_tested_on_once():
    people = [person for fold in SPLITS["hugadb"].folds for person in fold]
    assert sorted(people) == [f"{n:02}" for n in range(1, 19)]
    counts = [sum(_PER_PERSON[int(p) - 1] for p in fold) for fold in SPLITS["hugadb"].folds]
    assert sum(counts) == 364
    assert min(counts) > 80


def test_published_splits():
    assert SPLITS["lara"].folds == (("S05", "S06", "S07", "S08"),)
    assert SPLITS["pku-mmd"].folds == (("02", "03", "07"),)
    assert (SPLITS["pku-mmd-cross-view"].by, SPLITS["pku-mmd-cross-view"].folds) == (
        "view",
        (("L",),),
    )


def test_leave_one_person_out():
    recordings = [of("b", id="1"), of("a", id="2"), of("b", id="3")]
    assert leave_one_person_out(recordings).folds == (("a",), ("b",))
    assert split_of("nobody knows it", recordings).folds == (("a",), ("b",))
    assert split_of("hugadb", recordings) is SPLITS["hugadb"]
    with pytest.raises(ConfigError, match="all 2 recordings are of one person"):
        leave_one_person_out([of("b", id="1"), of("b", id="3")])
    with pytest.raises(ConfigError, match="recording 'x' does not say its person"):
        leave_one_person_out([of(None, id="x")])


def test_many_people_in_five_folds():
    recordings = [of(person) for person in "gfedcba"]
    assert split_of("another", recordings).folds == (
        ("a", "f"), ("b", "g"), ("c",), ("d",), ("e",),
    )  # fmt: skip
    assert len(split_of("another", recordings[:6]).folds) == 6
    alone = leave_one_person_out(recordings)
    assert in_folds(alone, n_folds=2).folds == (("a", "c", "e", "g"), ("b", "d", "f"))


def test_who_is_tested_on():
    recordings = [of("a"), of("b"), of("a", id="a2"), of("c", view="L")]
    assert is_tested_on(recordings, ("a", "c"), by="person").tolist() == [True, False, True, True]
    views = [of("a", view="L"), of("b", view="M")]
    assert is_tested_on(views, ("L",), by="view").tolist() == [True, False]
    with pytest.raises(ConfigError, match="no recording of person d; there are a, b, c"):
        is_tested_on(recordings, ("a", "d"), by="person")
    with pytest.raises(ConfigError, match="no person is left to learn from"):
        is_tested_on(recordings, ("a", "b", "c"), by="person")
    with pytest.raises(ConfigError, match="'a' does not say its view"):
        is_tested_on(recordings, ("L",), by="view")


def held(recordings, labels, share=0.3, seed=0):
    rng = np.random.default_rng(seed)
    return held_out(recordings, [np.array(one) for one in labels], share=share, rng=rng)


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 3)), min_size=1, max_size=12),
    st.floats(0, 0.9),
    st.integers(0, 5),
)
def test_whole_people_are_held_out_and_no_action_with_them(who, share, seed):
    recordings = [of(person, id=str(k)) for k, (person, _) in enumerate(who)]
    labels = [np.arange(10) % n_labels for _, n_labels in who]
    places = held(recordings, labels, share=share, seed=seed)
    left = [k for k in range(len(who)) if k not in places]
    assert left
    known = {label for k in left for label in labels[k].tolist()}
    assert known == {label for one in labels for label in one.tolist()}
    if len({person for person, _ in who}) > 1:
        assert not {who[k][0] for k in left} & {who[k][0] for k in places}


def test_as_much_as_asked_for():
    recordings = [of(person, id=f"{person}{k}") for person in "abcdefghij" for k in range(3)]
    places = held(recordings, [[0] * 10] * 30, share=0.2)
    assert len(places) == 6
    assert held(recordings, [[0] * 10] * 30, share=0.0) == []
    # Chance decides who.
    drawn = Counter(
        recordings[held(recordings, [[0] * 10] * 30, seed=s)[0]].person for s in range(30)
    )
    assert len(drawn) > 3


def test_recordings_where_people_are_unknown_or_one():
    for person in (None, "a"):
        recordings = [of(person, id=str(k)) for k in range(10)]
        assert len(held(recordings, [[0] * 10] * 10)) == 3
    assert held([of("a")], [[0] * 10]) == []
