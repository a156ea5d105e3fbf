"""Damaged files of every format: whatever was done to one, it is read, or refused in words of ours."""

import shutil
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histvq.errors import DataWarning, HistvqError
from histvq.io import READERS, read, read_many
from oracles.accidents import spoilt
from oracles.example_files import EXAMPLES

every_format = pytest.mark.parametrize("name", READERS)


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """One good file a format, with what lies beside it; and where to spoil it."""
    made = {}
    for name, (make, options) in EXAMPLES.items():
        folder = tmp_path_factory.mktemp(name.replace("-", "_"))
        made[name] = (make(folder), options)
    return made


def outcome(path, name, options):
    """A recording fit to be worked with, or an error of ours; anything else is a fault of the reader."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DataWarning)
        try:
            recording, annotation = read(path, format=name, **options)
        except HistvqError as error:
            return str(error)
    assert recording.skeleton.dtype == np.float32
    assert not np.isinf(recording.skeleton).any()
    assert annotation is None or annotation.n_frames == recording.n_frames
    return recording


@every_format
@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_accidents(name, examples, data):
    path, options = examples[name]
    whole = path.read_bytes()
    try:
        path.write_bytes(data.draw(spoilt(whole)))
        outcome(path, name, options)
    finally:
        path.write_bytes(whole)


@every_format
def test_words_of_another_encoding(name, examples):
    path, options = examples[name]
    whole = path.read_bytes()
    try:
        for text in (whole.decode("latin-1"), "Gelenk: Hüfte\n1,5\n"):
            for encoding in ("utf-16", "utf-16-be", "utf-32"):
                path.write_bytes(text.encode(encoding))
                outcome(path, name, options)
    finally:
        path.write_bytes(whole)


@every_format
def test_a_folder_of_good_bad_and_strange_files(name, examples, tmp_path):
    path, options = examples[name]
    place = tmp_path / path.parent.name
    shutil.copytree(path.parent, place)
    (place / "README.txt").write_text("About these files:\n1. nothing\n2. to be read\n")
    (place / "notes.csv").write_text("when,who\nMonday,Ada\n")
    (place / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    readings = read_many(place, **options)
    assert [r.n_frames for r in readings.recordings] == [40]
    assert readings.formats == (name,)
    assert not [file for file, _ in readings.skipped if file.name in ("README.txt", "notes.csv")]


@pytest.mark.parametrize(
    "shape", [(2**62, 33, 3), (2**40, 2**40, 3), (2**62, 33, 0), (0, 2**62, 33, 3)]
)
def test_shapes_beyond_64_bits_are_refused_without_a_warning_of_numpys(shape, tmp_path):
    good = tmp_path / "mediapipe_body_3d_xyz.npy"
    np.save(good, np.zeros((10, 33, 3)))
    head = np.lib.format.header_data_from_array_1_0(np.zeros((10, 33, 3))) | {"shape": shape}
    with good.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, head)
        file.write(bytes(10 * 33 * 3 * 8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("freemocap", "arrays"):
            with pytest.raises(HistvqError):
                read(good, format=name, fps=30, unit="mm")
