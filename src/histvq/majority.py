"""Which recordings of many cannot be learned from together with most of the others."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from histvq.errors import ConfigError, DataWarning
from histvq.inputs import alike, check_frames, layout_of
from histvq.recording import Recording

# So many of the recordings must fit together, or it is not for us to say which are the odd ones.
MOST = 2 / 3


def odd_ones(
    recordings: Sequence[Recording], change: Callable[[Recording], Recording] | None = None
) -> dict[int, str]:
    """Why some recordings cannot be learned from together with most of the others, by their places.

    What `inputs.checked` refuses altogether is told apart, where at least `MOST` of the recordings fit
    together.

    Args:
        recordings: To learn from.
        change: What is done to each before; one that it fails for is odd as well.

    Raises:
        ConfigError: If fewer than `MOST` fit together; says what is wrong with the first that does not.
    """
    faults: dict[int, str] = {}
    empty: dict[int, Recording] = {}
    for place, recording in enumerate(recordings):
        try:
            changed = recording if change is None else change(recording)
            check_frames(changed)
        except ConfigError as error:
            faults[place] = str(error)
        except MemoryError:
            faults[place] = f"recording {recording.id!r}: too little memory to change it"
        else:
            empty[place] = replace(changed, skeleton=changed.skeleton[:0])
    faults |= _misfits(empty)
    if len(recordings) - len(faults) < MOST * len(recordings):
        raise ConfigError(faults[min(faults)])
    return dict(sorted(faults.items()))


def _misfits(recordings: Mapping[int, Recording]) -> dict[int, str]:
    """Why recordings do not fit the most that fit together, by their places."""
    kinds: dict[object, list[int]] = {}
    for place, recording in recordings.items():
        kinds.setdefault(repr(layout_of(recording)), []).append(place)
    examples = [recordings[places[0]] for places in kinds.values()]
    sizes = [len(places) for places in kinds.values()]

    def n_fitting(fullest: Recording) -> tuple[int, int]:
        fitting = [not _misfit(example, fullest) for example in examples]
        return int(np.dot(fitting, sizes)), len(fullest.joint_names)

    if len(examples) < 2:
        return {}
    fullest = max(examples, key=n_fitting)
    found = {place: _misfit(recording, fullest) for place, recording in recordings.items()}
    return {place: words for place, words in found.items() if words}


def _misfit(recording: Recording, fullest: Recording) -> str:
    """Why a recording cannot be made like the one with the most joints; nothing where it can."""
    n_joints, most = len(recording.joint_names), len(fullest.joint_names)
    if n_joints > most:
        return (
            f"recording {recording.id!r} has {n_joints} joints, most others have {most} at most. Read "
            "it apart, or choose joints that all have (--transform select=...)"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            alike(recording, layout_of(fullest))
    except ConfigError as error:
        return str(error)
    return ""
