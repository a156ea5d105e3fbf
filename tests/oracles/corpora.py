"""Folders of recordings, good and bad, and what the plain command and a cluster make of them."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from histvq.annotation import Annotation
from histvq.io.npz import write_npz
from histvq.recording import Recording


def motion(name, seed, *, n_frames=160, **changes):
    """Two labelled motions in turn."""
    labels = np.repeat([0, 1, 0, 1], n_frames // 4)
    skeleton = np.random.default_rng(seed).standard_normal((n_frames, 3, 3))
    skeleton *= np.where(labels == 1, 50, 1)[:, None, None]
    recording = Recording(
        id=name, skeleton=skeleton, fps=10, unit="mm", joint_names=("hip", "knee", "foot")
    )
    truth = Annotation(recording_id=name, labels=labels, actions=("rest", "shake"), fps=10)
    return replace(recording, **changes), truth


def write_good(folder, n, *, start=0, **changes):
    """So many good recordings; gives their files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"good{place:03}.npz" for place in range(start, start + n)]
    for seed, file in enumerate(files, start=start):
        write_npz(file, *motion(file.stem, seed, **changes))
    return files


def write_mixed(folder):
    """Good ones, some of one name or without labels, misfits, and all sorts of files that are none."""
    write_good(folder, 4)
    write_good(folder / "monday" / "morning", 2)
    write_npz(folder / "unlabelled.npz", motion("unlabelled", 30, person="p1")[0])
    write_npz(folder / "other_rate.npz", *motion("other_rate", 20, fps=20))
    write_npz(folder / "other_joints.npz", *motion("other_joints", 21, joint_names=("a", "b", "c")))
    write_npz(folder / "other_unit.npz", *motion("other_unit", 22, unit="px"))
    missing, _ = motion("missing", 24)
    write_npz(folder / "missing.npz", replace(missing, skeleton=missing.skeleton * np.nan))
    whole = (folder / "good000.npz").read_bytes()
    (folder / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.npz").touch()
    (folder / "folder.npz").mkdir()
    (folder / "link.npz").symlink_to(folder / "nowhere.npz")
    (folder / "again.npz").symlink_to(folder / "good000.npz")
    (folder / "README.txt").write_text("not motion")
    (folder / "notes.csv").write_text("a,b\n1,2\n")


def run_folder(out):
    """All files of a run's folder, but for what says when and with how many threads it was made."""
    found = {
        str(file.relative_to(out)): file.read_bytes()
        for file in sorted(Path(out).rglob("*"))
        if file.is_file() and "pieces" not in file.parts and file.name != ".lock"
    }
    for name in ("config.yaml", "report.html"):
        if name in found:
            lines = found[name].decode().splitlines()
            found[name] = [line for line in lines if not _is_time(line)]
    return found


def _is_time(line):
    return line.strip().startswith(("fit:", "predict:")) or "seconds: " in line


def skipped(out):
    """Files left out, and why."""
    said = json.loads((Path(out) / "recordings.json").read_text())
    return [(os.path.basename(one["file"]), one["why"]) for one in said["skipped"]]
