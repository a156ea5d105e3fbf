import csv
import io
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from histvq.cli import Exit
from histvq.methods.histvq import HiSTVQ
from histvq.models import load_model
from histvq.recording import Recording
from oracles.commands import histvq
from oracles.spread import spread

pytestmark = pytest.mark.usefixtures("one_thread")
HEADER = "hip_x,hip_y,hip_z,foot_x,foot_y,foot_z"


@pytest.fixture(scope="module")
def motion():
    rng = np.random.default_rng(0)
    place = np.array([[0, 3], [3, 0], [-3, -3]])[np.arange(205) // 40 % 3]
    return Recording(
        id="walk",
        skeleton=rng.standard_normal((205, 2, 3)) * 0.1 + place[:, :, None],
        fps=10,
        unit="m",
        joint_names=("hip", "foot"),
    )


@pytest.fixture(scope="module")
def model(motion, tmp_path_factory):
    place = tmp_path_factory.mktemp("model") / "m.histvq"
    settings = {"n_maps": 4, "n_latent": 4, "n_layers": 2, "temporal_hidden": 4, "epochs": 1}
    method = HiSTVQ(n_actions=3, random_state=0, min_steps=0, **settings).fit([motion])
    spread(method, motion).save(place)
    return place


def lines_of(skeleton):
    return [",".join(f"{value:.9g}" for value in frame) for frame in skeleton.reshape(-1, 6)]


def actions(text):
    """One a frame, as the lines say."""
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["patch"]) for row in rows] == list(range(len(rows)))
    lengths = [int(row["stop_frame"]) - int(row["start_frame"]) for row in rows]
    return np.repeat([int(row["action"]) for row in rows], lengths)


def expected(model, motion):
    found = load_model(model).predict(motion).actions
    assert len(set(found.tolist())) > 1
    return found


@pytest.mark.parametrize("kind", ["csv", "header", "npy", "stdin"])
def test_a_stream_from_every_source_says_what_predict_says(kind, model, motion, tmp_path):
    file, out = tmp_path / ("in.npy" if kind == "npy" else "in.csv"), tmp_path / "new" / "out.csv"
    text = "\n".join([*[HEADER] * (kind == "header"), *lines_of(motion.skeleton)])
    np.save(file, motion.skeleton) if kind == "npy" else file.write_text(text)
    source, given = ("-", {"input": text}) if kind == "stdin" else (file, {})
    status, said = histvq("predict", model, source, "--stream", "--idle", 0, "-o", out, **given)
    assert status == Exit.ALL
    assert "6 numbers a frame, in the order hip_x, hip_y, hip_z, foot_x ...; m, 10 frames" in said
    assert "label comes within 1.60 s of it, 0.60 s after its patch ends" in said  # 2 x 3 frames
    np.testing.assert_array_equal(actions(out.read_text()), expected(model, motion))


def test_units_and_names_of_columns_may_be_said(model, motion, tmp_path):
    (tmp_path / "in.csv").write_text("\n".join(lines_of(motion.skeleton[:, ::-1] * 1000)))
    (tmp_path / "names.yaml").write_text("actions:\n  0: rest\n  1: rest\n  2: swing, wide\n")
    status, _ = histvq(
        "predict", model, tmp_path / "in.csv", "--stream", "--idle", 0, "-o", tmp_path / "out.csv",
        "--unit", "mm", "--option", "joint_names=foot,hip", "--names", tmp_path / "names.yaml",
    )  # fmt: skip
    assert status == Exit.ALL
    merged = np.where(expected(model, motion) == 1, 0, expected(model, motion))
    np.testing.assert_array_equal(actions((tmp_path / "out.csv").read_text()), merged)
    rows = csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text()))
    assert {(row["action"], row["name"]) for row in rows} <= {("0", "rest"), ("2", "swing, wide")}


def test_a_model_that_leaves_frames_out_is_told_how_many_come(motion, tmp_path):
    small = {"n_maps": 4, "n_latent": 4, "n_layers": 2, "temporal_hidden": 4, "epochs": 1}
    rooted = replace(motion, parents=(-1, 0))
    method = HiSTVQ(n_actions=2, fps=5.0, random_state=0, min_steps=0, **small).fit([rooted])
    spread(method, rooted).save(tmp_path / "m")
    np.save(tmp_path / "in.npy", motion.skeleton)
    command = [
        "predict", tmp_path / "m", tmp_path / "in.npy", "--stream", "--option", "parents=[-1,0]",
        "-o", tmp_path / "out.csv",
    ]  # fmt: skip
    status, said = histvq(*command)
    assert (status, "say how many come a second: fps= (--fps), 5 or" in said) == (Exit.USAGE, True)
    status, _ = histvq(*command, "--fps", 10)
    found = actions((tmp_path / "out.csv").read_text())
    np.testing.assert_array_equal(found, expected(tmp_path / "m", rooted))


def test_what_was_answered_before_a_bad_line_stays(model, motion, tmp_path):
    lines = lines_of(motion.skeleton)
    (tmp_path / "in.csv").write_text("\n".join([*lines[:100], "1,2,x,4,5,6", *lines[100:]]))
    status, said = histvq(
        "predict", model, tmp_path / "in.csv", "--stream", "--idle", 0, "-o", tmp_path / "out.csv"
    )
    assert status == Exit.NOTHING_DONE
    assert "in.csv, line 101, hip_z: 'x', expected a finite number" in said
    found = actions((tmp_path / "out.csv").read_text())
    assert len(found) == 90  # the last patch of a hundred frames looks at what comes after it
    np.testing.assert_array_equal(found, expected(model, motion)[:90])


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (
            ["{file}", "{file}", "--stream"],
            Exit.USAGE,
            "follows one file, or - for standard input; not 2",
        ),
        (["nowhere.csv", "--stream"], Exit.USAGE, "nowhere.csv: there is no such file to follow"),
        (["{file}", "--stream", "--fps", "20"], Exit.USAGE, "at the model's 10 (from other rates"),
        (["{file}", "--stream", "-o", "{file}"], Exit.USAGE, "is there already; --overwrite"),
        (
            ["{file}", "--stream", "--people", "apart"],
            Exit.USAGE,
            "--stream reads lines of numbers",
        ),
        (
            ["{file}", "--stream", "--option", "layout=a"],
            Exit.USAGE,
            "has no --option layout; it has",
        ),
        (["{file}", "--idle", "3"], Exit.USAGE, "--idle says when --stream ends"),
    ],
)
def test_what_cannot_be_streamed_is_told(arguments, status, words, model, tmp_path):
    (tmp_path / "in.csv").write_text("1,2,3,4,5,6\n")
    made = [a.format(file=tmp_path / "in.csv") for a in arguments]
    found, said = histvq("predict", model, *made)
    assert (found, words in said) == (status, True), said
    assert (tmp_path / "in.csv").read_text() == "1,2,3,4,5,6\n"


def test_a_growing_file_is_answered_at_once_and_ctrl_c_gives_the_rest(model, motion, tmp_path):
    lines, truth = lines_of(motion.skeleton), expected(model, motion)
    file = tmp_path / "grows.csv"
    file.write_text("")
    command = [sys.executable, "-m", "histvq", "predict", model, file, "--stream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline()]  # the names of the columns
        with file.open("a") as growing:
            print("\n".join(lines[:57]), end="\n1,2", file=growing, flush=True)
            said += [process.stdout.readline() for _ in range(5)]  # 57 - 6 frames are five patches
            print(lines[57].removeprefix("1,2"), file=growing)
        process.send_signal(signal.SIGINT)
        said += process.stdout.readlines()
        assert process.wait() == Exit.ALL
    found = actions("".join(said))
    np.testing.assert_array_equal(found[:50], truth[:50])
    assert len(found) in (57, 58)


def test_jobs_share_out_what_was_read_with_the_saved_model(model, motion, tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", motion.skeleton)
    np.save(tmp_path / "b.npy", motion.skeleton[:90])
    asked = []

    def predict_each(given, recordings, *, jobs, method):
        assert method is None
        asked.append((given, [r.id for r in recordings], jobs))
        return load_model(model).predict(list(recordings))

    monkeypatch.setattr("histvq.parallel.predict_each", predict_each)
    status, said = histvq(
        "predict", model, tmp_path / "a.npy", tmp_path / "b.npy", "--fps", 10, "--unit", "m",
        "--option", "layout=frame joint channel", "--option", "joint_names=hip,foot",
        "-o", tmp_path / "out", "--jobs", 2,
    )  # fmt: skip
    assert status == Exit.ALL, said
    assert asked == [(model, ["a", "b"], 2)]
    assert (tmp_path / "out" / "frames.csv").exists()
