import copy
import gzip
import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.errors import DataWarning, FileFormatError
from histvq.io.labels.boris import read_boris
from oracles.exported import answer, recordings_of

# Ten frames at ten a second.
(RECORDING,) = recordings_of([answer([0] * 10, id="walk1")])


def behaviour(code, type="State event", category=""):
    return {"type": type, "key": code[0], "code": code, "category": category, "modifiers": {}}


# As BORIS 7 to 9 write it, with events of five and of six parts.
PROJECT = {
    "project_format_version": "7.0",
    "behaviors_conf": {
        "0": behaviour("walk"),
        "1": behaviour("run"),
        "2": behaviour("blink", "Point event"),
        "3": behaviour("step", category="subaction"),
    },
    "observations": {
        "first session": {
            "type": "MEDIA",
            "file": {"1": ["C:\\videos\\walk1.mp4", "more.mp4"], "2": []},
            "time offset": 5.0,
            "events": [
                [5.1, "Ada", "walk", "", ""],
                [5.399, "Ada", "walk", "", "", 12],
                [5.4, "Ada", "run", "", "sure"],
                [5.7, "Ada", "run", "", ""],
                [5.0, "Ada", "step", "", ""],
                [6.0, "Ada", "step", "", ""],
            ],
        }
    },
}


@pytest.fixture
def written(tmp_path):
    def write(*changes, name="p.boris"):
        project = copy.deepcopy(PROJECT)
        for change in changes:
            change(project, project["observations"]["first session"])
        (tmp_path / name).write_text(json.dumps(project))
        return tmp_path / name

    return write


def test_a_project_written_by_hand(written):
    (found,) = read_boris(written(), [RECORDING])
    assert found.actions == ("walk", "run")
    assert found.labels.tolist() == [-1, 0, 0, 0, 1, 1, 1, -1, -1, -1]


def test_subactions_are_read_where_there_are_no_actions(written):
    def only_steps(_, observation):
        observation["events"] = observation["events"][4:]

    (found,) = read_boris(written(only_steps), [RECORDING])
    assert found.actions == ("step",)
    assert found.labels.tolist() == [0] * 10


def test_an_observation_called_after_its_recording(written):
    def rename(project, observation):
        project["observations"] = {"walk1": {**observation, "file": {}, "type": "LIVE"}}

    assert read_boris(written(rename), [RECORDING])[0].actions == ("walk", "run")


def test_a_project_that_is_packed(written, tmp_path):
    (tmp_path / "q.boris.gz").write_bytes(gzip.compress(written().read_bytes()))
    assert read_boris(tmp_path / "q.boris.gz", [RECORDING])[0].actions == ("walk", "run")


def with_events(*events):
    def change(_, observation):
        observation["events"] += events

    return change


WHERE = r"p\.boris, observation 'first session', "


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([[5.8, "", "walk", "", ""]], "event 7: 'walk' starts at 0.8 s and nothing stops it"),
        ([[5.8, "", "blink", "", ""]], "event 7: 'blink' at 5.8 s is a point in time"),
        (
            [[5.8, "", "wlak", "", ""]],
            "event 7: 'wlak' is none of the project's.*did you mean 'walk'",
        ),
        ([["x", "", "walk", "", ""]], "event 7: its time is 'x', not a number"),
        ([[float("nan"), "", "walk", "", ""]], "event 7: its time is nan, not a number"),
        ([[5.8]], "event 7: expected time, subject, behaviour and modifier"),
        ([[5.8, "", ["walk"], "", ""]], "event 7: expected time, subject, behaviour and modifier"),
        (
            [[5.8, "", "walk", "", ""], [6.5, "", "walk", "", ""]],
            "events 7 and 8: 'walk' from 0.8 to 1.5 s: recording 'walk1' lasts 1 s",
        ),
        (
            [[4.8, "", "walk", "", ""], [5.1, "", "walk", "", ""]],
            "events 7 and 8: 'walk' from -0.2 to 0.1 s: recording 'walk1' lasts 1 s",
        ),
        (
            [[5.6, "Bo", "walk", "", ""], [5.9, "Bo", "walk", "", ""]],
            r"events 7 and 8: 'walk' starts at 0.6 s, but 'run' \(.*events 3 and 4\) lasts until 0.7 s",
        ),
    ],
)
def test_what_is_wrong_is_told_by_observation_and_event(written, events, words):
    with pytest.raises(FileFormatError, match=WHERE + words):
        read_boris(written(with_events(*events)), [RECORDING])


def test_at_most_ten_faults_are_told(written):
    path = written(with_events(*([5, "", "blink", "", ""] for _ in range(12))))
    with pytest.raises(FileFormatError, match=r"12 faults:") as error:
        read_boris(path, [RECORDING])
    assert str(error.value).count("blink") == 10
    assert str(error.value).endswith("... and 2 more")


def test_two_observations_of_a_recording(written):
    def twice(project, observation):
        project["observations"]["again"] = observation

    with pytest.raises(
        FileFormatError, match=r"'first session' and .*'again' are of the same recording 'walk1'"
    ):
        read_boris(written(twice), [RECORDING])


def test_observations_of_no_recording(written):
    def another(project, observation):
        project["observations"]["other"] = {**observation, "file": {}}

    with pytest.warns(
        DataWarning, match="observation 'other': of none of the recordings; left out"
    ):
        read_boris(written(another), [RECORDING])
    others = recordings_of([answer([0], id="x")])
    with pytest.raises(FileFormatError, match=r"of none.*Call an observation as its recording"):
        read_boris(written(), others)


def test_files_that_are_no_projects(tmp_path):
    for data, words in [
        (b"", "no BORIS project"),
        (b"[1]", "expected behaviors_conf and observations"),
        (b"{}", "expected behaviors_conf and observations"),
        (b'{"behaviors_conf": {}, "observations": {"a": 1}}', "'a': has no list of events"),
        (b"[" * 200_000, "no BORIS project"),
        (b"\xff\xfe\x00", "no BORIS project"),
    ]:
        (tmp_path / "p.boris").write_bytes(data)
        with pytest.raises(FileFormatError, match=words):
            read_boris(tmp_path / "p.boris", [RECORDING])
    (tmp_path / "p.boris.gz").write_bytes(gzip.compress(b"{}")[:-9])
    with pytest.raises(FileFormatError, match="no BORIS project"):
        read_boris(tmp_path / "p.boris.gz", [RECORDING])
    with pytest.raises(FileFormatError, match="there is no such file"):
        read_boris(tmp_path / "q.boris", [RECORDING])


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
@settings(max_examples=200)
@given(data=st.data())
def test_any_value_in_any_place_is_read_or_refused_in_words(data, tmp_path_factory):
    project = copy.deepcopy(PROJECT)
    node = project
    while True:  # walk down to a place by chance, and put something there
        key = data.draw(st.sampled_from([*node] if isinstance(node, dict) else [*range(len(node))]))
        if not isinstance(node[key], dict | list) or not node[key] or data.draw(st.booleans()):
            node[key] = data.draw(anything)
            break
        node = node[key]
    path = tmp_path_factory.mktemp("f") / "p.boris"
    path.write_text(json.dumps(project))
    with suppress(FileFormatError):
        read_boris(path, [RECORDING])
