"""Everything that writes: name -> which modules write, and how to make them write version 0 or 1."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from histvq.annotation import Annotation
from histvq.recording import Recording
from oracles.exported import answer, recordings_of

IDS = ("one", "two")


@dataclass(frozen=True)
class Writer:
    """Attributes:
    write: Called with a folder and 0 or 1, writes that version.
    modules: Of `histvq`, those whose own calls of `histvq.writing` it goes through.
    together: Its files change together, or not at all.
    same: What of a file's bytes says which version it is; a date in it does not.
    few: It takes long; a few points where the disk fails have to do, and the second stage.
    repeats: Written once more, the same files are there; not where it keeps those of the time before.
    """  # fmt: skip

    write: Callable[[Path, int], object]
    modules: tuple[str, ...]
    together: bool = False
    same: Callable[[bytes], object] = lambda content: content
    few: bool = False
    repeats: bool = True


def answers(version):
    return [
        answer(
            [version, version, 2, 2, -1] * 4,
            id=id,
            subactions=[version, 1, 2, 2, 3] * 4,
            confidence=[0.5 + version / 4] * 20,
            names={2: "turn" * (version + 1)},
        )
        for id in IDS
    ]


def truth(version):
    return [
        Annotation(
            recording_id=id,
            labels=np.array([0, 0, 1, 1, version] * 4, np.int32),
            actions=("walk", "turn"),
            fps=10.0,
        )
        for id in IDS
    ]


def recordings(version):
    chance = np.random.default_rng(version)
    return [
        Recording(
            id=id,
            skeleton=chance.normal(size=(40, 2, 3)).astype(np.float32),
            fps=10.0,
            joint_names=("hip", "knee"),
            channel_names=("x", "y", "z"),
            unit="m",
        )
        for id in IDS
    ]


def _segments(folder, version):
    from histvq.report import write_segments

    write_segments(folder / "segments.csv", answers(version))


def _frames(folder, version):
    from histvq.report import write_frames

    write_frames(folder / "frames.csv", answers(version), truth(version))


def _timelines(folder, version):
    from histvq.report import write_timelines

    write_timelines(folder, answers(version))


def _report(folder, version):
    from histvq.report import write_report

    write_report(folder, answers(version), recordings=recordings_of(answers(version)))


def _run(folder, version):
    from histvq.results import write_answers

    write_answers(
        folder,
        answers(version),
        annotations=truth(version),
        settings={"model": f"m{version}"},
        warnings=[f"odd {version}"],
    )


def _figures(folder, version):
    from histvq.report.figures import write_figures

    write_figures(folder, answers(version), truth(version))


def _names(folder, version):
    from histvq.report.names import write_names

    write_names(folder / "names.yaml", answers(version), overwrite=True)


def _names_put(folder, version):
    from histvq.report.names_place import put_names

    put_names(folder, _given_names(version))


@cache
def _given_names(version):
    given = Path(mkdtemp()) / "names.yaml"
    given.write_text(f"actions:\n  0: name {version}\n", encoding="utf-8")
    return given


def _scores(folder, version):
    from histvq.evaluation import evaluate
    from histvq.results import write_scores

    write_scores(folder, evaluate(answers(version), truth(version), matching="global"))


def _model(folder, version):
    window_kmeans(version).save(folder)


def _prepared(folder, version):
    from histvq.chain import Chain
    from histvq.prepared import Prepared

    Prepared(window_kmeans(version), Chain.of([f"resample={version + 5}"])).save(folder)


@cache
def window_kmeans(version):
    from histvq.methods.window_kmeans import WindowKMeans

    return WindowKMeans(n_actions=2, patch_seconds=0.5, random_state=version).fit(
        recordings(version)
    )


def _export(name):
    def write(folder, version):
        from histvq.export import export

        export([name], folder, answers(version), overwrite=True)

    return write


def _npz(folder, version):
    from histvq.io.npz import write_npz

    write_npz(folder / "one.npz", recordings(version)[0], None)


def _layout(folder, version):
    from histvq.io.layout import write_layout

    labels = [np.tile(found.labels, 2) for found in truth(version)]
    made = [
        Annotation(recording_id=id, labels=found, actions=("walk", "turn"), fps=10.0)
        for id, found in zip(IDS, labels, strict=True)
    ]
    write_layout(folder, recordings(version), made)


def _clips(folder, version):
    from histvq.clips import Origin, Take, write_clips, write_table

    recording, options = _filmed()
    take = Take(
        action=0, name="walk", recording_id=recording.id, start=version, stop=version + 8,
        kind="typical", fps=recording.fps,
    )  # fmt: skip
    origin = Origin(recording=recording, format="bvh", options=options)
    write_table(folder, write_clips(folder, [take], {recording.id: origin}))


@cache
def _filmed():
    """A recording in a file, and how it is read."""
    from histvq.io import read
    from oracles.example_files import EXAMPLES

    make, options = EXAMPLES["bvh"]
    return read(make(Path(mkdtemp())), **options)[0], options


def _choice(folder, version):
    from histvq.choosing.choice import COLUMNS, Choice
    from histvq.cli.choosing import write_table

    row = {name: float(version + 2) for name in COLUMNS}
    choice = Choice(version + 2, (), (row,), "recordings")
    write_table(choice, folder / "k.csv")
    write_table(choice, folder / "k.json")


def _table(folder, version):
    from histvq.reproduction.tables import Row, Table
    from histvq.reproduction.writing import Outcome, RowResult, write_outcome

    row = Row(name="tcn", label=f"TCN {version}", paper={"hugadb": (88.3,) * 5})
    table = Table(
        title="Impact",
        source="Table 4",
        scores=("mof", "edit", "f1@10", "f1@25", "f1@50"),
        rows=(row,),
    )
    write_outcome(
        Outcome(
            name="table4",
            table=table,
            dataset="hugadb",
            scale="fast",
            dataset_notes=(),
            results=(RowResult(row=row, runs=(), asked=0),),
            folder=folder,
        )
    )


def _reproduced(folder, version):
    from histvq.reproduction.running import _write_json

    _write_json(folder / "run.json", {"seed": version})


def _example(folder, version):
    from histvq.datasets._examples import Example, put

    texts = {"tracks/one.csv": f"frame,x\n0,{version}\n", "labels.csv": f"recording,{version}\n"}
    put(Example(texts=texts, recordings=(), annotations=(), told="", next=""), folder)


def _onnx(folder, version):
    from histvq.onnx_model import export_onnx

    export_onnx(_network(version), folder / "model.onnx", overwrite=True)


@cache
def _network(version):
    from histvq import HiSTVQ

    tiny = {"n_maps": 8, "n_latent": 4, "epochs": 1, "min_steps": 0}
    method = HiSTVQ(n_actions=2, patch_seconds=0.5, random_state=version, centre=False, **tiny)
    return method.fit(recordings(version))


def _saying(folder, version):
    from histvq.report.run_folder import write_said

    write_said(folder, answers(version), [f"odd {version}"], [])


def _undated(content):
    """What an ELAN or BORIS file says but for when it was written."""
    return re.sub(rb' DATE="[^"]*"|"project_date": "[^"]*"', b"", content)


def _intervals(content):
    """What an NWB file says, for every one has its own dates and number; of other files their bytes."""
    import io

    import h5py

    if not content.startswith(b"\x89HDF"):
        return content
    with h5py.File(io.BytesIO(content)) as file:
        table = file["intervals/actions"]
        return table["label"][:].tolist(), table["confidence"][:].tolist()


PAGES = ("report", "report.tables", "report.frames", "report.timeline")
WRITERS = {
    "segments.csv": Writer(_segments, ("report.tables",)),
    "frames.csv": Writer(_frames, ("report.frames",)),
    "recordings.json": Writer(_saying, ("report.run_folder",)),
    "scores.json": Writer(_scores, ("results",)),
    "timelines": Writer(_timelines, ("report.timeline",), together=True),
    "report": Writer(_report, PAGES, few=True),
    "run folder": Writer(_run, (*PAGES, "results", "report.run_folder"), few=True),
    "figures": Writer(_figures, ("report.figures",), together=True, few=True),
    "names.yaml": Writer(_names, ("report.names",), repeats=False),
    "names.yaml given": Writer(_names_put, ("report.names_place",), repeats=False),
    "model": Writer(_model, ("modelfile",), together=True),
    "model behind transforms": Writer(_prepared, ("modelfile", "prepared"), together=True),
    "export csv": Writer(_export("csv"), ("report.tables",)),
    "export csv-each": Writer(
        _export("csv-each"), ("report.tables", "export.parts.pieces"), together=True
    ),
    "export parquet": Writer(_export("parquet"), ("export.parquet",)),
    "export elan": Writer(
        _export("elan"), ("export.elan", "export.parts.pieces"), together=True, same=_undated
    ),
    "export boris": Writer(_export("boris"), ("export.boris",), same=_undated),
    "export audacity": Writer(
        _export("audacity"), ("export.audacity", "export.parts.pieces"), together=True
    ),
    "export nwb": Writer(
        _export("nwb"), ("export.nwb", "export.parts.pieces"), together=True, same=_intervals,
        few=True,
    ),
    "our npz": Writer(_npz, ("io.npz",)),
    "layout of others": Writer(_layout, ("io.layout",)),
    "clips": Writer(_clips, ("clips.cutting", "clips.writing")),
    "numbers of actions": Writer(_choice, ("cli.choosing",)),
    "table of the paper": Writer(_table, ("reproduction.writing",)),
    "run of a table": Writer(_reproduced, ("reproduction.running",)),
    "example": Writer(_example, ("datasets._examples",)),
    "onnx": Writer(_onnx, ("onnx_model",)),
}  # fmt: skip
