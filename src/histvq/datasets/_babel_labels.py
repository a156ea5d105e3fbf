"""Labels of the BABEL subsets: from times of actions to one class a frame.

Source: A. Punnakkal et al., "BABEL: Bodies, Action and Behavior with English Labels", CVPR 2021, release
1.0; the three subsets of four classes are those of Q. Yu and K. Fujiwara, "Frame-Level Label Refinement
for Skeleton-Based Weakly-Supervised Action Recognition", AAAI 2023.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import FileFormatError
from histvq.reading import read_json

NONE = "none"
CLASSES = {
    1: ("walk", "stand", "turn", "jump"),
    2: ("sit", "run", "stand up", "kick"),
    3: ("jog", "wave", "dance", "gesture"),
}
FPS = 30.0
MOST_LABELLED = 1000
_LONGEST_S = 86_400  # a day; what is longer is a number gone wrong

# Where a sequence with these words in the notes was left out, in the order the rules are tried.
UNANNOTATED = "without labels of single frames"
TOO_LONG = f"more than {MOST_LABELLED} labelled frames"
NO_CLASS = "no frame of the subset's four classes"


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """One sequence of the subset.

    Attributes:
        id: Its number in BABEL, as text.
        motion: Where its motion lies in AMASS.
        labels: Class of each of the first frames of the motion at 30 a second.
        has_gap: Whether frames nobody annotated lie before others somebody did.
        n_several: Frames in which more than one of the four classes was named.
    """

    id: str
    motion: PurePosixPath
    labels: np.ndarray
    has_gap: bool
    n_several: int


def actions_of(subset: int) -> tuple[str, ...]:
    """The four classes, and `none`, which is one like any other."""
    return (*CLASSES[subset], NONE)


def read_labels(
    path: Path, subset: int, *, close_gaps: bool
) -> tuple[list[Labelled], Counter[str]]:
    """The sequences of a subset in `train.json` or `val.json`, and how many others each rule left out.

    A frame belongs to each class that a segment in force names; of several, to the first of the
    subset's four. (The published preparation takes whichever a hashed set gives first, another one in
    each run.) It is `none` if only other actions are named. What follows the last annotated frame is cut.

    Args:
        path: The file.
        subset: 1, 2 or 3.
        close_gaps: Leave out the frames nobody annotated, as the published preparation does, which
            does not take them out of the motion: after a gap, labels come too early. Else they are
            `none`.

    Raises:
        FileFormatError: If the file is not as it should be; names the sequences.
    """
    entries = _entries(path)
    sequences, left_out, faults = [], Counter[str](), []
    for key, entry in entries.items():
        try:
            made = _sequence(entry, subset, close_gaps=close_gaps)
        except _Wrong as error:
            faults.append(f"{path}, sequence {key!r}: {error}")
            continue
        if isinstance(made, str):
            left_out[made] += 1
        else:
            sequences.append(made)
    if faults:
        more = f"\n... and {len(faults) - 10} more" if len(faults) > 10 else ""
        raise FileFormatError(
            "\n".join(faults[:10]) + f"{more}\nIs it a file of BABEL 1.0? Fetch it again"
        )
    return sequences, left_out


def in_terms_of(annotation: Annotation, actions: tuple[str, ...], *, where: str) -> Annotation:
    """The same labels as indices into these actions; `stand_up` is `stand up`.

    Raises:
        FileFormatError: If an action is none of them.
    """
    names = [name.replace("_", " ") for name in annotation.actions]
    used = np.unique(annotation.labels[annotation.labels >= 0])
    if other := [names[label] for label in used if names[label] not in actions]:
        raise FileFormatError(
            f"{where}: labelled {', '.join(other[:5])}, which this subset does not have; it has "
            f"{', '.join(actions)}. Give the folder of this subset"
        )
    table = np.array(
        [actions.index(n) if n in actions else -1 for n in names] + [-1], dtype=np.int32
    )
    return Annotation(
        recording_id=annotation.recording_id,
        labels=table[annotation.labels],
        actions=actions,
        fps=annotation.fps,
    )


class _Wrong(Exception):
    """What is wrong with one sequence."""


def _entries(path: Path) -> dict[str, Any]:
    try:
        entries = read_json(path)
    except FileFormatError as error:
        raise FileFormatError(f"{error}. Fetch it again") from error
    if not isinstance(entries, dict):
        raise FileFormatError(
            f"{path}: {type(entries).__name__} where BABEL has an object of sequences. Give train.json "
            "and val.json of BABEL 1.0"
        )
    return entries


def _sequence(entry: Any, subset: int, *, close_gaps: bool) -> Labelled | str:
    """One sequence, or the rule that leaves it out."""
    sid = _of_type(entry, "babel_sid", int)
    motion = PurePosixPath(_of_type(entry, "feat_p", str))
    if len(motion.parts) < 3 or ".." in motion.parts or motion.is_absolute():
        raise _Wrong(f"feat_p {str(motion)!r}, expected a path within AMASS of three parts or more")
    duration = _number(entry, "dur")
    if not 0 <= duration <= _LONGEST_S:
        raise _Wrong(f"dur {duration:g}, expected seconds")
    about = _of_type(entry, "frame_ann", dict | None)
    if about is None:
        return UNANNOTATED
    segments = [_segment(segment) for segment in _of_type(about, "labels", list)]
    n_frames = int(FPS * duration)
    named = np.array([_frames(segments, n_frames, name) for name in CLASSES[subset]])
    annotated = _frames(segments, n_frames, None)
    if annotated.sum() > MOST_LABELLED:
        return TOO_LONG
    if not named.any():
        return NO_CLASS
    labels = np.where(named.any(axis=0), named.argmax(axis=0), len(named)).astype(np.int32)
    stop = np.flatnonzero(annotated)[-1] + 1
    return Labelled(
        id=str(sid),
        motion=motion,
        labels=labels[annotated] if close_gaps else labels[:stop],
        has_gap=not annotated[:stop].all(),
        n_several=int((named.sum(axis=0) > 1).sum()),
    )


@dataclass(frozen=True)
class _Segment:
    names: Sequence[str]
    start_s: float
    stop_s: float


def _segment(given: Any) -> _Segment:
    names = _of_type(given, "act_cat", list | None)
    if names is None:  # nobody put what was said into a category: as if it were not there
        return _Segment((), 0.0, 0.0)
    if not all(isinstance(name, str) for name in names):
        raise _Wrong(f"act_cat {names!r:.60}, expected names")
    return _Segment(names, _number(given, "start_t"), _number(given, "end_t"))


def _frames(segments: Sequence[_Segment], n_frames: int, name: str | None) -> np.ndarray:
    """Frames in which a segment is in force; of those that name an action, if one is given."""
    times = np.arange(n_frames) / FPS
    found = np.zeros(n_frames, dtype=bool)
    for segment in segments:
        if name is None or name in segment.names:
            found |= (segment.start_s <= times) & (times < segment.stop_s)
    return found


def _of_type(entry: Any, key: str, kind: Any) -> Any:
    if not isinstance(entry, dict) or key not in entry:
        raise _Wrong(f"no {key!r} in it")
    value = entry[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _Wrong(f"{key} is {value!r:.60}, expected {getattr(kind, '__name__', kind)}")
    return value


def _number(entry: Any, key: str) -> float:
    value = _of_type(entry, key, int | float)
    try:
        value = float(value)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise _Wrong(f"{key} is {value}, expected seconds")
    return value
