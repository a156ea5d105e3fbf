"""Rows of a table as frames: one row a frame, or one row a frame and joint."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from histvq.errors import FileFormatError
from histvq.io.tables.cells import Cells
from histvq.io.tables.columns import Plan

# A table with more empty places than this many a row is most likely not what it was taken for.
MOST_PLACES_A_ROW = 50


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Motion frame by frame, with what the table says beside it.

    Attributes:
        skeleton: float32 (frame, joint, channel).
        joints: Names.
        persons: Index of the person of each joint, where there are several.
        person: Name of the person, where there is one.
        numbers: Integer (frame,): frame numbers, where the table has them.
        times: float64 (frame,), where the table has them.
        labels: Text (frame,), where the table has it.
        lines: Integer (frame,): line of the file, of a long table the frame's first.
        notes: What was done.
    """

    skeleton: np.ndarray
    joints: tuple[str, ...]
    persons: tuple[int, ...] | None = None
    person: str | None = None
    numbers: np.ndarray | None = None
    times: np.ndarray | None = None
    labels: np.ndarray | None = None
    lines: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def steps(self) -> np.ndarray:
        """Integer (frame - 1,): how many frames on the next row is; 1 unless some are left out.

        Numbers that go up alike throughout, as 0, 5, 10, leave nothing out.
        """
        steps = np.diff(self.numbers if self.numbers is not None else np.arange(len(self.lines)))
        return np.ones_like(steps) if len(steps) and (steps == steps[0]).all() else steps


def wide(cells: Cells, plan: Plan, times: np.ndarray | None, *, path: Path) -> Frames:
    """Frames of a table with one row a frame.

    Raises:
        FileFormatError: If frame numbers are no whole numbers, or do not go up; if there are rows
            of several persons.
    """
    numbers = None if plan.frame is None else _whole(cells, plan.frame, path)
    if numbers is not None and (wrong := np.flatnonzero(np.diff(numbers) <= 0)).size:
        at = int(wrong[0]) + 1
        kind = "a second time" if numbers[at] in numbers[:at] else f"after {numbers[at - 1]}"
        raise FileFormatError(
            f"{path}, line {cells.lines[at]}: frame {numbers[at]} {kind}; expected one row a frame, "
            "in order. Mend the rows; parts of several recordings belong into files of their own"
        )
    persons = [] if plan.person is None else _names(cells.texts[plan.person])[1]
    if len(persons) > 1:
        raise FileFormatError(
            f"{path}: rows of {len(persons)} persons ({', '.join(persons[:5])}), one row a frame. "
            "Write a file for each, or a long table with a column `joint`"
        )
    return Frames(
        skeleton=cells.motion.reshape(len(cells.lines), len(plan.joints), len(plan.channels)),
        joints=plan.joints,
        person=persons[0] if persons and persons[0] else None,
        numbers=numbers,
        times=times,
        labels=None if plan.label is None else cells.texts[plan.label],
        lines=cells.lines,
    )


def long(cells: Cells, plan: Plan, times: np.ndarray | None, *, path: Path) -> Frames:
    """Frames of a table with one row a frame and joint, which may stand in any order.

    Frames are told apart by number, or by time where there is none. A joint without a row in some
    frame is missing there. Joints of several persons stand side by side, named `person/joint`.

    Raises:
        FileFormatError: If a frame and joint has two rows, or two labels, or if names of joints are
            so many that the column must hold something else.
    """
    assert plan.joint is not None
    joint, names = _names(cells.texts[plan.joint])
    persons: tuple[int, ...] | None = None
    person = None
    if plan.person is not None:
        who, people = _names(cells.texts[plan.person])
        person = people[0] if len(people) == 1 else None
        if len(people) > 1:
            pairs, joint = np.unique(who * len(names) + joint, return_inverse=True)
            persons = tuple((pairs // len(names)).tolist())
            names = [f"{people[p // len(names)]}/{names[p % len(names)]}" for p in pairs.tolist()]
    numbers = None if plan.frame is None else _whole(cells, plan.frame, path)
    keys = times if numbers is None else numbers
    assert keys is not None
    values, first, frame = np.unique(keys, return_index=True, return_inverse=True)
    n_frames, n_joints = len(values), len(names)
    if n_frames * n_joints > MOST_PLACES_A_ROW * len(joint) + 1000:
        raise FileFormatError(
            f"{path}: {n_joints} names of joints in {n_frames} frames, but {len(joint)} rows. Is "
            "the column of the joint's name the right one? `joint_column:` in table.yaml names it"
        )

    def named(place: int) -> str:
        return f"frame {values[place // n_joints]:g} of {names[place % n_joints]!r}"

    _check_once(frame * n_joints + joint, cells.lines, path, named)
    skeleton = np.full((n_frames, n_joints, len(plan.channels)), np.nan, np.float32)
    skeleton[frame, joint] = cells.motion
    empty = n_frames * n_joints - len(joint)
    return Frames(
        skeleton=skeleton,
        joints=tuple(names),
        persons=persons,
        person=person,
        numbers=None if numbers is None else values,
        times=None if times is None else times[first],
        labels=None if plan.label is None else _one_label(cells, plan.label, frame, first, path),
        lines=cells.lines[first],
        notes=(f"{empty} times a joint has no row in a frame, and is missing",) if empty else (),
    )


def _whole(cells: Cells, place: int, path: Path) -> np.ndarray:
    """Frame numbers as integers."""
    numbers = cells.numbers[place]
    wrong = np.flatnonzero(~((numbers == np.rint(numbers)) & (np.abs(numbers) < 2**53)))
    if len(wrong):
        raise FileFormatError(
            f"{path}, line {cells.lines[wrong[0]]}: frame number {numbers[wrong[0]]:g}, expected a "
            "whole number. If the column holds something else, list it under `ignore:` in "
            "table.yaml"
        )
    return numbers.astype(np.int64)


def _names(texts: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Each row's index into the names, and the names in order of appearance."""
    codes, raw = pd.factorize(texts)
    bare = [str(name).strip() for name in raw]
    names = list(dict.fromkeys(bare))
    index = {name: place for place, name in enumerate(names)}
    again = np.array([index[name] for name in bare], dtype=np.int64)
    return again[codes], names


def _check_once(
    places: np.ndarray, lines: np.ndarray, path: Path, named: Callable[[int], str]
) -> None:
    order = np.argsort(places, kind="stable")
    twice = order[1:][np.diff(places[order]) == 0]
    if len(twice):
        at = int(twice.min())
        before = int(np.flatnonzero(places == places[at])[0])
        raise FileFormatError(
            f"{path}, line {lines[at]}: {named(int(places[at]))} a second time, after line "
            f"{lines[before]}; expected one row a frame and joint"
        )


def _one_label(
    cells: Cells, place: int, frame: np.ndarray, first: np.ndarray, path: Path
) -> np.ndarray:
    """The label of each frame, which all its rows must share."""
    labels = cells.texts[place]
    codes, _ = pd.factorize(labels)
    wrong = np.flatnonzero(codes != codes[first][frame])
    if len(wrong):
        at, other = int(wrong[0]), int(first[frame[wrong[0]]])
        raise FileFormatError(
            f"{path}, line {cells.lines[at]}: label {labels[at]!r}, but line {cells.lines[other]} "
            f"of the same frame has {labels[other]!r}; expected one label a frame"
        )
    return labels[first]
