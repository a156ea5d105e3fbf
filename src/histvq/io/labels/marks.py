"""Times that people gave names to, in a program for annotation, as one label a frame."""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.safe_names import plain
from histvq.recording import Recording

SHOWN = 10


class Mark(NamedTuple):
    """A name for a stretch of time.

    Attributes:
        start_s: Seconds from the start of the recording.
        stop_s: Likewise; where it stops.
        name: What is done there.
        where: Which one of the file, for error messages.
    """

    start_s: float
    stop_s: float
    name: str
    where: str


class _Span(NamedTuple):
    start: int
    stop: int
    mark: Mark


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Which recording marks are of: the first that there is of these names.

    Attributes:
        where: The file, or the part of it, that the marks are in.
        names: What it says of itself, the surest first.
    """

    where: str
    names: tuple[str, ...]


def owned(
    owners: Sequence[Owner], recordings: Sequence[Recording], *, example: str
) -> list[Recording | None]:
    """The recording each owner speaks of; None where it is not here.

    Raises:
        FileFormatError: If two speak of the same recording, or none of any.

    Warns:
        DataWarning: If some speak of none.
    """
    by_name = _by_name(recordings)
    found = [next((by_name[n] for n in owner.names if n in by_name), None) for owner in owners]
    strangers = [o for o, recording in zip(owners, found, strict=True) if recording is None]
    if owners and len(strangers) == len(owners):
        raise FileFormatError(
            f"{_few(o.where for o in owners)}: of none of the recordings "
            f"({_few(recording.id for recording in recordings)}). {example}"
        )
    twice = [id for id, n in Counter(r.id for r in found if r is not None).items() if n > 1]
    if twice:
        places = [o.where for o, r in zip(owners, found, strict=True) if r and r.id == twice[0]]
        raise FileFormatError(
            f"{' and '.join(places)} are of the same recording {twice[0]!r}: leave one out"
        )
    if strangers:
        warnings.warn(
            f"{_few(o.where for o in strangers)}: of none of the recordings; left out",
            DataWarning,
            stacklevel=4,
        )
    return found


def annotations(
    marks: Mapping[str, Sequence[Mark]],
    recordings: Sequence[Recording],
    *,
    source: str,
    faults: Iterable[str] = (),
) -> list[Annotation | None]:
    """One label a frame of each recording, from its marks.

    A mark may end up to a frame late: times are rounded. Marks without a name label nothing.

    Args:
        marks: By recording id.
        recordings: Those the labels are wanted for.
        source: What was read, for error messages.
        faults: What else is wrong with it.

    Returns:
        In step with the recordings; None where no mark labels a frame. Frames without one are -1. All
        share `actions`: the names as they first occur, by order of recordings, then start.

    Raises:
        FileFormatError: If marks are beyond the recording, shorter than a frame, or share frames; or
            there is none with a name. Says where, for at most ten.
    """
    wrong = list(faults)
    spans: list[list[_Span]] = []
    for recording in recordings:
        found, more = _spans(marks.get(recording.id, ()), recording)
        spans.append(found)
        wrong += more
    if wrong:
        raise FileFormatError(_listed(wrong, source))
    actions = tuple(dict.fromkeys(span.mark.name for found in spans for span in found))
    if not actions:
        raise FileFormatError(f"{source}: nothing in it labels a frame; give the segments names")
    return [_annotation(r, found, actions) for r, found in zip(recordings, spans, strict=True)]


def _by_name(recordings: Sequence[Recording]) -> dict[str, Recording]:
    """Recordings by id; and by the id as other programs keep it, where that is clear."""
    plainly = Counter(plain(recording.id) for recording in recordings)
    others = {plain(r.id): r for r in recordings if plainly[plain(r.id)] == 1}
    return others | {recording.id: recording for recording in recordings}


def _spans(marks: Sequence[Mark], recording: Recording) -> tuple[list[_Span], list[str]]:
    """Marks with a name in order of start, and what is wrong with others."""
    spans: list[_Span] = []
    faults: list[str] = []
    fps, n_frames = recording.fps, recording.n_frames
    for mark in marks:
        if not mark.name:
            continue
        said = f"{mark.where}: {mark.name!r} from {mark.start_s:g} to {mark.stop_s:g} s"
        # Times beyond all recordings could overflow as frames.
        start, stop = (round(min(max(at * fps, -1), n_frames + 2)) for at in mark[:2])
        if start < 0 or start >= n_frames or stop > n_frames + 1:
            faults.append(
                f"{said}: recording {recording.id!r} lasts {recording.duration_s:g} s; no time may be "
                "outside"
            )
        elif not start < min(stop, n_frames):
            faults.append(
                f"{said}: shorter than a frame ({1000 / fps:.3g} ms); lengthen or delete it"
            )
        else:
            spans.append(_Span(start, min(stop, n_frames), mark))
    spans.sort(key=lambda span: span[:2])
    return spans, faults + list(_clashes(spans))


def _clashes(spans: Iterable[_Span]) -> Iterator[str]:
    """Of spans in order, those that share frames with an earlier one of another name."""
    last: dict[str, _Span] = {}  # by name, the span that reaches farthest
    for span in spans:
        name = span.mark.name
        for other_name, other in last.items():
            if other_name != name and other.stop > span.start:
                yield (
                    f"{span.mark.where}: {name!r} starts at {span.mark.start_s:g} s, but {other_name!r} "
                    f"({other.mark.where}) lasts until {other.mark.stop_s:g} s; let one stop where the "
                    "other starts"
                )
        last[name] = max(last.get(name, span), span, key=lambda s: s.stop)


def _annotation(
    recording: Recording, spans: Sequence[_Span], actions: tuple[str, ...]
) -> Annotation | None:
    if not spans:
        return None
    place = {name: index for index, name in enumerate(actions)}
    labels = np.full(recording.n_frames, -1, dtype=np.int32)
    for span in spans:
        labels[span.start : span.stop] = place[span.mark.name]
    return Annotation(recording_id=recording.id, labels=labels, actions=actions, fps=recording.fps)


def _listed(faults: Sequence[str], source: str) -> str:
    if len(faults) == 1:
        return faults[0]
    more = [f"... and {len(faults) - SHOWN} more"] * (len(faults) > SHOWN)
    return "\n".join([f"{source}: {len(faults)} faults:", *faults[:SHOWN], *more])


def _few(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
