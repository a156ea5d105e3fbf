import sys
from importlib.util import find_spec

import numpy as np
import pytest

from histvq.annotation import Annotation
from histvq.clips.viewing import EXTRA, Viewer
from histvq.errors import ConfigError
from histvq.recording import Recording
from histvq.report.palette import look_of
from histvq.segments import Segmentation


class Rerun:
    """Stands in for the module: keeps what it is given, at which time."""

    def __init__(self):
        self.logged, self.saved, self.now = [], None, {}
        self.flushed = self.spawned = False

    def RecordingStream(self, application_id):
        assert application_id == "histvq"
        return self

    def save(self, path):
        self.saved = path

    def spawn(self):
        self.spawned = True

    def flush(self):
        self.flushed = True

    def set_time(self, timeline, **at):
        self.now = {**self.now, timeline: at}

    def log(self, path, thing):
        self.logged.append(("/".join(path), self.now["frame"]["sequence"], thing))

    def __getattr__(self, kind):
        if not kind[0].isupper():
            raise AttributeError(kind)
        return lambda *given, **named: (kind, *given, named)

    def at(self, path):
        return {frame: thing for where, frame, thing in self.logged if where == path}


@pytest.fixture
def rerun(monkeypatch):
    module = Rerun()
    monkeypatch.setitem(sys.modules, "rerun", module)
    return module


def recording(channels=("x", "y", "z"), parents=(-1, 0)):
    skeleton = np.arange(4 * 2 * len(channels), dtype=float).reshape(4, 2, len(channels))
    skeleton[2, 1, 0] = np.nan
    return Recording(
        id="a b", skeleton=skeleton, fps=20, channel_names=channels, joint_names=("hip", "toe"),
        parents=parents,
    )  # fmt: skip


ANSWER = Segmentation(
    recording_id="a b", fps=20.0, actions=np.array([1, 1, -1, 0]), subactions=np.array([2, 3, 3, 3]),
    names={0: "sit"},
)  # fmt: skip


def test_points_bones_and_actions_stand_at_their_frames(rerun):
    truth = Annotation(recording_id="a b", labels=np.array([0, 0, 0, -1]), actions=("up",), fps=20)
    Viewer("out/a.rrd").show(recording(), ANSWER, truth)
    assert rerun.saved == "out/a.rrd"
    assert rerun.flushed
    joints, bones = (rerun.at(f"a b/skeleton/{part}") for part in ("joints", "bones"))
    kind, points, looks = joints[0]
    assert kind == "Points3D"
    assert points.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert looks["labels"] == ["hip", "toe"]
    red, green, blue = looks["colors"][0]
    assert f"#{red:02x}{green:02x}{blue:02x}" == look_of(1).colour
    assert joints[2][2]["labels"] == ["hip"]
    kind, lines, _ = bones[0]
    assert kind == "LineStrips3D"
    assert np.array(lines).tolist() == [[[3, 4, 5], [0, 1, 2]]]
    assert bones[2][1] == []
    said = {name: {f: t[1] for f, t in rerun.at(f"a b/{name}").items()} for name in
            ("action", "subaction", "true_action")}  # fmt: skip
    assert said == {
        "action": {0: "action 1", 2: "", 3: "sit"},
        "subaction": {0: "subaction 2", 1: "subaction 3"},
        "true_action": {0: "up", 3: ""},
    }
    assert rerun.now == {"time": {"duration": 3 / 20}, "frame": {"sequence": 3}}


def test_flat_motion_is_flat_and_without_parents_there_are_no_bones(rerun):
    Viewer().show(recording(("x", "y"), parents=None), ANSWER)
    assert rerun.spawned
    assert rerun.at("a b/skeleton/joints")[0][0] == "Points2D"
    assert not rerun.at("a b/skeleton/bones")


def test_other_channels_are_curves_with_gaps(rerun):
    Viewer().show(recording(("acc_x", "acc_y", "gyro_x", "gyro_y"), parents=None), ANSWER)
    curve = rerun.at("a b/toe/acc_x")
    assert {frame: thing[1] for frame, thing in curve.items()} == {0: 4.0, 1: 12.0, 3: 28.0}
    assert not rerun.at("a b/skeleton/joints")


def test_without_the_extra_the_pip_line_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(ConfigError, match=r'pip install "histvq\[rerun\]"') as error:
        Viewer()
    assert str(error.value) == EXTRA


@pytest.mark.skipif(find_spec("rerun") is None, reason="rerun-sdk is not installed")
@pytest.mark.parametrize("channels", [("x", "y"), ("x", "y", "z"), ("acc_x",)])
def test_rerun_itself_takes_it(tmp_path, channels):
    Viewer(tmp_path / "a.rrd").show(recording(channels), ANSWER)
    assert (tmp_path / "a.rrd").read_bytes().startswith(b"RRF")
