"""`histvq predict --stream`: answers while the frames come."""

import csv
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from histvq import console
from histvq.cli.common import Exit, How
from histvq.errors import ConfigError, NotWrittenError
from histvq.io.parts.settings import parsed
from histvq.writing import growing, write_text

if TYPE_CHECKING:
    from histvq.recording import Recording
    from histvq.streaming import PatchAnswer, StreamingSegmenter

Item = TypeVar("Item")
KEPT = "go on in another file: what was answered before is in this one"
LAYOUT_OPTIONS = ("joint_names", "channel_names", "parents")


def stream(
    model: Any,
    files: list[Path],
    *,
    names: Path | None,
    how: How,
    out: Path | None,
    idle_s: float | None,
    overwrite: bool,
) -> int:
    """Follow one file, or standard input, and write an answer a line."""
    from histvq.models import codes_of
    from histvq.report.names import read_names
    from histvq.streaming import StreamingSegmenter

    if len(files) != 1:
        raise ConfigError(f"--stream follows one file, or - for standard input; not {len(files)}")
    if out is not None and out.exists() and not overwrite:
        raise ConfigError(f"{out} is there already; --overwrite replaces it")
    if out is not None and out.resolve() == files[0].resolve():
        raise ConfigError(f"{out} is what is read; write to another file")
    segmenter = StreamingSegmenter(
        model,
        fps=how.fps,
        like=_like(model, how),
        names=None if names is None else read_names(names, known=codes_of(model)),
    )
    if names is not None:
        console.note(f"names of actions: {names}")
    source = _frames(files[0], segmenter, idle_s=idle_s)
    _tell(segmenter, files[0], idle_s)
    if out is None:
        try:
            _answer(segmenter, source, _to_standard_output)
        except BrokenPipeError:  # whoever read the answers wants no more
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.ALL
    write_text(out, "")  # what was there before stays until there is something new
    with growing(out, again=KEPT) as write:
        _answer(segmenter, source, write)
    return Exit.ALL


def _answer(
    segmenter: "StreamingSegmenter", source: Iterator[np.ndarray], write: Callable[[str], object]
) -> None:
    """Write what is answered, at once, whole lines each time."""
    from histvq.streaming import PatchAnswer

    write(_lines([[field.name for field in fields(PatchAnswer)]]))
    for frames in until_interrupted(source):
        write(_lines(map(_row, segmenter.push(frames))))
    write(_lines(map(_row, segmenter.finish())))


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _to_standard_output(lines: str) -> None:
    try:
        sys.stdout.write(lines)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NotWrittenError(error.errno, error.strerror, "standard output") from error


def _row(answer: "PatchAnswer") -> tuple[object, ...]:
    """An answer's cells, in the order of its fields; seconds to the millisecond."""
    return (
        answer.patch,
        answer.start_frame,
        answer.stop_frame,
        f"{answer.start_s:.3f}",
        f"{answer.stop_s:.3f}",
        answer.action,
        answer.subaction,
        f"{answer.confidence:.4f}",
        answer.name,
    )


def _frames(
    path: Path, segmenter: "StreamingSegmenter", *, idle_s: float | None
) -> Iterator[np.ndarray]:
    from histvq.io.parts.following import STANDARD_INPUT, array_blocks, frames_of, grown, lines_of

    if path != STANDARD_INPUT and not path.is_file():
        raise ConfigError(f"{path}: there is no such file to follow; make it first, or pipe into -")
    if path.suffix.lower() == ".npy":
        return array_blocks(path)
    name = "standard input" if path == STANDARD_INPUT else str(path)
    lines = lines_of(grown(path, idle_s=idle_s))
    return frames_of(lines, segmenter.columns(), name=name)


def _like(model: Any, how: How) -> "Recording | None":
    """What the flags say of the frames; None where they say nothing."""
    from histvq.streaming import own_rate, streaming_method, taken_by

    if how.format or how.people != "together":
        raise ConfigError(
            "--format and --people say how files are read; --stream reads lines of numbers"
        )
    options = parsed(how.options, flag="--option")
    if unknown := [name for name in options if name not in LAYOUT_OPTIONS]:
        raise ConfigError(
            f"--stream has no --option {unknown[0]}; it has {', '.join(LAYOUT_OPTIONS)}"
        )
    if not options and how.unit is None:
        return None
    method = streaming_method(model)
    own = taken_by(method)
    joints, channels = (
        _words(options.get(key)) or getattr(own, key) for key in ("joint_names", "channel_names")
    )
    parents = options.get("parents")
    return replace(
        own,
        fps=own_rate(method) if how.fps is None else how.fps,
        skeleton=np.zeros((0, len(joints), len(channels)), np.float32),
        joint_names=joints,
        channel_names=channels,
        joint_persons=own.joint_persons if joints == own.joint_names else None,
        parents=None if parents is None else tuple(parents),
        unit=how.unit or own.unit,
    )


def _words(value: object) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else value or ()
    return tuple(str(word).strip() for word in words)  # type: ignore[attr-defined]


def _tell(segmenter: "StreamingSegmenter", path: Path, idle_s: float | None) -> None:
    like = segmenter.like
    console.note(
        f"{segmenter.columns_said()}; {like.unit}, {like.fps:g} frames a second. A frame's label comes "
        f"within {segmenter.delay_s:.2f} s of it, {segmenter.reach_s:.2f} s after its patch ends"
    )
    if str(path) != "-" and path.suffix.lower() != ".npy" and idle_s is None:
        console.note("the file is followed until Ctrl-C; --idle 0 ends at what is there now")


def until_interrupted(source: Iterator[Item]) -> Iterator[Item]:
    """The items of a source until Ctrl-C, which ends it, but breaks off nothing done with an item."""
    if threading.current_thread() is not threading.main_thread():
        yield from source
        return
    waiting = asked = False

    def noted(*_: object) -> None:
        nonlocal asked
        asked = True
        if waiting:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, noted)
    try:
        while not asked:
            waiting = True
            item = next(source)
            waiting = False
            yield item
    except (KeyboardInterrupt, StopIteration):
        return
    finally:
        waiting = False
        signal.signal(signal.SIGINT, before)
