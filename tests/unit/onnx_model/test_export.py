import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from histvq.cli import Exit
from histvq.errors import ConfigError, DataWarning, NotFittedError
from histvq.methods.histvq import HiSTVQ
from histvq.models import make_method
from histvq.onnx_model import export_onnx
from histvq.prepared import prepared
from histvq.recording import Recording
from oracles.commands import histvq
from oracles.onnx_runs import session_of

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.usefixtures("one_thread")

TINY = {
    "n_actions": 2, "patch_seconds": 0.5, "n_maps": 8, "n_latent": 4, "epochs": 1, "min_steps": 0,
    "random_state": 0,
}  # fmt: skip
ARM = Recording(
    id="arm",
    skeleton=np.random.default_rng(0).normal(size=(100, 3, 3)),
    fps=10,
    unit="mm",
    joint_names=("shoulder", "elbow", "hand"),
    parents=(-1, 0, 1),
)
SENSORS = replace(ARM, id="sensors", channel_names=("acc_x", "acc_y", "acc_z"), parents=None)


@pytest.fixture(scope="module")
def centring():
    return HiSTVQ(**TINY).fit([ARM])


@pytest.fixture(scope="module")
def plain():
    return HiSTVQ(**TINY).fit([SENSORS])


def test_what_the_file_says_of_itself(centring, tmp_path):
    file = export_onnx(centring, tmp_path / "new" / "arm.onnx", roots=["shoulder"])
    onnx.checker.check_model(onnx.load(file), full_check=True)
    session = session_of(file)
    assert [(i.name, i.shape, i.type) for i in session.get_inputs()] == [
        ("skeleton", ["frame", 3, 3], "tensor(float)")
    ]
    outputs = {o.name: (o.shape, o.type) for o in session.get_outputs()}
    codes = (["patch"], "tensor(int64)")
    assert outputs == {
        "actions": codes,
        "subactions": codes,
        "confidence": (["patch"], "tensor(float)"),
    }
    said = json.loads(session.get_modelmeta().custom_metadata_map["histvq"])
    assert said.pop("version")
    assert said == {
        "method": "histvq", "fps": 10.0, "anti_alias": True, "patch_frames": 5, "reach_frames": 14,
        "joint_names": ["shoulder", "elbow", "hand"], "joint_persons": None,
        "channel_names": ["x", "y", "z"], "unit": "mm", "roots": ["shoulder"], "transforms": [],
        "n_actions": 2, "n_subactions": 4, "names": {}, "subaction_names": {},
    }  # fmt: skip


def test_nothing_of_the_decoders_is_in_the_file(plain, tmp_path):
    graph = onnx.load(export_onnx(plain, tmp_path / "m.onnx")).graph
    kept = sum(int(np.prod(array.dims)) for array in graph.initializer)
    encoder = sum(value.numel() for value in plain.network_.encoder.state_dict().values())
    codebook = plain.network_.quantiser.codebooks[0]  # and the square of every latent vector in it
    codes = codebook.prototypes.numel() + codebook.seen.numel()
    assert encoder + codes < kept < encoder + codes + 100


def test_methods_without_patches_are_refused(tmp_path):
    method = make_method("window-kmeans", n_actions=2).fit([SENSORS])
    words = "window-kmeans does not answer patch by patch.*methods that can: histvq, smq$"
    with pytest.raises(ConfigError, match=words):
        export_onnx(method, tmp_path / "m.onnx")


def test_not_fitted(tmp_path):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        export_onnx(HiSTVQ(**TINY), tmp_path / "m.onnx")


def test_without_onnx(plain, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigError, match=r'pip install "histvq\[onnx\]"'):
        export_onnx(plain, tmp_path / "m.onnx")


def test_what_is_there_stays(plain, tmp_path):
    file = tmp_path / "m.onnx"
    file.write_text("mine")
    with pytest.raises(ConfigError, match=r"m\.onnx is there already.*--overwrite"):
        export_onnx(plain, file)
    assert file.read_text() == "mine"
    session_of(export_onnx(plain, file, overwrite=True))
    with pytest.raises(ConfigError, match="is a folder"):
        export_onnx(plain, tmp_path, overwrite=True)


@pytest.mark.parametrize(
    ("roots", "words"),
    [
        ([], "name it with --root; joints are shoulder, elbow, hand"),
        (["sholder"], "--root sholder: no joint is called so; did you mean 'shoulder'"),
        (["shoulder", "hand"], "name it with --root"),
    ],
)
def test_roots_that_are_none(centring, tmp_path, roots, words):
    with pytest.raises(ConfigError, match=words):
        export_onnx(centring, tmp_path / "m.onnx", roots=roots)
    assert not list(tmp_path.iterdir())


def test_a_root_of_each_person(tmp_path):
    pair = np.concatenate((ARM.skeleton, ARM.skeleton + 5), axis=1)
    names = tuple(f"{person}/{joint}" for person in "ab" for joint in ARM.joint_names)
    parents, persons = (-1, 0, 1, -1, 3, 4), (0, 0, 0, 1, 1, 1)
    two = Recording(
        id="two", skeleton=pair, fps=10, joint_names=names, parents=parents, joint_persons=persons
    )
    model = HiSTVQ(**TINY).fit([two])
    for roots in (["a/shoulder"], ["a/shoulder", "a/hand"]):
        with pytest.raises(ConfigError, match="--root, one a person"):
            export_onnx(model, tmp_path / "m.onnx", roots=roots)
    export_onnx(model, tmp_path / "m.onnx", roots=["b/shoulder", "a/shoulder"])


def test_no_root_where_nothing_is_centred(plain, tmp_path):
    with pytest.raises(ConfigError, match="does not centre on a root"):
        export_onnx(plain, tmp_path / "m.onnx", roots=["hand"])


def test_transforms_are_told_of_and_left_to_be_done_before(tmp_path):
    steps = ["fill-gaps=0.25", "select=elbow,hand"]
    model = prepared(HiSTVQ(**TINY), steps).fit([SENSORS])
    with pytest.warns(DataWarning, match=r"not in the file.*fill-gaps=0\.25, select=elbow,hand"):
        file = export_onnx(model, tmp_path / "m.onnx")
    said = json.loads(session_of(file).get_modelmeta().custom_metadata_map["histvq"])
    assert (said["transforms"], said["joint_names"]) == (steps, ["elbow", "hand"])


def test_the_command(plain, centring, tmp_path):
    plain.save(tmp_path / "model")
    (tmp_path / "model" / "names.yaml").write_text("actions:\n  0:\n  1: Gehen auf der Straße\n")
    file = tmp_path / "m.onnx"
    status, said = histvq("export-model", tmp_path / "model", "--to", "onnx", "-o", file)
    assert (status, f"wrote {file}" in said) == (Exit.ALL, True)
    said = json.loads(session_of(file).get_modelmeta().custom_metadata_map["histvq"])
    assert said["names"] == {"1": "Gehen auf der Straße"}
    status, said = histvq("export-model", tmp_path / "model", "--to", "onnx", "-o", file)
    assert (status, "is there already" in said) == (Exit.USAGE, True)
    status, said = histvq("export-model", tmp_path / "model", "--to", "onx", "--overwrite")
    assert (status, "did you mean 'onnx'?" in said) == (Exit.USAGE, True)
    centring.save(tmp_path / "centring")
    arguments = ["export-model", tmp_path / "centring", "--to", "onnx", "-o", file, "--overwrite"]
    status, said = histvq(*arguments)
    assert (status, "name it with --root" in said) == (Exit.USAGE, True)
    assert histvq(*arguments, "--root", "shoulder")[0] == Exit.ALL
