"""What a page takes for granted: the files that must be there before its first block is run."""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from documents import little_hugadb, stand_ins
from documents.blocks import ROOT, name_of
from histvq.datasets.synthetic import load as made_up
from histvq.io.npz import write_npz
from histvq.recording import Recording
from oracles.commands import histvq
from oracles.example_files import EXAMPLES

FILMED = ("13_29", "14_14")


def make_world(page: Path, folder: Path) -> None:
    """Put into the folder what a page needs."""
    (folder / ".venv").symlink_to(sys.prefix)
    WORLDS.get(name_of(page), usual)(folder)


def usual(folder: Path) -> None:
    """Recordings, and nothing else."""
    recordings(folder / "my_recordings")


def with_a_run(folder: Path) -> None:
    """Recordings, and a run over them."""
    shutil.copytree(_run_over_recordings(), folder, dirs_exist_ok=True)


@cache
def _run_over_recordings() -> Path:
    """Made once: a folder with `my_recordings` and `runs/first`."""
    folder = Path(_TEMPORARY.name) / "first"
    folder.mkdir()
    usual(folder)
    _histvq(folder, "run my_recordings -k 8 --method window-kmeans -o runs/first")
    return folder


_TEMPORARY = tempfile.TemporaryDirectory()  # goes when the tests end


def _histvq(folder: Path, line: str) -> None:
    with contextlib.chdir(folder):
        status, said = histvq(*line.split())
    assert status == 0, said


@cache
def _people(n_people: int, n_each: int, seconds: float, seed: int):
    return made_up(n_people=n_people, recordings_per_person=n_each, seconds=seconds, seed=seed)


def recordings(
    folder: Path, *, n_people: int = 3, n_each: int = 2, seconds: float = 20.0, seed: int = 0
) -> None:
    """Labelled recordings of made-up people, as `.npz`."""
    folder.mkdir(parents=True)
    data = _people(n_people, n_each, seconds, seed)
    for recording, annotation in zip(data.recordings, data.annotations, strict=True):
        write_npz(folder / f"{recording.id}.npz", recording, annotation)


def sensors(folder: Path) -> None:
    """So little motion that HiST-VQ as in the paper is fitted in seconds: two sensors."""
    folder.mkdir(parents=True)
    for name in ("ada", "ben"):
        write_npz(folder / f"{name}.npz", _with_sensors(name, 600))


def _with_sensors(name: str, n_frames: int) -> Recording:
    """Five ways to hold an arm and a foot, two seconds each, by turns."""
    rng = np.random.default_rng(len(name))
    level = rng.normal(size=(5, 2, 3))[np.arange(n_frames) // 60 % 5]
    return Recording(
        id=name,
        skeleton=level + rng.normal(0, 0.1, level.shape),
        fps=30,
        joint_names=("wrist", "ankle"),
        channel_names=("acc_x", "acc_y", "acc_z"),
        unit="g",
    )


def few_recordings(folder: Path) -> None:
    """Twenty seconds in all."""
    recordings(folder / "my_recordings", n_people=2, n_each=1, seconds=10)


def clips(folder: Path) -> None:
    """Two recordings in pixels, with a film of each, and a run over them."""
    (folder / "my_recordings").mkdir()
    (folder / "films").mkdir()
    data = made_up(n_people=2, recordings_per_person=1, clean=True)
    for name, recording, annotation in zip(FILMED, data.recordings, data.annotations, strict=True):
        flat = recording.skeleton[..., [0, 2]]
        flat = flat - flat.mean(axis=1, keepdims=True)  # the camera goes along
        seen = Recording(
            id=name,
            skeleton=flat * [0.04, -0.04] + [80, 60],
            fps=recording.fps,
            joint_names=recording.joint_names,
            parents=recording.parents,
            unit="px",
        )
        write_npz(
            folder / "my_recordings" / f"{name}.npz", seen, replace(annotation, recording_id=name)
        )
        film(folder / "films" / f"{name}.mp4", n_frames=seen.n_frames, fps=seen.fps)
    _histvq(folder, "run my_recordings -k 4 --method window-kmeans -o runs/first")


def film(path: Path, *, n_frames: int, fps: float) -> None:
    """A film of nothing much, 160 by 120."""
    import imageio_ffmpeg

    writer = imageio_ffmpeg.write_frames(
        str(path),
        (160, 120),
        fps=fps,
        pix_fmt_in="gray",
        macro_block_size=1,
        ffmpeg_log_level="error",
    )
    writer.send(None)
    for frame in range(n_frames):
        writer.send(bytes([frame % 256]) * (160 * 120))
    writer.close()


def onnx(folder: Path) -> None:
    """Recordings of sensors, a walk of theirs, and a fitted model that centres positions."""
    sensors(folder / "sensors")
    walk = _with_sensors("walk", 300)
    np.save(folder / "walk.npy", walk.skeleton)
    few_recordings(folder)
    _histvq(
        folder,
        "run my_recordings -k 4 --method histvq --set n_maps=8 --set n_latent=4 --set epochs=1 "
        "--set min_steps=0 -o runs/mocap",
    )


def own_files(folder: Path) -> None:
    """Files of several formats, as their programs write them."""
    usual(folder)
    example("acclaim", folder / "session1")
    two_mice(folder / "mice")
    example("c3d", folder).rename(folder / "walk.c3d")
    motion = np.random.default_rng(0).normal(size=(2400, 3, 3))
    np.save(folder / "dance.npy", motion)
    np.save(folder / "my_motion.npy", motion)
    np.savetxt(folder / "monday.steps", motion[:, 0])
    (folder / "labels").mkdir()
    for name in ("13_29", "13_30"):
        made = example("acclaim", folder / "amc")
        longer = made.read_text() + "".join(
            f"{n}\nroot 0 0 0 0 0 0\narm {n * n % 90}\n" for n in range(41, 1201)
        )
        made.rename(made.with_name(f"{name}.amc")).write_text(longer)
        made.with_suffix(".asf").rename(made.with_name("13.asf"))
        made.with_name("two.asf").unlink()
        labels = np.arange(100) // 10 % 9
        (folder / "labels" / f"{name}.labels.txt").write_text("\n".join(map(str, labels)) + "\n")


def two_mice(folder: Path) -> None:
    """A DeepLabCut table of two animals."""
    folder.mkdir()
    columns = [
        ("net", mouse, part, what)
        for mouse in ("white", "black")
        for part in ("nose", "tail")
        for what in ("x", "y", "likelihood")
    ]
    head = ("scorer", "individuals", "bodyparts", "coords")
    lines = [",".join(row) for row in zip(head, *columns, strict=True)]
    rng = np.random.default_rng(0)
    walk = rng.normal(size=(300, 4, 3)).cumsum(axis=0) + 200
    walk[..., 2] = 0.9
    lines += [
        ",".join([str(n), *(f"{x:.1f}" for x in row)])
        for n, row in enumerate(walk.reshape(300, -1))
    ]
    (folder / "cage.csv").write_text("\n".join(lines) + "\n")


def example(name: str, folder: Path) -> Path:
    """A small good file of a format."""
    folder.mkdir(parents=True, exist_ok=True)
    make, _ = EXAMPLES[name]
    return make(folder)


def report(folder: Path) -> None:
    """Recordings, and a table that groups them."""
    usual(folder)
    names = sorted(place.stem for place in (folder / "my_recordings").iterdir())
    rows = [f"{name},{'ab'[number % 2]}" for number, name in enumerate(names)]
    (folder / "groups.csv").write_text("\n".join(["recording,group", *rows]) + "\n")


def supervised(folder: Path) -> None:
    """A corrected table of a run, and a recording that is new."""
    with_a_run(folder)
    corrected(folder)


def corrected(folder: Path) -> None:
    """What somebody made of `segments.csv`: two names for what was found; and new recordings."""
    import pandas as pd

    table = pd.read_csv(folder / "runs" / "first" / "segments.csv")
    table["name"] = np.where(table["label"] % 2 == 0, "still", "moving")
    table[table["level"] == "action"].to_csv(folder / "corrected.csv", index=False)
    recordings(folder / "new_recordings", n_people=1, n_each=1, seed=1)
    next((folder / "new_recordings").iterdir()).rename(folder / "new_recordings" / "walk.npz")


def streaming(folder: Path) -> None:
    """What comes in while it is being recorded: text, and a long array."""
    sensors(folder / "sensors")
    night = _with_sensors("night", 1800).skeleton
    np.save(folder / "night.npy", night.astype(np.float32))
    np.savetxt(folder / "capture.csv", night[:300].reshape(300, -1), delimiter=",", fmt="%.3f")


def beyond(folder: Path) -> None:
    """A folder that all machines see, a queue, and a store."""
    sensors(folder / "my_recordings")
    sensors(folder / "shared" / "lab")
    _histvq(folder, "run my_recordings -k 8 --method window-kmeans -o runs/first")
    stand_ins.slurm(folder)
    stand_ins.store(folder)
    for place in ("gait", "new"):
        sensors(folder / ".store" / "lab" / place)


def raw_hugadb(folder: Path) -> None:
    """A few files that look like HuGaDB's."""
    little_hugadb.put(folder / "RAW_DIR")


def with_benchmarks(folder: Path) -> None:
    """Our own scripts and what came of them."""
    shutil.copytree(ROOT / "benchmarks" / "accuracy", folder / "benchmarks" / "accuracy")


WORLDS: dict[str, Callable[[Path], None]] = {
    "docs/ablations.md": with_benchmarks,
    "docs/beyond-one-machine.md": beyond,
    "docs/clips.md": clips,
    "docs/datasets.md": raw_hugadb,
    "docs/export.md": with_a_run,
    "docs/onnx.md": onnx,
    "docs/own-files.md": own_files,
    "docs/report-clips.md": with_a_run,
    "docs/report.md": report,
    "docs/streaming.md": streaming,
    "docs/supervised.md": supervised,
}
