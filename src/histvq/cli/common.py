"""What the commands share: exit statuses, errors in words, reading and the closing line."""

from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from histvq import console
from histvq.errors import ConfigError, HistvqError

if TYPE_CHECKING:
    from histvq.io import Readings

Output = Annotated[Path, typer.Option("-o", "--out", help="Folder to write to.")]
Format = Annotated[str | None, typer.Option(help="Format of the files; found out otherwise.")]
Fps = Annotated[float | None, typer.Option(help="Frames a second, where the files do not say.")]
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
        try:
            with console.warnings_told():
                status = command(*args, **kwargs)
        except ConfigError as error:
            console.complain(f"error: {error}")
            raise typer.Exit(Exit.USAGE) from None
        except (HistvqError, OSError) as error:
            console.complain(f"error: {error}")
            raise typer.Exit(Exit.NOTHING_DONE) from None
        except KeyboardInterrupt:
            console.complain("stopped; nothing more was written")
            raise typer.Exit(130) from None
        raise typer.Exit(status or Exit.ALL)

    return wrapper


def read_files(
    files: list[Path], *, strict: bool, format: str | None, fps: float | None
) -> "Readings":
    """What these files and folders hold, with a bar, and what was odd about it told."""
    from histvq.io import read_many

    options = {} if fps is None else {"fps": fps}
    with console.reading_progress() as progress:
        readings = read_many(files, format=format, strict=strict, progress=progress, **options)
    console.warn(readings.warnings)
    if ignored := getattr(readings, "ignored", 0):
        console.say(f"{ignored} other files ignored")
    return readings


def closing(written: Path, next_step: str) -> int:
    """The last line of every command: what was written, and what to do next."""
    console.say(f"wrote {written}; next: {next_step}")
    return Exit.ALL
