"""Every dataset of the table, and every file that should be in it."""

import inspect
import lzma
import pkgutil
import shutil

import numpy as np
import pytest

import histvq.datasets
from histvq.annotation import Annotation
from histvq.datasets import (
    DATASETS,
    Dataset,
    DatasetInfo,
    dataset_info,
    load_dataset,
    narrowed,
)
from histvq.errors import ConfigError, DataWarning
from histvq.registry import resolve
from oracles import lara_files, pku_mmd_files
from oracles.little_babel import write_pickles

every_dataset = pytest.mark.parametrize("name", DATASETS)

SMALL = {
    "synthetic": {"n_people": 1, "recordings_per_person": 2, "seconds": 20.0},
}


@pytest.fixture
def data(name, request, tmp_path):
    """A little of the dataset; a skip where it needs real files that are not here."""
    if name == "hugadb":
        shared = request.getfixturevalue("shared_data")
        for recording in ("06_10", "08_04"):
            packed = shared / "hugadb" / "sample" / f"HuGaDB_v1_various_{recording}.txt.xz"
            (tmp_path / packed.stem).write_bytes(lzma.decompress(packed.read_bytes()))
        return load_dataset(name, tmp_path)
    if name == "cmu-exercises":
        shared = request.getfixturevalue("shared_data")
        for file in ("13_30.amc.xz", "13_30.labels.txt", "86.asf"):
            shutil.copy(shared / "cmu_exercises" / file, tmp_path / file)
        return load_dataset(name, tmp_path)
    if name == "lara":
        lara_files.put(tmp_path, classes=(0, 1, 3, 7) * 10)
        return load_dataset(name, tmp_path)
    if name.startswith("pku-mmd"):
        pku_mmd_files.put(tmp_path)
        return load_dataset(name, tmp_path)
    if name == "precog16":
        shared = request.getfixturevalue("shared_data")
        with pytest.warns(DataWarning, match="Seq2_10: every value is missing"):
            return load_dataset(name, shared / "precog16")
    if name.startswith("babel-"):
        write_pickles(tmp_path, int(name[-1]))
        return load_dataset(name, tmp_path, allow_pickle=True)
    return load_dataset(name, **SMALL[name])


def test_every_file_of_the_folder_is_in_the_table():
    modules = pkgutil.iter_modules(histvq.datasets.__path__)
    files = {module.name for module in modules if not module.name.startswith("_")}
    assert files == {target.split(":")[0].rsplit(".")[-1] for target in DATASETS.values()}


@every_dataset
def test_what_there_is_to_know(name):
    info = dataset_info(name)
    assert isinstance(info, DatasetInfo)
    assert info.name == name
    assert info.title


@every_dataset
@pytest.mark.real_data
def test_recordings_and_labels_are_in_step(name, data):
    assert isinstance(data, Dataset)
    assert data.name == name
    assert len({recording.id for recording in data.recordings}) == len(data.recordings) > 0
    for recording, annotation in zip(data.recordings, data.annotations, strict=True):
        assert recording.id == annotation.recording_id
        assert recording.skeleton.shape[0] == len(annotation.labels)
        assert recording.fps == annotation.fps
        assert annotation.actions == data.actions
    info = dataset_info(name)
    if info.fps is not None:
        assert {recording.fps for recording in data.recordings} == {info.fps}
        assert data.recordings[0].joint_names == info.joint_names
        assert set(data.actions) <= set(info.actions)


@every_dataset
@pytest.mark.real_data
def test_no_label_lies_in_the_motion(name, data):
    for recording in data.recordings:
        told = {
            *map(str, recording.metadata.values()),
            *recording.channel_names,
            *recording.history,
        }
        assert not told & set(data.actions)


def test_every_third_frame_of_motion_and_labels():
    whole = load_dataset("synthetic", **SMALL["synthetic"])
    third = load_dataset("synthetic", stride=3, **SMALL["synthetic"])
    for one, other in zip(whole.recordings, third.recordings, strict=True):
        np.testing.assert_array_equal(one.skeleton[::3], other.skeleton)
        assert other.fps == pytest.approx(one.fps / 3)
    for one, other in zip(whole.annotations, third.annotations, strict=True):
        np.testing.assert_array_equal(one.labels[::3], other.labels)
    with pytest.raises(ConfigError, match="stride 0"):
        load_dataset("synthetic", stride=0, **SMALL["synthetic"])


@every_dataset
def test_a_misspelt_option_is_an_error(name, tmp_path):
    option = list(inspect.signature(resolve(name, DATASETS, kind="dataset")).parameters)[-1]
    with pytest.raises(ConfigError, match=f"did you mean '{option}'"):
        load_dataset(name, tmp_path, **{option + "x": 1})


def test_a_dataset_nobody_knows():
    with pytest.raises(ConfigError, match="no dataset is called 'hugabd'; did you mean 'hugadb'"):
        load_dataset("hugabd")


def test_actions_that_do_not_occur_are_dropped_and_the_unlabelled_stay_so():
    labels = ([0, 2, -1], [-1, -1], [4, 2])
    given = [
        Annotation(recording_id="r", labels=np.array(one), actions=tuple("abcde"), fps=1)
        for one in labels
    ]
    actions, narrow = narrowed(given)
    assert actions == ("a", "c", "e")
    assert [a.labels.tolist() for a in narrow] == [[0, 1, -1], [-1, -1], [2, 1]]
