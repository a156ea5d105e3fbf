"""Names of actions, one a frame, as an annotation."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from histvq.annotation import Annotation
from histvq.recording import Recording


def annotation_of(
    recording: Recording, names: np.ndarray | None, *, missing: Collection[str] = ()
) -> Annotation | None:
    """Labels of a recording from the name of each frame's action.

    Actions come in order of name, whole numbers before words and in order of size. Nothing is said
    of a frame whose name is empty, NaN or one of `missing`; names as `none` and `background` are
    actions like others.

    Args:
        recording: The one they belong to.
        names: Text (frame,), or None.
        missing: What else stands for no name.

    Returns:
        None if no frame has a name.
    """
    if names is None:
        return None
    codes, raw = pd.factorize(names)
    nothing = {"", "nan", "NaN", *missing}
    bare = [str(name).strip() for name in raw]
    actions = sorted({name for name in bare if name not in nothing}, key=_in_order)
    if not actions:
        return None
    index = {name: place for place, name in enumerate(actions)} | dict.fromkeys(nothing, -1)
    return Annotation(
        recording_id=recording.id,
        labels=np.array([index[name] for name in bare], np.int32)[codes],
        actions=tuple(actions),
        fps=recording.fps,
    )


def _in_order(name: str) -> tuple[bool, int, str]:
    whole = name.isascii() and name.isdecimal() and len(name) < 20
    return (not whole, int(name) if whole else 0, name)
