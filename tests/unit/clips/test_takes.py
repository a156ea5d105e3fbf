import re
from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis.strategies import floats, integers, lists, text, tuples

from histvq.clips import Take, takes_of
from histvq.clips.naming import stems
from histvq.io.parts.file_names import check_file_names
from histvq.segments import Segmentation


def card(*clips, action=0, name="walk"):
    made = [
        SimpleNamespace(recording_id=recording, start=start, stop=stop, kind=kind)
        for recording, start, stop, kind in clips
    ]
    return SimpleNamespace(action=action, name=name, clips=made)


ANSWERS = [
    Segmentation(recording_id="a", fps=10.0, actions=np.zeros(99, int)),
    Segmentation(recording_id="b", fps=50.0, actions=np.zeros(99, int)),
]


def test_kinds_come_by_turns_and_none_twice():
    walk = card(
        ("a", 0, 5, "typical"), ("a", 5, 9, "typical"), ("b", 0, 9, "typical"),
        ("b", 3, 7, "borderline"), ("a", 0, 5, "borderline"), ("a", 5, 9, "random"),
    )  # fmt: skip
    found = takes_of([walk], ANSWERS, per_action=4)
    assert [(t.recording_id, t.start, t.stop, t.kind) for t in found] == [
        ("a", 0, 5, "typical"), ("b", 3, 7, "borderline"), ("a", 5, 9, "random"),
        ("b", 0, 9, "typical"),
    ]  # fmt: skip
    assert [t.stop_s for t in found] == [0.5, 0.14, 0.9, 0.18]


def test_an_action_without_clips_has_no_take():
    assert takes_of([card(), card(("a", 0, 1, "random"), action=7)], ANSWERS, per_action=1) == [
        Take(action=7, name="walk", recording_id="a", start=0, stop=1, kind="random", fps=10.0)
    ]


def take(name="walk", recording_id="13_29", start=741, stop=900, action=3, fps=60.0):
    return Take(
        action=action,
        name=name,
        recording_id=recording_id,
        start=start,
        stop=stop,
        kind="",
        fps=fps,
    )


def test_names_say_action_recording_and_times():
    assert stems([take(), take("action 3"), take(action=12, start=0, stop=75_000)]) == [
        "action03-walk_13_29_12s350-15s000",
        "action03_13_29_12s350-15s000",
        "action12-walk_13_29_0s000-1250s000",
    ]


def test_names_are_told_apart_even_where_capitals_are_not():
    assert stems([take(), take("Walk"), take("walk?")]) == [
        "action03-walk_13_29_12s350-15s000",
        "action03-Walk_13_29_12s350-15s000-2",
        "action03-walk_13_29_12s350-15s000-3",
    ]


def test_whatever_people_call_things_is_no_path():
    (found,) = stems([take("../../etc", "C:\\con <script>alert('1')</script>\n.")])
    assert found == "action03-etc_C-con-script-alert-1-script_12s350-15s000"
    assert stems([take("🕺", "...")]) == ["action03-unnamed_unnamed_12s350-15s000"]
    assert stems([take("Gehen über Äcker")])[0].startswith("action03-Gehen-über-Äcker_")


@given(lists(tuples(text(), text(), integers(0, 10**6), floats(0.1, 1000)), max_size=5))
def test_any_names_are_safe_on_every_system(said):
    found = stems(
        take(name, recording, start, start + 3, fps=fps) for name, recording, start, fps in said
    )
    check_file_names(found)
    assert all("." not in stem and len(stem.encode()) < 220 for stem in found)
    assert all(re.fullmatch(r"[\w-]+", stem) for stem in found)
