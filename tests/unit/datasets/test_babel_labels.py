import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.datasets._babel_labels import NO_CLASS, TOO_LONG, UNANNOTATED, read_labels
from histvq.errors import FileFormatError
from oracles.little_babel import entry, labels_by_loop, write_json

WALK, STAND, TURN, JUMP, NONE = range(5)


@pytest.fixture
def read(tmp_path):
    def read_(*entries, subset=1, close_gaps=False):
        write_json(tmp_path / "train.json", entries)
        return read_labels(tmp_path / "train.json", subset, close_gaps=close_gaps)

    return read_


def one(read, segments, *, seconds=2.0, **options):
    (sequence,), _ = read(entry(7, segments, seconds=seconds), **options)
    return sequence


def test_frames_of_a_sequence_cut_by_hand(read):  # worked by hand
    segments = [(["walk"], 0, 0.1), (["throw"], 0.1, 0.2), (["stand", "throw"], 0.2, 0.3)]
    sequence = one(read, segments, seconds=0.3)
    assert (sequence.id, str(sequence.motion)) == ("7", "KIT/KIT/1/walk7_poses.npz")
    assert sequence.labels.tolist() == [WALK] * 3 + [NONE] * 3 + [STAND] * 3
    assert not sequence.has_gap
    assert sequence.n_several == 0


def test_a_gap_is_none_or_makes_labels_come_too_early(read):  # worked by hand
    segments = [(["walk"], 0.1, 0.2), (["jump"], 0.3, 0.4), (None, 0.2, 0.3), (None, 0.4, 0.5)]
    kept, closed = (one(read, segments, close_gaps=close) for close in (False, True))
    assert kept.labels.tolist() == [NONE] * 3 + [WALK] * 3 + [NONE] * 3 + [JUMP] * 3
    assert closed.labels.tolist() == [WALK] * 3 + [JUMP] * 3
    assert kept.has_gap
    assert closed.has_gap


def test_without_a_gap_both_ways_are_the_same(read):
    segments = [(["walk"], 0, 1.0), (["throw"], 0.9, 1.5), (None, 1.5, 2.0)]
    kept, closed = (one(read, segments, close_gaps=close) for close in (False, True))
    np.testing.assert_array_equal(kept.labels, closed.labels)
    assert len(kept.labels) == 45
    assert not kept.has_gap


def test_of_several_actions_the_first_of_the_list_and_they_are_counted(read):
    segments = [(["jump", "turn"], 0, 0.1), (["stand"], 0.1, 0.3), (["jump", "throw"], 0.2, 0.4)]
    sequence = one(read, segments)
    assert sequence.labels.tolist() == [TURN] * 3 + [STAND] * 6 + [JUMP] * 3
    assert sequence.n_several == 6


NAMES = st.lists(st.sampled_from(["walk", "stand", "turn", "jump", "throw", "sit"]), max_size=3)
TIMES = st.floats(0, 3) | st.integers(0, 90).map(lambda n: n / 30)


@given(
    segments=st.lists(st.tuples(st.none() | NAMES, TIMES, TIMES), max_size=6),
    seconds=st.floats(0, 3),
    subset=st.sampled_from([1, 2]),
    close_gaps=st.booleans(),
)
def test_labels_as_by_plain_loops(segments, seconds, subset, close_gaps, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "train.json"
    given_ = entry(7, segments, seconds=seconds)
    write_json(path, [given_])
    sequences, left_out = read_labels(path, subset, close_gaps=close_gaps)
    labels, has_gap = labels_by_loop(given_, subset, close_gaps=close_gaps)
    if set(labels) <= {NONE}:
        assert (sequences, left_out) == ([], {NO_CLASS: 1})
    else:
        assert sequences[0].labels.tolist() == labels
        assert sequences[0].has_gap == has_gap


def test_the_rules_that_leave_out_and_how_often(read):
    sequences, left_out = read(
        entry(1, None, seconds=2.0),
        entry(2, [(["walk"], 0, 1000 / 30)], seconds=40.0),
        entry(3, [(["walk"], 0, 1001 / 30)], seconds=40.0),
        entry(4, [(["throw"], 0, 2)], seconds=2.0),
        entry(5, [], seconds=2.0),
        entry(6, [(["walk"], 0, 30), (None, 30, 40)], seconds=40.0),
    )
    assert [sequence.id for sequence in sequences] == ["2", "6"]
    assert len(sequences[0].labels) == 1000
    assert left_out == Counter({UNANNOTATED: 1, TOO_LONG: 1, NO_CLASS: 2})


def test_frames_nobody_annotated_do_not_count_towards_a_thousand(read):
    segments = [(["walk"], 0, 10), (["walk"], 40, 50)]
    (sequence,), _ = read(entry(1, segments, seconds=60.0))
    assert len(sequence.labels) == 1500


def changed(**changes):
    return {**entry(7, [(["walk"], 0, 1)], seconds=2.0), **changes}


def with_segment(**changes):
    segment = {"act_cat": ["walk"], "start_t": 0, "end_t": 1} | changes
    return changed(frame_ann={"labels": [segment]})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (changed(dur="2"), "sequence '7': dur is '2', expected int | float"),
        (changed(dur=True), "dur is True"),
        (changed(dur=1e300), "dur 1e+300, expected seconds"),
        (changed(dur=-1), "dur -1, expected seconds"),
        (changed(dur=10**400), "dur is inf, expected seconds"),
        (changed(feat_p="../../../etc/passwd"), "feat_p '../../../etc/passwd', expected a path"),
        (changed(feat_p="/KIT/KIT/x.npz"), "feat_p '/KIT/KIT/x.npz', expected a path"),
        (changed(babel_sid=None), "babel_sid is None, expected int"),
        (changed(frame_ann=[]), "frame_ann is [], expected dict | None"),
        (changed(frame_ann={}), "no 'labels' in it"),
        (with_segment(act_cat="walk"), "act_cat is 'walk', expected list | None"),
        (with_segment(act_cat=[3]), "act_cat [3], expected names"),
        (with_segment(start_t=None), "start_t is None, expected int | float"),
        (with_segment(end_t=float("nan")), "end_t is nan, expected seconds"),
        ([], "no 'babel_sid' in it"),
    ],
)
def test_what_is_wrong_and_where(content, words, tmp_path):
    path = tmp_path / "val.json"
    path.write_text(json.dumps({"7": content, "8": entry(8, None, seconds=1.0)}))
    with pytest.raises(FileFormatError) as caught:
        read_labels(path, 1, close_gaps=False)
    assert words in str(caught.value)
    assert "val.json" in str(caught.value)


def test_faults_are_told_at_once_and_at_most_ten(tmp_path):
    path = tmp_path / "val.json"
    path.write_text(json.dumps({str(n): {} for n in range(12)}))
    with pytest.raises(FileFormatError, match="and 2 more") as caught:
        read_labels(path, 1, close_gaps=False)
    assert str(caught.value).count("no 'babel_sid' in it") == 10


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no JSON"),
        (b"[1]", "list where BABEL has an object of sequences"),
        (b"{" * 10, "no JSON"),
        (b"[" * 100_000, "no JSON"),
        ("{}".encode("utf-16"), "no JSON"),
        (b'{"a": "\xe9"}', "no JSON"),
    ],
)
def test_no_such_json(content, words, tmp_path):
    (tmp_path / "train.json").write_bytes(content)
    with pytest.raises(FileFormatError, match=f"train.json: {words}"):
        read_labels(tmp_path / "train.json", 1, close_gaps=False)


def test_windows_line_ends_and_a_mark_of_the_encoding(tmp_path):
    text = json.dumps({"7": entry(7, [(["walk"], 0, 1)], seconds=1.0)}, indent=1)
    (tmp_path / "train.json").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    sequences, _ = read_labels(tmp_path / "train.json", 1, close_gaps=False)
    assert sequences[0].labels.tolist() == [WALK] * 30


@given(st.data())
def test_whatever_happened_to_a_file_comes_out_as_words(tmp_path_factory, data):
    content = bytearray(json.dumps({"7": with_segment()}).encode())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "fuzzed.json"
    path.write_bytes(content)
    try:
        read_labels(path, 1, close_gaps=False)
    except FileFormatError as error:
        assert "fuzzed.json" in str(error)  # noqa: PT017
