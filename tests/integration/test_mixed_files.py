"""Folders in which good files lie among bad ones: each bad one costs only itself, and is told of."""

import builtins
import errno
import io
import json
import os
import shutil
from dataclasses import replace
from functools import wraps
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from histvq import io as reading
from histvq.annotation import Annotation
from histvq.cli import Exit
from histvq.io.npz import write_npz
from histvq.recording import Recording
from oracles.commands import histvq

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = ["--method", "window-kmeans", "--set", "n_init=2"]
GOOD = [f"good{n}" for n in range(7)]
# What is wrong with each file, as it is told.
UNREADABLE = {
    "empty": "the file is empty",
    "cut": "damaged",
    "folder": "a folder, though called as a file",
    "link": "a link that leads nowhere",
    "closed": "cannot be read (Permission denied)",
    "vanished": "changed or went while it was read",
    "growing": "changed or went while it was read",
    "vast": "takes more memory than there is",
    "faulty": "not to be read (IndexError: out of range)",
}
MISFITS = {
    "other_joints": "not expected a, b, c",
    "other_channels": "channel names differ",
    "other_unit": "unit differ (px instead of mm)",
}


def motion(name, seed, **changes):
    """Two labelled motions in turn."""
    labels = np.repeat([0, 1, 0, 1], 40)
    skeleton = np.random.default_rng(seed).standard_normal((160, 3, 3))
    skeleton *= np.where(labels == 1, 50, 1)[:, None, None]
    recording = Recording(
        id=name, skeleton=skeleton, fps=10, unit="mm", joint_names=("hip", "knee", "foot")
    )
    return (
        replace(recording, **changes),
        Annotation(recording_id=name, labels=labels, actions=("rest", "shake"), fps=10),
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Good files, files that cannot be read, and files of other things."""
    folder = tmp_path_factory.mktemp("files")
    for seed, name in enumerate((*GOOD, "cut", "closed", "vanished", "growing", "vast", "faulty")):
        write_npz(folder / f"{name}.npz", *motion(name, seed))
    write_npz(folder / "other_rate.npz", *motion("other_rate", 20, fps=20))
    write_npz(folder / "other_joints.npz", *motion("other_joints", 21, joint_names=("a", "b", "c")))
    write_npz(folder / "other_unit.npz", *motion("other_unit", 22, unit="px"))
    flat, labels = motion("other_channels", 23)
    flat = Recording(id=flat.id, skeleton=flat.skeleton[:, :, :2], fps=10, unit="mm")
    write_npz(
        folder / "other_channels.npz", replace(flat, joint_names=("hip", "knee", "foot")), labels
    )
    (folder / "empty.npz").touch()
    whole = (folder / "cut.npz").read_bytes()
    (folder / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (folder / "folder.npz").mkdir()
    (folder / "link.npz").symlink_to(folder / "nowhere.npz")
    return folder


@pytest.fixture(autouse=True)
def accidents(files, monkeypatch):
    """What happens to a file while it is looked for and read, by its name."""
    opened = builtins.open

    def guarded(file, *args, **kwargs):
        if not isinstance(file, int) and Path(os.fsdecode(file)).name == "closed.npz":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return opened(file, *args, **kwargs)

    for module in (builtins, io):
        monkeypatch.setattr(module, "open", guarded)
    find_reader = reading.find_reader

    def found(name):
        reader = find_reader(name)

        @wraps(reader.read)
        def read(path, **options):
            if path.stem == "growing":
                os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
            if path.stem == "vast":
                raise MemoryError
            if path.stem == "faulty":
                raise IndexError("out of range")
            if path.stem == "vanished":
                path.unlink()
            return reader.read(path, **options)

        return replace(reader, read=read)

    monkeypatch.setattr(reading, "find_reader", found)
    kept = (files / "vanished.npz").read_bytes()
    yield
    (files / "vanished.npz").write_bytes(kept)


def assert_told(said, told_of):
    """Every file with its reason, or how many more there are."""
    n_told = sum(f"{name}.npz" in said and words in said for name, words in told_of.items())
    assert n_told == min(len(told_of), 10), said
    assert f"skipped {len(told_of)} files" in said
    if len(told_of) > 10:
        assert f"... and {len(told_of) - 10} more" in said


def assert_written(out, told_of, answered):
    """Recordings that were answered, and in recordings.json and the report all others."""
    skipped = json.loads((out / "recordings.json").read_text())["skipped"]
    assert {Path(one["file"]).stem: True for one in skipped} == dict.fromkeys(told_of, True)
    page = (out / "report.html").read_text()
    for one in skipped:
        assert told_of[Path(one["file"]).stem] in one["why"]
        assert f"{Path(one['file']).name}" in page
    frames = pd.read_csv(out / "frames.csv")
    assert set(frames.recording) == set(answered)


@pytest.fixture(scope="module")
def model(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("model") / "m"
    good = [files / f"{name}.npz" for name in GOOD]
    assert histvq("fit", *good, "-k", 2, "-o", out, *QUICK)[0] == Exit.ALL
    return out


def test_inspect(files):
    status, said = histvq("inspect", files)
    assert status == Exit.SOME_SKIPPED
    assert_told(said, UNREADABLE)
    assert all(name in said for name in (*GOOD, *MISFITS))
    for words in MISFITS.values():
        assert words in said


def test_run_then_everything_about_its_folder(files, tmp_path):
    out = tmp_path / "r"
    status, said = histvq("run", files, "-k", 2, "-o", out, *QUICK)
    assert status == Exit.SOME_SKIPPED
    assert_told(said, UNREADABLE | MISFITS)
    assert_written(out, UNREADABLE | MISFITS, [*GOOD, "other_rate"])
    status, said = histvq("evaluate", out, files)
    assert (status, "MoF" in said) == (Exit.SOME_SKIPPED, True), said
    not_answered = dict.fromkeys(MISFITS, "labelled, but not answered in the run")
    assert_told(said, {k: v for k, v in UNREADABLE.items() if k != "vanished"} | not_answered)
    for command in (["export", out, "--to", "csv,elan"], ["report", out]):
        assert histvq(*command)[0] == Exit.ALL
    assert_written(out, UNREADABLE | MISFITS, [*GOOD, "other_rate"])


def test_fit(files, tmp_path):
    status, said = histvq("fit", files, "-k", 2, "-o", tmp_path / "m", *QUICK)
    assert status == Exit.SOME_SKIPPED
    assert_told(said, UNREADABLE | MISFITS)
    assert (tmp_path / "m" / "model.json").exists()


def test_choose_k(files):
    status, said = histvq("choose-k", files, "--repeats", 2, "--k-max", 3)
    assert status == Exit.SOME_SKIPPED
    assert_told(said, UNREADABLE | MISFITS)
    assert "suggestion:" in said


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_predict(jobs, files, model, tmp_path):
    out = tmp_path / "p"
    status, said = histvq("predict", model, files, "-o", out, "-j", jobs)
    assert status == Exit.SOME_SKIPPED
    assert_told(said, UNREADABLE | MISFITS)
    assert_written(out, UNREADABLE | MISFITS, [*GOOD, "other_rate"])


def test_who_is_strict_is_told_of_all_and_gets_nothing(files, model, tmp_path):
    status, said = histvq("predict", model, files, "-o", tmp_path / "p", "--strict")
    assert status == Exit.NOTHING_DONE
    assert all(words in said for words in UNREADABLE.values())
    readable = [files / f"{name}.npz" for name in (*GOOD, *MISFITS)]
    for command in (["predict", model], ["run", "-k", 2, *QUICK], ["fit", "-k", 2, *QUICK]):
        out = tmp_path / str(command[0])
        status, said = histvq(*command, *readable, "-o", out, "--strict")
        assert (status, "'other_joints' does not fit" in said) == (Exit.USAGE, True), said
        assert [file.name for file in out.iterdir()] == [".lock"]


def test_nothing_at_all_can_be_done(files, model, tmp_path):
    bad = [files / f"{name}.npz" for name in ("empty", "cut", "link", "closed")]
    commands = {
        "inspect": ["inspect", *bad],
        "run": ["run", *bad, "-k", 2, "-o", tmp_path / "r", *QUICK],
        "fit": ["fit", *bad, "-k", 2, "-o", tmp_path / "f", *QUICK],
        "choose-k": ["choose-k", *bad],
        "predict": ["predict", model, *bad, "-o", tmp_path / "p"],
        "predict others": ["predict", model, files / "other_unit.npz", "-o", tmp_path / "q"],
        "evaluate": ["evaluate", tmp_path / "r", *bad],
        "export": ["export", tmp_path / "r", "--to", "csv"],
        "report": ["report", tmp_path / "r"],
    }
    for name, command in commands.items():
        status, said = histvq(*command)
        assert (status, "error: " in said) == (Exit.NOTHING_DONE, True), (name, said)


def test_what_cannot_be_meant_is_usage_and_all_that_is_done_is_zero(files, model, tmp_path):
    good, out = files / "good0.npz", tmp_path / "p"
    assert histvq("predict", model, good, "-o", out)[0] == Exit.ALL
    wrong = {
        "inspect": ["inspect", good, "--option", "nope=1"],
        "run": ["run", good, "-k", "none", "-o", tmp_path / "r"],
        "fit": ["fit", good, "-o", tmp_path / "f"],
        "choose-k": ["choose-k", good, "--k-min", 9, "--k-max", 3],
        "predict": ["predict", model, good, "-o", out],
        "evaluate": ["evaluate", out, good, "--matching", "best"],
        "export": ["export", out, "--to", "nothing"],
        "report": ["report", out, files / "good1.npz"],
    }
    for name, command in wrong.items():
        status, said = histvq(*command)
        assert (status, "rror" in said) == (Exit.USAGE, True), (name, said)
    for command in (
        ["inspect", good],
        ["run", good, "-k", 2, "-o", tmp_path / "r", *QUICK],
        ["evaluate", out, good],
        ["export", out, "--to", "csv"],
        ["report", out],
    ):
        status, said = histvq(*command)
        assert status == Exit.ALL, said


def test_where_no_two_thirds_fit_together_nobody_guesses(files, tmp_path):
    mixed = [files / f"{name}.npz" for name in ("good0", "good1", "other_joints", "other_unit")]
    status, said = histvq("run", *mixed, "-k", 2, "-o", tmp_path / "r", *QUICK)
    assert (status, "'other_joints' does not fit the others" in said) == (Exit.USAGE, True)
    status, said = histvq("inspect", *mixed)
    assert (status, "nothing can be learned from these together" in said) == (Exit.ALL, True)


def test_a_transform_that_fails_for_some(files, tmp_path):
    few = [files / f"{name}.npz" for name in (*GOOD, "other_joints")]
    steps = ["--transform", "select=hip,foot"]
    status, said = histvq("run", *few, *steps, "-k", 2, "-o", tmp_path / "r", *QUICK)
    assert status == Exit.SOME_SKIPPED
    assert "recording 'other_joints' has no joint hip, foot; it has a, b, c" in said
    assert_written(tmp_path / "r", {"other_joints": "has no joint"}, GOOD)
    status, said = histvq("inspect", *few, *steps)
    assert (status, "skipped: recording 'other_joints' has no joint hip" in said) == (0, True)
    status, said = histvq("predict", tmp_path / "r" / "model", *few, "-o", tmp_path / "p")
    assert (status, "'other_joints' has no joint" in said) == (Exit.SOME_SKIPPED, True)


def test_some_recordings_are_gone_when_the_report_is_written_anew(files, tmp_path):
    given = [tmp_path / f"{name}.npz" for name in GOOD[:4]]
    for file in given:
        shutil.copy(files / file.name, file)
    assert histvq("run", *given, "-k", 2, "-o", tmp_path / "r", *QUICK)[0] == Exit.ALL
    given[0].unlink()
    given[1].write_bytes(b"no longer")
    status, said = histvq("report", tmp_path / "r")
    assert status == Exit.ALL
    assert f"no longer at {given[0]}" in said
    assert "without motion: good0 is not in the files; good1 is not in the files" in said
    page = (tmp_path / "r" / "report.html").read_text()
    assert all(name in page for name in GOOD[:4])


TIMES = {
    "steady": (lambda t: t, None),
    "slower": (lambda t: 2 * t, None),
    "twice": (lambda t: t - 0.1 * (np.arange(len(t)) == 7), "line 9: 0.6 after 0.6; times must go up"),
    "halved": (lambda t: np.floor(t * 5) / 5, "line 3: 0 after 0; times must go up"),
    "again": (lambda t: t % 4, "line 42: 0 after 3.9; times must go up"),
    "jumps": (lambda t: t + 100 * (t > 3), "uneven steps: median 100 ms, worst 100100 ms before line 33"),
    "still": (lambda t: 0 * t, "times must go up"),
}  # fmt: skip


def test_time_that_stands_still_or_jumps(tmp_path):
    for name, (change, _) in TIMES.items():
        made, _ = motion(name, 30)
        table = pd.DataFrame(
            made.skeleton.reshape(160, 9),
            columns=[f"{joint}_{axis}" for joint in made.joint_names for axis in "xyz"],
        )
        table.insert(0, "time", np.round(change(np.arange(160) / 10), 6))
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    status, said = histvq("run", tmp_path, "--unit", "mm", "-k", 2, "-o", tmp_path / "r", *QUICK)
    bad = {name: words for name, (_, words) in TIMES.items() if words}
    assert status == Exit.SOME_SKIPPED, said
    for name, words in bad.items():
        assert f"{name}.csv, column 'time'" in said
        assert words in said
    assert_written(tmp_path / "r", bad, ["steady", "slower"])


def test_the_same_file_twice_and_two_of_one_name(files, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        shutil.copy(files / "good0.npz", tmp_path / folder)
    (tmp_path / "link.npz").symlink_to(tmp_path / "one" / "good0.npz")
    given = [tmp_path, tmp_path / "one", tmp_path / "one" / ".." / "one" / "good0.npz"]
    status, _ = histvq("run", *given, "-k", 2, "-o", tmp_path / "r", *QUICK)
    assert status == Exit.ALL
    frames = pd.read_csv(tmp_path / "r" / "frames.csv")
    assert len(frames) == 2 * 160
    of_one, of_other = (of.action.tolist() for _, of in frames.groupby("recording"))
    assert of_one == of_other
