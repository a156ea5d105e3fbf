"""What the commands share: exit statuses, errors in words, reading and the closing line."""

import shlex
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from histvq import console
from histvq.cli.places import claimed_at, held, place
from histvq.errors import ConfigError, HistvqError
from histvq.io.parts.settings import parsed
from histvq.remote import is_remote, shown

if TYPE_CHECKING:
    from histvq.io import Readings

Files = Annotated[
    list[Path], typer.Argument(parser=place, help="Recordings, or folders of them; or addresses.")
]
Output = Annotated[
    Path,
    typer.Option(
        "-o", "--out", parser=place, metavar="PATH", help="Folder to write to, or its address."
    ),
]
Format = Annotated[str | None, typer.Option(help="Format of the files; found out otherwise.")]
Fps = Annotated[float | None, typer.Option(help="Frames a second, where the files do not say.")]
Unit = Annotated[
    str | None,
    typer.Option(
        help="Unit of the numbers, as mm, m or px, where the files do not say; unknown takes them as "
        "they are."
    ),
]
People = Annotated[
    str,
    typer.Option(help="Several people in one file: together, or apart, a recording each."),
]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="NAME=VALUE", help="Any other option of the files' reader."),
]
LabelFps = Annotated[
    float | None,
    typer.Option(
        help="The labels are text files named after their recordings, with so many labels a second."
    ),
]
Names = Annotated[
    Path | None,
    typer.Option(
        parser=place,
        metavar="PATH",
        help="names.yaml for the model's actions. Without it the one in the model's folder or in that "
        "of its run, if there is one.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at any fault in any file.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run.")]


class Exit(IntEnum):
    """What a command's exit status says."""

    ALL = 0
    SOME_SKIPPED = 1
    USAGE = 2
    NOTHING_DONE = 3


def told(command: Callable[..., int | None]) -> Callable[..., None]:
    """Errors on purpose become words and an exit status; others stay tracebacks."""

    @wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        with console.places_named():
            raise typer.Exit(_status(command, *args, **kwargs))

    return wrapper


def _status(command: Callable[..., int | None], *args: Any, **kwargs: Any) -> int:
    """Run a command and tell its errors; gives the exit status."""
    try:
        with console.warnings_told(), ExitStack() as stack:
            held.set(stack)
            return command(*args, **kwargs) or Exit.ALL
    except ConfigError as error:
        console.complain(f"error: {error}")
        return Exit.USAGE
    except (HistvqError, OSError) as error:
        console.complain(f"error: {error}")
        return Exit.NOTHING_DONE
    except KeyboardInterrupt as stop:
        console.complain(str(stop) or "stopped; what was finished is kept")
        return 128 + getattr(stop, "signal", signal.SIGINT)


@dataclass(frozen=True, kw_only=True)
class How:
    """How files are to be read: what stands behind --format, --fps, --unit, --people and --option."""

    format: str | None = None
    fps: float | None = None
    unit: str | None = None
    people: str = "together"
    options: Sequence[str] = ()

    def as_settings(self) -> dict[str, object]:
        """What was said, to be noted with a run."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        said["options"] = list(self.options)
        usual = How()
        return {k: v for k, v in said.items() if v and v != getattr(usual, k)}

    def for_readers(self) -> dict[str, Any]:
        """What readers are told: their options, rate and unit among them.

        Raises:
            ConfigError: If an option is not of the form NAME=VALUE.
        """
        options: dict[str, Any] = parsed(self.options, flag="--option")
        for name in ("fps", "unit"):
            if getattr(self, name) is not None:
                options[name] = getattr(self, name)
        return options

    def as_flags(self) -> str:
        """The same as one would type it, with a blank before."""
        flags = [
            (flag, value)
            for flag, value in (
                ("--format", self.format),
                ("--fps", None if self.fps is None else f"{self.fps:g}"),
                ("--unit", self.unit),
                ("--people", None if self.people == "together" else self.people),
                *(("--option", option) for option in self.options),
            )
            if value is not None
        ]
        return "".join(f" {flag} {shlex.quote(value)}" for flag, value in flags)


def claimed(out: Path, *, overwrite: bool) -> Path:
    """Make the folder the command's own, until it ends.

    Returns:
        The folder; of an address a local one, whose files are brought there when the command ends.

    Raises:
        ConfigError: If results are in it, another command is at work there, or it cannot be written to.
    """
    from histvq.claiming import TRAINING, claim, under_way

    if is_remote(out):
        out, overwrite = claimed_at(out, overwrite=overwrite), True  # it has been asked
    held.get().enter_context(under_way(claim(out, overwrite=overwrite)))
    if (out / TRAINING).is_file():
        console.say(f"a training that was stopped is in {out}, and goes on")
    return out


def read_files(
    files: list[Path], how: How, *, strict: bool = False, quiet: bool = False
) -> "Readings":
    """What these files and folders hold, with a bar, and what was odd about it told unless `quiet`."""
    from histvq.io import read_many

    with console.reading_progress() as progress:
        readings = read_many(
            files,
            format=how.format,
            strict=strict,
            people=how.people,  # type: ignore[arg-type]
            progress=progress,
            **how.for_readers(),
        )
    if quiet:
        return readings
    console.warn(readings.warnings)
    if readings.ignored:
        console.say(f"{readings.ignored} other files ignored")
    return readings


def closing(written: Path, next_step: str) -> int:
    """The last line of every command: what was written, and what to do next."""
    console.say(f"wrote {written}; next: {next_step}")
    return Exit.ALL


def data_settings(files: list[Path], how: How) -> dict[str, object]:
    """Which files, and how they were read, to be noted with a run."""
    reading = how.as_settings()
    return {"data": [shown(file) for file in files], **({"reading": reading} if reading else {})}


def status_of(skipped: Sequence[object]) -> int:
    """The exit status where these files were skipped."""
    return Exit.SOME_SKIPPED if skipped else Exit.ALL
