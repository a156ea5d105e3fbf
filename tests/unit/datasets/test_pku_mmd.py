import numpy as np
import pytest

from histvq.datasets import dataset_info, load_dataset, prepare_dataset
from histvq.datasets._pku_mmd_files import read_split
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io.layout import read_layout
from histvq.supervised.splits import SPLITS, is_tested_on, split_of
from oracles.pku_mmd_files import LABELS, SPLIT, line, person, put

NAMES = ("A01N02-L", "A01N02-M", "A01N05-L", "A01N05-R")


@pytest.fixture
def small(tmp_path):
    folder = tmp_path / "raw"
    for name in NAMES:
        put(folder, name)
    return folder


def ids(data):
    return [recording.id for recording in data.recordings]


def test_relative_to_the_base_of_the_spine(small):
    data = load_dataset("pku-mmd", small)
    assert (data.name, ids(data)) == ("pku-mmd", list(NAMES))
    assert data.actions == ("background", "bow", "sitting down")
    expected = person(40)
    expected -= expected[:, :1]
    np.testing.assert_allclose(data.recordings[0].skeleton, expected, atol=1e-6)
    assert data.annotations[0].labels.tolist() == [0] * 2 + [1] * 8 + [0] * 2 + [2] * 8 + [0] * 20
    assert data.notes == ("4 of the benchmark's 1009 recordings",)


def test_millimetres(small):
    metres = load_dataset("pku-mmd", small).recordings[0]
    recording = load_dataset("pku-mmd", small, unit="mm").recordings[0]
    np.testing.assert_allclose(recording.skeleton, 1000 * metres.skeleton, rtol=1e-6)
    assert (recording.unit, recording.history[-1]) == ("mm", "to_unit(mm)")


def test_background_that_is_ignored(small):
    data = load_dataset("pku-mmd", small, background="ignore")
    assert data.actions == ("bow", "sitting down")
    assert (
        data.annotations[0].labels.tolist() == [-1] * 2 + [0] * 8 + [-1] * 2 + [1] * 8 + [-1] * 20
    )


def test_short_gaps_are_filled_and_long_ones_told(small):
    path = small / "Skeleton_v2" / "A01N02-L.txt"
    gone = {*range(5, 15), *range(20, 31)}
    path.write_text(
        "\n".join(line(t, absent=(0, 1) if t in gone else (1,)) for t in range(40)) + "\n"
    )
    data = load_dataset("pku-mmd", small)
    expected = person(40)
    expected -= expected[:, :1]
    expected[20:31] = np.nan  # eleven frames; the ten before are on a straight line
    np.testing.assert_allclose(data.recordings[0].skeleton, expected, atol=1e-5)
    assert data.notes[1] == (
        "nobody to be seen in 11 frames of 1 recordings (gaps that are too long to fill, or at an "
        "end); the longest run has 11 frames, in A01N02-L"
    )


def test_overlapping_actions_are_counted(small):
    (small / LABELS / "A01N02-L.txt").write_text("1,0,10\n2,8,12\n")
    notes = load_dataset("pku-mmd", small).notes
    assert "2 frames of 1 recordings have several actions; the one that starts last counts" in notes


def test_parts_as_the_published_files_divide(small):
    (small / "cross_subject_v2.txt").write_text(
        SPLIT.format(train="A01N02-L,A01N05-R", test="A01N02-M, A09N03-L")
    )
    assert ids(load_dataset("pku-mmd", small, part="train")) == ["A01N02-L", "A01N05-R"]
    data = load_dataset("pku-mmd", small, part="test")
    assert ids(data) == ["A01N02-M"]
    assert data.notes == (
        "1 of cross-subject without files: A09N03-L",
        "cross-subject, part 'test': 1 of 4 recordings",
        "1 of the benchmark's 234 recordings",
    )
    assert ids(load_dataset("pku-mmd", small)) == list(NAMES)


def test_parts_by_what_the_files_are_known_to_say(small):
    assert ids(load_dataset("pku-mmd", small, part="test")) == ["A01N02-L", "A01N02-M"]
    data = load_dataset("pku-mmd", small, part="train")
    assert ids(data) == ["A01N05-L", "A01N05-R"]
    assert "no cross_subject_v2.txt in the folder: divided by what it is known to say" in data.notes
    cross = load_dataset("pku-mmd", small, split="cross-view", part="test")
    assert ids(cross) == ["A01N02-L", "A01N05-L"]
    with pytest.raises(ConfigError, match="part='trial'"):
        load_dataset("pku-mmd", small, part="trial")
    for name in ("A01N02-L", "A01N02-M"):
        (small / "Skeleton_v2" / f"{name}.txt").unlink()
    with pytest.raises(FileFormatError, match="none of its 2 recordings is of part 'test'"):
        load_dataset("pku-mmd", small, part="test")


@pytest.mark.parametrize("name", ["pku-mmd", "pku-mmd-cross-view"])
def test_supervised_methods_hold_out_what_the_division_does(small, name):
    data = load_dataset(name, small)
    assert data.name == name
    split = split_of(name, data.recordings)
    assert split is SPLITS[name]
    wanted = [p for p in split.folds[0] if name != "pku-mmd" or p == "02"]
    tested = is_tested_on(data.recordings, wanted, by=split.by)
    test = load_dataset(name, small, part="test")
    assert [id for id, held in zip(ids(data), tested, strict=True) if held] == ids(test)


def test_both_people_are_centred_each_on_their_own(tmp_path):
    put(tmp_path, absent=())
    recording = load_dataset("pku-mmd", tmp_path, person="both").recordings[0]
    expected = person(40)
    expected -= expected[:, :1]
    np.testing.assert_allclose(recording.skeleton[:, :25], expected, atol=1e-6)
    np.testing.assert_allclose(recording.skeleton[:, 25:], expected, atol=1e-6)


def test_what_stands_alone_is_listed_on_both_sides(small):
    put(small, "A02N01-L", labels=None)
    (small / LABELS / "A03N01-R.txt").write_text("1,0,3\n")
    data = load_dataset("pku-mmd", small)
    assert ids(data) == list(NAMES)
    words = "1 recordings without labels: A02N01-L; 1 labels without a recording: A03N01-R"
    assert f"left out: {words}" in data.notes
    with pytest.raises(FileFormatError, match=words):
        load_dataset("pku-mmd", small, strict=True)


def test_labels_that_lie_elsewhere(small, tmp_path):
    (small / LABELS).rename(tmp_path / "truth")
    with pytest.raises(FileFormatError, match="4 recordings without labels"):
        load_dataset("pku-mmd", small)
    assert len(load_dataset("pku-mmd", small, labels=tmp_path / "truth").recordings) == 4
    with pytest.raises(ConfigError, match=r"labels='.*gone': not a folder"):
        load_dataset("pku-mmd", small, labels=tmp_path / "gone")


def test_the_benchmark_is_whole_or_an_error(small):
    with pytest.raises(FileFormatError, match="4 of the benchmark's 1009 recordings"):
        load_dataset("pku-mmd", small, benchmark=True)
    with pytest.raises(FileFormatError, match="2 of the benchmark's 338 recordings"):
        load_dataset("pku-mmd-cross-view", small, benchmark=True, part="test")


def test_folders_without_what_is_needed(tmp_path):
    with pytest.raises(FileFormatError, match="not a folder"):
        load_dataset("pku-mmd", tmp_path / "gone")
    (tmp_path / "0002-L.txt").write_text("of version 1")
    with pytest.raises(
        FileFormatError, match=r"no PKU-MMD skeletons of version 2, as A01N05-L\.txt"
    ):
        load_dataset("pku-mmd", tmp_path)


def test_a_bad_file_is_skipped_aloud_or_stops(small):
    bad = put(small, "A02N01-L")
    bad.write_text("1 2 3\n")
    with pytest.warns(DataWarning, match=r"A02N01-L\.txt, last line 1: 3 cells"):
        data = load_dataset("pku-mmd", small)
    assert data.skipped[0][0] == bad
    with pytest.raises(FileFormatError, match=r"A02N01-L\.txt, last line 1: 3 cells"):
        load_dataset("pku-mmd", small, strict=True)


@pytest.mark.parametrize("name", ["pku-mmd", "pku-mmd-cross-view"])
def test_prepared_files_give_the_same_dataset(small, tmp_path, name):
    (small / LABELS / "A01N02-L.txt").write_text("1,0,10\n2,8,12\n")
    out = tmp_path / "out"
    summary = prepare_dataset(name, small, out)
    assert (summary.n_recordings, summary.n_frames, summary.folder) == (4, 160, out)
    options = {"part": "test", "unit": "mm", "background": "ignore"}
    raw, prepared = load_dataset(name, small, **options), load_dataset(name, out, **options)
    assert (raw.name, raw.actions, raw.notes) == (prepared.name, prepared.actions, prepared.notes)
    for one, other in zip(raw.recordings, prepared.recordings, strict=True):
        np.testing.assert_array_equal(one.skeleton, other.skeleton)
        assert {**one.metadata, "original_source": one.source} == other.metadata
    for one, other in zip(raw.annotations, prepared.annotations, strict=True):
        np.testing.assert_array_equal(one.labels, other.labels)
    with pytest.raises(ConfigError, match="prepared with person='first', asked for 'both'"):
        load_dataset(name, out, person="both")


def test_prepared_in_the_layout_of_other_tools(tmp_path):
    put(tmp_path / "raw")
    put(tmp_path / "raw", "A01N06-L", absent=())
    prepare_dataset("pku-mmd", tmp_path / "raw", tmp_path / "out", layout="smq", person="both")
    arrays = [np.load(tmp_path / f"out/features/{n}.npy") for n in ("A01N05-L", "A01N06-L")]
    assert [array.shape for array in arrays] == [(3, 40, 25, 2)] * 2
    assert (arrays[0][..., 1] == 0).all()
    assert (arrays[1][..., 1] != 0).any()
    annotation = read_layout(tmp_path / "out", fps=30, unit="m").annotations[0]
    assert annotation.actions[annotation.labels[2]] == "bow"
    with pytest.raises(ConfigError, match="layout='zip'"):
        prepare_dataset("pku-mmd", tmp_path / "raw", tmp_path / "out", layout="zip")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 headings, 0 of them with names"),
        ("Train\nA01N01-L\n", "1 headings, 1 of them with names"),
        ("Train\nA01N01-L\nTest\n\n", "2 headings, 1 of them"),
        ("A01N01-L\n", "line 1: 'A01N01-L'; expected a heading"),
        ("Train\nA01N01-L, 0002-L\n", "line 2: '0002-L'; expected a heading"),
        ("Train\nA01N01-L\nTest\nA01N01-L,A01N02-L,\n", "A01N01-L in both lists"),
        ("Tra\xeen\n".encode("latin-1"), "cannot be read as UTF-8"),
    ],
)
def test_what_is_wrong_with_the_division(tmp_path, text, words):
    path = tmp_path / "cross_view_v2.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileFormatError) as caught:
        read_split(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_division_as_published(tmp_path):
    path = tmp_path / "cross_view_v2.txt"
    path.write_bytes(
        b"\xef\xbb\xbfTraining videos:\r\nA01N01-M, A01N01-R.txt, \r\nValidation:\r\nA01N01-L,"
    )
    assert read_split(path) == {"train": ("A01N01-M", "A01N01-R"), "test": ("A01N01-L",)}


def test_what_there_is_to_know():
    info, view = dataset_info("pku-mmd"), dataset_info("pku-mmd-cross-view")
    assert (info.n_recordings, info.n_persons, len(info.actions)) == (1009, 13, 42)
    assert info.fps * info.patch_seconds == 30
    assert view.name == "pku-mmd-cross-view"
    assert view.actions == info.actions
