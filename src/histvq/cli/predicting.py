"""`histvq predict`: a saved model on files, or on frames while they come."""

from pathlib import Path
from typing import Annotated

import typer

from histvq import console
from histvq.cli.clusters import ClusterOptions, ClusterWhere
from histvq.cli.common import (
    Files,
    Format,
    Fps,
    How,
    Names,
    Options,
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
from histvq.cli.mixed import answered
from histvq.cli.places import here, place
from histvq.errors import ConfigError
from histvq.remote import shown

FOLDER = Path("runs/predicted")
Jobs = Annotated[
    int | None,
    typer.Option(
        "-j",
        "--jobs",
        min=0,
        help="Processes to share recordings among, 1 otherwise; 0: all cores. With --cluster: how many "
        "workers to start.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("predict")(predict)


@told
def predict(
    model: Annotated[
        Path, typer.Argument(parser=place, help="A saved model, as RUN/model, or its address.")
    ],
    files: Files,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            parser=place,
            metavar="PATH",
            help=f"Folder to write to; {FOLDER} otherwise. With --stream a CSV file; standard output "
            "otherwise.",
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="Where the model is of a class of your own: that class, as module:Class."
        ),
    ] = None,
    names: Names = None,
    jobs: Jobs = None,
    cluster: ClusterWhere = None,
    cluster_options: ClusterOptions = None,
    stream: Annotated[
        bool,
        typer.Option(
            "--stream",
            help="Answer while frames come: FILE is followed as it grows, - is standard input. A line a "
            "frame; see docs/streaming.md.",
        ),
    ] = False,
    idle: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="With --stream: end when the file has not grown for so many seconds, 0 at what is "
            "there now. Without it Ctrl-C ends it.",
        ),
    ] = None,
    format: Format = None,
    fps: Fps = None,
    unit: Unit = None,
    people: People = "together",
    options: Options = None,
    strict: Strict = False,
    overwrite: Overwrite = False,
) -> int:
    """Segment files with a saved model; the same file always gets the same labels."""
    from histvq.cli import clustered, streaming
    from histvq.models import codes_of, load_model
    from histvq.report.names import read_names
    from histvq.report.names_place import names_beside
    from histvq.results import write_answers

    how = How(format=format, fps=fps, unit=unit, people=people, options=options or ())
    given, model = model, here(model)
    names = here(names) if names else names_beside(model)
    if stream:
        return streaming.stream(
            load_model(model, method=method),
            files,
            names=names,
            how=how,
            out=out,
            idle_s=idle,
            overwrite=overwrite,
        )
    if idle is not None:
        raise ConfigError("--idle says when --stream ends; leave it out, or add --stream")
    named_out = out or FOLDER
    out = claimed(named_out, overwrite=overwrite)
    loaded = load_model(model, method=method)
    if names is not None:
        read_names(names, known=codes_of(loaded))  # its faults are told before the work
        console.say(f"names of actions: {names}")
    if cluster is not None:
        return clustered.predict_on(
            cluster,
            model,
            files,
            out,
            how,
            given=named_out,
            saved=given,
            jobs=jobs,
            options=cluster_options,
            method=method,
            names=names,
            strict=strict,
        )
    jobs = 1 if jobs is None else jobs
    readings = read_files(files, how, strict=strict)
    answers, readings = answered(loaded, readings, saved=model, jobs=jobs, strict=strict)
    scores, written = write_answers(
        out,
        answers,
        recordings=readings.recordings,
        annotations=readings.annotations,
        names=names,
        warnings=readings.warnings,
        skipped=readings.skipped,
        settings={"model": shown(given), **data_settings(files, how)},
    )
    if scores:
        console.say(str(scores))
    console.list_skipped(readings.skipped)
    closing(written["report"], f"open {written['report']} in a browser")
    return status_of(readings.skipped)
