"""The command that suggests how many actions to look for."""

import csv
import json
import shlex
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from histvq import console
from histvq.chain import Chain
from histvq.cli.common import (
    Files,
    Format,
    Fps,
    How,
    Options,
    People,
    Strict,
    Unit,
    read_files,
    status_of,
    told,
)
from histvq.cli.learning import method_of
from histvq.cli.mixed import that_fit
from histvq.cli.places import at_work, place
from histvq.errors import ConfigError
from histvq.methods import METHODS
from histvq.supervised import SUPERVISED

if TYPE_CHECKING:
    from histvq.choosing import Choice
    from histvq.segmenter import Segmenter

ON_WINDOWS = "window-kmeans"
# Halvings where a method has to be trained for each, and where statistics are clustered.
REPEATS = {True: 3, False: 8}
TITLES = {
    "k": "actions",
    "halves": "halves",
    "expected": "expected",
    "beyond": "beyond",
    "error": "error",
    "seeds": "seeds",
    "variance_left": "variance left",
    "merge_height": "merge height",
}
KEY = (
    "halves: agreement (adjusted Rand) of models of two halves of the {halved_by}; expected: in data "
    "without structure; beyond: share of what is possible beyond that, with its error; seeds: agreement "
    "of models from two seeds; variance left: within actions; merge height: from K branches to K - 1"
)


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("choose-k")(choose_k)


@told
def choose_k(
    files: Files,
    k_min: Annotated[int, typer.Option("--k-min", min=2, help="Fewest actions to try.")] = 2,
    k_max: Annotated[int, typer.Option("--k-max", min=2, help="Most actions to try.")] = 20,
    method: Annotated[
        str | None,
        typer.Option(
            help=f"Whose clusters to look at: {', '.join(METHODS)}; the preset's otherwise, or "
            f"{ON_WINDOWS}. The others are trained several times for each number of actions, which "
            "takes long."
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Named settings of the method, or a TOML file of your own.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the method."),
    ] = None,
    transforms: Annotated[
        list[str] | None,
        typer.Option("--transform", metavar="STEP", help="Change recordings first, as for run."),
    ] = None,
    repeats: Annotated[
        int | None,
        typer.Option(
            min=2,
            help=f"How often to halve the data; {REPEATS[False]}, or {REPEATS[True]} where a method is "
            "trained.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same answer.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", parser=place, metavar="PATH", help="Table to write, as .csv or .json."
        ),
    ] = None,
    format: Format = None,
    fps: Fps = None,
    unit: Unit = None,
    people: People = "together",
    options: Options = None,
    strict: Strict = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the table.")] = False,
) -> int:
    """Suggest how many actions to look for, with reasons; no labels are used."""
    from histvq import choosing
    from histvq.saving import LabelFreeEstimator

    out = at_work(out) if out else None
    _check(out, method, overwrite=overwrite)
    # The number is for the method's own check alone.
    made = method_of(
        method or (None if preset else ON_WINDOWS), preset, k_max, None, seed, settings, None
    )
    if not isinstance(made, LabelFreeEstimator):
        raise ConfigError(
            f"{type(made).__name__} cannot be tried with one number of actions after another; name one "
            f"of {', '.join(METHODS)}"
        )
    trained = made.method_name != ON_WINDOWS
    change = Chain.of(transforms or [])
    how = How(format=format, fps=fps, unit=unit, people=people, options=options or ())
    readings = that_fit(read_files(files, how, strict=strict), transforms or [], strict=strict)

    def make(n_actions: int, seed: int) -> "Segmenter":
        params = {**made.get_params(), "n_actions": n_actions, "random_state": seed}
        fresh: Segmenter = type(made)(**params)
        return fresh

    with console.counting_progress("trying numbers of actions") as progress:
        choice = choosing.choose_k(
            [change(recording) for recording in readings.recordings],
            k_min=k_min,
            k_max=k_max,
            make=make if trained else None,
            repeats=repeats or REPEATS[trained],
            seed=seed,
            progress=progress,
            **choosing.settings_of(made.config),
        )
    tell(choice)
    console.list_skipped(readings.skipped)
    if out is not None:
        write_table(choice, out)
    quoted = " ".join(shlex.quote(str(file)) for file in files)
    steps = "".join(f" --transform {shlex.quote(step)}" for step in transforms or [])
    wrote = "nothing written" if out is None else f"wrote {out}"
    console.say(
        f"{wrote}; next: histvq run {quoted}{how.as_flags()}{steps} -k {choice.n_actions} -o runs/first"
    )
    return status_of(readings.skipped)


def tell(choice: "Choice") -> None:
    """The table, a sentence a reason, and the suggestion."""
    console.table(tuple(TITLES.values()), [_row(row) for row in choice.table])
    console.say(KEY.format(halved_by=choice.halved_by))
    for criterion in choice.criteria:
        says = "cannot tell" if criterion.k is None else str(criterion.k)
        console.say(f"{criterion.name}: {says}; {criterion.reason}")
    console.say(choice.verdict)
    console.say(f"suggestion: {choice.n_actions} actions")


def write_table(choice: "Choice", out: Path) -> None:
    """The table as CSV; as JSON with the reasons and the suggestion."""
    from histvq.writing import write_text

    if out.suffix == ".json":
        said = {
            "n_actions": choice.n_actions,
            "verdict": choice.verdict,
            "criteria": [vars(criterion) for criterion in choice.criteria],
            "halved_by": choice.halved_by,
            "table": list(choice.table),
        }
        text = json.dumps(said, indent=2) + "\n"
    else:
        lines = StringIO()
        writer = csv.DictWriter(lines, list(TITLES), lineterminator="\n")
        writer.writeheader()
        writer.writerows(choice.table)
        text = lines.getvalue()
    write_text(out, text)


def _check(out: Path | None, method: str | None, *, overwrite: bool) -> None:
    """Raise ConfigError where the table could not be written, or the method learns from labels."""
    if method in SUPERVISED:
        raise ConfigError(f"{method} learns the actions that are labelled: there are none to count")
    if out is None:
        return
    if out.suffix not in (".csv", ".json"):
        raise ConfigError(f"-o {out}: a table is written as .csv or .json")
    if not out.parent.is_dir():
        raise ConfigError(f"-o {out}: there is no folder {out.parent}; make it first")
    if out.exists() and not overwrite:
        raise ConfigError(f"{out} is there already; choose another name, or give --overwrite")


def _row(row: dict[str, float]) -> list[str]:
    k, *shares, height = (row[name] for name in TITLES)
    return [f"{k:.0f}", *(f"{share:.2f}" for share in shares), f"{height:.3g}"]
