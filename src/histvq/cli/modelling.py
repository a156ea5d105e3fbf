"""Commands that write a model for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from histvq import console
from histvq.cli.common import Names, closing, told
from histvq.cli.places import at_work, here, place
from histvq.errors import ConfigError, did_you_mean

FORMATS = ("onnx",)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("export-model")(export_model)


@told
def export_model(
    model: Annotated[
        Path, typer.Argument(parser=place, help="A saved model, as RUN/model, or its address.")
    ],
    to: Annotated[str, typer.Option(metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")],
    out: Annotated[
        Path,
        typer.Option(
            "-o", "--out", parser=place, metavar="PATH", help="File to write, or its address."
        ),
    ] = Path("model.onnx"),
    roots: Annotated[
        list[str] | None,
        typer.Option(
            "--root",
            metavar="JOINT",
            help="Root joint, where the model centres on it; of several persons one each.",
        ),
    ] = None,
    names: Names = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it is there.")
    ] = False,
) -> int:
    """Write a model for programs without histvq: its encoder and codebooks, as ONNX."""
    from histvq.models import codes_of, load_model
    from histvq.onnx_model import export_onnx
    from histvq.report.names import read_names
    from histvq.report.names_place import names_beside

    if to not in FORMATS:
        raise ConfigError(f"--to {to}: models are not written as that{did_you_mean(to, FORMATS)}")
    model, out = here(model), at_work(out)
    loaded = load_model(model)
    names = here(names) if names else names_beside(model)
    given = None
    if names is not None:
        given = read_names(names, known=codes_of(loaded))
        console.say(f"names of actions: {names}")
    export_onnx(loaded, out, roots=roots or (), names=given, overwrite=overwrite)
    return closing(out, "run it with onnxruntime, as docs/onnx.md shows")
