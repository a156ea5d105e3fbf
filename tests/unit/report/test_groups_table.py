import pytest

from histvq.errors import DataWarning, FileFormatError
from histvq.report.groups_table import read_groups

IDS = ("ada", "ben, jr", "c")


def written(tmp_path, text):
    place = tmp_path / "groups.csv"
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    return place


@pytest.mark.parametrize(
    "text",
    [
        'age,recording,arm\n061,c,a\n30,ada,b\n,"ben, jr",\n',
        "age;recording;arm\r\n061;c;a\r\n30;ada;b\r\n;ben, jr;\r\n",
        '\ufeff"age"\t"recording"\t"arm"\n061\tc\ta\n\n30\tada\tb\n\tben, jr\n',
    ],
)
def test_a_table_however_it_was_saved(tmp_path, text):
    table = read_groups(written(tmp_path, text), IDS)
    assert (table.index.name, table.columns.tolist()) == ("recording", ["age", "arm"])
    assert table.reset_index().to_numpy().tolist() == [
        ["ada", "30", "b"],
        ["ben, jr", "", ""],
        ["c", "061", "a"],
    ]


def test_recordings_without_a_row_and_rows_without_a_recording_are_told(tmp_path):
    place = written(tmp_path, "recording,arm\nada,a\nzoe,b\n")
    with pytest.warns(DataWarning) as told:
        table = read_groups(place, IDS)
    said = [str(warning.message) for warning in told]
    assert [words.partition("groups.csv: ")[2] for words in said] == [
        "not among these recordings, left out: 'zoe'",
        "has no row for 'ben, jr', 'c'; they are in no group",
    ]
    assert table.reset_index().to_numpy().tolist() == [["ada", "a"]]


def test_the_names_of_rows_that_r_writes_are_left_out(tmp_path):
    place = written(tmp_path, '"","recording","arm"\n"1","ada","a"\n')
    with pytest.warns(DataWarning, match="a column without a name is left out"):
        table = read_groups(place, IDS[:1])
    assert table.columns.tolist() == ["arm"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column recording; the file is empty"),
        ("id,arm\nada,a\n", "no column recording; there are id, arm"),
        ("recording\nada\n", "no column beside recording"),
        ("recording,arm,arm\nada,a,b\n", "more than one column arm"),
        ("recording,arm\nzoe,a\n", r"none of its recordings \('zoe'\) is one of these \('ada', "),
        ("recording,arm\n", "none of its recordings"),
        ("recording,arm\nada,a\nada,b\n", "line 3: recording 'ada' stands on line 2 too"),
        ("recording,arm\nada,a,b\n", "line 2: 3 cells, the header has 2"),
        ("recording,arm\n,a\n", "line 2: recording is empty"),
        ('recording,arm\nada,"a\n', "line 2: .*close the quotes"),
        (b"recording,arm\nada,\xe4\n", "line 2: not UTF-8; save the table as CSV"),
        (b"PK\x03\x04", "a spreadsheet's own format"),
    ],
)
def test_faults(tmp_path, text, message):
    with pytest.raises(FileFormatError, match=message):
        read_groups(written(tmp_path, text), IDS)
    with pytest.raises(FileFormatError, match="there is no such file; name a table"):
        read_groups(tmp_path / "none.csv", IDS)
