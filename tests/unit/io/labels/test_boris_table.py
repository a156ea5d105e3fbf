from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.errors import FileFormatError
from histvq.io.labels.boris_table import is_boris_table, read_boris_tables
from oracles.exported import answer, recordings_of

(RECORDING,) = recordings_of([answer([0] * 10, id="walk1")])
HEADER = (
    "Observation id,Source,Time offset (s),Subject,Behavior,Behavioral category,Behavior type,Start (s),"
    "Stop (s),Comment start"
)
ROWS = [
    "s1,player #1:videos/walk1.mp4;more.mp4,0,Ada,walk,,STATE,0.1,0.399,",
    's1,player #1:videos/walk1.mp4;more.mp4,0,Ada,run,,STATE,0.4,0.7,"sure,\nreally"',
    "s1,player #1:videos/walk1.mp4;more.mp4,0,Ada,step,subaction,STATE,0,1,",
]


@pytest.fixture
def written(tmp_path):
    def write(*rows, separator=",", header=HEADER):
        path = tmp_path / ("t.csv" if separator == "," else "t.tsv")
        path.write_text("\n".join([header, *rows]).replace(",", separator) + "\n")
        return path

    return write


@pytest.mark.parametrize("separator", [",", "\t"])
def test_a_table_written_by_hand(written, separator):
    path = written(*ROWS, separator=separator)
    assert is_boris_table(path)
    (found,) = read_boris_tables(path, [RECORDING])
    assert found.actions == ("walk", "run")
    assert found.labels.tolist() == [-1, 0, 0, 0, 1, 1, 1, -1, -1, -1]


def test_an_offset_is_taken_off_and_subactions_stand_in(written):
    row = "walk1,NA,2.5,Ada,step,subaction,STATE,2.5,3.5,"
    assert read_boris_tables(written(row), [RECORDING])[0].labels.tolist() == [0] * 10


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("s1,walk1.mp4,0,,blink,,POINT,0.8,0.8,", "line 6: 'blink' is of type POINT"),
        ("s1,walk1.mp4,0,,walk,,STATE,0.8,NA,", r"line 6: Stop \(s\) is 'NA', not a number"),
        (
            "s1,walk1.mp4,0,,walk,,STATE,0.8,1.5,",
            "line 6: 'walk' from 0.8 to 1.5 s: recording 'walk1'",
        ),
        (
            "s1,walk1.mp4,0,,walk,,STATE,0.6,0.9,",
            r"line 6: 'walk' starts at 0.6 s, but 'run' .*line 3",
        ),
        ("s1,walk1.mp4", "line 6: '' is of type none"),
        ('s1,walk1.mp4,0,,"walk', "line 6: unexpected end of data"),
    ],
)
def test_what_is_wrong_is_told_by_line(written, row, words):
    with pytest.raises(FileFormatError, match=words):
        read_boris_tables(written(*ROWS, row), [RECORDING])


def test_other_tables(written, tmp_path):
    path = written("1,2", header="a,b")
    assert not is_boris_table(path)
    with pytest.raises(FileFormatError, match="no column Observation id, Behavior,"):
        read_boris_tables(path, [RECORDING])
    with pytest.raises(FileFormatError, match="of none of the recordings"):
        read_boris_tables(written(ROWS[0].replace("walk1", "x")), [RECORDING])
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FileFormatError, match="not UTF-8"):
        read_boris_tables(path, [RECORDING])
    with pytest.raises(FileFormatError, match="there is no such file"):
        read_boris_tables(tmp_path / "x.csv", [RECORDING])


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
@settings(max_examples=150)
@given(data=st.data())
def test_a_damaged_table_is_read_or_refused_in_words(data, tmp_path_factory):
    text = bytearray("\n".join([HEADER, *ROWS]).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=6))
    path = tmp_path_factory.mktemp("f") / "t.csv"
    path.write_bytes(bytes(text))
    is_boris_table(path)
    with suppress(FileFormatError):
        read_boris_tables(path, [RECORDING])
