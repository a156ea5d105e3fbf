import warnings

import numpy as np
import pytest

from histvq.datasets import dataset_info, load_dataset, prepare_dataset
from histvq.datasets.hugadb import _benchmark
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io.hugadb import COLUMNS
from histvq.io.layout import read_layout
from histvq.io.npz import read_npz, write_npz
from histvq.recording import Recording

CORRUPTED = "HuGaDB_v1_various_10_08"
HEADER = "#Activity\tx \n#ActivityID\t1 \n#Date 01-01-01-01\n" + "\t".join(COLUMNS) + "\n"


def put(folder, name, *, activities=(1, 1, 10, 10), first=0):
    folder.mkdir(exist_ok=True, parents=True)
    rows = ([first + frame] * 36 + [1, 1, a] for frame, a in enumerate(activities))
    lines = ["\t".join(map(str, row)) + "\n" for row in rows]
    (folder / f"{name}.txt").write_text(HEADER + "".join(lines))


def load_quietly(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return load_dataset("hugadb", *args, **options)


@pytest.fixture
def small(tmp_path):
    folder = tmp_path / "raw"
    put(folder, "HuGaDB_v1_various_01_00")
    put(folder, "HuGaDB_v1_various_02_03", activities=(8,) * 70)
    put(folder, "HuGaDB_v1_walking_01_00")
    put(folder, "HuGaDB_v1_running_01_00", activities=(2,) * 9)
    return folder


def test_only_various_and_only_the_actions_that_occur(small):
    data = load_dataset("hugadb", small)
    assert [r.id for r in data.recordings] == [
        "HuGaDB_v1_various_01_00",
        "HuGaDB_v1_various_02_03",
    ]
    assert data.actions == ("walking", "standing", "up_by_elevator")
    assert data.annotations[0].labels.tolist() == [0, 0, 2, 2]
    assert set(data.annotations[1].labels.tolist()) == {1}
    left_out, version, fewer, short = data.notes
    assert "2 files left out" in left_out
    assert "running 1, walking 1" in left_out
    assert "labels of version 1; the papers used version 2" in version
    assert fewer == "2 of the benchmark's 364 recordings"
    assert "1 recordings shorter than a patch" in short


def test_every_other_frame(small):
    data = load_dataset("hugadb", small, stride=2)
    assert data.recordings[0].fps == data.annotations[0].fps == 30
    assert data.recordings[0].skeleton[:, 0, 0].tolist() == [0, 2]
    assert data.annotations[0].labels.tolist() == [0, 2]


def test_the_benchmark_is_whole_or_an_error(small):
    with pytest.raises(FileFormatError, match="2 of the benchmark's 364 recordings") as caught:
        load_dataset("hugadb", small, benchmark=True)
    assert "HuGaDB_v1_various_01_01, " in str(caught.value)
    assert str(caught.value).count("HuGaDB_v1_various_") == 10


def test_recordings_of_the_benchmark_as_the_paper_counts_them():
    # Recordings by person, from the data description.
    expected = [17, 7, 25, 20, 21, 28, 25, 26, 21, 17, 21, 19, 23, 22, 12, 20, 23, 17]
    persons = [int(person) for person, _ in _benchmark()]
    assert [persons.count(p) for p in range(1, 19)] == expected
    assert len(set(_benchmark())) == 364
    assert ("13", "24") in _benchmark()
    assert ("13", "05") not in _benchmark()


def test_mixed_versions_are_chosen_from(small):
    put(small, "HuGaDB_v2_various_01_00", first=500)
    with pytest.raises(FileFormatError, match=r"2 of version 1, 1 of version 2.*version="):
        load_dataset("hugadb", small)
    assert len(load_dataset("hugadb", small, version=1).recordings) == 2
    (recording,) = load_dataset("hugadb", small, version=2).recordings
    assert recording.skeleton[0, 0, 0] == 500
    with pytest.raises(FileFormatError, match="no files of version 3"):
        load_dataset("hugadb", small, version=3)


def test_folders_without_what_is_needed(tmp_path):
    with pytest.raises(FileFormatError, match="not a folder"):
        load_dataset("hugadb", tmp_path / "gone")
    with pytest.raises(FileFormatError, match="no HuGaDB files"):
        load_dataset("hugadb", tmp_path)
    put(tmp_path, "HuGaDB_v1_walking_01_00")
    with pytest.raises(FileFormatError, match="1 HuGaDB files, none of them 'various'"):
        load_dataset("hugadb", tmp_path)
    with pytest.raises(ConfigError, match="give the folder"):
        load_dataset("hugadb")
    with pytest.raises(ConfigError, match="no option 'benchmrak'; did you mean 'benchmark'"):
        load_dataset("hugadb", tmp_path, benchmrak=True)


def test_a_bad_file_is_skipped_aloud_or_stops(small):
    bad = small / "HuGaDB_v1_various_03_00.txt"
    bad.write_text(HEADER + "1\t2\n")
    with pytest.warns(DataWarning, match=r"03_00\.txt, last line 5: 2 columns"):
        data = load_dataset("hugadb", small)
    assert len(data.recordings) == 2
    assert data.skipped[0][0] == bad
    with pytest.raises(FileFormatError, match=r"03_00\.txt, last line 5: 2 columns"):
        load_dataset("hugadb", small, strict=True)


def test_files_in_a_subfolder_are_found(small):
    assert len(load_dataset("hugadb", small.parent).recordings) == 2


def test_prepared_files_give_the_same_dataset(small, tmp_path):
    out = tmp_path / "out"
    summary = prepare_dataset("hugadb", small, out)
    assert (summary.n_recordings, summary.n_frames, summary.folder) == (2, 74, out)
    assert sorted(f.name for f in out.iterdir()) == [
        "HuGaDB_v1_various_01_00.npz",
        "HuGaDB_v1_various_02_03.npz",
    ]
    raw, prepared = load_dataset("hugadb", small), load_dataset("hugadb", out)
    assert raw.actions == prepared.actions
    for one, other in zip(raw.recordings, prepared.recordings, strict=True):
        np.testing.assert_array_equal(one.skeleton, other.skeleton)
        assert (one.id, one.person) == (other.id, other.person)
        assert {**one.metadata, "original_source": one.source} == other.metadata
    for one, other in zip(raw.annotations, prepared.annotations, strict=True):
        np.testing.assert_array_equal(one.labels, other.labels)


def test_prepared_files_without_labels_are_named(small, tmp_path):
    prepare_dataset("hugadb", small, tmp_path / "out")
    bare = tmp_path / "out" / "HuGaDB_v1_various_01_00.npz"
    write_npz(bare, read_npz(bare)[0])
    with pytest.raises(FileFormatError, match=r"01_00\.npz: no labels in it") as caught:
        load_dataset("hugadb", tmp_path / "out")
    assert "02_03" not in str(caught.value)


def test_ids_that_cannot_be_names_of_files_are_not_prepared(small, tmp_path):
    prepare_dataset("hugadb", small, tmp_path / "out")
    odd = tmp_path / "out" / "HuGaDB_v1_various_01_00.npz"
    write_npz(odd, Recording(id="../odd", skeleton=np.zeros((4, 6, 6)), fps=60))
    with pytest.raises(FileFormatError, match=r"'\.\./odd' holds '/'"):
        prepare_dataset("hugadb", tmp_path / "out", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_prepared_in_the_layout_of_other_tools(small, tmp_path):
    prepare_dataset("hugadb", small, tmp_path / "out", layout="smq")
    assert np.load(tmp_path / "out/features/HuGaDB_v1_various_01_00.npy").shape == (6, 4, 6, 1)
    layout = read_layout(tmp_path / "out", fps=60, unit="counts")
    annotation = layout.annotations[0]
    assert annotation.actions[annotation.labels[2]] == "up_by_elevator"
    with pytest.raises(ConfigError, match="layout='zip'"):
        prepare_dataset("hugadb", small, tmp_path / "out", layout="zip")


def test_prepared_files_remember_what_was_done_to_bad_values(small, tmp_path):
    path = small / "HuGaDB_v1_various_01_00.txt"
    path.write_text(path.read_text().replace("\n1\t", "\n99999\t", 1))
    prepare_dataset("hugadb", small, tmp_path / "kept", bad_values="keep")
    kept = load_dataset("hugadb", tmp_path / "kept", bad_values="keep")
    assert kept.recordings[0].skeleton[1, 0, 0] == 99_999
    assert any("01_00: bad_values(keep): frame 1 acc_rf_x" in note for note in kept.notes)
    with pytest.raises(ConfigError, match="prepared with bad_values='keep'"):
        load_dataset("hugadb", tmp_path / "kept")


def test_what_there_is_to_know_agrees_with_the_data_description():
    info = dataset_info("hugadb")
    assert (info.n_recordings, info.n_persons, info.n_frames) == (364, 18, 1_137_986)
    assert len(info.actions) == 10
    assert info.fps * info.patch_seconds == 60


@pytest.mark.real_data
def test_the_sample_holds_what_its_files_hold(hugadb_sample):
    with pytest.warns(DataWarning, match="line 26, column 25 acc_ls_x: 1306072"):
        data = load_dataset("hugadb", hugadb_sample)
    assert len(data.recordings) == 12
    lines = {f.stem: f.read_text().count("\n") - 4 for f in hugadb_sample.iterdir()}
    assert {r.id: r.n_frames for r in data.recordings} == lines
    assert len(data.warnings) == 1
    assert len({r.person for r in data.recordings}) == 11
    with pytest.raises(FileFormatError, match=CORRUPTED):
        load_dataset("hugadb", hugadb_sample, strict=True)


@pytest.mark.real_data
@pytest.mark.slow
def test_the_whole_benchmark_as_counted_elsewhere(shared_data, tmp_path):
    import runpy

    whole = runpy.run_path(str(shared_data / "hugadb" / "unpack.py"))
    for name, header, values in whole["load"]():
        rows = "\n".join("\t".join(map(str, row)) for row in values.tolist())
        (tmp_path / name).write_text(header + rows + "\n")
    data = load_quietly(tmp_path, benchmark=True)
    assert (len(data.recordings), data.n_frames, len(data.warnings)) == (364, 1_137_986, 1)
    counts = np.bincount(np.concatenate([a.labels for a in data.annotations]))
    assert dict(zip(data.actions, counts.tolist(), strict=True)) == {
        "walking": 314_775, "running": 64_122, "going_up": 131_604, "going_down": 116_637,
        "sitting": 74_943, "sitting_down": 24_112, "standing_up": 22_373, "standing": 231_514,
        "up_by_elevator": 89_144, "down_by_elevator": 68_762,
    }  # fmt: skip
    runs = sum(1 + np.count_nonzero(np.diff(a.labels)) for a in data.annotations)
    assert runs == 3_822
    lengths = [r.n_frames for r in data.recordings]
    assert (min(lengths), np.median(lengths), max(lengths)) == (333, 2_820, 12_472)
