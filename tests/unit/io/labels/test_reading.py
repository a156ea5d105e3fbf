import pytest

from histvq.errors import FileFormatError
from histvq.export import export
from histvq.io.labels.reading import are_labels, read_any_labels
from oracles.exported import answer, assert_same, recordings_of

RUN = [answer([0, 0, 1, -1], id="a"), answer([2, 1, 0], id="b")]
RECORDINGS = recordings_of(RUN)
AGGREGATED = "Observation id,Behavior,Behavior type,Start (s),Stop (s)\na,x,STATE,0,0.2\n"


@pytest.fixture
def places(tmp_path):
    return export(["csv", "csv-each", "elan", "boris"], tmp_path / "export", RUN)


@pytest.mark.parametrize("name", ["csv", "elan", "boris"])
def test_it_tells_formats_apart(places, name):
    assert are_labels([places[name]])
    assert_same(RUN, read_any_labels(places[name], RECORDINGS))


def test_single_files_of_folders(places):
    assert_same(
        RUN, read_any_labels([places["elan"] / "b.eaf", places["elan"] / "a.eaf"], RECORDINGS)
    )
    found = read_any_labels(places["elan"] / "b.eaf", RECORDINGS)
    assert [a is None for a in found] == [True, False]
    tables = [places["csv-each"] / "b.csv", places["csv-each"] / "a.csv"]
    assert_same(RUN, read_any_labels(tables, RECORDINGS))


def test_boris_tables_and_folders_of_projects(tmp_path, places):
    (tmp_path / "aggregated.csv").write_text(AGGREGATED)
    found = read_any_labels(tmp_path / "aggregated.csv", RECORDINGS)
    assert found[0].labels.tolist() == [0, 0, -1, -1]
    (tmp_path / "b").mkdir()
    places["boris"].rename(tmp_path / "b" / "p.boris")
    assert_same(RUN, read_any_labels(tmp_path / "b", RECORDINGS))


def test_text_files_with_their_rate(tmp_path):
    (tmp_path / "b.txt").write_text("x\ny\n")
    found = read_any_labels(tmp_path, RECORDINGS, label_fps=5)
    assert found[0] is None
    assert found[1].labels.tolist() == [0, 1]
    assert found[1].fps == 5


def test_a_folder_or_a_choice_of_several_sorts(places):
    folder = places["csv"].parent
    with pytest.raises(FileFormatError, match=r"several sorts \(ELAN, BORIS, table\); name one"):
        read_any_labels(folder, RECORDINGS)
    with pytest.raises(FileFormatError, match=r"several sorts: .*\(BORIS\).*\(ELAN\)"):
        read_any_labels([places["boris"], places["elan"]], RECORDINGS)


def test_a_run_is_read_by_its_own_table_whatever_was_exported_from_it(places):
    run = places["csv"].parent
    (run / "frames.csv").touch()
    assert_same(RUN, read_any_labels(run, RECORDINGS))


def test_tables_that_speak_of_the_same_recording(places):
    with pytest.raises(
        FileFormatError, match=r"segments\.csv and .*a\.csv are both of recording 'a'"
    ):
        read_any_labels([places["csv"], places["csv-each"] / "a.csv"], RECORDINGS)


def test_what_is_none_of_these(tmp_path):
    (tmp_path / "a.txt").write_text("walk\n")
    assert not are_labels([tmp_path / "a.txt"])
    with pytest.raises(FileFormatError, match=r"a\.txt: no labels that can be read.*--label-fps"):
        read_any_labels(tmp_path / "a.txt", RECORDINGS)
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(FileFormatError, match=r"a\.csv: no column recording"):
        read_any_labels(tmp_path / "a.csv", RECORDINGS)
    with pytest.raises(FileFormatError, match="there is no such file"):
        read_any_labels(tmp_path / "x", RECORDINGS)
