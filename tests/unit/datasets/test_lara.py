import warnings

import numpy as np
import pytest

from histvq.datasets import dataset_info, load_dataset, prepare_dataset
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io.layout import read_layout
from histvq.io.npz import read_npz, write_npz
from histvq.recording import Recording
from histvq.supervised.splits import SPLITS, is_tested_on, split_of
from oracles.lara_files import labels_1, labels_3, put, skeleton, text_1

V1 = "L02_S05_R11_A17_N01"
CLASSES = [1] * 8 + [7] * 3 + [4] * 199  # rows 0, 4, 8 are Walking, Walking, None


def put_v1(folder):
    folder.mkdir(exist_ok=True)
    (folder / f"{V1}_norm_data.csv").write_text(text_1(40))
    (folder / f"{V1}_labels.csv").write_text(labels_1([0] * 40))


@pytest.fixture
def small(tmp_path):
    folder = tmp_path / "raw"
    put(folder, "L01_S07_R03", classes=CLASSES)
    put(folder / "more", "L02_S05_R01", classes=[0] * 401)
    return folder


def test_every_fourth_row_relative_to_the_root(small):
    data = load_dataset("lara", small)
    assert [r.id for r in data.recordings] == ["L01_S07_R03", "L02_S05_R01"]
    assert data.actions == ("Standing", "Walking", "Handling(centred)", "None")
    recording, annotation = data.recordings[0], data.annotations[0]
    expected = skeleton(210)[::4]
    expected[:, :, 3:] -= expected[:, 21:, 3:]  # channels of position only, joint 21
    np.testing.assert_array_equal(recording.skeleton, expected)
    assert annotation.labels.tolist() == [1, 1, 3] + [2] * 50
    assert recording.fps == annotation.fps == 50
    assert recording.unit == "mm"
    assert recording.history == ("stride(4)", "centre_on(root)")
    assert len(data.recordings[1].skeleton) == 101
    assert data.notes == (
        "version 3 of the files, of 16 people; HiST-VQ writes of 14, as in version 1",
    )


def test_some_channels(small):
    whole = load_dataset("lara", small).recordings[0]
    for channels, places, names, unit in (
        ("positions", slice(3, 6), ("x", "y", "z"), "mm"),
        ("rotations", slice(0, 3), ("rotation_x", "rotation_y", "rotation_z"), "degrees"),
    ):
        recording = load_dataset("lara", small, channels=channels).recordings[0]
        np.testing.assert_array_equal(recording.skeleton, whole.skeleton[:, :, places])
        assert (recording.channel_names, recording.unit) == (names, unit)
    with pytest.raises(ConfigError, match="channels='angles': must be one of"):
        load_dataset("lara", small, channels="angles")


def test_supervised_methods_hold_out_people_by_name(small):
    recordings = load_dataset("lara", small).recordings
    split = split_of("lara", recordings)
    assert split is SPLITS["lara"]
    tested = is_tested_on(recordings, ["S05"], by=split.by)
    assert tested.tolist() == [False, True]


def test_parts_of_the_authors_division(small):
    data = load_dataset("lara", small, part="validation")
    assert [r.person for r in data.recordings] == ["S05"]
    assert "part 'validation': 1 of 2 recordings" in data.notes
    assert [r.person for r in load_dataset("lara", small, part="train").recordings] == ["S07"]
    with pytest.raises(FileFormatError, match="no recording of S06, S13, S14, the people of part"):
        load_dataset("lara", small, part="test")
    with pytest.raises(ConfigError, match="part='trial'"):
        load_dataset("lara", small, part="trial")


def test_what_stands_alone_is_listed_on_both_sides(small):
    put(small, "L03_S01_R09", labels=False)
    (small / "L03_S02_R09_labels.csv").write_text(labels_3([0]))
    (small / f"{V1}_labels.csv").write_text("of another version")
    data = load_dataset("lara", small)
    assert len(data.recordings) == 2
    words = "1 recordings without labels: L03_S01_R09; 1 labels without a recording: L03_S02_R09"
    assert data.notes[1] == f"left out: {words}"
    for option in ("strict", "benchmark"):
        with pytest.raises(FileFormatError) as caught:
            load_dataset("lara", small, **{option: True})
        assert option == "benchmark" or f"{words}. Bring both files" in str(caught.value)


def test_mixed_versions_are_chosen_from(small):
    put_v1(small)
    with pytest.raises(FileFormatError, match=r"1 of version 1, 2 of version 3.*version=3"):
        load_dataset("lara", small)
    assert len(load_dataset("lara", small, version=3).recordings) == 2
    data = load_dataset("lara", small, version=1)
    assert [r.id for r in data.recordings] == [V1]
    assert data.notes[0] == "version 1 of the files; SMQ and HiST-VQ used version 3"
    assert "1 recordings shorter than a patch of 1 s" in data.notes[1]
    with pytest.raises(FileFormatError, match="no files of version 2; it has"):
        load_dataset("lara", small, version=2)


def test_the_benchmark_is_whole_or_an_error(small, tmp_path):
    with pytest.raises(FileFormatError, match=r"version 3 of 16 people: no recording of S01, S02"):
        load_dataset("lara", small, benchmark=True)
    put_v1(tmp_path / "old")
    with pytest.raises(FileFormatError, match="it is version 1; no recording of S01"):
        load_dataset("lara", tmp_path / "old", benchmark=True)
    for person in range(1, 17):
        put(small, f"L01_S{person:02}_R01", classes=[0] * 4)
    assert len(load_dataset("lara", small, benchmark=True).recordings) == 18


def test_folders_without_what_is_needed(tmp_path):
    with pytest.raises(FileFormatError, match="not a folder"):
        load_dataset("lara", tmp_path / "gone")
    with pytest.raises(FileFormatError, match="no LARa recordings, as L01_S07_R03"):
        load_dataset("lara", tmp_path)
    put(tmp_path, labels=False)
    with pytest.raises(FileFormatError, match="1 recordings without labels: L01_S07_R03"):
        load_dataset("lara", tmp_path)


def test_a_bad_file_is_skipped_aloud_or_stops(small):
    bad = put(small, "L01_S01_R01")
    bad.write_text(bad.read_text()[:5000])
    with pytest.warns(DataWarning, match=r"L01_S01_R01\.csv, last line 12"):
        data = load_dataset("lara", small)
    assert len(data.recordings) == 2
    assert data.skipped[0][0] == bad
    with pytest.raises(FileFormatError, match=r"L01_S01_R01\.csv, last line 12"):
        load_dataset("lara", small, strict=True)


def test_prepared_files_give_the_same_dataset(small, tmp_path):
    out = tmp_path / "out"
    summary = prepare_dataset("lara", small, out)
    assert (summary.n_recordings, summary.n_frames, summary.folder) == (2, 154, out)
    raw, prepared = load_dataset("lara", small), load_dataset("lara", out)
    assert raw.actions == prepared.actions
    assert raw.notes == prepared.notes
    for one, other in zip(raw.recordings, prepared.recordings, strict=True):
        np.testing.assert_array_equal(one.skeleton, other.skeleton)
        assert (one.id, one.person, one.fps) == (other.id, other.person, other.fps)
        assert {**one.metadata, "original_source": one.source} == other.metadata
    for one, other in zip(raw.annotations, prepared.annotations, strict=True):
        np.testing.assert_array_equal(one.labels, other.labels)
    bare = out / "L01_S07_R03.npz"
    write_npz(bare, read_npz(bare)[0])
    with pytest.raises(FileFormatError, match=r"R03\.npz: no labels in it"):
        load_dataset("lara", out)
    write_npz(bare, Recording(id="x", skeleton=np.zeros((4, 22, 6)), fps=200))
    with pytest.raises(FileFormatError, match=r"200 frames a second of channel0.*not as prepared"):
        load_dataset("lara", out)


def test_prepared_in_the_layout_of_other_tools(small, tmp_path):
    prepare_dataset("lara", small, tmp_path / "out", layout="smq")
    array = np.load(tmp_path / "out/features/L01_S07_R03.npy")
    assert array.shape == (6, 53, 22, 1)
    assert (array[3:, :, 21] == 0).all()
    assert (array[:3, :, 21] != 0).any()
    annotation = read_layout(tmp_path / "out", fps=50, unit="mm").annotations[0]
    assert annotation.actions[annotation.labels[2]] == "None"
    with pytest.raises(ConfigError, match="layout='zip'"):
        prepare_dataset("lara", small, tmp_path / "out", layout="zip")


def test_prepared_files_remember_what_was_done_to_gaps(small, tmp_path):
    path = small / "L01_S07_R03.csv"
    path.write_text(path.read_text().replace("\n8,0,2.0,", "\n8,0,,"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        prepare_dataset("lara", small, tmp_path / "kept", gaps="keep")
    kept = load_dataset("lara", tmp_path / "kept", gaps="keep")
    assert np.isnan(kept.recordings[0].skeleton[2, 0, 0])
    assert any("R03: gaps(keep): frames with missing values: head 1" in n for n in kept.notes)
    with pytest.raises(ConfigError, match="prepared with gaps='keep'"):
        load_dataset("lara", tmp_path / "kept")


def test_what_there_is_to_know():
    info = dataset_info("lara")
    assert (info.n_persons, len(info.joint_names), len(info.actions)) == (16, 22, 8)
    assert info.fps * info.patch_seconds == 50
