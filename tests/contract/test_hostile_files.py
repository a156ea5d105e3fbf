"""Files made to do harm: nothing runs, nothing takes the machine's memory, nothing leaves its place."""

import io
import json
import pickle
import sys
import tarfile
import warnings
import zipfile
from importlib.metadata import entry_points

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save_file

import histvq
from histvq.checkpoints import import_checkpoint
from histvq.cli.learning import method_of
from histvq.datasets import load_dataset
from histvq.errors import ConfigError, DataWarning, FileFormatError, HistvqError
from histvq.io import READERS, find_reader, read
from histvq.io.parts.safe_pickle import load_numbers
from histvq.models import load_model
from histvq.presets import load_preset
from histvq.recording import Recording
from histvq.report.names import read_names
from histvq.report.run_folder import read_run, read_sources
from histvq.skeletons import read_skeleton
from oracles.example_files import EXAMPLES
from oracles.pickles import Extension, payloads

KINDS = list(payloads("x"))


@pytest.fixture
def made(tmp_path):
    """The folder that is there when a pickle was run."""
    return tmp_path / "a pickle was run"


@pytest.fixture(params=KINDS)
def payload(request, made):
    with Extension():
        yield payloads(made)[request.param]


def test_each_of_these_pickles_runs_when_unpickled(payload, made):  # or the tests below say nothing
    pickle.loads(payload)
    assert made.is_dir()


def tried(read_, *arguments, **options):
    """Read, and take it to be in order or our error, nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            return read_(*arguments, **options)
        except HistvqError as error:
            return error


# Pickles


def object_array(data):
    """An `.npy` of Python objects whose pickle is this."""
    file = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": (2,)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + data


@pytest.mark.parametrize("name", ["arrays", "smq", "freemocap"])
def test_arrays_of_objects(name, payload, made, tmp_path):
    make, options = EXAMPLES[name]
    path = make(tmp_path)
    path.write_bytes(object_array(payload))
    assert isinstance(tried(read, path, format=name, **options), FileFormatError)
    path.write_bytes(payload)  # numpy.load takes a bare pickle, too
    assert isinstance(tried(read, path, format=name, **options), FileFormatError)
    assert not made.exists()


@pytest.mark.parametrize("name", ["histvq", "amass", "arrays"])
def test_archives_of_objects(name, payload, made, tmp_path):
    make, options = EXAMPLES[name]
    path = make(tmp_path).with_suffix(".npz")
    names = ["x"] if name == "arrays" else zipfile.ZipFile(path).namelist()
    for spoilt in names:
        with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
            for member in names:
                data = b"" if name == "arrays" else zipfile.ZipFile(path).read(member)
                archive.writestr(member, object_array(payload) if member == spoilt else data)
        tried(read, tmp_path / "other.npz", format=name, **options)
        assert not made.exists()


def h5(folder, name):
    if name in ("table", "fixed"):
        columns = pd.MultiIndex.from_product([["net"], ["nose"], ["x", "y", "likelihood"]])
        columns.names = ["scorer", "bodyparts", "coords"]
        frame = pd.DataFrame(np.ones((5, 3)), columns=columns)
        frame.to_hdf(folder / "one.h5", key="df_with_missing", format=name, mode="w")
        return "deeplabcut", folder / "one.h5", {"fps": 30}
    make, options = EXAMPLES[name]
    return name, make(folder), options


@pytest.mark.parametrize("kind", ["REDUCE, protocol 0", "STACK_GLOBAL", "BUILD"])
@pytest.mark.parametrize("name", ["table", "fixed", "sleap", "movement"])
def test_attributes_and_arrays_of_hdf5(name, kind, made, tmp_path):
    """PyTables keeps names, and whatever it has no type for, as pickles; pandas unpickles them."""
    payload = payloads(made)[kind]
    format, path, options = h5(tmp_path, name)
    whole = path.read_bytes()
    with h5py.File(path) as file:
        members = []
        file.visit(members.append)
        attributes = [(m, key) for m in ["/", *members] for key in file[m].attrs]
    for member, key in attributes:
        path.write_bytes(whole)
        with h5py.File(path, "r+") as file:
            del file[member].attrs[key]
            file[member].attrs[key] = np.void(payload) if name == "movement" else np.bytes_(payload)
        tried(read, path, format=format, **options)
        assert not made.exists(), (member, key)
    for member in members:
        path.write_bytes(whole)
        with h5py.File(path, "r+") as file:
            attributes_of = dict(file[member].attrs)
            del file[member]
            file[member] = np.frombuffer(payload, np.uint8).reshape(1, -1)
            file[member].attrs.update(
                {k: v for k, v in attributes_of.items() if not isinstance(v, h5py.Reference)} | {
                    "PSEUDOATOM": b"object", "CLASS": b"VLARRAY"}
            )  # fmt: skip
        tried(read, path, format=format, **options)
        assert not made.exists(), member


def test_pickles_of_babel(payload, made, tmp_path):
    for name in ("train_split1.pkl", "val_split1.pkl"):
        (tmp_path / name).write_bytes(payload)
    assert "admits numbers" in str(tried(load_dataset, "babel-1", tmp_path))
    for data in (payload, pickle.dumps({"X": [1]})[:-2] + payload):
        (tmp_path / "train_split1.pkl").write_bytes(data)
        assert isinstance(tried(load_numbers, tmp_path / "train_split1.pkl"), FileFormatError)
        found = tried(load_dataset, "babel-1", tmp_path, allow_pickle=True)
        assert isinstance(found, FileFormatError)
    assert not made.exists()


@pytest.mark.parametrize("kind", ["smq", "ms-gcn"])
def test_files_of_pytorch(kind, payload, made, tmp_path):
    path = tmp_path / "weights.model"
    torch.save({"vq._embedding": torch.ones(2, 3)}, path)
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(tmp_path / "zipped.model", "w") as archive:
        for member in whole.namelist():
            data = payload if member.endswith(".pkl") else whole.read(member)
            archive.writestr(member, data)
    old = io.BytesIO()
    torch.save({"a": torch.ones(2)}, old, _use_new_zipfile_serialization=False)
    places = [old.getvalue().find(b"\x80\x02", at) for at in (0, 2, 16, 22, 138)]
    files = {f"part {n}.model": old.getvalue()[:at] + payload for n, at in enumerate(places)}
    with tarfile.open(tmp_path / "oldest.model", "w") as archive:  # before PyTorch 0.1
        for name in ("sys_info", "pickle", "tensors", "storages"):
            info = tarfile.TarInfo(name)
            info.size = len(payload)
            archive.addfile(info, io.BytesIO(payload))
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    for name in ("zipped.model", "oldest.model", *files):
        found = tried(import_checkpoint, kind, tmp_path / name)
        assert isinstance(found, FileFormatError), name
    assert not made.exists()


@pytest.mark.parametrize("name", READERS)
def test_a_pickle_by_any_name(name, payload, made, tmp_path):
    make, options = EXAMPLES[name]
    path = make(tmp_path)
    for suffix in {path.suffix, *find_reader(name).suffixes}:
        (tmp_path / f"{path.stem}{suffix}").write_bytes(payload)
        tried(read, tmp_path / f"{path.stem}{suffix}", format=name, **options)
    assert not made.exists()


# What a file says is to be run


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A module anybody can import here, which notes that it was; its name, and whether it was."""
    (tmp_path / "trap_module.py").write_text(
        f"open({str(tmp_path / 'imported')!r}, 'w').close()\n"
        "def method(*_, **__): raise RuntimeError\nread = load = method\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("trap_module", None)
    yield "trap_module:method"
    assert not (tmp_path / "imported").exists()
    __import__("trap_module")
    assert (tmp_path / "imported").exists()  # or nothing was shown


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a small fitted model."""
    rng = np.random.default_rng(0)
    recordings = [Recording(id=f"r{n}", skeleton=rng.normal(size=(90, 3, 3)), fps=30) for n in "ab"]
    made = histvq.HiSTVQ(n_actions=2, n_maps=4, n_latent=4, epochs=1, min_steps=1, random_state=0)
    folder = tmp_path_factory.mktemp("model")
    made.fit(recordings).save(folder)
    return folder


def with_changes(model, tmp_path, **changes):
    """A copy of the model whose description says other things; `params__x` is a parameter."""
    folder = tmp_path / "model"
    folder.mkdir(exist_ok=True)
    for file in model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    said = json.loads((folder / "model.json").read_text())
    del said["tensors_sha256"]  # whoever means harm can work it out anew
    for key, value in changes.items():
        holder, _, name = key.rpartition("__")
        (said[holder] if holder else said)[name] = value
    (folder / "model.json").write_text(json.dumps(said))
    return folder


def test_a_model_that_names_a_method_of_its_own(model, trap, tmp_path):
    with pytest.raises(FileFormatError, match="no method that is known here: 'trap_module:method'"):
        load_model(with_changes(model, tmp_path, method=trap))


def test_a_preset_that_names_a_method_of_its_own(trap, tmp_path):
    (tmp_path / "mine.toml").write_text(f'description = "x"\n[method]\nname = "{trap}"\n')
    assert load_preset(tmp_path / "mine.toml").method.name == trap
    with pytest.raises(ConfigError, match=r"is none of histvq's.*name it here too"):
        method_of(None, str(tmp_path / "mine.toml"), 3, None, 0, None, None)


def test_a_run_that_names_a_reader_of_its_own(trap, tmp_path):
    (tmp_path / "frames.csv").write_text(
        "recording,frame,time_s,action,subaction,confidence\na,0,0,0,,\na,1,0.1,1,,\n"
    )
    (tmp_path / "a.bvh").write_text("x")
    (tmp_path / "config.yaml").write_text(
        f"data: [{tmp_path / 'a.bvh'}]\nreading: {{format: '{trap}'}}\n"
    )
    with pytest.warns(DataWarning, match="code that a file names is not run"):
        assert read_sources(read_run(tmp_path)) is None


def test_no_package_of_this_installation_adds_readers():  # then the test above covers all there are
    assert not entry_points(group="histvq.readers")


YAML = [
    "!!python/object/apply:os.mkdir ['{place}']",
    "a: !!python/object/new:os.mkdir ['{place}']",
    "!!python/object/apply:pathlib.Path.mkdir [!!python/object/apply:pathlib.Path ['{place}']]",
    "actions: {{0: !!python/object/apply:os.mkdir ['{place}']}}",
]


@pytest.mark.parametrize("text", YAML)
def test_yaml_that_asks_for_objects(text, made, tmp_path):
    for name, read_ in {
        "names.yaml": read_names,
        "skeleton.yaml": read_skeleton,
        "table.yaml": lambda path: read(EXAMPLES["table"][0](path.parent), unit="mm"),
        "config.yaml": lambda path: read_run(path.parent),
    }.items():
        (tmp_path / "frames.csv").write_text(
            "recording,frame,time_s,action,subaction,confidence\na,0,0,0,,\na,1,0.1,1,,\n"
        )
        (tmp_path / name).write_text(text.format(place=made))
        found = tried(read_, tmp_path / name)
        assert isinstance(found, FileFormatError), (name, found)
        (tmp_path / name).unlink()
    assert not made.exists()


def test_what_lies_beside_tensors_is_text_and_stays_it(model, payload, made, tmp_path):
    folder = with_changes(model, tmp_path)
    arrays = histvq.modelfile.read_tensors(folder)
    words = {"pickle": payload.decode("latin-1"), "__reduce__": "os:mkdir"}
    save_file(arrays, folder / "model.safetensors", metadata=words)
    load_model(folder)
    arrays["network.pickle"] = np.frombuffer(payload, np.uint8)
    save_file(arrays, folder / "model.safetensors")
    with pytest.raises(FileFormatError, match=r"pickle is \(\d+,\), the settings make none"):
        load_model(folder)
    assert not made.exists()


@pytest.mark.parametrize("name", ["centres", "parents", "factor", "means"])
def test_arrays_of_another_shape_than_the_others(name, tmp_path):
    recordings = [
        histvq.Recording(
            id=f"r{n}", skeleton=np.random.default_rng(n).normal(size=(90, 2, 3)), fps=30
        )
        for n in range(2)
    ]
    histvq.make_method("window-kmeans", n_actions=2, random_state=0).fit(recordings).save(
        tmp_path / "good"
    )
    folder = with_changes(tmp_path / "good", tmp_path)
    arrays = histvq.modelfile.read_tensors(folder)
    for array in (arrays[name][..., None], arrays[name][:0], arrays[name].repeat(2, axis=-1)):
        save_file({**arrays, name: np.ascontiguousarray(array)}, folder / "model.safetensors")
        with pytest.raises(FileFormatError, match="do not belong together"):
            load_model(folder)
