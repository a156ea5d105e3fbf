import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histvq.errors import ConfigError, FileFormatError
from histvq.report import read_frames, write_frames
from histvq.report.names import Named, Names, read_names, renamed, write_names
from histvq.segments import Segmentation, to_segments

GOOD = """\
# mine
actions:
  0: standing
  1: {name: walking, colour: "#0072B2"}   # a comment
  2: walking
  3:
  4: 'gait: fast #2'
subactions:
  0: heel strike
"""
codes = st.lists(st.integers(-1, 5), min_size=1, max_size=30)
few_names = st.dictionaries(
    st.integers(0, 5), st.sampled_from([None, "a", "b", "action 0", "action 4"])
)
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cn", "Co"]), max_size=12)


def answer(actions, subactions=None, **more):
    fine = None if subactions is None else np.array(subactions, np.int32)
    return Segmentation(
        recording_id="r", fps=10, actions=np.array(actions, np.int32), subactions=fine, **more
    )


def names_of(**levels):
    return Names(**{
        level: {code: Named(name) for code, name in said.items()} for level, said in levels.items()
    })  # fmt: skip


def written(tmp_path, text):
    place = tmp_path / "names.yaml"
    place.write_text(text, encoding="utf-8")
    return place


def test_what_a_file_says(tmp_path):
    found = read_names(written(tmp_path, "\ufeff" + GOOD.replace("\n", "\r\n")))
    assert found.actions == {
        0: Named("standing"),
        1: Named("walking", "#0072b2"),
        2: Named("walking", "#0072b2"),  # of one name, of one colour
        3: Named(),
        4: Named("gait: fast #2"),
    }
    assert found.subactions == {0: Named("heel strike")}


@pytest.mark.parametrize("name", ["no", "on", "1e3", "12", "2024-01-01", "0x1F", "yes", "NULL "])
def test_a_name_is_text_whatever_yaml_makes_of_it(tmp_path, name):
    found = read_names(written(tmp_path, f"actions:\n  0: {name}\n")).actions[0].name
    assert found == (None if "NULL" in name else name)


def test_actions_merged_by_hand():
    before = answer([0, 0, 5, 2, 2, 5, -1, 1], [0, 1, 10, 4, 5, 11, -1, 2])
    (after,) = renamed([before], names_of(actions={2: "walk", 5: "walk", 0: "stand"}))
    assert after.actions.tolist() == [0, 0, 2, 2, 2, 2, -1, 1]
    assert after.names == {0: "stand", 2: "walk"}
    assert after.subactions.tolist() == before.subactions.tolist()
    assert after.predicted is before
    table = after.segments("action")
    assert table["name"].tolist() == ["stand", "walk", "action 1"]
    assert table["label"].tolist() == [0, 2, 1]


def test_subactions_merged_by_hand():
    before = answer([0, 0, 1, 1], [0, 1, 2, 3])
    (after,) = renamed([before], names_of(subactions={1: "step", 3: "step"}))
    assert after.subactions.tolist() == [0, 1, 2, 1]
    assert after.segments("subaction")["name"].tolist() == [
        "subaction 0", "step", "subaction 2", "step",
    ]  # fmt: skip


def test_what_an_action_is_called_without_a_name_counts():
    (after,) = renamed([answer([1, 3, 3])], names_of(actions={3: "action 1"}))
    assert after.actions.tolist() == [1, 1, 1]
    assert after.names == {}
    (after,) = renamed([answer([0, 1], names={0: "sit", 1: "lie"})], names_of(actions={1: "sit"}))
    assert after.actions.tolist() == [0, 0]
    assert after.names == {0: "sit"}


def test_a_merged_action_has_the_same_code_where_the_lower_one_does_not_occur():
    (after,) = renamed([answer([5, 5])], names_of(actions={2: "walk", 5: "walk"}))
    assert after.actions.tolist() == [2, 2]


@given(codes, few_names, few_names)
def test_renaming_moves_no_border_but_between_equal_names(actions, said, earlier):
    before = answer(actions, actions)
    names = names_of(actions=said, subactions=said)
    (after,) = renamed(renamed([before], names_of(actions=earlier)), names)

    def called(code):
        return said.get(code) or f"action {code}"

    assert after.n_frames == before.n_frames
    assert ((after.actions < 0) == (before.actions < 0)).all()
    for start, _, _ in to_segments(before.actions)[1:]:
        one, other = before.actions[start - 1], before.actions[start]
        meet = min(one, other) >= 0 and called(one) == called(other)
        assert (after.actions[start - 1] == after.actions[start]) == meet
    assert {start for start, *_ in to_segments(after.actions)} <= {
        start for start, *_ in to_segments(before.actions)
    }
    for code, new in zip(before.actions.tolist(), after.actions.tolist(), strict=True):
        assert new <= code
        assert code < 0 or after.name_of(new) == called(code)


@given(codes, few_names)
def test_names_taken_out_again_leave_the_answer_as_it_was(actions, said):
    before = answer(actions)
    assert renamed(renamed([before], names_of(actions=said)), Names()) == [before]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(codes, st.dictionaries(st.integers(0, 5), words.map(str.strip).filter(bool)))
def test_the_first_file_changes_nothing(tmp_path, actions, own):
    own = {code: name for code, name in own.items() if list(own.values()).count(name) == 1}
    own = {code: name for code, name in own.items() if not name.startswith("action")}
    before = answer(actions, actions, names=own)
    (tmp_path / "names.yaml").unlink(missing_ok=True)  # of the example before
    place = write_names(tmp_path / "names.yaml", [before])
    found = read_names(place, known={"action": {*range(6)}, "subaction": {*range(6)}})
    assert renamed([before], found) == [before]
    assert {c: n.name for c, n in found.actions.items() if c in own} == own


def test_a_name_of_several_lines_is_left_to_the_method(tmp_path):
    before = answer([0], names={0: "a\nb: c"})
    found = read_names(write_names(tmp_path / "names.yaml", [before]))
    assert found.actions == {0: Named()}
    assert renamed([before], found) == [before]


def test_comments_say_what_helps(tmp_path):
    several = [answer([0, 0, 0, 1], [0, 1, 1, 2]), answer([0, 0, 0, 0], [0, 0, 0, 0])]
    text = write_names(tmp_path / "names.yaml", several, nearest={1: 0}).read_text()
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "0: action 0 # 87.5% of the time, 2 segments, in 2 of 2 recordings" in lines
    assert (
        "1: action 1 # 12.5% of the time, 1 segment, in 1 of 2 recordings, most like action 0"
        in lines
    )
    assert (
        "2: subaction 2 # 12.5% of the time, 1 segment, in 1 of 2 recordings, in action 1" in lines
    )


def test_a_persons_file_is_kept(tmp_path):
    place = written(tmp_path, GOOD)
    with pytest.raises(ConfigError, match="is there already and stays as it is"):
        write_names(place, [answer([0, 1, 2, 6])])
    assert place.read_text() == GOOD
    before = read_names(place)
    write_names(place, [answer([0, 1, 2, 6])], overwrite=True)
    after = read_names(place)
    assert {**after.actions, 3: Named()} == {**before.actions, 6: Named("action 6")}
    assert (tmp_path / "names-earlier.yaml").read_text() == GOOD
    written(tmp_path, "actions: [")
    write_names(place, [answer([0])], overwrite=True)
    assert read_names(place).actions == {0: Named("action 0")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no names in it"),
        ("- walk\n", "no names in it"),
        ("actions: walk\n", "line 1: actions is no list of codes"),
        ("action:\n", "line 1: key 'action'; did you mean 'actions'"),
        ("actions:\n  0: a\nactions:\n  1: b\n", "line 3: key 'actions' stands on line 1 too"),
        ("actions:\n  0: a\n  1: b\n  00: c\n", "line 4: action 0 stands on line 2 too; keep one"),
        ("actions:\n  0: a\n  9: b\n", "line 3: there is no action 9; there are 0 to 5$"),
        ("subactions:\n  3: b\n", "line 2: there is no subaction 3; there are 0, 2 and 7 to 9$"),
        ("actions:\n  -1: a\n", "line 2: '-1' is no action's code"),
        ("actions:\n  walk: 1\n", "line 2: 'walk' is no action's code; write a number"),
        ("actions:\n  [1, 2]: a\n", "line 2: 'a list or mapping' is no action's code"),
        ("actions:\n  1: [a, b]\n", "line 2: the name of action 1 is a list"),
        ("actions:\n  1: {name: {a: b}}\n", "line 2: the name of action 1 is a list"),
        ('actions:\n  1: "a\\nb"\n', "line 2: the name of action 1 holds a line end"),
        ("actions:\n  1: |\n    a\n    b\n", "line 2: the name of action 1 holds a line end"),
        ("actions:\n  1: {name: a, color: '#00ff00'}\n", "line 2: key 'color'; did you mean 'colour"),
        ("actions:\n  1: {name: a, colour: red}\n", "line 2: the colour of action 1 is red; write"),
        ("actions:\n  1: {colour: '#0f0'}\n", "colour of action 1 is #0f0"),
        ("actions:\n  1:\n    colour: #00ff00\n", "line 3: the colour of action 1 is empty; .*quotes"),
        ("actions:\n  1: {name: a, colour: #00ff00}\n", r"line 3: .*all colours, in quotes"),
        ("actions:\n  1: a: b\n", "line 2: mapping values are not allowed here"),
        ("actions:\n\t1: a\n", "line 2: .*blanks, not tabs"),
        ("actions:\n  1: *x\n", "line 2: found undefined alias"),
        ("a: b\n---\nc: d\n", "line 2: but found another document"),
        ("actions:\n  <<: {1: a}\n", "'<<' is no action's code"),
        ("[" * 5000, "not to be read as YAML"),
        ("actions:\n  1: a\x00\n", "not to be read as YAML"),
        (
            "actions:\n 1: {name: a, colour: '#00ff00'}\n 2: {name: a, colour: '#0000ff'}\n",
            "line 3: actions 1 and 2 are both called 'a', one #00ff00, one #0000ff",
        ),
        ("actions:\n  7: a\n  8: b\n", "2 faults:\nline 2: there is no action 7.*\nline 3"),
    ],
)  # fmt: skip
def test_faults_name_key_and_line(tmp_path, text, message):
    known = {"action": range(6), "subaction": [0, 2, 7, 8, 9]}
    with pytest.raises(FileFormatError, match=message) as caught:
        read_names(written(tmp_path, text), known=known)
    assert str(tmp_path / "names.yaml") in str(caught.value)


def test_files_that_are_no_text(tmp_path):
    with pytest.raises(FileFormatError, match="histvq names RUN writes a first one"):
        read_names(tmp_path / "names.yaml")
    for encoding in ("utf-16", "latin-1"):
        (tmp_path / "names.yaml").write_bytes("actions:\n  0: gähnen\n".encode(encoding))
        with pytest.raises(FileFormatError, match="save it as UTF-8"):
            read_names(tmp_path / "names.yaml")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=60),
        st.tuples(st.integers(0, len(GOOD)), st.text(max_size=4), st.integers(0, 9)).map(
            lambda cut: (GOOD[: cut[0]] + cut[1] + GOOD[cut[0] + cut[2] :]).encode(errors="replace")
        ),
    )
)
def test_whatever_the_file_holds(tmp_path, data):
    (tmp_path / "names.yaml").write_bytes(data)
    try:
        found = read_names(tmp_path / "names.yaml")
    except FileFormatError:
        return
    (after,) = renamed([answer([0, 1, 2, -1], [0, 1, 2, -1])], found)
    assert after.n_frames == 4


def test_frames_keep_what_was_predicted(tmp_path):
    before = [answer([0, 5, 2, -1, 5], [0, 10, 4, -1, 11], confidence=np.full(5, 0.5))]
    names = names_of(actions={2: "walk", 5: "walk"}, subactions={4: "step"})
    after = renamed(before, names)
    (found,) = read_frames(write_frames(tmp_path / "frames.csv", after))
    for one, other in ((found, after[0]), (found.predicted, before[0])):
        assert one.actions.tolist() == other.actions.tolist()
        assert one.subactions.tolist() == other.subactions.tolist()
        assert (one.names, one.subaction_names) == (other.names, other.subaction_names)
    (again,) = renamed([found], names_of(actions={0: "walk", 5: "walk"}))
    assert again.actions.tolist() == [0, 0, 2, -1, 0]
    assert again.names == {0: "walk"}


def test_frames_keep_the_names_a_method_gave(tmp_path):
    before = [answer([0, 1, 1], names={0: "sit", 1: "lie"})]
    after = renamed(before, names_of(actions={1: "sit"}))
    (found,) = read_frames(write_frames(tmp_path / "frames.csv", after))
    assert (found.names, found.predicted.names) == ({0: "sit"}, {0: "sit", 1: "lie"})
