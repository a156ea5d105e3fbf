"""Answers + annotations -> matching -> every score."""

import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.metrics import METRICS, PAPER_METRICS, LabelPairs, match_codes, translate
from histvq.metrics.answers import Answer, align, code_names, common_actions, in_step
from histvq.metrics.scores import MATCHING_IN_WORDS, Scores
from histvq.registry import resolve
from histvq.segments import Segmentation, names_of

if TYPE_CHECKING:
    import pandas as pd

Matching = Literal["auto", "global", "recording"] | None
Metric = Callable[[LabelPairs], float]

__all__ = [
    "Answer",
    "Matching",
    "Metric",
    "Scores",
    "confusion",
    "evaluate",
    "find_metric",
    "matched_labels",
    "usual_matching",
]


def evaluate(
    answers: Sequence[Answer],
    annotations: Sequence[Annotation],
    *,
    matching: Matching = "auto",
    level: str = "action",
    metrics: Sequence[str] | None = None,
    activities: Mapping[str, str] | None = None,
) -> Scores:
    """Score a method's answers against the truth.

    Frames nobody labelled are left out of matching and scores; frames without an answer are wrong.
    Every frame of an answer is scored: labels at another rate are those in force at its time.

    Source: the protocol of HiST-VQ section 4, evaluation metrics, is `matching="global"`.

    Args:
        answers: One a recording: a `Segmentation`, found by its recording's id, or a plain
            integer array, taken to be in the order of the annotations.
        annotations: The truth, in any order where answers carry an id.
        matching: `global`: one Hungarian matching over all recordings. `recording`: one for
            each recording ("local" in the literature). None: codes stand for the actions of their
            names, or, where they have none, are indices of the actions. `auto`: see `usual_matching`.
        level: Which labels of a `Segmentation` to score, `action` or `subaction`.
        metrics: Names out of `METRICS`, or `module:function`. Default: those of the paper.
        activities: Recording -> activity, for JSD. Default: one activity.

    Raises:
        ConfigError: If answers and annotations don't fit each other, or nothing is labelled, or names
            count and none of them is that of an action; if there is no such metric, or one of your own
            gives no finite number.
    """
    if matching not in (*MATCHING_IN_WORDS, "auto"):
        raise ConfigError(
            f"matching is {matching!r}; it can be 'auto', 'global', 'recording' or None"
        )
    names = code_names(answers, level)
    if matching == "auto":
        matching = usual_matching(answers, common_actions(annotations), level=level)
    functions = {name: find_metric(name) for name in metrics or PAPER_METRICS}
    actions = common_actions(annotations)
    given, annotations = annotations, in_step(answers, annotations)
    predicted = align(answers, annotations, level=level)
    true = [annotation.labels for annotation in annotations]
    matches = _match(predicted, true, matching=matching, actions=actions, names=names)
    pairs = LabelPairs.build(
        _translated(predicted, matches, matching=matching),
        true,
        recordings=list(predicted),
        activities=_activity_of_each(list(predicted), activities),
    )
    if not pairs.n_frames:
        raise ConfigError(f"no frame of the {len(true)} annotations is labelled: nothing to score")
    return Scores(
        values={name: _value(name, function, pairs) for name, function in functions.items()},
        protocol={
            "matching": MATCHING_IN_WORDS[matching],
            "level": level,
            **_code_counts(matches, matching=matching, n_actions=len(actions)),
            **_strangers(names if matching is None else {}, actions),
            **_frame_counts(pairs, annotations),
            **_brought(given, annotations),
        },
        actions=actions,
        matches=matches,
        pairs=pairs,
    )


def find_metric(name: str) -> Metric:
    """The score of that name, or `module:function` of your own.

    Raises:
        ConfigError: If there is none.
    """
    found: Metric = resolve(name, METRICS, kind="metric")
    if not callable(found):
        raise ConfigError(
            f"metric {name!r} is of the type {type(found).__name__}; name a function from LabelPairs to "
            "a number"
        )
    return found


def _value(name: str, function: Metric, pairs: LabelPairs) -> float:
    value = function(pairs)
    if not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise ConfigError(
            f"metric {name!r} gives {value!r}; a score is one finite number. Let it give 0 where nothing "
            "can be scored"
        )
    return float(value)


def usual_matching(
    answers: Sequence[Answer], actions: Sequence[str], *, level: str = "action"
) -> Literal["global"] | None:
    """How codes meet actions unless someone says otherwise.

    None, names with names, where the method knows what its actions are called. Names a person gave to
    clusters count only where every code that occurs has the name of an action; else `global`.
    """
    names = code_names(answers, level)
    given = [answer for answer in answers if isinstance(answer, Segmentation)]
    if not names:
        return "global"
    if names_of([answer.predicted or answer for answer in given], level):
        return None
    labels = [answer.labels(level) for answer in given]
    codes = {code for found in labels if found is not None for code in np.unique(found).tolist()}
    return None if {names.get(code) for code in codes - {-1}} <= {*actions} else "global"


def matched_labels(
    answers: Sequence[Answer], annotations: Sequence[Annotation], scores: Scores
) -> dict[str, np.ndarray]:
    """Answers in the numbers of the true actions, to draw beside the truth.

    Returns:
        Recording -> label a frame: an action's index; from `len(actions)` on for surplus codes,
        each its own; -1 for no answer. Frames without a true label are answered too.
    """
    annotations = in_step(answers, annotations)
    labels = align(answers, annotations, level=str(scores.protocol["level"]))
    return {id_: translate(codes, scores.matches[id_]) for id_, codes in labels.items()}


def confusion(scores: Scores) -> "pd.DataFrame":
    """Frames by true action (row) and matched action (column): see `Scores.confusion`."""
    return scores.confusion()


def _match(
    predicted: Mapping[str, np.ndarray],
    true: Sequence[np.ndarray],
    *,
    matching: Matching,
    actions: Sequence[str],
    names: Mapping[int, str],
) -> dict[str, dict[int, int]]:
    """Code -> label for each recording."""
    n_actions = len(actions)
    if matching == "recording":
        return {
            id_: match_codes(codes, labels, n_actions=n_actions)
            for (id_, codes), labels in zip(predicted.items(), true, strict=True)
        }
    codes = np.concatenate(list(predicted.values()))
    if matching is None:
        shared = _by_name(np.unique(codes[codes >= 0]).tolist(), names, actions)
    else:
        shared = match_codes(codes, np.concatenate(true), n_actions=n_actions)
    return dict.fromkeys(predicted, shared)


def _translated(
    predicted: Mapping[str, np.ndarray],
    matches: Mapping[str, Mapping[int, int]],
    *,
    matching: Matching,
) -> list[np.ndarray]:
    """Labels of all recordings' codes, in order; in one array where all are matched alike."""
    if matching == "recording":
        return [translate(codes, matches[id_]) for id_, codes in predicted.items()]
    return [translate(np.concatenate(list(predicted.values())), next(iter(matches.values())))]


def _by_name(
    codes: Sequence[int], names: Mapping[int, str], actions: Sequence[str]
) -> dict[int, int]:
    """Code -> index of the action it is named after; without names, the code itself.

    Codes of no action of these have labels of their own after them.

    Raises:
        ConfigError: If no name is that of an action.
    """
    if not names:
        return {code: code for code in codes}
    index = {name: place for place, name in enumerate(actions)}
    if not set(index) & set(names.values()):
        raise ConfigError(
            f"the answers' actions ({_some(names.values())}) and the labels' ({_some(actions)}) have no "
            "name in common: call them alike, or let codes be matched, as matching='global'"
        )
    return {code: index.get(names.get(code, ""), len(actions) + code) for code in codes}


def _strangers(names: Mapping[int, str], actions: Sequence[str]) -> dict[str, object]:
    """Names among the answers' that no true action has: not one of their frames can be right."""
    found = [name for name in names.values() if name not in actions]
    return {"names_no_label_has": ", ".join(found)} if found else {}


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:5]) + (" ..." if len(listed) > 5 else "")


def _code_counts(
    matches: Mapping[str, Mapping[int, int]], *, matching: Matching, n_actions: int
) -> dict[str, object]:
    """How many codes there were and how many found no action (over all recordings, if apart)."""
    apart = [*matches.values()] if matching == "recording" else [next(iter(matches.values()))]
    return {
        "n_codes": len({code for labels in matches.values() for code in labels}),
        "surplus_codes": sum(label >= n_actions for labels in apart for label in labels.values()),
    }


def _frame_counts(pairs: LabelPairs, annotations: Sequence[Annotation]) -> dict[str, object]:
    """What was scored, what was left out, and what a constant answer would score."""
    shares = np.bincount(pairs.true) / pairs.n_frames
    return {
        "n_recordings": pairs.n_recordings,
        "scored_frames": pairs.n_frames,
        "unlabelled_frames": sum(a.n_frames for a in annotations) - pairs.n_frames,
        "unanswered_frames": int((pairs.matched < 0).sum()),
        "fps": sorted({float(a.fps) for a in annotations}),
        "majority_action": annotations[0].actions[int(shares.argmax())],
        "majority_percent": round(100 * float(shares.max()), 2),
    }


def _brought(given: Sequence[Annotation], in_step: Sequence[Annotation]) -> dict[str, object]:
    """At which rates labels were made, where that is not the answers'."""
    rates = {
        float(before.fps)
        for before, after in zip(given, in_step, strict=True)
        if before.fps != after.fps
    }
    return {"labels_made_at_fps": sorted(rates)} if rates else {}


def _activity_of_each(ids: Sequence[str], activities: Mapping[str, str] | None) -> list[str]:
    if activities is None:
        return ["all"] * len(ids)
    missing = [id_ for id_ in ids if id_ not in activities]
    if missing:
        raise ConfigError(f"no activity given for {len(missing)} recordings, first {missing[0]!r}")
    return [activities[id_] for id_ in ids]
