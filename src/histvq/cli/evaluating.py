"""`histvq evaluate`: the labels of a run against the truth."""

from pathlib import Path
from typing import Annotated

import typer

from histvq import console
from histvq.cli.common import (
    Format,
    Fps,
    How,
    LabelFps,
    Options,
    People,
    Unit,
    closing,
    status_of,
    told,
)
from histvq.cli.learning import scored, truth_for
from histvq.cli.places import at_work, here, place


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("evaluate")(evaluate)


@told
def evaluate(
    run: Annotated[Path, typer.Argument(parser=place, help="Run folder, or its frames.csv.")],
    files: Annotated[
        list[Path],
        typer.Argument(
            parser=place,
            help="The truth: labelled recordings, or folders of them; tables of segments; ELAN files or "
            "BORIS projects; or, with --label-fps, text files of labels named after their recordings.",
        ),
    ],
    matching: Annotated[
        str,
        typer.Option(
            help="How codes meet actions: global, recording or none; auto: none where the method knows "
            "their names, or you named them all as the labels do, else global."
        ),
    ] = "auto",
    level: Annotated[str, typer.Option(help="action or subaction.")] = "action",
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="A score beside the usual ones, as jsd-true-bins, or module:function of your own; may "
            "be given several times.",
        ),
    ] = None,
    label_fps: LabelFps = None,
    format: Format = None,
    fps: Fps = None,
    unit: Unit = None,
    people: People = "together",
    options: Options = None,
) -> int:
    """Score a run's labels against labelled files, and say by which protocol."""
    from histvq.evaluation import evaluate as score
    from histvq.evaluation import usual_matching
    from histvq.metrics import PAPER_METRICS
    from histvq.report import read_frames
    from histvq.report.run_folder import read_run
    from histvq.results import write_scores

    run, files = at_work(run), [here(file) for file in files]
    folder = run if run.is_dir() else run.parent
    answers = read_run(run).answers if run.is_dir() else read_frames(run)
    how = How(format=format, fps=fps, unit=unit, people=people, options=options or ())
    truth, skipped = truth_for(answers, files, how, label_fps=label_fps)
    scores = score(
        scored(answers, truth),
        truth,
        matching=None if matching == "none" else matching,  # type: ignore[arg-type]
        level=level,
        metrics=list(dict.fromkeys([*PAPER_METRICS, *(metrics or ())])),
    )
    console.say(str(scores))
    console.table(("protocol", ""), list(scores.protocol.items()))
    console.list_skipped(skipped)
    auto = usual_matching(answers, scores.actions) or "none"
    usual = (matching, level) in (("auto", "action"), (auto, "action"))
    name = "scores.json" if usual else f"scores-{level}-{matching}.json"
    closing(write_scores(folder, scores, name=name), f"compare runs by their {name}")
    return status_of(skipped)
