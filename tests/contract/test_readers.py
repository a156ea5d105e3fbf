"""Every file format of the table, and every file that should be in it."""

import json
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import histvq.io
from histvq.annotation import Annotation
from histvq.errors import FileFormatError
from histvq.io import READERS, Reader, expand, find_reader, read, read_many
from histvq.io.hugadb import COLUMNS
from histvq.io.layout import write_layout
from histvq.io.movement_out import to_movement
from histvq.io.npz import write_npz
from histvq.io.precog import JOINTS as PRECOG_JOINTS
from histvq.recording import Recording
from oracles import lara_files, pku_mmd_files

# Modules of histvq.io that read no format of their own.
HELPERS = {"asked", "atomic", "packed", "reader", "segment_table", "unique"}
HELPERS |= {"finding", "label_files", "plugins", "telling"}
HELPERS |= {"bvh_motion", "bvh_skeleton", "last_line"}
HELPERS |= {"json_values", "keypoints"}
HELPERS |= {"lara_checks", "lara_labels", "number_table", "pku_mmd_labels"}
HELPERS |= {"archive", "body_model", "safe_pickle"}
HELPERS |= {"labels_folder"}

HELPERS |= {"movement_axes", "movement_out", "netcdf"}
HELPERS |= {"cells", "clock", "columns", "frame_labels", "header"}  # these two lines: of `table`
HELPERS |= {"lines", "notes", "pivot", "steady"}
HELPERS |= {"stored"}


def _recording() -> tuple[Recording, Annotation]:
    skeleton = np.random.default_rng(0).normal(size=(40, 3, 3))
    recording = Recording(id="one", skeleton=skeleton, fps=30)
    labels = np.repeat([0, 1], 20)
    return recording, Annotation(recording_id="one", labels=labels, actions=("a", "b"), fps=30)


def _histvq(folder: Path) -> Path:
    write_npz(folder / "one.npz", *_recording())
    return folder / "one.npz"


def _smq(folder: Path) -> Path:
    recording, annotation = _recording()
    write_layout(folder, [recording], [annotation])
    return folder / "features" / "one.npy"


def _hugadb(folder: Path) -> Path:
    path = folder / "HuGaDB_v1_various_01_00.txt"
    row = "\t".join(["5"] * 38 + ["1"]) + "\n"
    header = "#Activity\twalking \n#ActivityID\t1 \n#Date 01-01-01-01\n" + "\t".join(COLUMNS) + "\n"
    path.write_text(header + row * 40)
    return path


def _lara(folder: Path) -> Path:
    return lara_files.put(folder, "L01_S07_R03")


def _pku_mmd(folder: Path) -> Path:
    return pku_mmd_files.put(folder, "A01N05-L")


def _precog(folder: Path) -> Path:
    path = folder / "Seq1_1.csv"
    row = ";".join(["1 2 3"] * len(PRECOG_JOINTS) + ["4"]) + "\n"
    path.write_text("; ".join(PRECOG_JOINTS) + "\n" + row * 40)
    return path


def _acclaim(folder: Path) -> Path:
    bones = "begin\n name arm\n direction 1 0 0\n length 1\n axis 0 0 0 XYZ\n dof rz\nend\n"
    (folder / "one.asf").write_text(
        ":units\nlength 0.45\n:root\norder TX TY TZ RX RY RZ\n:bonedata\n"
        f"{bones}:hierarchy\nbegin\nroot arm\nend\n"
    )
    (folder / "two.asf").write_text((folder / "one.asf").read_text())
    frames = "".join(f"{n}\nroot 0 0 0 0 0 0\narm {n}\n" for n in range(1, 41))
    (folder / "one.amc").write_text(f":FULLY-SPECIFIED\n:DEGREES\n{frames}")
    return folder / "one.amc"


def _bvh(folder: Path) -> Path:
    rows = "".join(f"0 0 0 {n} 0 0\n" for n in range(40))
    (folder / "one.bvh").write_text(
        "HIERARCHY\nROOT hips\n{\nOFFSET 0 0 0\n"
        "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n"
        "JOINT head\n{\nOFFSET 0 1 0\nCHANNELS 0\nEnd Site\n{\nOFFSET 0 1 0\n}\n}\n}\n"
        f"MOTION\nFrames: 40\nFrame Time: 0.033333\n{rows}"
    )
    return folder / "one.bvh"


def _trc(folder: Path) -> Path:
    rows = "".join(f"{n + 1}\t{n / 100}\t{n}\t0.5\t1\t\t\t\n" for n in range(40))
    (folder / "one.trc").write_text(
        "PathFileType\t4\t(X/Y/Z)\tone.trc\n"
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\n100\t100\t40\t2\tmm\n"
        f"Frame#\tTime\thead\t\t\thip\t\t\n\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n\n{rows}"
    )
    return folder / "one.trc"


def _coco(folder: Path) -> Path:
    rows = [
        {"image_id": n, "category_id": 1, "keypoints": [float(n), 2.5, 0.9] * 17} for n in range(40)
    ]
    (folder / "one.json").write_text(json.dumps(rows))
    return folder / "one.json"


def _freemocap(folder: Path) -> Path:
    np.save(folder / "one_3d_xyz.npy", np.random.default_rng(0).normal(size=(40, 553, 3)))
    return folder / "one_3d_xyz.npy"


def _mediapipe(folder: Path) -> Path:
    landmark = {"x": 0.5, "y": 0.25, "z": 0.1, "visibility": 0.9}
    (folder / "one.json").write_text(json.dumps([[landmark] * 33] * 40))
    return folder / "one.json"


def _openpose(folder: Path) -> Path:
    for frame in range(40):
        person = {"pose_keypoints_2d": [float(frame), 2.5, 0.9] * 25}
        file = folder / f"one_{frame:012}_keypoints.json"
        file.write_text(json.dumps({"version": 1.3, "people": [person]}))
    return folder / "one_000000000000_keypoints.json"


def _amass(folder: Path) -> Path:
    path = folder / "one_poses.npz"
    poses = np.random.default_rng(0).normal(size=(40, 156))
    np.savez(path, poses=poses, trans=poses[:, :3], betas=np.zeros(16), mocap_framerate=120.0)
    return path


def _movement(folder: Path) -> Path:
    path = folder / "one.nc"
    to_movement(_recording()[0]).to_netcdf(path, engine="h5netcdf")
    return path


def _arrays(folder: Path) -> Path:
    path = folder / "one.npy"
    np.save(path, np.random.default_rng(0).normal(size=(40, 4, 3)))
    return path


def _table(folder: Path) -> Path:
    path = folder / "one.csv"
    names = [f"{joint}_{channel}" for joint in ("hip", "left_wrist") for channel in "xyz"]
    rows = [f"{n},{n / 100},1.5,2.5,3.5,4.5,5.5,{n % 7 * 3.25},{'ab'[n // 20]}" for n in range(40)]
    path.write_text("\n".join([",".join(["frame", "time_s", *names, "label"]), *rows]) + "\n")
    return path


# One small good file a format, and the options it cannot do without.
EXAMPLES: dict[str, tuple[Callable[[Path], Path], dict[str, object]]] = {
    "acclaim": (_acclaim, {"fps": 120}),
    "bvh": (_bvh, {"unit": "cm"}),
    "coco": (_coco, {"fps": 30}),
    "freemocap": (_freemocap, {"fps": 30}),
    "amass": (_amass, {}),
    "histvq": (_histvq, {}),
    "hugadb": (_hugadb, {}),
    "mediapipe": (_mediapipe, {"fps": 30, "landmarks": "world"}),
    "openpose": (_openpose, {"fps": 30}),
    "lara": (_lara, {}),
    "pku-mmd": (_pku_mmd, {}),
    "movement": (_movement, {}),
    "precog": (_precog, {}),
    "smq": (_smq, {"fps": 30, "unit": "mm"}),
    "trc": (_trc, {}),
    "arrays": (_arrays, {"layout": "frame joint channel", "fps": 30, "unit": "mm"}),
    "table": (_table, {"unit": "mm"}),
}

WITHOUT_LABELS = {
    "acclaim", "amass", "arrays", "bvh", "coco", "freemocap", "mediapipe", "movement", "openpose", "trc",
}  # fmt: skip

# A second good name beside the example's, where it is not made of it by the rule below.
ANOTHER = {"lara": "L01_S07_R04.csv", "pku-mmd": "A01N05-M.txt"}

every_format = pytest.mark.parametrize("name", READERS)


@pytest.fixture
def example(name: str, tmp_path: Path) -> tuple[Path, dict[str, object]]:
    make, options = EXAMPLES[name]
    return make(tmp_path), options


def test_every_file_of_the_folder_is_in_the_table():
    files = {module.name for module in pkgutil.iter_modules(histvq.io.__path__)} - HELPERS
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
