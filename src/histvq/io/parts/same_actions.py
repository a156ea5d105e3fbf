"""Labels of several files by one list of actions."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from histvq.annotation import Annotation

Labels = Sequence[Annotation | None]


def with_the_same_actions(found: Labels) -> list[Annotation | None]:
    """The same labels by one list of actions: those of all files, in the order they are met.

    Files that name what occurs in them have lists of their own; a name is what counts. Where all have
    one list already, they are given back as they are.
    """
    lists = dict.fromkeys(a.actions for a in found if a is not None)
    if len(lists) <= 1:
        return list(found)
    actions = tuple(dict.fromkeys(name for listed in lists for name in listed))
    place = {name: index for index, name in enumerate(actions)}
    numbers = {
        listed: np.array([*map(place.__getitem__, listed), -1], np.int32) for listed in lists
    }
    return [
        a and replace(a, actions=actions, labels=numbers[a.actions][a.labels])  # -1 stays -1
        for a in found
    ]
