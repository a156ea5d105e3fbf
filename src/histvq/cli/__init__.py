"""The command line: thin commands, one library call each."""

import shlex
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from histvq import __version__, console
from histvq.chain import STEPS
from histvq.cli import (
    benchmarks,
    choosing,
    clipping,
    clustered,
    doctoring,
    evaluating,
    exporting,
    modelling,
    predicting,
    sharing,
)
from histvq.cli.clustered import Workers
from histvq.cli.clusters import ClusterOptions, ClusterWhere
from histvq.cli.common import (
    Exit as Exit,
)
from histvq.cli.common import (
    Files,
    Format,
    Fps,
    How,
    LabelFps,
    Options,
    Output,
    Overwrite,
    People,
    Strict,
    Unit,
    claimed,
    closing,
    data_settings,
    read_files,
    status_of,
    told,
)
from histvq.cli.inspecting import inspected, tell, tell_as_json
from histvq.cli.learning import (
    DEFAULT_PRESET,
    action_count,
    is_supervised,
    labels_for,
    method_of,
    tell_chosen,
    tell_learned,
)
from histvq.cli.mixed import that_fit
from histvq.cli.places import here, place
from histvq.errors import ConfigError, Stopped
from histvq.launched import launched
from histvq.methods import METHODS
from histvq.supervised import SUPERVISED

STEPS_TOLD = "; ".join(f"{step.example} ({step.does})" for step in STEPS.values())

app = typer.Typer(
    help="Find the actions in motion recordings nobody has labelled.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit status: 0 all done, 1 some files skipped, 2 wrong usage, 3 nothing done.",
)
Actions = Annotated[
    str | None,
    typer.Option(
        "-k",
        "--actions",
        parser=action_count,
        metavar="K",
        help="How many actions to find; auto: as many as choose-k suggests.",
    ),
]
Method = Annotated[
    str | None,
    typer.Option(help=f"Method: {', '.join(METHODS)}; the preset's otherwise."),
]
AnyMethod = Annotated[
    str | None,
    typer.Option(
        help=f"Method: {', '.join(METHODS)}; from labels: {', '.join(SUPERVISED)}. Without it the "
        "preset's. With neither method nor preset, histvq with preset best."
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        parser=place,
        metavar="PATH",
        help="For methods that learn from labels: a table like a run's segments.csv, corrected by "
        "hand, or the run's folder; an ELAN file or a folder of them; a BORIS project; or, with "
        "--label-fps, a text file or a folder of them. Without it the labels in the files themselves.",
    ),
]
PresetName = Annotated[
    str | None, typer.Option(help="Named settings, as hugadb-fast, or a TOML file of your own.")
]
PatchSeconds = Annotated[
    float | None,
    typer.Option(help="Length of a patch: the shortest thing told apart, in seconds."),
]
Seed = Annotated[int, typer.Option(help="Same seed, same answer.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other parameter of the method."),
]
Transforms = Annotated[
    list[str] | None,
    typer.Option(
        "--transform",
        metavar="STEP",
        help=f"Change recordings first, in this order; saved with the model. Steps: {STEPS_TOLD}.",
    ),
]


def _tell_version(asked: bool) -> None:
    if asked:
        console.say(f"histvq {__version__}")
        raise typer.Exit(Exit.ALL)


@app.callback()
def _whatever_the_command(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    pass


@app.command()
@told
def demo(out: Output = Path("runs/demo"), seed: Seed = 0, overwrite: Overwrite = False) -> int:
    """Make motion with a known answer, find its actions, and write a report to look at."""
    from histvq.datasets import load_dataset
    from histvq.experiment import run
    from histvq.io.npz import write_npz
    from histvq.models import make_method

    out = claimed(out, overwrite=overwrite)
    data = load_dataset("synthetic", seed=seed)
    files = out / "recordings"
    files.mkdir(exist_ok=True)
    for recording, annotation in zip(data.recordings, data.annotations, strict=True):
        write_npz(files / f"{recording.id}.npz", recording, annotation)
    console.say(
        f"{len(data.recordings)} made-up recordings of {data.n_frames / data.recordings[0].fps:.0f} "
        f"s in all, {data.n_actions} actions"
    )
    method = make_method(
        "histvq", preset=DEFAULT_PRESET, n_actions=data.n_actions, random_state=seed
    )
    with console.fitting_progress() as progress:
        done = run(
            data.recordings,
            method,
            out,
            annotations=data.annotations,
            settings={"data": [str(files)]},
            overwrite=overwrite,
            progress=progress,
        )
    console.say(f"against the known answer: {done.scores}")
    return closing(done.files["report"], f"open {done.files['report']} in a browser")


@app.command()
@told
def inspect(
    files: Files,
    transforms: Transforms = None,
    json: Annotated[bool, typer.Option("--json", help="Everything as JSON, nothing else.")] = False,
    format: Format = None,
    fps: Fps = None,
    unit: Unit = None,
    people: People = "together",
    options: Options = None,
    strict: Strict = False,
) -> int:
    """Say what was understood of the files: reader, rate, joints, unit, gaps, what looks wrong."""
    how = How(format=format, fps=fps, unit=unit, people=people, options=options or ())
    readings = read_files(files, how, strict=strict, quiet=json)
    found = inspected(readings, transforms or [])
    if json:
        tell_as_json(found)
    else:
        tell(found)
        steps = "".join(f" --transform {shlex.quote(step)}" for step in transforms or [])
        command = f"histvq run {_quoted(files)}{how.as_flags()}{steps} -k 8 -o runs/first"
        console.say(f"nothing written; next: {command}")
    return status_of(readings.skipped)


@app.command()
@told
def run(
    files: Files,
    actions: Actions = None,
    out: Output = Path("runs/run"),
    method: Method = None,
    preset: PresetName = None,
    patch_seconds: PatchSeconds = None,
    seed: Seed = 0,
    settings: Set = None,
    transforms: Transforms = None,
    cluster: ClusterWhere = None,
    jobs: Workers = None,
    cluster_options: ClusterOptions = None,
    format: Format = None,
    fps: Fps = None,
    unit: Unit = None,
    people: People = "together",
    options: Options = None,
    strict: Strict = False,
    overwrite: Overwrite = False,
) -> int:
    """From files to a report: read, find the actions, segment, score where there are labels."""
    from histvq.experiment import run as run_experiment

    given, out = out, claimed(out, overwrite=overwrite)
    chosen = method_of(method, preset, actions, patch_seconds, seed, settings, transforms)
    if is_supervised(chosen):
        raise ConfigError(
            f"{chosen.method_name} learns from labels, and what it has learned from is no test of "
            f"it. Use histvq fit FILES --method {chosen.method_name} --labels TABLE -o MODEL, then "
            "histvq predict MODEL OTHER_FILES"
        )
    how = How(format=format, fps=fps, unit=unit, people=people, options=options or ())
    if cluster is not None:
        return clustered.run_on(
            cluster,
            chosen,
            files,
            out,
            how,
            given=given,
            jobs=jobs,
            options=cluster_options,
            steps=transforms or [],
            preset=preset,
            strict=strict,
            overwrite=overwrite,
        )
    readings = that_fit(read_files(files, how, strict=strict), transforms or [], strict=strict)
    with console.fitting_progress() as progress:
        done = run_experiment(
            readings.recordings,
            chosen,
            out,
            annotations=readings.annotations,
            warnings=readings.warnings,
            skipped=readings.skipped,
            settings={"preset": preset, **data_settings(files, how)},
            overwrite=overwrite,
            progress=progress,
        )
    tell_chosen(chosen)
    if done.scores:
        console.say(str(done.scores))
    console.list_skipped(done.skipped)
    closing(done.files["report"], f"open {done.files['report']} in a browser")
    return status_of(done.skipped)


@app.command()
@told
def fit(
    files: Files,
    actions: Actions = None,
    out: Output = Path("model.histvq"),
    method: AnyMethod = None,
    labels: Labels = None,
    label_fps: LabelFps = None,
    preset: PresetName = None,
    patch_seconds: PatchSeconds = None,
    seed: Seed = 0,
    settings: Set = None,
    transforms: Transforms = None,
    format: Format = None,
    fps: Fps = None,
    unit: Unit = None,
    people: People = "together",
    options: Options = None,
    strict: Strict = False,
    overwrite: Overwrite = False,
) -> int:
    """Learn the actions of some files and save the model; nothing is segmented."""
    from histvq.experiment import fit_in
    from histvq.processes import all_processes
    from histvq.report.names_place import put_names

    chosen = method_of(method, preset, actions, patch_seconds, seed, settings, transforms)
    supervised = is_supervised(chosen)
    if labels and not supervised:
        raise ConfigError(
            f"--labels {labels}: {chosen.method_name} learns without labels; leave them out, or name a "
            f"method that learns from them: --method {' or '.join(SUPERVISED)}"
        )
    first = launched()[0] == 0  # of several processes, the one that writes
    if first:
        out = claimed(out, overwrite=overwrite)
    with all_processes():
        console.joined()
        how = How(format=format, fps=fps, unit=unit, people=people, options=options or ())
        readings = that_fit(read_files(files, how, strict=strict), transforms or [], strict=strict)
        labels = here(labels) if labels else None
        given = [labels_for(readings, labels, label_fps=label_fps)] if supervised else []
        with console.fitting_progress() as progress:
            fit_in(out, chosen, readings.recordings, *given, overwrite=overwrite, progress=progress)
    if first:
        chosen.save(out)
        put_names(out)
    tell_chosen(chosen)
    if supervised:
        tell_learned(chosen, len(readings.recordings))
    console.list_skipped(readings.skipped)
    closing(out, f"histvq predict {out} FILES -o runs/new")
    return status_of(readings.skipped)


predicting.add_to(app)
evaluating.add_to(app)


def _quoted(files: list[Path]) -> str:
    return " ".join(shlex.quote(str(file)) for file in files)


choosing.add_to(app)
benchmarks.add_to(app)
clipping.add_to(app)
sharing.add_to(app)
exporting.add_to(app)
modelling.add_to(app)
doctoring.add_to(app)


def _end(number: int, _: FrameType | None) -> None:
    """Ask to stop: what is open is closed, and no half-written file is left."""
    raise Stopped("stopped; what was finished is kept", signal=number)


def main() -> None:
    """Run the command line."""
    console.prepare()
    signal.signal(signal.SIGTERM, _end)
    _check_launched(sys.argv[1:])
    app()


def _check_launched(given: list[str]) -> None:
    """End with words if several processes were started for what one does."""
    if launched()[1] > 1 and given[:1] != ["fit"] and "--help" not in given:
        console.complain(
            "error: torchrun starts several processes, which only histvq fit shares work out among: "
            "torchrun ... -m histvq fit FILES. For many files or runs: --jobs or --cluster"
        )
        sys.exit(Exit.USAGE)
