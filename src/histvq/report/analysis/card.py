"""What there is to say of one action."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from histvq.report.analysis.choosing import Clip


@dataclass(frozen=True, eq=False)
class Card:
    """One action.

    Attributes:
        action: Its code.
        name: What it is called.
        clips: Typical ones, then borderline ones, then some by chance; none twice.
        durations_s: Seconds of each of its segments, by recording and time.
        seconds_in: Recording -> seconds of it, where there are any.
        seconds_of: Person -> seconds of it, of people known by name.
        distinctness: Mean silhouette of its segments in window statistics, -1 to 1; None where there is
            nothing to compare: no recordings, no other action, or one segment only.
        nearest: Code of the action whose middle is nearest to its own; None likewise.
        remark: What people should know before they give it a name, or why there are no clips.
    """

    action: int
    name: str
    clips: tuple[Clip, ...]
    durations_s: np.ndarray
    seconds_in: Mapping[str, float]
    seconds_of: Mapping[str, float]
    distinctness: float | None
    nearest: int | None
    remark: str
