"""People's own files, as they come: real motion capture, and all that goes wrong with it."""

import json
import lzma
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from histvq.cli import Exit
from histvq.errors import DataWarning
from histvq.io import read
from histvq.io.npz import write_npz
from histvq.methods.window_kmeans import WindowKMeans
from histvq.transforms import rename_joints, resample, select_joints, to_unit
from oracles.commands import histvq

pytestmark = pytest.mark.real_data
NAMES = ("13_29", "13_30", "13_31", "14_14", "14_20")
LIGHT = ["--set", "n_maps=8", "--set", "epochs=2", "--set", "min_steps=0"]


@pytest.fixture(scope="module")
def cmu(shared_data):
    return shared_data / "cmu_exercises"


@pytest.fixture(scope="module")
def plain(cmu, tmp_path_factory):
    """The five recordings as plain AMC files and their skeleton, nothing else."""
    folder = tmp_path_factory.mktemp("plain")
    for name in NAMES:
        packed = (cmu / f"{name}.amc.xz").read_bytes()
        (folder / f"{name}.amc").write_bytes(lzma.decompress(packed))
    (folder / "86.asf").write_bytes((cmu / "86.asf").read_bytes())
    return folder


@pytest.fixture(scope="module")
def recordings(plain):
    """The same as recordings, every second frame: 60 a second."""
    return [resample(read(plain / f"{name}.amc", fps=120)[0], 60) for name in NAMES]


def test_five_plain_files_from_files_to_scores(plain, cmu, tmp_path):
    out = tmp_path / "run"
    status, said = histvq("run", plain, "-k", 9, "--method", "window-kmeans", "-o", out)
    assert status == Exit.NOTHING_DONE
    assert "13_29.amc" in said
    assert "--fps" in said
    status, _ = histvq(
        "run", plain, "--fps", 120, "-k", 9, "--method", "window-kmeans", "-o", out, "--overwrite"
    )
    assert status == Exit.ALL
    segments = pd.read_csv(out / "segments.csv")
    actions = segments[segments["level"] == "action"]
    assert set(actions["recording"]) == set(NAMES)
    assert actions["duration_s"].sum() == pytest.approx(19_371 / 120, abs=0.01)

    status, said = histvq("evaluate", out, cmu, "--label-fps", 10)
    assert status == Exit.ALL
    scores = json.loads((out / "scores.json").read_text())
    assert scores["protocol"]["scored_frames"] == 19_371
    assert scores["protocol"]["labels_made_at_fps"] == [10]
    # The majority action scores 19.7; this is far from chance, and no test of how good it is.
    assert scores["scores"]["mof"] > 40
    # The same labels written out at 120 a second score the same to the last digit.
    written = tmp_path / "at120"
    written.mkdir()
    for name in NAMES:
        words = (cmu / f"{name}.labels.txt").read_text().split()
        n_frames = len(read(plain / f"{name}.amc", fps=120)[0].skeleton)
        (written / f"{name}.txt").write_text("\n".join(words[t // 12] for t in range(n_frames)))
    histvq("evaluate", out, written, "--label-fps", 120)
    assert json.loads((out / "scores.json").read_text())["scores"] == scores["scores"]


def test_mixed_rates_joints_units_and_gaps_in_one_run(recordings, plain, tmp_path):
    """One at 120 Hz, one in mm with its joints turned round, one lacking a joint, one 30 % gone."""
    files = tmp_path / "files"
    fast = read(plain / "13_29.amc", fps=120)[0]
    turned = select_joints(recordings[1], recordings[1].joint_names[::-1])
    lacking = select_joints(
        recordings[2], tuple(n for n in recordings[2].joint_names if n != "rfingers")
    )
    gappy = recordings[3].skeleton.copy()
    rng = np.random.default_rng(0)
    for start in rng.choice(len(gappy) - 40, len(gappy) * 3 // 10 // 30, replace=False):
        gappy[start : start + 40, rng.permutation(31)[:25]] = np.nan
    for made in (
        fast,
        to_unit(turned, "mm"),
        lacking,
        replace(recordings[3], skeleton=gappy),
        recordings[4],
    ):
        write_npz(files / f"{made.id}.npz", made)
    status, said = histvq("inspect", files)
    assert status == Exit.ALL
    for words in (
        "recordings differ in frames a second: 4 at 60, 1 at 120",
        "60 frames a second for all, without aliases",
        "positions in m, as in 13_29",
        "a joint that others lack is missing in them",
        "gaps stay gaps",
    ):
        assert words in said, words
    for method in (["--method", "window-kmeans"], LIGHT):
        status, said = histvq("run", files, "-k", 5, "-o", tmp_path / "run", "--overwrite", *method)
        assert status == Exit.ALL
        assert "'13_31' lacks joints, taken as missing throughout: rfingers" in said
        frames = pd.read_csv(tmp_path / "run" / "frames.csv").groupby("recording").size()
        assert frames.to_dict() == {
            "13_29": 4592, "13_30": 1233, "13_31": 1509, "14_14": 2327, "14_20": 2322,
        }  # fmt: skip
        status, _ = histvq(
            "predict",
            tmp_path / "run/model",
            files / "13_30.npz",
            "-o",
            tmp_path / "p",
            "--overwrite",
        )
        assert status == Exit.ALL
        both = [pd.read_csv(tmp_path / place / "frames.csv") for place in ("run", "p")]
        ours = both[0][both[0]["recording"] == "13_30"]["action"].tolist()
        assert both[1]["action"].tolist() == ours


def test_how_a_file_is_written_changes_no_answer(recordings):
    model = WindowKMeans(n_actions=5, random_state=0).fit(recordings)
    plain = model.predict(recordings[1]).actions
    turned = select_joints(recordings[1], recordings[1].joint_names[::-1])
    for other in (turned, to_unit(recordings[1], "mm")):
        np.testing.assert_array_equal(model.predict(other).actions, plain)
    kept = tuple(n for n in recordings[1].joint_names if n != "rthumb")
    with pytest.warns(DataWarning, match="lacks joints, taken as missing throughout: rthumb"):
        without = model.predict(select_joints(recordings[1], kept)).actions
    assert (without == plain).mean() > 0.9


def test_the_same_motion_at_two_rates_gets_the_same_answer(plain, recordings):
    model = WindowKMeans(n_actions=5, random_state=0).fit(recordings)
    fast = model.predict(read(plain / "14_14.amc", fps=120)[0]).actions
    slow = model.predict(recordings[3]).actions
    assert (fast[::2] == slow).mean() > 0.95


def test_swapped_left_and_right_are_told(recordings, tmp_path):
    names = recordings[4].joint_names
    other = {n: f"{'lr'[n[0] == 'l']}{n[1:]}" for n in names if n[0] in "lr" and n[1:2] != "o"}
    other.pop("root", None)
    swapped = {n: m for n, m in other.items() if m in names}
    assert len(swapped) >= 20
    for made in (*recordings[:4], rename_joints(recordings[4], swapped)):
        write_npz(tmp_path / f"{made.id}.npz", made)
    _, said = histvq("inspect", tmp_path)
    assert "the other way round in 14_20 than in 4 others" in said
    write_npz(tmp_path / "14_20.npz", recordings[4])
    _, said = histvq("inspect", tmp_path)
    assert "other way round" not in said


def test_other_names_for_the_same_joints_are_refused_with_what_to_do(recordings, tmp_path):
    for made in (recordings[0], rename_joints(recordings[1], {"lfemur": "LeftKnee"})):
        write_npz(tmp_path / "f" / f"{made.id}.npz", made)
    status, said = histvq("run", tmp_path / "f", "-k", 3, "-o", tmp_path / "r")
    assert status == Exit.USAGE
    assert "missing lfemur; not expected LeftKnee" in said
    assert "rename=" in said
