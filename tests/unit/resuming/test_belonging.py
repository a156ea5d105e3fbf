from dataclasses import fields, replace

import numpy as np
import pytest

from histvq.recording import Recording
from histvq.resuming.belonging import Belonging, belonging, differences, digest_of, other_programs


def recording(id="a", **changes) -> Recording:
    skeleton = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    return Recording(**{"id": id, "skeleton": skeleton, "fps": 60.0, "person": "Ada", **changes})


def of(*recordings, labels=(), actions=(), **settings) -> Belonging:
    made = belonging("histvq", settings, recordings, labels=labels, actions=actions)
    return Belonging.of(made.plain)


A, B, C = (recording(id) for id in "abc")


def test_the_same_is_not_different():
    assert differences(of(A, B, epochs=3, people=("x",)), of(A, B, epochs=3, people=["x"])) == []


@pytest.mark.parametrize(
    ("kept", "now", "words"),
    [
        (of(A, epochs=3), of(A, epochs=4), ["epochs was 3 and is 4"]),
        (of(A, n=1), of(A, n=2, m=0), ["n was 1 and is 2", "m was None and is 0"]),
        (of(A, B), of(A), ["recordings no longer there: b"]),
        (of(A), of(A, B, C), ["recordings new: b, c"]),
        (of(A, B), of(A, recording("b", fps=50.0)), ["recordings changed: b"]),
        (of(A, B), of(B, A), ["the recordings come in another order"]),
        (of(A, n=1), of(B, n=2), ["n was 1 and is 2", "recordings no longer there: a",
                                  "recordings new: b"]),
        (of(*map(recording, "abcdefgh")), of(A),
         ["recordings no longer there: b, c, d, e, f and 2 more"]),
        (of(A, labels=[np.zeros(4)]), of(A, labels=[np.ones(4)]), ["the labels are others"]),
        (of(A, labels=[np.zeros(4)], actions=["x"]), of(A, labels=[np.zeros(4)], actions=["y"]),
         ["the labels are others"]),
        (of(A), of(A, labels=[np.zeros(4)]), ["the labels are others"]),
        (of(A, n=1), replace(of(A, n=2), method="smq"), ["the method was histvq and is smq"]),
    ],
)  # fmt: skip
def test_what_is_different_is_named(kept, now, words):
    assert differences(kept, now) == words


LEARNED_FROM = {
    "skeleton": np.zeros((4, 2, 3), np.float32),
    "fps": 30.0,
    "joint_names": ("x", "y"),
    "channel_names": ("u", "v", "w"),
    "parents": (-1, 0),
    "joint_persons": (0, 1),
    "unit": "mm",
    "person": "Ben",
}
NOT_LEARNED_FROM = {
    "id": "b",
    "metadata": {"when": "now"},
    "source": "elsewhere.csv",
    "history": ("moved",),
}


def test_every_attribute_of_a_recording_is_of_either_sort():
    assert {f.name for f in fields(Recording)} == {*LEARNED_FROM, *NOT_LEARNED_FROM}


@pytest.mark.parametrize("name", LEARNED_FROM)
def test_whatever_is_learned_from_is_in_the_digest(name):
    assert digest_of(recording(**{name: LEARNED_FROM[name]})) != digest_of(A)


@pytest.mark.parametrize("name", NOT_LEARNED_FROM)
def test_nothing_else_is(name):
    assert digest_of(recording(**{name: NOT_LEARNED_FROM[name]})) == digest_of(A)


def test_one_value_in_the_last_place_and_a_shape_are_seen():
    skeleton = A.skeleton.copy()
    skeleton[3, 1, 2] = np.nextafter(skeleton[3, 1, 2], np.float32(0))
    assert digest_of(recording(skeleton=skeleton)) != digest_of(A)
    turned = A.skeleton.reshape(2, 4, 3)
    assert digest_of(recording(skeleton=turned)) != digest_of(A)
    empty = recording(skeleton=np.zeros((0, 2, 3), np.float32))
    assert digest_of(empty) != digest_of(A)


def test_other_programs_are_named():
    kept = of(A)
    now = replace(kept, versions={**kept.versions, "torch": "99"})
    assert other_programs(kept, now) == [f"torch {kept.versions['torch']}, now 99"]
    assert other_programs(kept, kept) == []
