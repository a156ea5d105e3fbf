"""Version 2 of HuGaDB, whose files differ from version 1 in the prefix and in labels, end to end."""

import lzma

import numpy as np
import pytest
from typer.testing import CliRunner

from histvq.cli import Exit, app
from histvq.datasets import load_dataset, prepare_dataset
from histvq.errors import FileFormatError
from histvq.io import expand, read
from histvq.io.hugadb import COLUMNS
from histvq.io.layout import read_layout

HEADER = "#Activity\tx \n#ActivityID\t1 \n#Date 01-01-01-01\n" + "\t".join(COLUMNS) + "\n"
SITTING, SITTING_DOWN, STANDING = 5, 6, 8
# 70 frames each; version 2 has the border one frame later.
V1 = [STANDING] * 30 + [SITTING_DOWN] * 20 + [SITTING] * 20
V2 = [STANDING] * 31 + [SITTING_DOWN] * 19 + [SITTING] * 20


def text(activities):
    rows = ([frame] * 36 + [1, 1, a] for frame, a in enumerate(activities))
    return HEADER + "".join("\t".join(map(str, row)) + "\n" for row in rows)


@pytest.fixture
def second(tmp_path):
    """Three recordings in both endings, one of them packed, and one kind the benchmark leaves out."""
    folder = tmp_path / "HuGaDB v2"
    folder.mkdir()
    (folder / "HuGaDB_v2_various_01_00.txt").write_text(text(V2))
    (folder / "HuGaDB_v2_various_01_01.csv").write_text(text(V2))
    packed = lzma.compress(text(V2).encode())
    (folder / "HuGaDB_v2_various_02_00.txt.xz").write_bytes(packed)
    (folder / "HuGaDB_v2_walking_01_00.csv").write_text(text([1] * 70))
    return folder


@pytest.fixture
def first(tmp_path):
    folder = tmp_path / "HuGaDB v1"
    folder.mkdir()
    (folder / "HuGaDB_v1_various_01_00.txt").write_text(text(V1))
    return folder


@pytest.mark.parametrize("ending", ["txt", "csv"])
def test_one_file_is_known_by_its_name(second, ending):
    path = next(second.glob(f"HuGaDB_v2_various_*.{ending}"))
    assert expand(path) == [("hugadb", path)]
    recording, annotation = read(path)
    assert recording.metadata["version"] == "2"
    assert recording.id == path.stem
    assert (annotation.labels + 1).tolist() == V2


def check(data):
    assert [recording.id for recording in data.recordings] == [
        "HuGaDB_v2_various_01_00",
        "HuGaDB_v2_various_01_01",
        "HuGaDB_v2_various_02_00",
    ]
    assert [recording.person for recording in data.recordings] == ["01", "01", "02"]
    assert data.actions == ("sitting", "sitting_down", "standing")
    names = [data.actions[label] for label in data.annotations[1].labels]
    assert names == ["standing"] * 31 + ["sitting_down"] * 19 + ["sitting"] * 20
    np.testing.assert_array_equal(data.recordings[2].skeleton[:, 3, 4], np.arange(70))
    assert "3 of the benchmark's 364 recordings" in data.notes
    assert not any("version 1" in note for note in data.notes)


def test_raw_files(second):
    data = load_dataset("hugadb", second)
    check(data)
    assert "1 files left out, the benchmark does not use them: walking 1" in data.notes
    check(load_dataset("hugadb", second, version=2))


def test_prepared_files(second, tmp_path):
    made = prepare_dataset("hugadb", second, tmp_path / "npz")
    assert (made.n_recordings, made.n_frames, made.skipped) == (3, 210, ())
    check(load_dataset("hugadb", tmp_path / "npz"))
    prepare_dataset("hugadb", second, tmp_path / "smq", layout="smq")
    layout = read_layout(tmp_path / "smq", fps=60, unit="counts")
    assert (layout.annotations[0].labels + 1).tolist() == V2


def test_by_command(second, tmp_path):
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["data", "prepare", "hugadb", str(second), "-o", str(out)])
    assert result.exit_code == Exit.ALL
    assert "3 recordings, 210 frames" in result.output
    check(load_dataset("hugadb", out))


def test_what_the_benchmark_lacks_is_named_by_its_version(second):
    with pytest.raises(FileFormatError, match="missing: HuGaDB_v2_various_01_02, HuGaDB_v2_"):
        load_dataset("hugadb", second, benchmark=True)


def test_both_versions_in_folders_of_one_are_chosen_from(first, second):
    both = first.parent
    with pytest.raises(FileFormatError, match=r"1 of version 1, 3 of version 2.*folder of one"):
        load_dataset("hugadb", both)
    check(load_dataset("hugadb", both, version=2))
    (annotation,) = load_dataset("hugadb", both, version=1).annotations
    assert [int(n) for n in np.bincount(annotation.labels)] == [20, 20, 30]


def test_the_older_prefix_of_the_documentation(tmp_path):
    path = tmp_path / "HGD_v2_various_01_00.txt"
    path.write_text(text(V2))
    assert read(path)[0].metadata["version"] == "2"
    assert len(load_dataset("hugadb", tmp_path).recordings) == 1
