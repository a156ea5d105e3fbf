"""Commands that write a run's answers as files of other tools."""

from pathlib import Path
from typing import Annotated

import typer

from histvq import console
from histvq.cli.common import Overwrite, closing, told
from histvq.cli.places import at_work, local_place, place
from histvq.errors import ConfigError
from histvq.export import EXPORTS

BACK = ("elan", "boris", "csv")  # what can be read again, corrected


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("export")(export)


@told
def export(
    run: Annotated[Path, typer.Argument(parser=place, help="Run folder, or its address.")],
    to: Annotated[
        str,
        typer.Option(
            metavar="FORMATS", help=f"One or several of {','.join(EXPORTS)}, with commas."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            parser=place,
            metavar="PATH",
            help="Folder to write to, or its address; RUN/export otherwise.",
        ),
    ] = None,
    media: Annotated[
        Path | None,
        typer.Option(
            parser=local_place,
            metavar="PATH",
            help="Videos of the recordings: a folder of files called as the recordings, or a CSV table "
            "with the columns recording and media.",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> int:
    """Write a run's segments for ELAN, BORIS, Audacity, NWB, or as tables."""
    from histvq.export import export as write
    from histvq.export.parts.media import find_media
    from histvq.report.run_folder import read_run

    names = [name.strip() for name in to.split(",") if name.strip()]
    if not names:
        raise ConfigError(f"--to names no format; known are {', '.join(EXPORTS)}")
    run = at_work(run)
    answers = read_run(run).answers
    folder = at_work(out) if out else run / "export"
    written = write(
        names,
        folder,
        answers,
        media=find_media(media, [a.recording_id for a in answers]) if media else None,
        overwrite=overwrite,
    )
    for name, file in written.items():
        console.say(f"{name}: {file}")
    again = next((written[name] for name in BACK if name in written), None)
    step = f"correct it there, then histvq evaluate {run} {again}" if again else f"open {folder}"
    return closing(folder, step)
