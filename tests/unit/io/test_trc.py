import lzma
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.errors import DataWarning, FileFormatError
from histvq.io import expand, read
from histvq.io.trc import read_trc
from oracles.accidents import spoilt

KEYS = "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame"
MARKERS = ("R.Heel", "Top Head")


def trc(*rows, markers=MARKERS, rate="100.00", n_frames=None, n_markers=None, unit="mm", end=""):
    """A file of these rows, each a time and the cells of the markers."""
    n_frames = len(rows) if n_frames is None else n_frames
    n_markers = len(markers) if n_markers is None else n_markers
    axes = "".join(f"X{m}\tY{m}\tZ{m}\t" for m in range(1, len(markers) + 1))
    data = "".join(f"{n}\t{row}{end}\n" for n, row in enumerate(rows, start=1))
    return (
        "PathFileType\t4\t(X/Y/Z)\tC:\\data\\walk.trc\n"
        f"{KEYS}\n{rate}\t100.00\t{n_frames:>9}\t{n_markers}\t{unit}\t100.00\t1\n"
        "Frame#\tTime\t" + "\t\t\t".join(markers) + f"\t\t\n\t\t{axes}\n\n{data}"
    )


def row(frame, *cells, rate=100, decimals=5):
    return "\t".join([f"{frame / rate:.{decimals}f}", *map(str, cells)])


GOOD = (row(0, 1, 2, 3, 4, 5, 6), row(1, 1.5, 2, 3, "", "", ""), row(2, 0, 0, -1, "NaN", "nan", 6))


@pytest.fixture
def write(tmp_path):
    def write_(content, name="walk.trc"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return write_


def fault(path):
    with pytest.raises(FileFormatError) as caught:
        read_trc(path)
    return str(caught.value)


def test_a_file_written_by_hand(write):
    path = write(trc(*GOOD))
    recording, annotation = read_trc(path)
    nan = np.nan
    expected = [
        [[1, 2, 3], [4, 5, 6]],
        [[1.5, 2, 3], [nan, nan, nan]],
        [[0, 0, -1], [nan, nan, 6]],
    ]
    np.testing.assert_array_equal(recording.skeleton, expected)
    assert (recording.id, recording.fps, recording.unit) == ("walk", 100, "mm")
    assert recording.joint_names == ("R.Heel", "Top Head")
    assert recording.parents is None
    assert annotation is None
    assert expand(path) == [("trc", path)]


@pytest.mark.parametrize("seed", range(5))
def test_numbers_equal_those_pandas_reads(seed, write):
    rng = np.random.default_rng(seed)
    positions = rng.normal(scale=1000, size=(60, 15))
    cells = np.where(rng.random(positions.shape) < 0.2, "", positions.round(4).astype(str))
    rows = [row(n, *frame, rate=60, decimals=3) for n, frame in enumerate(cells)]
    path = write(trc(*rows, markers=[f"M{m}" for m in range(5)], rate="60", end="\t"))
    recording, _ = read_trc(path)
    table = pd.read_csv(path, sep="\t", skiprows=6, header=None, index_col=False)
    expected = table.to_numpy()[:, 2:17].reshape(60, 5, 3).astype(np.float32)
    assert np.isnan(expected).any()
    np.testing.assert_array_equal(recording.skeleton, expected)


def test_spellings_and_line_ends(write):
    plain, _ = read_trc(write(trc(*GOOD)))
    text = trc(*GOOD)
    met = {
        "windows": "\ufeff" + text.replace("\n", "\r\n"),
        "doubled": text.replace("\n", "\r\r\n"),
        "no_empty_line": text.replace("\n\n", "\n"),
        "tab_at_the_end": trc(*GOOD, end="\t"),
        "spaces": text.replace("100.00\t", "  100.0 \t  ").replace("\t5\t", "\t  5 \t"),
        "other_numbers": text.replace("X2\tY2\tZ2", "x7\ty7\tz7"),
        "empty_lines_at_the_end": text + "\t\t\n\n",
        "no_line_end": text.removesuffix("\n") + "\t",
        "unit": text.replace("\tmm\t", "\tMillimeters\t"),
    }
    for name, content in met.items():
        recording, _ = read_trc(write(content, f"{name}.trc"))
        np.testing.assert_array_equal(recording.skeleton, plain.skeleton, err_msg=name)
        assert (recording.joint_names, recording.fps) == (plain.joint_names, plain.fps)
        assert recording.unit == "mm"
    packed, _ = read(write(lzma.compress(text.encode()), "a.b.TRC.xz"))
    np.testing.assert_array_equal(packed.skeleton, plain.skeleton)
    assert packed.id == "a.b"


def test_the_path_in_the_first_line_may_be_in_any_encoding(write):
    content = trc(*GOOD).encode().replace(b"walk.trc", "Jürgen.trc".encode("cp1252"))
    assert read_trc(write(content))[0].n_frames == 3


def test_a_frame_in_which_nothing_was_seen_may_end_after_its_time(write):
    recording, _ = read_trc(write(trc(GOOD[0], row(1), row(2, "", ""), row(3, *range(6)))))
    assert np.isnan(recording.skeleton).all(axis=(1, 2)).tolist() == [False, True, True, False]


def test_virtual_markers_of_cortex_are_left_out(write):
    names = (*MARKERS, "V_Hip", "V_Knee")
    path = write(trc(*GOOD, markers=names, n_markers=2, end="\t" * 6))
    with pytest.warns(DataWarning, match=r"line 4: 2 more names than the 2 .*: V_Hip, V_Knee"):
        recording, _ = read_trc(path)
    assert recording.joint_names == MARKERS
    np.testing.assert_array_equal(recording.skeleton[0], [[1, 2, 3], [4, 5, 6]])


def test_one_frame_and_none(write):
    assert read_trc(write(trc(GOOD[0])))[0].n_frames == 1
    assert "0 lines of data, but line 3 says NumFrames 0" in fault(write(trc()))


# Times


def steady(n_frames=100, *, rate=60, decimals=3, start=0.0):
    return [
        f"{start + frame / rate:.{decimals}f}\t{frame}\t2\t3\t4\t5\t6" for frame in range(n_frames)
    ]


@pytest.mark.parametrize("rate", [24, 59.94, 60, 120, 240, 1000])
@pytest.mark.parametrize("decimals", [3, 4, 6])
def test_times_may_be_rounded_and_begin_anywhere(rate, decimals, write):
    rows = steady(rate=rate, decimals=decimals, start=3.067)
    assert read_trc(write(trc(*rows, rate=rate)))[0].fps == rate


def test_a_rate_that_the_times_contradict(write):
    words = (
        "DataRate 100 makes steps of 0.01 s, but by column Time they are 0.01667 s (median 0.017 s, "
        "longest 0.017 s)"
    )
    assert words in fault(write(trc(*steady())))
    assert "steps of 0.01613 s, but by column Time they are 0.01667 s" in fault(
        write(trc(*steady(), rate=62))
    )
    assert "but by column Time they are 0 s" in fault(write(trc(*["0.000\t1\t2\t3\t4\t5\t6"] * 2)))


def test_missing_frames_are_told(write):
    rows = steady(400, decimals=4)
    del rows[200:203]
    path = write(trc(*rows, rate=60))
    words = r"1 of 396 steps of Time are uneven .* \(median 0.0167 s, longest 0.066[67] s, .* line 206\."
    with pytest.warns(DataWarning, match=words):
        recording, _ = read_trc(path)
    assert recording.n_frames == 397


# What is wrong


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (trc(*GOOD, n_frames=4), "3 lines of data, but line 3 says NumFrames 4. The file may be"),
        (trc(*GOOD, n_frames=2), "3 lines of data, but line 3 says NumFrames 2"),
        (trc(*GOOD, n_frames=10**17), "says NumFrames 100000000000000000"),
        (trc(*GOOD, n_frames="many"), "lines 2 and 3: NumFrames is 'many'; expected names DataRate"),
        (trc(*GOOD, n_frames=-3), "NumFrames is '-3'"),
        (trc(*GOOD, n_markers=3), "line 4: 2 names of markers, but NumMarkers is 3"),
        (trc(*GOOD, n_markers=10**17), "line 4: 2 names of markers, but NumMarkers is 1000000"),
        (trc(*GOOD, n_markers=0), "line 4: 0 names of markers, but NumMarkers is 0"),
        (trc(*GOOD, n_markers=1, markers=MARKERS), "line 7: 8 cells, expected 5"),
        (trc(*GOOD, rate="0"), "DataRate is '0'"),
        (trc(*GOOD, rate="-60"), "DataRate is '-60'"),
        (trc(*GOOD, rate="nan"), "DataRate is 'nan'"),
        (trc(*GOOD, rate="1e999"), "DataRate is '1e999'"),
        (trc(*GOOD, rate="60,0"), "DataRate is '60,0'"),
        (trc(*GOOD, unit=""), "Units is '100.00'"),
        (trc(*GOOD).replace("Units", "Unit"), "Units is ''"),
        (trc(*GOOD, markers=("A", "A")), "line 4: several markers are called A"),
        (trc(*GOOD).replace("Frame#\tTime", "Time"), "line 4: begins with 'Time\\tR.Heel"),
        (trc(*GOOD).replace("X1\tY1", "Y1\tX1"), "line 5: 'Y1 X1 Z1 X2 Y2 Z2'; expected X1 Y1 Z1"),
        (trc(*GOOD).replace("\tY2\tZ2", ""), "line 5: 'X1 Y1 Z1 X2'; expected X1 Y1 Z1"),
        (trc(*GOOD).replace("\t5\t6\n", "\t5\n"), "line 7: 7 cells, expected 8 with tabs between"),
        (trc(*GOOD).replace("\t5\t6\n", "\t5\t6\t7\n"), "line 7: 9 cells, expected 8"),
        (trc(GOOD[0], row(1)).removesuffix("\n"), "line 8: 2 cells, expected 8"),
        (trc(*GOOD).replace("1.5", "1,5"), "line 8, R.Heel X: '1,5' is no finite number"),
        (trc(*GOOD).replace("1.5", "inf"), "line 8, R.Heel X: 'inf' is no finite number"),
        (trc(*GOOD).replace("1.5", "1e39"), "line 8, R.Heel X: '1e39' is no finite number"),
        (trc(*GOOD).replace("0.01000", ""), "line 8, Time: 'nan' is no finite number"),
        (trc(*GOOD).replace("0.01000", "later"), "line 8, Time: 'later' is no finite number"),
        (trc(*GOOD).replace("\n2\t", "\n\t"), "line 8, Frame#: 'nan' is no finite number"),
        (trc(*GOOD).replace("1.5", "1_5"), "'1_5' to float64"),
        ("", "line 1: begins with '', expected PathFileType: no TRC file"),
        ("PathFileType", "ends within the five lines of the header"),
        (f"PathFileType\n{KEYS}\n", "ends within the five lines of the header"),
        ("ORACLE trace", "line 1: begins with 'ORACLE trace', expected PathFileType"),
        (trc(*GOOD).encode("utf-16"), "expected PathFileType: no TRC file"),
        (trc(*GOOD, markers=("Füße", "B")).encode("latin-1"), "not a text file"),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(content, words, write):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        message = fault(write(content))
    assert words in message
    assert "walk.trc" in message


def test_traces_of_other_programs_are_left_alone(write):
    write(trc(*GOOD))
    scope = write(b"#9000000346WAVEDESC\0\0", "scope.trc")
    with pytest.raises(FileFormatError, match=r"scope\.trc: ends like TRC markers"):
        expand(scope)
    assert expand(scope.parent) == [("trc", scope.with_name("walk.trc"))]


# Fuzz


def attempt(path, content):
    """Either a recording or an error of ours, never another one."""
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            recording, _ = read_trc(path)
        except FileFormatError as error:
            words = str(error)
        else:
            assert not np.isinf(recording.skeleton).any()
            return
    assert path.name in words


@given(data=st.data())
def test_damaged_files_are_read_or_refused_in_words(data, tmp_path_factory):
    content = data.draw(spoilt(trc(*GOOD).encode()))
    attempt(tmp_path_factory.getbasetemp() / "fuzz.trc", content)


@given(
    words=st.lists(
        st.sampled_from(
            [
                *KEYS.split(),
                "Frame#",
                "Time",
                "X1",
                "Y1",
                "Z1",
                "0",
                "1",
                "60",
                "mm",
                "nan",
                "1e999",
            ]
        )
    ),
    joins=st.lists(st.sampled_from(["\t", "\n", "\t\t\t"]), min_size=1, max_size=5),
    tail=st.text(max_size=20),
)
def test_any_text_is_refused_in_words(words, joins, tail, tmp_path_factory):
    text = "PathFileType\n" + "".join(
        word + joins[place % len(joins)] for place, word in enumerate(words)
    )
    path = tmp_path_factory.getbasetemp() / "fuzz.trc"
    attempt(path, (text + tail).encode("utf-8", "surrogatepass"))
