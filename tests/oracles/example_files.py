"""One small good file of every format."""

import json
from collections.abc import Callable
from pathlib import Path

import ezc3d
import h5py
import numpy as np

from histvq.annotation import Annotation
from histvq.io.hugadb import COLUMNS
from histvq.io.layout import write_layout
from histvq.io.movement import to_movement
from histvq.io.npz import write_npz
from histvq.io.precog import JOINTS as PRECOG_JOINTS
from histvq.recording import Recording
from oracles import lara_files, pku_mmd_files


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


def _c3d(folder: Path) -> Path:
    points = np.random.default_rng(0).normal(size=(4, 3, 40))
    file = ezc3d.c3d()
    file["parameters"]["POINT"]["LABELS"]["value"] = ["head", "hip", "toe"]
    file["parameters"]["POINT"]["RATE"]["value"] = [100]
    file["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    file["data"]["points"] = points
    file.write(str(folder / "one.c3d"))
    return folder / "one.c3d"


def _deeplabcut(folder: Path) -> Path:
    path = folder / "one.csv"
    row = ",1.5,2.5,0.9,3.5,4.5,0.8\n"
    path.write_text(
        "scorer,net,net,net,net,net,net\nbodyparts,nose,nose,nose,tail,tail,tail\n"
        "coords,x,y,likelihood,x,y,likelihood\n" + "".join(f"{t}{row}" for t in range(40))
    )
    return path


def _sleap(folder: Path) -> Path:
    path = folder / "one.analysis.h5"
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file["node_names"] = [b"nose", b"tail", b"paw"]
        file["track_names"] = [b"white", b"black"]
        file.create_dataset("tracks", data=rng.normal(size=(2, 2, 3, 40)), compression="gzip")
        file["track_occupancy"] = np.ones((40, 2), np.uint8)
        file["point_scores"] = rng.uniform(size=(2, 3, 40))
    return path


# One small good file a format, and the options it cannot do without.
EXAMPLES: dict[str, tuple[Callable[[Path], Path], dict[str, object]]] = {
    "acclaim": (_acclaim, {"fps": 120}),
    "amass": (_amass, {}),
    "arrays": (_arrays, {"layout": "frame joint channel", "fps": 30, "unit": "mm"}),
    "bvh": (_bvh, {"unit": "cm"}),
    "c3d": (_c3d, {}),
    "coco": (_coco, {"fps": 30}),
    "deeplabcut": (_deeplabcut, {"fps": 30}),
    "freemocap": (_freemocap, {"fps": 30}),
    "histvq": (_histvq, {}),
    "hugadb": (_hugadb, {}),
    "lara": (_lara, {}),
    "mediapipe": (_mediapipe, {"fps": 30, "landmarks": "world"}),
    "movement": (_movement, {}),
    "openpose": (_openpose, {"fps": 30}),
    "pku-mmd": (_pku_mmd, {}),
    "precog": (_precog, {}),
    "sleap": (_sleap, {"fps": 30}),
    "smq": (_smq, {"fps": 30, "unit": "mm"}),
    "table": (_table, {"unit": "mm"}),
    "trc": (_trc, {}),
}

WITHOUT_LABELS = {
    "acclaim", "amass", "arrays", "bvh", "c3d", "coco", "deeplabcut", "freemocap", "mediapipe",
    "movement", "openpose", "sleap", "trc",
}  # fmt: skip

# A second good name beside the example's, where it is not made of it by the rule below.
ANOTHER = {"lara": "L01_S07_R04.csv", "pku-mmd": "A01N05-M.txt"}
