"""Annotations in step with recordings: by name, at the network's rate."""

from collections.abc import Sequence

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.recording import Recording

SHOWN = 10


def paired(
    recordings: Sequence[Recording], annotations: Sequence[Annotation | None]
) -> tuple[list[Recording], list[Annotation]]:
    """The recordings that have a labelled frame, and their annotations in step with them.

    Raises:
        ConfigError: If an annotation is of no recording, or has another number of frames, or nothing
            is labelled at all.
    """
    given = {a.recording_id: a for a in annotations if a is not None}
    known = {recording.id: recording.n_frames for recording in recordings}
    faults = [f"{id_!r}: labels, but no such recording" for id_ in given if id_ not in known]
    faults += [
        f"{id_!r}: {a.n_frames} labels for {known[id_]} frames"
        for id_, a in given.items()
        if id_ in known and a.n_frames != known[id_]
    ]
    if faults:
        more = f" and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise ConfigError(
            f"labels do not fit the recordings: {'; '.join(faults[:SHOWN])}{more}. Give one label a "
            "frame of each recording, at the recording's own rate"
        )
    kept = [r for r in recordings if r.id in given and (given[r.id].labels >= 0).any()]
    if not kept:
        raise ConfigError(
            f"none of the {len(recordings)} recordings has a label: a supervised method learns from "
            "labels; give them, or take an unsupervised method"
        )
    return kept, [given[recording.id] for recording in kept]


def by_name(annotations: Sequence[Annotation]) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """Names of the actions that occur, and each recording's labels as indices of them, -1 for none.

    Annotations may list their actions in another order, or other ones: a name is what counts.
    """
    occurring = {name for a in annotations for name in _names(a)}
    listed = dict.fromkeys(name for a in annotations for name in a.actions)
    actions = tuple(name for name in listed if name in occurring)
    index = {name: place for place, name in enumerate(actions)}
    return actions, [
        np.array([*(index.get(name, -1) for name in a.actions), -1], np.int32)[a.labels]
        for a in annotations
    ]


def _names(annotation: Annotation) -> list[str]:
    return [annotation.actions[label] for label in np.unique(annotation.labels) if label >= 0]
