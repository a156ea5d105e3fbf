import json
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from histvq.annotation import Annotation
from histvq.report.key import make_key
from histvq.report.palette import mixed
from histvq.report.payload import labels_payload, letters, runs, script_json
from histvq.segments import Segmentation, to_labels


@given(st.recursive(st.text() | st.integers(-1000, 1000), lambda x: st.dictionaries(st.text(), x)))
def test_whatever_is_written_comes_back_and_ends_no_script(value):
    text = script_json(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert not set(text) & set("<>&")


def test_ends_of_scripts_and_of_lines_are_escaped():
    said = script_json("</script><!-- & \u2028\u2029")
    assert said == r'"\u003c/script\u003e\u003c!-- \u0026 \u2028\u2029"'


@given(st.lists(st.integers(-1, 3)))
def test_runs_say_what_the_labels_are(labels):
    made = runs(np.array(labels, dtype=int))
    ends = np.cumsum(made[::2]).tolist()
    segments = zip([0, *ends], ends, made[1::2], strict=False)
    assert to_labels(segments).tolist() == labels


def test_letters_go_on_after_z():
    assert [letters(k) for k in (0, 25, 26, 27, 51, 52, 701, 702)] == [
        "a", "z", "aa", "ab", "az", "ba", "zz", "aaa",
    ]  # fmt: skip


def test_a_payload_worked_by_hand():
    answer = Segmentation(
        recording_id="r", fps=2.0, actions=np.array([3, 3, -1]), subactions=np.array([6, 7, -1]),
        person="Ann", names={3: "walk"}, subaction_names={7: "swing"},
    )  # fmt: skip
    truth = Annotation(recording_id="r", labels=np.array([0, -1, -1]), actions=("go",), fps=2.0)
    known = {"r": truth}
    key = make_key([answer], known, {}, {3: "#102030"})
    data = labels_payload([answer], known, key, extras={"r": {"group": "x"}})
    assert data["actions"] == [
        {"code": 3, "name": "walk", "tag": "3", "colour": "#102030", "hatch": "", "ink": "#ffffff"}
    ]
    assert [(t["code"], t["name"], t["tag"]) for t in data["truth"]] == [(0, "go", "a")]
    assert [fine["name"] for fine in data["subactions"]] == ["subaction 6", "swing"]
    assert data["recordings"] == [
        {
            "id": "r", "person": "Ann", "fps": 2.0, "frames": 3, "extras": {"group": "x"},
            "actions": [2, 3, 1, -1], "subactions": [1, 6, 1, 7, 1, -1], "truth": [1, 0, 2, -1],
        }
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 2)), min_size=1, max_size=30))
def test_a_subaction_has_a_tint_of_the_action_it_lies_in_most(frames):
    fine, actions = np.array(frames).T
    half = len(frames) // 2
    answers = [
        Segmentation(recording_id=str(k), fps=2.0, actions=actions[part], subactions=fine[part])
        for k, part in enumerate((slice(half), slice(half, None)))
    ]
    key = make_key(answers, {}, {})
    counts = Counter(frames)
    parents = {}
    for code in {f for f, a in frames if f >= 0 <= a}:
        # Of actions in which it lies equally long, the one with the higher number.
        parents[code] = max((n, a) for (f, a), n in counts.items() if f == code and a >= 0)[1]
    expected = {}
    for action in set(parents.values()):
        children = sorted(code for code, of in parents.items() if of == action)
        shades = np.linspace(-0.25, 0.55, len(children)).tolist()
        for code, shade in zip(children, shades, strict=True):
            expected[code] = mixed(key.looks[action].colour, shade)
    assert key.fine_colours == expected
