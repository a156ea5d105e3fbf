"""Every file format of the table, and every file that should be in it."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import histvq.io
from histvq.errors import FileFormatError
from histvq.io import READERS, Reader, expand, find_reader, read, read_many
from oracles.example_files import ANOTHER, EXAMPLES, WITHOUT_LABELS

every_format = pytest.mark.parametrize("name", READERS)


@pytest.fixture
def example(name: str, tmp_path: Path) -> tuple[Path, dict[str, object]]:
    make, options = EXAMPLES[name]
    return make(tmp_path), options


def test_every_file_of_the_folder_is_in_the_table():
    files = {m.name for m in pkgutil.iter_modules(histvq.io.__path__) if not m.ispkg}
    assert files == {target.split(":")[0].rsplit(".")[-1] for target in READERS.values()}


@every_format
def test_it_is_a_reader_that_says_what_it_is(name):
    reader = find_reader(name)
    assert isinstance(reader, Reader)
    assert reader.description
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in reader.suffixes)
    assert set(reader.own_suffixes) <= set(reader.suffixes)


@every_format
def test_its_file_is_known_without_being_named(name, example):
    path, options = example
    assert expand(path) == [(name, path)]
    assert expand(path.parent) == [(name, path)]
    recording, annotation = read(path, **options)
    assert recording.skeleton.dtype == np.float32
    assert recording.n_frames == 40
    assert (annotation is None) == (name in WITHOUT_LABELS)
    if annotation is not None:
        assert annotation.n_frames == 40
        assert annotation.recording_id == recording.id


@every_format
def test_reading_twice_gives_the_same(name, example):
    path, options = example
    (one, _), (other, _) = (read(path, format=name, **options) for _ in range(2))
    np.testing.assert_array_equal(one.skeleton, other.skeleton)


@every_format
@pytest.mark.parametrize("part", [0.0, 0.03, 0.5, 0.95])
@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_a_cut_file_is_an_error_that_names_it(name, example, part):
    path, options = example
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(FileFormatError, match=path.name):
        read(path, format=name, **options)


@every_format
@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_noise_is_an_error_that_names_the_file(name, example):
    path, options = example
    path.write_bytes(np.random.default_rng(0).bytes(500))
    with pytest.raises(FileFormatError, match=path.name):
        read(path, format=name, **options)


@every_format
def test_one_bad_file_does_not_stop_the_others(name, example):
    path, options = example
    bad = path.with_name(
        path.name.replace("01_00", "01_01").replace("one", "two").replace("1_1.", "1_2.")
    )
    if name in ANOTHER:
        bad = path.with_name(ANOTHER[name])
    bad.write_bytes(path.read_bytes()[:100])
    many = read_many(path.parent, format=name, **options)
    assert len(many.recordings) == 1
    assert [file for file, _ in many.skipped] == [bad]


def test_reading_does_not_import_torch():
    program = (
        "import sys, histvq.io, histvq.datasets; "
        "[histvq.io.find_reader(name) for name in histvq.io.READERS]; "
        "[histvq.datasets.dataset_info(name) for name in histvq.datasets.DATASETS]; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
