"""What `scaling.py` times: everything between files and page but training and prediction."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from made_up import FPS, Data, motion

from histvq.evaluation import evaluate
from histvq.export import export
from histvq.inspection import inspect_recording
from histvq.io import read, read_many
from histvq.io.labels.reading import read_any_labels
from histvq.io.npz import write_npz
from histvq.methods.window_kmeans import WindowKMeans
from histvq.report import usage_table, write_frames, write_report, write_segments, write_timelines
from histvq.report.analysis import cards
from histvq.report.figures import write_figures
from histvq.report.frames import read_frames
from histvq.report.run_folder import corrected_by_hand, read_run
from histvq.transforms import fill_gaps, low_pass, resample

Act = Callable[[Data, Path], object]
N_BONES = 22


@dataclass(frozen=True)
class Step:
    """`run` is timed, in an empty folder in which `prepare` has put what it needs."""

    run: Act
    prepare: Act = lambda data, folder: None
    once: bool = False  # a file whose size is that of the whole set, however this is cut


def _each(act: Callable) -> Act:
    """One recording after another, keeping nothing."""

    def run(data: Data, folder: Path) -> None:
        for recording in data.recordings:
            act(recording)

    return run


def _tables(data: Data, folder: Path) -> None:
    write_frames(folder / "frames.csv", data.answers, data.annotations)
    write_segments(folder / "segments.csv", data.answers)


def _exported(name: str) -> Act:
    return lambda data, folder: export([name], folder / "out", data.answers)


def _packed(data: Data, folder: Path) -> None:
    for recording in data.recordings:
        write_npz(folder / f"{recording.id}.npz", recording)


def _table_of_motion(data: Data, folder: Path) -> None:
    import pandas as pd

    # As long as the set has hours, but a tenth of its frames: ten hours of such text are gigabytes.
    values = motion(data.n_frames // 10, 2, 3).reshape(-1, 6).round(2)
    columns = [f"{joint}_{axis}" for joint in ("hand", "foot") for axis in "xyz"]
    pd.DataFrame(values, columns=columns).to_csv(folder / "long.csv", index=False)


def _bvh(data: Data, folder: Path) -> None:
    turns = "Zrotation Xrotation Yrotation"
    joints = "".join(
        f"{'JOINT' if j else 'ROOT'} j{j}\n{{\nOFFSET 0 1 0\nCHANNELS "
        f"{'3' if j else '6 Xposition Yposition Zposition'} {turns}\n"
        for j in range(N_BONES)
    )
    rows = motion(data.n_frames // 10, 3 * N_BONES + 3, 1)[:, :, 0]
    with (folder / "long.bvh").open("w") as file:
        file.write(
            f"HIERARCHY\n{joints}End Site\n{{\nOFFSET 0 1 0\n}}\n{'} ' * N_BONES}\n"
            f"MOTION\nFrames: {len(rows)}\nFrame Time: {1 / FPS:.6f}\n"
        )
        np.savetxt(file, rows, fmt="%.3f")


def _scored(matching: str | None) -> Act:
    return lambda data, folder: evaluate(data.answers, data.annotations, matching=matching)


def _report(data: Data, folder: Path) -> None:
    scores = evaluate(data.answers, data.annotations)
    write_report(
        folder,
        data.answers,
        annotations=data.annotations,
        recordings=data.recordings,
        scores=scores,
    )


STEPS: dict[str, Step] = {
    "read .npz": Step(lambda data, folder: read_many(folder), _packed),
    "read .csv, a tenth": Step(
        lambda data, folder: read(folder / "long.csv", fps=FPS, unit="mm"), _table_of_motion, once=True
    ),
    "read .bvh, a tenth": Step(
        lambda data, folder: read(folder / "long.bvh", unit="cm"), _bvh, once=True
    ),
    "inspect": Step(_each(inspect_recording)),
    "resample": Step(_each(partial(resample, fps=25.0, anti_alias=True))),
    "low-pass": Step(_each(partial(low_pass, hertz=10.0))),
    "fill gaps": Step(_each(fill_gaps)),
    "window k-means, fit": Step(
        lambda data, folder: WindowKMeans(n_actions=12, n_init=1, random_state=0).fit(data.recordings)
    ),
    "evaluate, global": Step(_scored("global")),
    "evaluate, recording": Step(_scored("recording")),
    "evaluate, by index": Step(_scored(None)),
    "scores per recording": Step(
        lambda data, folder: evaluate(data.answers, data.annotations).per_recording()
    ),
    "segments.csv": Step(
        lambda data, folder: write_segments(folder / "segments.csv", data.answers)
    ),
    "usage table": Step(lambda data, folder: usage_table(data.answers)),
    "frames.csv": Step(
        lambda data, folder: write_frames(folder / "frames.csv", data.answers, data.annotations)
    ),
    "read frames.csv": Step(lambda data, folder: read_frames(folder / "frames.csv"), _tables),
    "read a run": Step(lambda data, folder: corrected_by_hand(read_run(folder)), _tables),
    "cards": Step(lambda data, folder: cards(data.answers, data.recordings)),
    "timelines": Step(
        lambda data, folder: write_timelines(folder, data.answers, data.annotations)
    ),
    "whole report": Step(_report),
    "figures": Step(lambda data, folder: write_figures(folder, data.answers, data.annotations)),
    **{f"export {name}": Step(_exported(name)) for name in ("csv-each", "elan", "boris", "audacity")},
    "read labels, csv": Step(
        lambda data, folder: read_any_labels(folder / "segments.csv", data.recordings), _tables
    ),
    **{
        f"read labels, {name}": Step(
            lambda data, folder, place=place: read_any_labels(folder / "out" / place, data.recordings),
            _exported(name),
        )
        for name, place in (("elan", "elan"), ("boris", "run.boris"))
    },
}  # fmt: skip
