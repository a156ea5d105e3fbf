"""What is fuzzed: for every file the program reads a good one, how it is altered, and who reads it."""

import gzip
import io
import json
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz import altering as a
from histvq.annotation import Annotation
from histvq.recording import Recording

Run = Callable[[Path], object]


@dataclass(frozen=True)
class Target:
    """One sort of file.

    Attributes:
        make: Into an empty folder: the good file, with whatever lies beside it; returns the one to alter.
        alter: How it is altered.
        read: What is done with it.
        any_numbers: Whether numbers in it may be such that sums overflow, of which NumPy warns.
    """

    make: Callable[[Path], Path]
    alter: a.Alter
    read: Run
    any_numbers: bool = False


READER_WAYS: dict[str, a.Alter] = {
    "amass": a.NPZ,
    "arrays": a.NPY,
    "c3d": a.BINARY,
    "coco": a.JSON,
    "freemocap": a.NPY,
    "histvq": a.NPZ,
    "mediapipe": a.JSON,
    "movement": a.HDF5,
    "openpose": a.JSON,
    "sleap": a.HDF5,
    "smq": a.NPY,
}


def targets() -> dict[str, Target]:
    """All of them, by name: those that take a millisecond or so first."""
    from oracles.example_files import EXAMPLES

    found = {
        f"reader {name}": Target(make, READER_WAYS.get(name, a.TEXT), partial(_read, name, options))
        for name, (make, options) in EXAMPLES.items()
    }

    found["reader freemocap"] = Target(
        _freemocap, a.NPY, partial(_read, "freemocap", EXAMPLES["freemocap"][1])
    )

    def with_(name: str, example: str, other: Callable[[Path], Path], alter: a.Alter) -> None:
        make, options = EXAMPLES[example]

        def both(folder: Path) -> Path:
            (folder / "path.txt").write_text(str(make(folder)))
            return other(folder)

        found[f"reader {name}"] = Target(both, alter, partial(_read_noted, example, options))

    with_("acclaim (.asf)", "acclaim", lambda folder: folder / "one.asf", a.TEXT)
    with_("lara (labels)", "lara", lambda f: next(p for p in f.rglob("*labels*.csv")), a.TEXT)
    with_("pku-mmd (labels)", "pku-mmd", lambda f: f / "Label_PKUMMD_v2" / "A01N05-L.txt", a.TEXT)
    with_("smq (truth)", "smq", lambda f: f / "groundTruth" / "one.txt", a.TEXT)
    with_("smq (mapping)", "smq", lambda f: f / "mapping" / "mapping.txt", a.TEXT)
    with_("table (notes)", "table", _table_notes, a.YAML)
    found |= {
        "reader deeplabcut (.h5, table)": Target(
            partial(_deeplabcut, "table"), a.HDF5, partial(_read, "deeplabcut", {"fps": 30})
        ),
        "reader deeplabcut (.h5, fixed)": Target(
            partial(_deeplabcut, "fixed"), a.HDF5, partial(_read, "deeplabcut", {"fps": 30})
        ),
        "reader movement (netCDF 3)": Target(_netcdf3, a.BINARY, partial(_read, "movement", {})),
        "reader arrays (.npz)": Target(
            _npz, a.NPZ, partial(_read, "arrays", EXAMPLES["arrays"][1])
        ),
        "labels elan": Target(_elan, a.XML, _labels),
        "labels boris": Target(partial(_boris, "p.boris"), a.JSON, _labels),
        "labels boris (.gz)": Target(
            partial(_boris, "p.boris.gz"), a.mixed(a.accident, a.gzipped(a.JSON)), _labels
        ),
        "labels boris table": Target(_boris_table, a.TEXT, _labels),
        "labels segment table": Target(_segment_table, a.TEXT, _labels),
        "labels text": Target(_label_text, a.TEXT, partial(_labels, label_fps=10.0)),
        "groups table": Target(_groups, a.TEXT, _read_groups),
        "babel pickle": Target(_babel_pickle, a.BINARY, _read_babel),
        "babel json": Target(_babel_json, a.JSON, _read_babel_json),
        "archive zip": Target(_zip, a.mixed(a.zipped(a.BINARY)), _unpack),
        "archive tar": Target(_tar, a.mixed(a.tarred(a.BINARY)), _unpack),
        "skeleton.yaml": Target(_skeleton, a.YAML, _read_skeleton),
        "preset.toml": Target(_preset, a.mixed(a.TEXT, a.JSON), _read_preset),
        "names.yaml": Target(partial(_run_file, "names.yaml"), a.YAML, _read_run),
        "config.yaml": Target(partial(_run_file, "config.yaml"), a.YAML, _read_run),
        "recordings.json": Target(partial(_run_file, "recordings.json"), a.JSON, _read_run),
        "scores.json": Target(partial(_run_file, "scores.json"), a.JSON, _read_run),
        "frames.csv": Target(partial(_run_file, "frames.csv"), a.TEXT, _read_run),
        "segments.csv": Target(partial(_run_file, "segments.csv"), a.TEXT, _read_run),
        "weights smq": Target(
            partial(_weights, "smq"),
            a.mixed(a.accident, a.binary_number, a.zipped(a.BINARY)),
            partial(_read_weights, "smq"),
        ),
        "weights ms-gcn": Target(
            partial(_weights, "ms-gcn"),
            a.mixed(a.accident, a.binary_number, a.zipped(a.BINARY)),
            partial(_read_weights, "ms-gcn"),
        ),
    }
    found["training.safetensors"] = Target(_training, a.SAFETENSORS, _go_on)
    for file, alter in (
        ("transforms.json", a.JSON),
        ("model.safetensors", a.SAFETENSORS),
        ("model.json", a.JSON),
    ):
        found[file] = Target(partial(_model, "histvq", file), alter, _predict, True)
    for method in ("window-kmeans", "cte", "ms-gcn"):
        for file, alter in (("model.safetensors", a.SAFETENSORS), ("model.json", a.JSON)):
            found[f"{file} ({method})"] = Target(
                partial(_model, method, file), alter, _predict, True
            )
    return found


def _belongs() -> Any:
    from histvq.resuming import Belonging

    return Belonging("histvq", {"epochs": 3}, [("one", "0")], versions={"torch": "1"})


def _training(folder: Path) -> Path:
    from histvq.resuming import Checkpoint

    state = {"weights": np.arange(12.0).reshape(3, 4), "epoch": 2, "history": [{"total": 0.5}]}
    Checkpoint(folder / "training.safetensors", _belongs(), seed=1).keep(state)
    return folder / "training.safetensors"


def _go_on(path: Path) -> None:
    from histvq.resuming import Checkpoint

    assert Checkpoint(path, _belongs(), seed=1).state["epoch"] == 2


def _of_test(name: str) -> Any:
    """A module of the unit tests, which have good files in them."""
    from importlib.util import module_from_spec, spec_from_file_location

    place = Path(__file__).parents[2] / "tests" / "unit" / name
    spec = spec_from_file_location(place.stem, place)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _check(recording: Recording, annotation: Annotation | None) -> None:
    assert recording.skeleton.dtype == np.float32
    assert not np.isinf(recording.skeleton).any()
    assert annotation is None or annotation.n_frames == recording.n_frames


def _read(name: str, options: dict[str, Any], path: Path) -> None:
    from histvq.io import read

    _check(*read(path, format=name, **options))


def _read_noted(name: str, options: dict[str, Any], path: Path) -> None:
    """The recording beside which the altered file lies."""
    noted = next(p / "path.txt" for p in path.parents if (p / "path.txt").exists())
    _read(name, options, Path(noted.read_text()))


def _freemocap(folder: Path) -> Path:
    """The body alone: with hands and face most of the time would be spent on writing it."""
    np.save(folder / "one_3d_xyz.npy", np.random.default_rng(0).normal(size=(10, 33, 3)))
    return folder / "one_3d_xyz.npy"


def _table_notes(folder: Path) -> Path:
    (folder / "one.table.yaml").write_text(
        "joints:\n  hip: {x: hip_x, y: hip_y, z: hip_z}\n"
        "  wrist: {x: left_wrist_x, y: left_wrist_y, z: left_wrist_z}\n"
        "frame: frame\ntime: {column: time_s, unit: s}\nlabel: label\nunit: mm\nfps: 100\n"
        "parents: {wrist: hip, hip: null}\nskip_rows: 0\nseparator: comma\nmissing: [x, 9999, -1.5]\n"
    )
    return folder / "one.table.yaml"


def _deeplabcut(format: str, folder: Path) -> Path:
    import pandas as pd

    names = [
        ("net", point, axis) for point in ("nose", "tail") for axis in ("x", "y", "likelihood")
    ]
    columns = pd.MultiIndex.from_tuples(names, names=["scorer", "bodyparts", "coords"])
    values = np.random.default_rng(0).uniform(0.7, 1, size=(40, 6))
    frame = pd.DataFrame(values, columns=columns)
    frame.to_hdf(folder / "one.h5", key="df_with_missing", format=format, mode="w")  # type: ignore[call-overload]
    return folder / "one.h5"


def _netcdf3(folder: Path) -> Path:
    from histvq.io.movement import to_movement
    from oracles.example_files import _recording

    to_movement(_recording()[0]).to_netcdf(
        folder / "one.nc", engine="scipy", format="NETCDF3_64BIT"
    )
    return folder / "one.nc"


def _npz(folder: Path) -> Path:
    values = np.random.default_rng(0).normal(size=(40, 4, 3))
    np.savez_compressed(folder / "one.npz", motion=values)
    return folder / "one.npz"


RECORDINGS = (Recording(id="walk1", skeleton=np.zeros((10, 2, 3), np.float32), fps=10),)


def _answers() -> list[Any]:
    from oracles.exported import answer

    return [
        answer([0] * 4 + [1] * 6, id="walk1", subactions=[0] * 3 + [2] * 7, confidence=[0.5] * 10),
        answer([1] * 5 + [-1] * 3, id="walk2", subactions=[3] * 8, confidence=[0.25] * 8),
    ]


def _elan(folder: Path) -> Path:
    (folder / "walk1.eaf").write_text(_of_test("io/labels/test_elan.py").BY_HAND)
    return folder / "walk1.eaf"


def _boris(name: str, folder: Path) -> Path:
    data = json.dumps(_of_test("io/labels/test_boris.py").PROJECT).encode()
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return folder / name


def _boris_table(folder: Path) -> Path:
    test = _of_test("io/labels/test_boris_table.py")
    (folder / "t.csv").write_text("\n".join([test.HEADER, *test.ROWS]) + "\n")
    return folder / "t.csv"


def _segment_table(folder: Path) -> Path:
    (folder / "segments.csv").write_text(
        "recording,level,start_frame,stop_frame,start_s,stop_s,name\n"
        "walk1,action,0,4,0.0,0.4,walk\nwalk1,action,4,10,0.4,1.0,run\nwalk1,subaction,0,10,0,1,x\n"
    )
    return folder / "segments.csv"


def _label_text(folder: Path) -> Path:
    (folder / "walk1.txt").write_text("1\n1\n2\n2\n2\n3\n-1\n3\n3\n3\n")
    return folder / "walk1.txt"


def _labels(path: Path, *, label_fps: float | None = None) -> None:
    from histvq.io.labels.reading import read_any_labels

    for annotation in read_any_labels(path, RECORDINGS, label_fps=label_fps):
        assert annotation is None or label_fps or annotation.n_frames == 10


def _groups(folder: Path) -> Path:
    (folder / "groups.csv").write_text("recording,treatment,age\nwalk1,a,3\nwalk2,b,\n")
    return folder / "groups.csv"


def _read_groups(path: Path) -> object:
    from histvq.report.groups_table import read_groups

    return read_groups(path, ["walk1", "walk2"])


def _babel_pickle(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    sequences = {
        "X": [rng.normal(size=(3, 9, 25, 1)) for _ in range(2)],
        "L": [[0] * 5 + [1] * 4, [2] * 9],
        "sid": [3, 4],
        "Y": np.arange(5, dtype=np.float32),
    }
    (folder / "one.pkl").write_bytes(pickle.dumps(sequences, protocol=4))
    return folder / "one.pkl"


def _read_babel(path: Path) -> object:
    from histvq.io.parts.safe_pickle import load_numbers

    return load_numbers(path)


def _babel_json(folder: Path) -> Path:
    from oracles.little_babel import entry, write_json

    walking = [(["walk"], 0, 0.5), (["turn"], 0.5, 1)]
    write_json(
        folder / "train.json", [entry(7, walking, seconds=1.0), entry(11, None, seconds=1.0)]
    )
    return folder / "train.json"


def _read_babel_json(path: Path) -> object:
    from histvq.datasets import _babel_labels

    return _babel_labels.read_labels(path, 1, close_gaps=False)


def _zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "one.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/one.txt", "1 2 3\n" * 50)
        archive.writestr("b.csv", bytes(1000))
    return folder / "one.zip"


def _tar(folder: Path) -> Path:
    with tarfile.open(folder / "one.tar.gz", "w:gz") as archive:
        for name, data in (("a/one.txt", b"1 2 3\n" * 50), ("b.csv", bytes(1000))):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return folder / "one.tar.gz"


def _unpack(path: Path) -> None:
    from histvq.download.unpack import unpack

    into = path.parent / "into"
    into.mkdir(exist_ok=True)
    try:
        unpack(path, into)
    finally:
        shutil.rmtree(into)


def _skeleton(folder: Path) -> Path:
    (folder / "skeleton.yaml").write_text(
        "name: legs\njoints: [hip, left_knee, right_knee]\nparents: {left_knee: hip, right_knee: hip}\n"
        "pairs: [[left_knee, right_knee]]\n"
    )
    return folder / "skeleton.yaml"


def _read_skeleton(path: Path) -> object:
    from histvq.skeletons import read_skeleton

    return read_skeleton(path)


def _preset(folder: Path) -> Path:
    (folder / "mine.toml").write_text(
        'description = "mine"\nscale = "fast"\n\n[method]\nname = "histvq"\nn_actions = 4\nalpha = 2\n'
        'patch_seconds = 0.5\nn_maps = 8\nkeep = "last"\nshortcut = false\n\n[dataset]\n'
        'name = ["hugadb", "lara"]\n'
    )
    return folder / "mine.toml"


def _read_preset(path: Path) -> object:
    from histvq.cli.learning import method_of

    return method_of(None, str(path), None, None, 0, None, None)


@cache
def _run_folder() -> dict[str, bytes]:
    """The files of a run whose answers have names and a truth."""
    import tempfile

    from histvq.results import write_answers

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "given.yaml").write_text(
            'actions:\n  0: walking\n  1: {name: running, colour: "#00ff00"}\nsubactions:\n  2: step\n'
        )
        truth = [
            Annotation(
                recording_id=one.recording_id,
                labels=np.maximum(one.actions, 0),
                actions=("a", "b"),
                fps=10,
            )
            for one in _answers()
        ]
        write_answers(
            folder,
            _answers(),
            annotations=truth,
            names=folder / "given.yaml",
            warnings=["odd"],
            skipped=[(Path("x.bvh"), "damaged")],
            settings={
                "method": {"name": "histvq", "n_actions": 2, "alpha": 2},
                "data": ["gone.npz"],
                "reading": {"fps": 10, "people": "together", "options": ["unit=mm"]},
            },
        )
        names = (
            "names.yaml",
            "config.yaml",
            "recordings.json",
            "scores.json",
            "frames.csv",
            "segments.csv",
        )
        return {name: (folder / name).read_bytes() for name in names}


def _run_file(name: str, folder: Path) -> Path:
    for file, data in _run_folder().items():
        (folder / file).write_bytes(data)
    return folder / name


def _read_run(path: Path) -> None:
    """What `histvq report` reads."""
    from histvq.report.run_folder import corrected_by_hand, out_of_date, read_run, read_sources

    run = read_run(path.parent)
    corrected_by_hand(run)
    out_of_date(run)
    read_sources(run)


@cache
def _models() -> dict[str, dict[str, bytes]]:
    """The files of small fitted models, by method."""
    import tempfile

    from histvq.models import make_method
    from histvq.prepared import prepared

    recordings = motion()
    truth = [
        Annotation(recording_id=r.id, labels=np.repeat([0, 1], 60), actions=("a", "b"), fps=30)
        for r in recordings
    ]
    found = {}
    for name, params in (
        (
            "histvq",
            {
                "n_actions": 2,
                "n_maps": 4,
                "n_latent": 4,
                "temporal_hidden": 8,
                "epochs": 1,
                "min_steps": 1,
            },
        ),
        ("window-kmeans", {"n_actions": 2}),
        (
            "cte",
            {"n_actions": 2, "n_embedding": 4, "epochs": 1, "min_steps": 1, "decoder": "markov"},
        ),
        ("ms-gcn", {"epochs": 1, "min_steps": 1, "n_stages": 2, "n_layers": 2, "n_maps": 4}),
    ):
        method: Any = make_method(name, random_state=0, **params)
        steps = ["fill-gaps=0.25", "centre=joint0", "resample=15"] if name == "histvq" else []
        method = prepared(method, steps)
        method.fit(recordings, *([truth] if name == "ms-gcn" else []))
        with tempfile.TemporaryDirectory() as place:
            method.save(place)
            found[name] = {file.name: file.read_bytes() for file in Path(place).iterdir()}
    return found


def motion() -> list[Recording]:
    """Two recordings of four seconds."""
    rng = np.random.default_rng(0)
    return [
        Recording(
            id=f"r{n}",
            skeleton=rng.normal(size=(120, 3, 3)).cumsum(0) / 10,
            fps=30,
            parents=(-1, 0, 1),
            unit="mm",
        )
        for n in range(2)
    ]


def _model(method: str, name: str, folder: Path) -> Path:
    for file, data in _models()[method].items():
        if (
            file == "model.json"
        ):  # without the digest of the arrays, which would stop whatever is altered
            said = json.loads(data)
            said.pop("tensors_sha256")
            data = json.dumps(said).encode()
        (folder / file).write_bytes(data)
    return folder / name


def _predict(path: Path) -> None:
    from histvq.models import load_model

    recording = motion()[0]
    answer = load_model(path.parent).predict(recording)
    assert answer.n_frames == recording.n_frames


def _weights(kind: str, folder: Path) -> Path:
    import torch

    published = _of_test(f"checkpoints/test_{kind.replace('-', '')}.py").published
    torch.save(published(), folder / "some.model")
    return folder / "some.model"


def _read_weights(kind: str, path: Path) -> object:
    from histvq.checkpoints import import_checkpoint

    return import_checkpoint(kind, path)
