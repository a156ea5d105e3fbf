"""Commands about published benchmarks, examples, tables and weights."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from histvq import console
from histvq.cli.clusters import ClusterOptions, ClusterWhere, cluster_or_none
from histvq.cli.common import (
    Exit,
    Format,
    Fps,
    How,
    Options,
    Output,
    Overwrite,
    Strict,
    Unit,
    claimed,
    closing,
    read_files,
    told,
)
from histvq.cli.places import here, local_place, place
from histvq.errors import ConfigError
from histvq.io.parts.settings import parsed

data_app = typer.Typer(
    help="Published benchmarks, and made-up recordings to try things out on.", no_args_is_help=True
)


@data_app.command("list")
@told
def data_list() -> int:
    """Which benchmarks there are, how large, on what terms, and where to get them."""
    from histvq.datasets import DATASETS, dataset_info
    from histvq.download import offer

    for name in DATASETS:
        info = dataset_info(name)
        rows = [
            (key, ", ".join(value) if isinstance(value, tuple) else value)
            for key, value in vars(info).items()
            if value not in (None, "", ())
            and key not in ("name", "sources", "by_hand", "fingerprint")
        ]
        console.table((name, ""), [*rows, ("get it", offer(name))])
    console.say("nothing written; next: histvq data download hugadb")
    return Exit.ALL


@data_app.command("download")
@told
def data_download(
    name: Annotated[str, typer.Argument(help="Name of the benchmark.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder to put it in.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Agree to the terms without being asked.")
    ] = False,
) -> int:
    """Fetch a benchmark's files, or say where to get them; goes on where it stopped."""
    from histvq.download import download_dataset, offer

    offered = offer(name)
    folder = out or Path("data") / "raw" / name
    if not offered.sources:
        console.complain(offered.words(folder))
        return Exit.NOTHING_DONE
    console.say(f"{name}, into {folder}: {offered}")
    console.say(f"terms: {offered.terms}")
    if not (yes or _agreed()):
        console.complain("not agreed to: nothing fetched")
        return Exit.NOTHING_DONE
    with console.download_progress() as progress:
        made = download_dataset(name, folder, terms_accepted=True, progress=progress)
    for note in made.notes:
        console.say(note)
    console.warn(made.warnings)
    return closing(folder, f"histvq reproduce table1 --dataset {name} --data {folder}")


def _agreed() -> bool:
    """Ask on a terminal; elsewhere nobody can answer."""
    if not _has_terminal():
        raise ConfigError(
            "nobody to ask whether the terms are agreed to: read them, then pass --yes"
        )
    return typer.confirm("Do you agree to these terms?")


def _has_terminal() -> bool:
    return sys.stdin.isatty()


@data_app.command("prepare")
@told
def data_prepare(
    name: Annotated[str, typer.Argument(help="Name of the benchmark.")],
    raw: Annotated[Path, typer.Argument(parser=local_place, help="Folder of its raw files.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder to write to.")] = None,
    layout: Annotated[
        str, typer.Option(help="npz (ours) or smq (features, groundTruth, mapping).")
    ] = "npz",
    options: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Any other option of this benchmark."),
    ] = None,
    strict: Strict = False,
) -> int:
    """Check a benchmark's raw files and convert them once, so that they load fast ever after."""
    from histvq.datasets import dataset_info, prepare_dataset

    folder = out or Path("data") / name
    with console.reading_progress() as progress:
        made = prepare_dataset(
            name,
            raw,
            folder,
            layout=layout,
            strict=strict,
            progress=progress,
            **parsed(options or [], flag="--option"),
        )
    console.warn(made.warnings)
    for note in made.notes:
        console.say(note)
    console.say(f"{made.n_recordings} recordings, {made.n_frames} frames")
    console.list_skipped(made.skipped)
    info = dataset_info(name)
    # That layout says neither rate nor unit.
    said = f" --fps {info.fps:g} --unit {info.unit or 'unknown'}" if layout == "smq" else ""
    closing(folder, f"histvq run {folder}{said} {_preset_for(name)} -o runs/{name}")
    return Exit.SOME_SKIPPED if made.skipped else Exit.ALL


def _preset_for(dataset: str) -> str:
    """What to pass for a quick run of a benchmark: its own light settings, where there are some."""
    from histvq.presets import load_preset, preset_names

    for name in preset_names():
        preset = load_preset(name)
        if dataset in preset.datasets and (preset.method.name, preset.scale) == ("histvq", "fast"):
            return f"--preset {name}"
    return "-k 8"


@data_app.command("example")
@told
def data_example(
    kind: Annotated[
        str, typer.Argument(help="pose-tracks (DeepLabCut), sensors (CSV) or mocap (BVH, TRC).")
    ],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder to write to.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same recordings.")] = 0,
) -> int:
    """Write recordings of made-up people, as your own might be, with what they do beside them."""
    from histvq.datasets._examples import write_example

    folder = out or Path("data") / kind
    example = write_example(kind, folder, seed=seed)
    console.say(example.told)
    return closing(folder, example.next.format(folder=shlex.quote(str(folder))))


@told
def reproduce(
    table: Annotated[str, typer.Argument(help="Table of the paper, as table4.")],
    dataset: Annotated[str, typer.Option(help="Name of the dataset, as hugadb.")],
    data: Annotated[Path | None, typer.Option(help="Folder of its files.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs a row, with seeds 0, 1, ...")] = 5,
    preset: Annotated[
        str, typer.Option(help="fast: light networks. full: the published size.")
    ] = "fast",
    only: Annotated[
        list[str] | None, typer.Option(help="Rows to run, by name; all otherwise.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Runs side by side; a core each. With --cluster local processes, with slurm jobs.",
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads of a run; another number is another run.")
    ] = 1,
    cluster: ClusterWhere = None,
    cluster_options: ClusterOptions = None,
    out: Output = Path("runs/reproduced"),
) -> int:
    """Make a table of the paper anew: run what is missing, write it beside the paper's numbers."""
    import os

    from histvq.reproduction import load_table
    from histvq.reproduction import reproduce as make

    names = [row.name for row in load_table(table).rows]
    console.say(f"rows of {table}: {', '.join(names)}")

    fitting = jobs or max(1, (os.cpu_count() or 1) // threads)
    workers = fitting if cluster == "local" else jobs
    try:
        with cluster_or_none(cluster, workers, cluster_options) as found:
            made = make(
                table,
                dataset=dataset,
                data=data,
                out=out,
                seeds=seeds,
                scale=preset,
                only=only or (),
                jobs=fitting,
                threads=threads,
                told=console.say,
                cluster=found,
            )
    except KeyboardInterrupt:
        console.complain("the same command goes on from here; runs that had ended are kept")
        raise
    page = made.folder / f"{made.stem}.md"
    console.say(page.read_text(encoding="utf-8"))
    closing(page, "the same table as .json, .csv and .tex lies beside it")
    if made.failed:
        console.complain(f"{len(made.failed)} runs failed; the same command tries them again")
        return Exit.SOME_SKIPPED
    return Exit.ALL


@told
def import_checkpoint(
    kind: Annotated[str, typer.Argument(help="Whose weights: smq or ms-gcn.")],
    file: Annotated[
        Path,
        typer.Argument(
            parser=place, help="The published file, as hugadb.model or epoch-100.model."
        ),
    ],
    out: Output = Path("imported.histvq"),
    like: Annotated[
        Path | None,
        typer.Option(
            parser=place,
            metavar="PATH",
            help="A recording of the sort the weights are for; not for published datasets.",
        ),
    ] = None,
    format: Format = None,
    fps: Fps = None,
    unit: Unit = None,
    options: Options = None,
    overwrite: Overwrite = False,
) -> int:
    """Make a model of ours of weights that others published, to predict with."""
    from histvq.checkpoints import import_checkpoint as import_
    from histvq.report.names_place import put_names

    out = claimed(out, overwrite=overwrite)
    recording = None
    if like is not None:
        how = How(format=format, fps=fps, unit=unit, options=options or ())
        recording = read_files([like], how).recordings[0]
    elif format or fps or unit or options:
        raise ConfigError(
            "--format, --fps, --unit and --option are about the recording of --like; name one"
        )
    model = import_(kind, here(file), like=recording)
    model.save(out)
    put_names(out)
    return closing(out, f"histvq predict {out} FILES -o runs/imported")


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.add_typer(data_app, name="data")
    app.command("reproduce")(reproduce)
    app.command("import-checkpoint")(import_checkpoint)
