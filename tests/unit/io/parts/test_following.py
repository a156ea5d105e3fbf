import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.errors import FileFormatError
from histvq.io.parts import following
from histvq.io.parts.following import array_blocks, frames_of, grown, lines_of

COLUMNS = ["hip_x", "hip_y", "foot_x", "foot_y"]


def frames(text, columns=COLUMNS):
    found = list(frames_of(lines_of([text.encode()]), columns, name="in.csv"))
    return np.concatenate(found) if found else np.zeros((0, len(columns)))


@given(
    text=st.text(alphabet="1,\n\r é", max_size=40),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_lines_are_the_same_wherever_pieces_are_cut(text, cuts):
    data = text.encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    found = [line for block in lines_of(pieces) for line in block]
    expected = [
        (number, line.strip("\r"))
        for number, line in enumerate(text.split("\n"), start=1)
        if line.encode().strip()
    ]
    assert [(n, line.strip("\r")) for n, line in found] == expected


def test_a_line_waits_for_its_end():
    lines = lines_of(iter([b"1,2\n3,", b"4\n", b"5,6"]))
    assert [next(lines) for _ in range(3)] == [[(1, "1,2")], [(2, "3,4")], []]
    assert next(lines) == [(3, "5,6")]  # there is no more


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", "   "])
@pytest.mark.parametrize("header", [False, True])
def test_numbers_however_parted(separator, header):
    rows = [COLUMNS] * header + [["1", "2.5", "-3e2", "4"], ["5", "nan", "7", "NaN"]]
    found = frames("\n".join(separator.join(row) for row in rows) + "\n")
    np.testing.assert_array_equal(found, [[1, 2.5, -300, 4], [5, np.nan, 7, np.nan]])


def test_columns_are_found_by_name_among_others():
    text = "time,Foot_Y,foot_x,hip_x [m],hip_y,note\n0,4,3,1,2,a\n1,8,,5,6,b\n"
    np.testing.assert_array_equal(frames(text), [[1, 2, 3, 4], [5, 6, np.nan, 8]])


def test_empty_cells_are_missing():
    np.testing.assert_array_equal(frames("1,,3,\n"), [[1, np.nan, 3, np.nan]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "1,2,3,4\n\n1,2,3\n",
            r"in.csv, line 3: 3 cells \(parted by comma\), expected 4 in the order",
        ),
        ("1,2,3,4\n1,2,x,4\n", "in.csv, line 2, foot_x: 'x', expected a finite number"),
        ("1,2,3,4\n1,2,inf,4\n", "line 2, foot_x: 'inf', expected a finite number"),
        ("1,2,3,4\n1,2,3,1e39\n", "line 2, foot_y: '1e39'"),
        ("1 2 3\n", r"line 1: 3 cells \(parted by blank\), expected 4 in the order hip_x, hip_y"),
        ("hip_x,hip_y,foot_x\n", "line 1: read as names of columns, .* there is no foot_y"),
        ("hip_x,hip_y,foot_x,foot_y\n1,2,3\n", "line 2: 3 cells"),
    ],
)
def test_a_bad_line_is_told_after_the_good_ones_were_given(text, words):
    given = []

    def take():
        for block in frames_of(lines_of([text.encode()]), COLUMNS, name="in.csv"):
            given.append(block)

    with pytest.raises(FileFormatError, match=words):
        take()
    assert sum(map(len, given)) == (1 if text.startswith("1,2,3,4") else 0)


def test_a_file_is_read_to_where_it_is_and_followed_as_it_grows(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "POLL_S", 0.001)
    path = tmp_path / "grows.csv"
    path.write_bytes(b"one")
    assert b"".join(grown(path, idle_s=0)) == b"one"
    pieces = grown(path, idle_s=None)
    assert next(pieces) == b"one"

    def write():
        with path.open("ab") as file:
            file.write(b"two")

    writer = threading.Timer(0.02, write)
    writer.start()
    assert next(pieces) == b"two"
    path.write_bytes(b"new")
    with pytest.raises(FileFormatError, match="became shorter"):
        next(pieces)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2"])
def test_arrays_come_in_blocks(tmp_path, dtype):
    array = np.arange(60).reshape(10, 3, 2).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(np.concatenate(list(array_blocks(tmp_path / "a.npy"))), array)
    np.save(tmp_path / "b.npy", np.array(["a"]))
    with pytest.raises(FileFormatError, match="expected real numbers"):
        next(array_blocks(tmp_path / "b.npy"))
