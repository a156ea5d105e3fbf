"""Labels files of PKU-MMD: one action a line, from which frame to which; and one label a frame."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.number_table import unix_text
from histvq.io.parts.packed import AGAIN, read_packed
from histvq.io.parts.reader import head

ACTIONS = (
    "background", "bow", "brushing hair", "brushing teeth", "check time", "cheer up", "clapping",
    "cross hands in front", "drink water", "drop", "eat meal", "falling",
    "giving something to other person", "hand waving", "handshaking", "hopping",
    "hugging other person", "jump up", "kicking other person", "kicking something",
    "make a phone call", "pat on back of other person", "pickup", "playing with phone",
    "point finger at the other person", "pointing to something", "punching other person",
    "pushing other person", "put on a hat", "put something inside pocket", "reading",
    "rub two hands together", "salute", "sitting down", "standing up", "take off a hat",
    "take off glasses", "take off jacket", "take out something from pocket", "taking a selfie",
    "tear up paper", "throw", "touch back", "touch chest", "touch head", "touch neck",
    "typing on a keyboard", "use a fan", "wear jacket", "wear on glasses", "wipe face", "writing",
)  # fmt: skip
BACKGROUND = 0
NOT_IN_VERSION_2 = (12, 14, 16, 18, 21, 24, 26, 27, 29, 38)


@dataclass(frozen=True)
class Action:
    """One line of a labels file; `stop` is the first frame that is not its own."""

    code: int
    start: int
    stop: int


def find_labels(recording: Path, folder: Path | None = None) -> Path | None:
    """The labels file of a recording, which has the same name.

    It is looked for anywhere in `folder`; or else in the folders called after labels that lie beside
    the recording's own folder, or up to two steps above, as `Label_PKUMMD_v2/Train_Label_PKU_final`.
    """
    found = _candidates(recording, folder)
    return next((file for file in found if file.is_file() and is_labels_file(file)), None)


def is_labels_file(path: Path) -> bool:
    """Whether it has commas, as labels have, or nothing at all; skeletons have blanks."""
    start = head(path)
    return b"," in start or not start.strip()


def read_actions(path: Path) -> list[Action]:
    """The actions of a labels file, in the order of its lines.

    Where an action ends before it starts, the two are swapped, with a warning.

    Raises:
        FileFormatError: If a line is not `action, start, end[, confidence]`.
    """
    text = unix_text(read_packed(path), path=path).decode("utf-8", "replace")
    actions, swapped, strange = [], [], {}
    for number, line in enumerate(text.split("\n"), start=1):
        cells = [cell.strip() for cell in line.strip().rstrip(",").split(",")]
        if not all(cell.isdecimal() and len(cell) < 10 for cell in cells) or len(cells) not in (
            3,
            4,
        ):
            raise FileFormatError(
                f"{path}, line {number}: {line[:60]!r}; expected whole numbers: action, start frame, "
                f"end frame and, it may be, confidence, with commas between. {AGAIN}"
            )
        code, start, stop = map(int, cells[:3])
        if not 1 <= code < len(ACTIONS):
            raise FileFormatError(
                f"{path}, line {number}: action {code}, expected 1 to {len(ACTIONS) - 1}. Put it right"
            )
        if code in NOT_IN_VERSION_2:
            strange[code] = ACTIONS[code]
        if start > stop:
            swapped.append(number)
        actions.append(Action(code, min(start, stop), max(start, stop)))
    if swapped:
        _warn(
            path,
            f"{len(swapped)} actions end before they start, first in line {swapped[0]}: swapped",
        )
    if strange:
        names = ", ".join(f"{code} {name}" for code, name in sorted(strange.items()))
        _warn(path, f"actions that version 2 does not have: {names}. Is it a file of version 1?")
    return actions


def paint(actions: list[Action], n_frames: int, *, path: Path) -> tuple[np.ndarray, int]:
    """One label a frame, an index into `ACTIONS`; and how many frames have several actions.

    Actions are painted over the background in the order they start (those that start together in the
    order of the file), so a later one covers an earlier one. What lies outside is cut, with a warning.
    """
    labels = np.full(n_frames, BACKGROUND, np.int32)
    layers = np.zeros(n_frames, np.int32)
    for action in sorted(actions, key=lambda action: action.start):
        labels[action.start : action.stop] = action.code
        layers[action.start : action.stop] += 1
    outside = sum(action.stop > n_frames for action in actions)
    if outside:
        last = max(action.stop for action in actions)
        _warn(
            path,
            f"{outside} actions end after the last of {n_frames} frames, at most at {last}: cut",
        )
    if empty := sum(action.start == action.stop for action in actions):
        _warn(path, f"{empty} actions end where they start: they have no frame")
    return labels, int((layers > 1).sum())


def _candidates(recording: Path, folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder / recording.name
        yield from sorted(folder.rglob(recording.name))
        return
    for above in recording.absolute().parents[:3]:
        for near in (sub for sub in _folders(above) if "label" in sub.name.lower()):
            yield near / recording.name
            yield from sorted(near.glob(f"*/{recording.name}"))


def _folders(path: Path) -> list[Path]:
    try:
        return sorted(sub for sub in path.iterdir() if sub.is_dir())
    except OSError:
        return []


def _warn(path: Path, words: str) -> None:
    warnings.warn(f"{path.name} (labels): {words}", DataWarning, stacklevel=4)
