"""Commands about a run that is there: names for its actions, and its report anew."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from warnings import catch_warnings, simplefilter

import typer

from histvq import console
from histvq.cli.common import Exit, closing, told
from histvq.cli.places import at_work, here, place
from histvq.errors import ConfigError, DataWarning

if TYPE_CHECKING:
    from histvq.report.run_folder import RunFolder

RunArgument = Annotated[
    Path,
    typer.Argument(parser=place, help="Folder that histvq run or predict wrote, or its address."),
]


@told
def names(
    run: RunArgument,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Write it anew if it is there; names and colours in it are kept.",
        ),
    ] = False,
) -> int:
    """Write a first names.yaml: name, merge and colour actions in it, without learning anew."""
    from histvq.report.names import FILE, write_names
    from histvq.report.run_folder import read_run

    run = at_work(run)
    found = read_run(run, named=False)
    nearest = _nearest(found) if overwrite or not (run / FILE).exists() else {}
    written = write_names(run / FILE, found.answers, nearest=nearest, overwrite=overwrite)
    return closing(written, f"put names into it, then histvq report {run}")


@told
def report(
    run: RunArgument,
    files: Annotated[
        list[Path] | None,
        typer.Argument(parser=place, help="The run's recordings, if they are not where they were."),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            parser=place,
            metavar="PATH",
            help="CSV table to compare groups by: a column recording, and others of your own.",
        ),
    ] = None,
    budget_mb: Annotated[
        float, typer.Option(min=0, help="How large the page may get, in MB.")
    ] = 20,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a segments.csv corrected by hand.")
    ] = False,
) -> int:
    """Write a run's tables, timelines and page anew, with the names in its names.yaml."""
    from histvq.report.groups_table import read_groups
    from histvq.report.run_folder import corrected_by_hand, read_run, read_sources
    from histvq.results import rewrite_report

    run = at_work(run)
    found = read_run(run)
    if not overwrite and corrected_by_hand(found):
        raise ConfigError(
            f"{run / 'segments.csv'} was changed by hand and would be replaced: save it under another "
            "name, as corrected.csv, or replace it with --overwrite"
        )
    table = None
    if groups is not None:
        table = read_groups(here(groups), [answer.recording_id for answer in found.answers])
    readings = read_sources(found, files)
    scores, written = rewrite_report(
        found,
        recordings=readings.recordings if readings else (),
        groups=table,
        budget_mb=budget_mb,
    )
    console.say(_counted(found))
    if scores:
        console.say(str(scores))
    closing(written["report"], f"open {written['report']} in a browser")
    return Exit.ALL


def _nearest(run: "RunFolder") -> dict[int, int]:
    """Action -> the one its motion is most like; empty where the recordings are not at hand."""
    from histvq.report.analysis import cards
    from histvq.report.run_folder import read_sources

    with catch_warnings():
        simplefilter("ignore", DataWarning)  # nothing hangs on it
        readings = read_sources(run)
    if readings is None:
        return {}
    found = cards(run.answers, readings.recordings)
    return {card.action: card.nearest for card in found if card.nearest is not None}


def _counted(run: "RunFolder") -> str:
    """How many actions there are, and what names did to them."""
    from histvq.report.naming import as_predicted, codes_in
    from histvq.segments import names_of

    now = codes_in(run.answers, "action")
    before = codes_in(as_predicted(run.answers), "action")
    merged = f", merged from {len(before)}" if len(before) > len(now) else ""
    named = f", {len(now & set(names_of(run.answers)))} of them with names"
    return f"{len(now)} actions{merged}{named}"


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command("names")(names)
    app.command("report")(report)
