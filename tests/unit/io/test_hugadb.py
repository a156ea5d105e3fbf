import lzma

import numpy as np
import pytest

from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io.hugadb import ACTIVITIES, COLUMNS, read_hugadb

CORRUPTED = "HuGaDB_v1_various_10_08.txt"


def hugadb_text(rows, *, columns=COLUMNS):
    header = ["#Activity\tstanding ", "#ActivityID\t8 ", "#Date 09-23-16-42", "\t".join(columns)]
    return "\n".join([*header, *("\t".join(map(str, row)) for row in rows)]) + "\n"


def rows(n_frames=4):
    """Frame 2 is 200, 201, ... 235, then two EMG values and activity 8."""
    return [[100 * frame + c for c in range(36)] + [124, 123, 8] for frame in range(n_frames)]


@pytest.fixture
def write(tmp_path):
    def write_(text, name="HuGaDB_v1_various_07_03.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_


def fault(path, **options):
    with pytest.raises(FileFormatError) as caught:
        read_hugadb(path, **options)
    assert path.name in str(caught.value)
    return str(caught.value)


def test_a_file_written_by_hand(write):
    recording, annotation = read_hugadb(write(hugadb_text(rows())))
    assert recording.id == "HuGaDB_v1_various_07_03"
    assert recording.person == "07"
    assert (recording.fps, recording.unit, recording.history) == (60, "counts", ())
    assert recording.joint_names == ("rf", "rs", "rt", "lf", "ls", "lt")
    assert recording.channel_names == ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
    assert recording.parents == (1, 2, -1, 4, 5, 2)
    assert recording.metadata["true_fps"] == 58.8
    assert recording.metadata["date"] == "09-23-16-42"
    assert recording.skeleton.shape == (4, 6, 6)
    assert recording.skeleton.dtype == np.float32
    # gyro_ls_y is the 29th column: index 28 = sensor 4 (ls), channel 4.
    assert COLUMNS[28] == "gyro_ls_y"
    assert recording.skeleton[2, 4, 4] == 228
    assert annotation.recording_id == recording.id
    assert annotation.actions == ACTIVITIES
    assert [annotation.actions[label] for label in annotation.labels] == ["standing"] * 4


def test_both_endings_packed_files_and_windows_line_ends_are_the_same_recording(write):
    text = hugadb_text(rows())
    plain, _ = read_hugadb(write(text))
    for content, name in [
        (text, "HuGaDB_v2_various_07_03.csv"),
        (text.replace("\n", "\r\n"), "HuGaDB_v1_various_07_04.txt"),
        (text + "\n\n", "HuGaDB_v1_various_07_05.txt"),
        (lzma.compress(text.encode()), "HuGaDB_v1_various_07_06.txt.xz"),
    ]:
        other, _ = read_hugadb(write(content, name))
        np.testing.assert_array_equal(other.skeleton, plain.skeleton)
        assert other.id == name.split(".")[0]


def test_last_line_cut_in_the_middle(write):
    text = hugadb_text(rows())
    with pytest.warns(DataWarning, match="no line end"):
        message = fault(write(text[:-60]))
    assert "last line 8: " in message
    assert "expected 39 tab-separated fields" in message
    assert "fetch it again" in message


def test_last_line_whole_but_without_its_end(write):
    with pytest.warns(DataWarning, match=r"07_03\.txt: the last line has no line end"):
        recording, _ = read_hugadb(write(hugadb_text(rows())[:-1]))
    assert recording.n_frames == 4


def test_cut_after_the_header(write):
    assert "no line of data" in fault(write(hugadb_text([])))


def test_cut_within_the_header(write):
    assert "ends within the 4 header lines" in fault(write("#Activity\twalking\n#ActivityID\t1\n"))


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_empty_file(write, content):
    assert "the file is empty" in fault(write(content))


@pytest.mark.parametrize("cells", [rows()[0][:-1], [*rows()[0], 8]])
@pytest.mark.parametrize("place", [0, 2])
def test_one_line_with_another_number_of_columns(write, cells, place):
    lines = rows()
    lines[place] = cells
    assert f"line {place + 5}: {len(cells)} columns, expected 39" in fault(
        write(hugadb_text(lines))
    )


def test_every_line_with_a_column_too_many(write):
    text = hugadb_text([[*row, 8] for row in rows()])
    assert "line 5: 40 columns, expected 39" in fault(write(text))


@pytest.mark.parametrize("cell", ["12a", "", "1.5", "nan", '"7"', "9" * 30, "0x1F", "1e9995"])
def test_a_cell_that_is_no_whole_number(write, cell):
    lines = rows()
    lines[1][13] = cell
    message = fault(write(hugadb_text(lines)))
    assert f"line 6, column 14 acc_rt_y: {cell!r} is not a whole number" in message


def test_an_empty_line_in_the_middle(write):
    lines = hugadb_text(rows()).split("\n")
    lines.insert(6, "")
    assert "line 7: 1 columns" in fault(write("\n".join(lines)))


@pytest.mark.parametrize("activity", [0, 13, -1])
def test_an_activity_nobody_defined(write, activity):
    lines = rows()
    lines[3][-1] = activity
    message = fault(write(hugadb_text(lines)))
    assert f"line 8, column 39 act: activity {activity}, expected 1 to 12" in message


def test_columns_in_another_order(write):
    swapped = ["acc_rf_y", "acc_rf_x", *COLUMNS[2:]]
    message = fault(write(hugadb_text(rows(), columns=swapped)))
    assert "line 4: column 1 is called 'acc_rf_y', expected 'acc_rf_x'" in message


def test_a_header_with_a_name_missing(write):
    assert "line 4: 38 column names" in fault(write(hugadb_text(rows(), columns=COLUMNS[:-1])))


def test_a_file_of_something_else(write):
    assert "line 1: begins with 'time,x,y'" in fault(write("time,x,y\n0,1,2\n"))


def test_a_name_that_is_not_hugadbs(write):
    assert "expected HuGaDB_v" in fault(write(hugadb_text(rows()), "walk.txt"))


def test_a_file_that_is_not_there(tmp_path):
    assert "cannot be read" in fault(tmp_path / "HuGaDB_v1_various_01_00.txt")


def test_a_damaged_xz(write):
    packed = lzma.compress(hugadb_text(rows()).encode())
    path = write(packed[:-20], "HuGaDB_v1_various_07_03.txt.xz")
    assert "cannot be unpacked" in fault(path)


def test_an_impossible_value_lies_between_its_neighbours_in_time(write):
    lines = rows(5)
    lines[1][28] = lines[2][28] = 1_306_072
    path = write(hugadb_text(lines))
    with pytest.warns(DataWarning, match="line 6, column 29 gyro_ls_y: 1306072 .* 1 more"):
        recording, _ = read_hugadb(path)
    # Neighbours are 28 (frame 0) and 328 (frame 3): a third and two thirds of the way.
    np.testing.assert_allclose(recording.skeleton[:4, 4, 4], [28, 128, 228, 328])
    assert recording.history == ("bad_values(interpolate): frame 1 gyro_ls_y, frame 2 gyro_ls_y",)


@pytest.mark.parametrize("value", [32768, -32769])
def test_the_first_values_out_of_range_are_caught_and_the_limits_are_not(write, value):
    lines = rows()
    lines[0][0], lines[1][0] = 32767, -32768
    assert read_hugadb(write(hugadb_text(lines)))[0].history == ()
    lines[2][0] = value
    with pytest.warns(DataWarning, match=f"line 7, column 1 acc_rf_x: {value}"):
        read_hugadb(write(hugadb_text(lines)))


def test_impossible_values_can_be_kept_or_stop(write):
    lines = rows()
    lines[1][0] = 99_999
    path = write(hugadb_text(lines))
    recording, _ = read_hugadb(path, bad_values="keep")
    assert recording.skeleton[1, 0, 0] == 99_999
    assert "keep" in recording.history[0]
    assert "line 6, column 1 acc_rf_x: 99999" in fault(path, bad_values="error")
    with pytest.raises(ConfigError, match="bad_values='drop'"):
        read_hugadb(path, bad_values="drop")


def test_a_column_without_one_possible_value(write):
    lines = [[99_999, *row[1:]] for row in rows()]
    path = write(hugadb_text(lines))
    with pytest.warns(DataWarning):
        assert "every value is outside" in fault(path)


def test_muscle_values_out_of_range_are_told_and_change_nothing(write):
    lines = rows()
    lines[2][36] = 300
    with pytest.warns(DataWarning, match="line 7, column 37 EMG_r: 300"):
        recording, _ = read_hugadb(write(hugadb_text(lines)))
    assert recording.skeleton[2, 0, 0] == 200


@pytest.mark.real_data
def test_the_corrupted_value_of_the_benchmark(hugadb_sample):
    path = hugadb_sample / CORRUPTED
    lines = path.read_text().split("\n")
    column = lines[3].split("\t").index("acc_ls_x")
    before, value, after = (int(lines[n].split("\t")[column]) for n in (24, 25, 26))
    assert value == 1306072
    with pytest.warns(DataWarning, match="10_08.txt, line 26, column 25 acc_ls_x: 1306072"):
        recording, _ = read_hugadb(path)
    assert recording.skeleton[21, 4, 0] == (before + after) / 2
    assert recording.person == "10"


@pytest.mark.real_data
def test_all_numbers_of_a_real_file_against_numpy(hugadb_sample):
    path = hugadb_sample / "HuGaDB_v1_various_06_10.txt"
    expected = np.loadtxt(path, skiprows=4, dtype=np.int64)
    recording, annotation = read_hugadb(path)
    np.testing.assert_array_equal(recording.skeleton.reshape(len(expected), 36), expected[:, :36])
    np.testing.assert_array_equal(annotation.labels + 1, expected[:, -1])
