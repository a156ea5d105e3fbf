"""What commands say: progress, tables, errors and what to do next."""

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from io import TextIOWrapper
from pathlib import Path
from warnings import catch_warnings, simplefilter

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from histvq.errors import DataWarning
from histvq.launched import launched
from histvq.segmenter import Progress

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)
SHOWN = 10
# Of several processes only the first is heard; of the others what they complain of, once they `joined`.
_joined = False


# What puts the names of places that people know in place of those of copies, while a command runs.
_names: ContextVar[list[Callable[[str], str]]] = ContextVar("names")


@contextmanager
def places_named() -> Iterator[None]:
    """While this lasts, all that is said goes through what is given to `name_places` first."""
    token = _names.set([])
    try:
        yield
    finally:
        _names.reset(token)


def name_places(change: Callable[[str], str]) -> None:
    """From now on, until `places_named` ends, change whatever is said in this way."""
    _names.get().append(change)


def _named(text: str) -> str:
    for change in _names.get([]):
        text = change(text)
    return text


def say(text: str, *, style: str | None = None) -> None:
    """A line on standard output, never read as markup."""
    OUT.print(_named(text), style=style, markup=False)


def note(text: str) -> None:
    """A line on standard error, where standard output is for programs."""
    ERR.print(_named(text), markup=False)


def complain(text: str) -> None:
    """A line on standard error."""
    text = _named(text)
    if ERR.quiet and _joined:
        rank, n = launched()
        print(f"process {rank} of {n}: {text}", file=sys.stderr, flush=True)
    ERR.print(text, style="red", markup=False)


def warn(texts: Sequence[str]) -> None:
    """Warnings, a line each, at most ten and how many more."""
    for text in texts[:SHOWN]:
        ERR.print(f"warning: {_named(text)}", style="yellow", markup=False)
    if len(texts) > SHOWN:
        ERR.print(f"warning: ... and {len(texts) - SHOWN} more", style="yellow", markup=False)


def prepare() -> None:
    """Let output go on where the terminal's encoding lacks a letter: it is replaced, not a crash.

    Of the processes that `torchrun` has started only the first is heard.
    """
    global _joined
    OUT.quiet = ERR.quiet = launched()[0] > 0
    _joined = False
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def joined() -> None:
    """From now on, what another process than the first complains of is told: it may be its own."""
    global _joined
    _joined = True


@contextmanager
def warnings_told() -> Iterator[None]:
    """DataWarnings as lines of ours instead of Python's."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        warn([str(message)])

    with catch_warnings():
        simplefilter("always", DataWarning)
        warnings.showwarning = show  # type: ignore[assignment]
        yield


def list_skipped(skipped: Sequence[tuple[Path, str]]) -> None:
    """Files left out and why."""
    if not skipped:
        return
    complain(f"skipped {len(skipped)} file{'s' if len(skipped) > 1 else ''}:")
    for path, reason in skipped[:SHOWN]:
        complain(f"  {reason}" if str(path) in reason else f"  {path}: {reason}")
    if len(skipped) > SHOWN:
        complain(f"  ... and {len(skipped) - SHOWN} more")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A plain table, never wrapped, so that it can be piped on."""
    cells = [[str(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextmanager
def reading_progress() -> Iterator[Callable[[int, int, Path], None]]:
    """Progress over files: a bar with time left on a terminal, nothing elsewhere."""
    if not ERR.is_terminal:
        yield lambda done, total, path: None
        return
    with _bars() as bars:
        task = bars.add_task("reading", total=None)
        yield lambda done, total, path: bars.update(task, completed=done, total=total)


@contextmanager
def file_progress() -> Iterator[Callable[[int, int], None]]:
    """Progress over many files: a bar with time left on a terminal, a line in ten seconds elsewhere."""
    if not ERR.is_terminal:
        yield _FileLines()
        return
    with _bars() as bars:
        task = bars.add_task("files", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


class _FileLines:
    """One plain line now and then."""

    SECONDS = 10.0

    def __init__(self) -> None:
        self.started = self.latest = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.latest < self.SECONDS:
            return
        self.latest = now
        left = (now - self.started) * (total - done) / done
        with suppress(OSError):  # a log that has no room left is no reason to stop
            print(f"{done} of {total} files, about {left:.0f} s left", file=sys.stderr, flush=True)


@contextmanager
def counting_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Progress over things of a known number: a bar with time left on a terminal, nothing elsewhere."""
    if not ERR.is_terminal:
        yield lambda done, total: None
        return
    with _bars() as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def download_progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """Progress of downloads: a bar of the file that comes on a terminal, nothing elsewhere."""
    if not ERR.is_terminal:
        yield lambda name, done, total: None
        return
    with Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=ERR,
        transient=True,
    ) as bars:
        task = bars.add_task("connecting", total=None)

        def show(name: str, done: int, total: int | None) -> None:
            if bars.tasks[0].description != name:
                bars.reset(task)  # speed and time left are of one file
            bars.update(task, description=name, completed=done, total=total)

        yield show


@contextmanager
def fitting_progress() -> Iterator[Callable[[Progress], None]]:
    """Progress of a fit: a bar with time left on a terminal, a line an epoch elsewhere."""
    if ERR.quiet:
        yield lambda event: None
        return
    if not ERR.is_terminal:
        yield _Lines()
        return
    with _bars() as bars:
        task = bars.add_task("learning", total=None)

        def show(event: Progress) -> None:
            total = event.epochs * event.batches
            done = event.epoch * event.batches + event.batch
            bars.update(task, completed=done, total=total, description=_state(event))

        yield show


class _Lines:
    """One plain line an epoch, but none so soon after another: some methods have thousands of epochs."""

    SECONDS = 2.0

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.latest = -self.SECONDS
        self.first: int | None = None  # epoch; a training may go on from a later one

    def __call__(self, event: Progress) -> None:
        passed = time.monotonic() - self.started
        self.first = event.epoch if self.first is None else self.first
        last = event.epoch + 1 == event.epochs
        if not event.epoch_over or (passed - self.latest < self.SECONDS and not last):
            return
        self.latest = passed
        left = passed / (event.epoch + 1 - self.first) * (event.epochs - event.epoch - 1)
        with suppress(OSError):  # a log that has no room left is no reason to lose a training
            print(f"{_state(event)}, {passed:.0f} s, {left:.0f} s left at most", file=sys.stderr)
            sys.stderr.flush()


def _state(event: Progress) -> str:
    loss = event.losses.get("total", float("nan"))
    changed, right = event.scores.get("changed"), event.scores.get("mof")
    tail = "" if changed is None else f", {changed:.0%} of the patches changed action"
    tail += "" if right is None else f", MoF {right:.1f} on who was held out"
    return f"epoch {event.epoch + 1} of at most {event.epochs}: loss {loss:.4g}{tail}"


def _bars() -> Bars:
    return Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=ERR,
        transient=True,
    )
