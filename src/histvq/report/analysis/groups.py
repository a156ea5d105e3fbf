"""Groups of recordings side by side: how much of each action, how long, and what follows what."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from histvq.report.analysis.spans import segments_of
from histvq.report.analysis.transitions import TRANSITION_COLUMNS, transitions
from histvq.segments import Segmentation, names_of, segment_name

if TYPE_CHECKING:
    import pandas as pd


USAGE_COLUMNS = [
    "group", "action", "name", "n_recordings", "n_people", "share_mean", "share_sd",
]  # fmt: skip
DURATION_COLUMNS = [
    "group", "action", "name", "n_segments", "total_s", "mean_s", "sd_s", "q25_s", "median_s", "q75_s",
]  # fmt: skip
GROUP_TRANSITION_COLUMNS = ["group", *TRANSITION_COLUMNS]


def by_group(
    answers: Sequence[Segmentation], groups: Mapping[str, str]
) -> "dict[str, pd.DataFrame]":
    """Tables with a row for every group and action, whether the action occurs there or not.

    `usage`: of each recording's labelled time the share that is this action: mean and standard deviation
    over the group's recordings, 0 in a recording without the action. Recordings without any label
    have no shares and are not counted.

    `durations`: seconds of the segments, all of a group's together; a segment that a recording's end
    cuts off counts as it is. Of no segments there are 0, of 0 s in all, and no median.

    `transitions`: as `transitions` for each group, with a row for every pair that occurs in any.

    A statistic of too few values to have one is NaN. Standard deviations are the sample's (n - 1).

    Args:
        answers: Of one method. Every action that occurs in any of them, or has a name, has its rows.
        groups: Recording -> its group. Recordings that are not in it are left out.
    """
    import pandas as pd

    names = names_of(answers)
    codes = sorted({*segments_of(answers).action.tolist(), *names})
    named = [(code, names.get(code, segment_name("action", code))) for code in codes]
    members: dict[str, list[Segmentation]] = {}
    for answer in answers:
        if answer.recording_id in groups:
            members.setdefault(groups[answer.recording_id], []).append(answer)
    usage, durations = (
        [
            (group, code, name, *row)
            for group in sorted(members)
            for (code, name), row in zip(named, rows(members[group], codes), strict=True)
        ]
        for rows in (_usage, _durations)
    )
    return {
        "usage": pd.DataFrame(usage, columns=USAGE_COLUMNS),
        "durations": pd.DataFrame(durations, columns=DURATION_COLUMNS),
        "transitions": _transitions(members),
    }


def _usage(answers: Sequence[Segmentation], codes: Sequence[int]) -> list[tuple[object, ...]]:
    segments = segments_of(answers)
    seconds = np.zeros((len(answers), len(codes)))
    places = (segments.recording, np.searchsorted(codes, segments.action))
    np.add.at(seconds, places, segments.seconds)
    labelled = np.flatnonzero(seconds.sum(axis=1))
    people = {answers[place].person for place in labelled.tolist()} - {None}
    shares = seconds[labelled] / seconds[labelled].sum(axis=1, keepdims=True)
    return [(len(labelled), len(people), _mean(column), _deviation(column)) for column in shares.T]


def _durations(answers: Sequence[Segmentation], codes: Sequence[int]) -> list[tuple[object, ...]]:
    segments = segments_of(answers)
    rows = []
    for code in codes:
        seconds = segments.seconds[segments.action == code]
        quartiles = np.quantile(seconds, [0.25, 0.5, 0.75]) if len(seconds) else [np.nan] * 3
        mean, deviation = _mean(seconds), _deviation(seconds)
        rows.append((len(seconds), float(seconds.sum()), mean, deviation, *quartiles))
    return rows


def _transitions(members: Mapping[str, Sequence[Segmentation]]) -> "pd.DataFrame":
    import pandas as pd

    keys = ["action", "next"]
    tables = {group: transitions(members[group]) for group in sorted(members)}
    if not tables:
        return pd.DataFrame(columns=GROUP_TRANSITION_COLUMNS)
    pairs = (
        pd.concat([table[keys] for table in tables.values()]).drop_duplicates().sort_values(keys)
    )
    filled = [
        pairs.merge(table, how="left", on=keys).fillna(0).assign(group=group)
        for group, table in tables.items()
    ]
    return pd.concat(filled, ignore_index=True).astype({"count": int})[GROUP_TRANSITION_COLUMNS]


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
