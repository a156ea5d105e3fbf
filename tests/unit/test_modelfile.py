import json

import numpy as np
import pytest

from histvq.errors import FileFormatError
from histvq.modelfile import DESCRIPTION, TENSORS, read_description, read_tensors, write_model

ARRAYS = {
    "floats": np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32),
    "doubles": np.array([0.1, 1e300, -0.0]),
    "integers": np.arange(5),
    "turned": np.arange(6).reshape(2, 3).T,
    "scalar": np.float32(7),
    "empty": np.zeros((0, 3), np.float32),
}


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "deep" / "model"
    write_model(place, description={"method": "toy", "params": {"k": 3}}, tensors=ARRAYS)
    return place


def test_there_and_back(folder):
    description = read_description(folder)
    assert description == {"format": 1, "method": "toy", "params": {"k": 3}}
    found = read_tensors(folder)
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name].reshape(np.shape(array)), array)


def test_two_files_and_no_leftovers(folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted([DESCRIPTION, TENSORS])


def test_writing_again_replaces(folder):
    write_model(folder, description={"method": "other"}, tensors={"x": np.ones(2)})
    assert read_description(folder)["method"] == "other"
    assert read_tensors(folder).keys() == {"x"}


def test_what_json_cannot_say_is_refused_before_the_old_description_goes(folder):
    with pytest.raises(ValueError):
        write_model(folder, description={"loss": float("nan")}, tensors={})
    assert read_description(folder)["method"] == "toy"


@pytest.mark.parametrize("kept", [0, 5, 100])
def test_tensors_cut_short(folder, kept):
    place = folder / TENSORS
    place.write_bytes(place.read_bytes()[:kept])
    with pytest.raises(
        FileFormatError, match=r"model\.safetensors: cannot be read .*save it again"
    ):
        read_tensors(folder)


def test_tensors_missing(folder):
    (folder / TENSORS).unlink()
    with pytest.raises(FileFormatError, match=r"model\.safetensors: cannot be read"):
        read_tensors(folder)


def test_no_model_at_all(tmp_path):
    with pytest.raises(FileFormatError, match=r"no model\.json in it, so it is not a saved model$"):
        read_description(tmp_path)
    with pytest.raises(FileFormatError, match="not a saved model"):
        read_description(tmp_path / "nowhere")


def test_a_run_folder_is_told_from_its_model(folder):
    with pytest.raises(FileFormatError, match=r"did you mean .*model\?$") as caught:
        read_description(folder.parent)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "new"}', '{"format": null}'])
def test_a_description_that_is_none(folder, text):
    (folder / DESCRIPTION).write_text(text)
    with pytest.raises(FileFormatError, match=r"model\.json: not the description of a model"):
        read_description(folder)


def test_a_model_from_the_future(folder):
    (folder / DESCRIPTION).write_text(json.dumps({"format": 2, "method": "toy"}))
    words = "written by a newer histvq .format 2, this one reads up to 1.; upgrade"
    with pytest.raises(FileFormatError, match=words):
        read_description(folder)


def test_arrays_of_another_model_are_refused(tmp_path):
    """As a kill between the renames of the two files would leave them."""
    write_model(tmp_path / "old", description={"method": "toy"}, tensors={"a": np.zeros(3)})
    write_model(tmp_path / "new", description={"method": "toy"}, tensors={"a": np.ones(3)})
    (tmp_path / "new" / "model.safetensors").replace(tmp_path / "old" / "model.safetensors")
    with pytest.raises(FileFormatError, match=r"not the arrays that model.json is about"):
        read_description(tmp_path / "old")


def test_models_from_before_the_arrays_were_known_by_a_number_are_read(tmp_path):
    write_model(tmp_path, description={"method": "toy"}, tensors={"a": np.zeros(3)})
    said = json.loads((tmp_path / "model.json").read_text())
    del said["tensors_sha256"]
    (tmp_path / "model.json").write_text(json.dumps(said))
    assert read_description(tmp_path) == {"format": 1, "method": "toy"}
