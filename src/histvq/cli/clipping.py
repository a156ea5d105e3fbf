"""Commands that take a run further: its takes as files, its figures, and a look in Rerun."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from histvq import console
from histvq.cli.common import Exit, closing, told
from histvq.cli.places import at_work, here, local_place, place
from histvq.errors import ConfigError

if TYPE_CHECKING:
    from histvq.annotation import Annotation
    from histvq.clips import Origin, Written
    from histvq.io import Readings
    from histvq.report.run_folder import RunFolder

Run = Annotated[Path, typer.Argument(parser=place, help="Run folder, or its address.")]
Files = Annotated[
    list[Path] | None,
    typer.Argument(
        parser=place, help="The run's recordings, or folders of them, if they have moved since."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "-o", "--out", parser=place, metavar="PATH", help="Folder to write to, or its address."
    ),
]


@told
def clips(
    run: Run,
    files: Files = None,
    per_action: Annotated[int, typer.Option(min=1, help="Takes of each action.")] = 5,
    out: Out = None,
    video: Annotated[
        Path | None,
        typer.Option(
            parser=local_place,
            metavar="PATH",
            help="Videos of the recordings: a folder of files named after them, or a CSV table with "
            "columns recording, video and, if wanted, offset_s.",
        ),
    ] = None,
    video_tolerance: Annotated[
        int,
        typer.Option(min=0, help="Frames a video may be longer or shorter than its recording."),
    ] = 2,
    crop: Annotated[
        bool, typer.Option("--crop", help="Crop videos around the joints, where these are in px.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Same seed, same takes.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace clips of an earlier time.")
    ] = False,
) -> int:
    """Cut the takes of each action out of the recordings: typical, borderline and random ones."""
    from histvq.clips import add_videos, clear, find_videos, takes_of, write_clips, write_table
    from histvq.clips.ffmpeg import program as ffmpeg
    from histvq.report.analysis import cards
    from histvq.report.run_folder import read_run, read_sources

    if crop and video is None:
        raise ConfigError("--crop is about videos: say where they are, as --video FOLDER")
    run = at_work(run)
    found = read_run(run)
    videos = {}
    if video is not None:
        ffmpeg()  # is it there? Before anything is begun
        videos = find_videos(video, [answer.recording_id for answer in found.answers])
    readings = read_sources(found, [here(file) for file in files or ()])  # takes are cut from them
    if readings is None and not videos:
        raise ConfigError(f"nothing to cut: name the recordings, as histvq clips {run} FILES")
    origins = {} if readings is None else _origins(readings, found)
    folder = run / "clips" if out is None else at_work(out)
    clear(folder, overwrite=overwrite)
    chosen = cards(
        found.answers,
        [origin.recording for origin in origins.values()],
        clips_per_kind=per_action,
        seed=seed,
    )
    takes = takes_of(chosen, found.answers, per_action=per_action)
    written = write_clips(folder, takes, origins)
    written, refused = add_videos(
        folder, written, videos, found.answers,
        origins=origins, tolerance=video_tolerance, crop=crop,
    )  # fmt: skip
    table = write_table(folder, written)
    _tell(written)
    console.warn([f"{card.name}: no clip; {card.remark}" for card in chosen if not card.clips])
    console.list_skipped(refused)
    closing(table, f"look at the clips in {folder}; {table.name} says what each is")
    return Exit.SOME_SKIPPED if refused else Exit.ALL


def _tell(written: "Sequence[Written]") -> None:
    """How many takes there are, and how often there is something to know of them."""
    actions = len({one.take.action for one in written})
    files = sum(one.file is not None for one in written)
    videos = sum(one.video is not None for one in written)
    console.say(
        f"{len(written)} takes of {actions} actions: {files} files of motion, {videos} videos"
    )
    notes = Counter(note for one in written for note in one.notes)
    console.warn([f"{note} ({count} takes)" for note, count in notes.items()])


def _origins(readings: "Readings", run: "RunFolder") -> "dict[str, Origin]":
    """The recordings by id, with how they were read."""
    from histvq.clips import Origin
    from histvq.io.parts.settings import parsed

    how = run.settings.get("reading") or {}
    options = parsed(how.get("options", ()), flag="--option")
    options |= {name: how[name] for name in ("fps", "unit") if name in how}
    return {
        recording.id: Origin(
            recording=recording,
            annotation=annotation,
            format=format,
            options=options,
            named="format" in how,
        )
        for recording, annotation, format in zip(
            readings.recordings, readings.annotations, readings.formats, strict=True
        )
    }


@told
def figures(
    run: Run,
    files: Files = None,
    recording: Annotated[
        list[str] | None,
        typer.Option(help="Recording to draw as a strip; again for more. The first six otherwise."),
    ] = None,
    out: Out = None,
) -> int:
    """Draw the figures of a run: SVG and PNG, with the numbers behind each as CSV."""
    from histvq.report.figures import write_figures
    from histvq.report.run_folder import read_run, read_sources

    run = at_work(run)
    found = read_run(run)
    truth = list(found.annotations)
    if files:
        readings = read_sources(found, files)
        truth = [a for a in readings.annotations if a is not None] if readings else []
    folder = run / "figures" if out is None else at_work(out)
    written = write_figures(
        folder,
        found.answers,
        truth,
        matched=_matched(found, truth),
        colours=_colours(found),
        recordings=recording or (),
    )
    console.say(", ".join(dict.fromkeys(path.stem for path in written)))
    return closing(folder, "each figure is there as .svg and .png, its numbers as .csv")


@told
def view(
    run: Run,
    recording: Annotated[str, typer.Argument(help="Id of the recording.")],
    files: Files = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            parser=place,
            metavar="PATH",
            help="Write an .rrd file instead of opening a window.",
        ),
    ] = None,
) -> int:
    """Look at a recording and its actions in Rerun."""
    from histvq.clips.viewing import Viewer
    from histvq.errors import did_you_mean
    from histvq.report.run_folder import read_run, read_sources
    from histvq.writing import beside

    run, out = here(run), at_work(out) if out else None
    found = read_run(run)
    answers = {answer.recording_id: answer for answer in found.answers}
    if recording not in answers:
        raise ConfigError(f"no recording {recording!r} in {run}{did_you_mean(recording, answers)}")
    readings = read_sources(found, files)
    motion = {one.id: one for one in readings.recordings} if readings else {}
    if recording not in motion:
        raise ConfigError(
            f"recording {recording!r} is not at hand: name its file, as histvq view {run} RECORDING FILES"
        )
    truth = {annotation.recording_id: annotation for annotation in found.annotations}
    shown = motion[recording], answers[recording], truth.get(recording)
    if out is None:
        Viewer().show(*shown)
        console.say("nothing written; next: look at the window of Rerun")
        return Exit.ALL
    with beside(out) as part:
        Viewer(part).show(*shown)
    return closing(out, f"rerun {out}")


def _colours(run: "RunFolder") -> dict[int, str]:
    """Those that names.yaml gives."""
    said = run.names.actions if run.names is not None else {}
    return {code: named.colour for code, named in said.items() if named.colour is not None}


def _matched(run: "RunFolder", truth: "Sequence[Annotation]") -> Mapping[int, str]:
    """Which true action each found one stands for, by the recordings that have a truth."""
    from histvq.evaluation import evaluate

    labelled = {annotation.recording_id for annotation in truth}
    answers = [answer for answer in run.answers if answer.recording_id in labelled]
    if not answers:
        return {}
    try:
        return evaluate(answers, truth).matched
    except ConfigError as error:
        console.warn([f"found and true actions are not matched: {error}"])
        return {}


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    for command in (clips, figures, view):
        app.command(command.__name__)(command)
