"""Answers and annotations brought together, recording by recording."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.segments import LEVELS, Segmentation, names_of
from histvq.transforms import labels_at

Answer = Segmentation | np.ndarray


def in_step(answers: Sequence[Answer], annotations: Sequence[Annotation]) -> list[Annotation]:
    """The annotations with one label for each frame of the answers, where their rates differ.

    See `histvq.transforms.labels_at`; an annotation stays as it is where that does not apply.
    """
    found = {answer.recording_id: answer for answer in answers if isinstance(answer, Segmentation)}
    brought = []
    for annotation in annotations:
        answer = found.get(annotation.recording_id)
        if answer is not None and answer.n_frames != annotation.n_frames:
            labels = labels_at(
                annotation.labels, annotation.fps, n_frames=answer.n_frames, fps=answer.fps
            )
            if labels is not None:
                annotation = replace(annotation, labels=labels, fps=answer.fps)
        brought.append(annotation)
    return brought


def align(
    answers: Sequence[Answer], annotations: Sequence[Annotation], *, level: str = "action"
) -> dict[str, np.ndarray]:
    """Labels of each answer by recording, in the order of the annotations.

    Args:
        answers: `Segmentation`s, found by id, or plain integer arrays, taken in order.
        annotations: What there should be an answer to.
        level: Which labels of a `Segmentation`, `action` or `subaction`.

    Raises:
        ConfigError: If a recording is missing, left over or there twice, or labels don't fit.
    """
    if level not in LEVELS:
        raise ConfigError(f"level is {level!r}; it can be {' or '.join(map(repr, LEVELS))}")
    ids = [annotation.recording_id for annotation in annotations]
    _refuse_twice(ids, "annotations")
    by_id = [answer for answer in answers if isinstance(answer, Segmentation)]
    if by_id and len(by_id) < len(answers):
        raise ConfigError("some answers are Segmentations, others plain arrays; give one kind")
    if by_id:
        _refuse_twice([answer.recording_id for answer in by_id], "answers")
        found = {answer.recording_id: answer for answer in by_id}
        _same_recordings(found.keys(), ids)
        labels = {id_: _labels_of(found[id_], level) for id_ in ids}
    elif len(answers) != len(ids):
        raise ConfigError(f"{len(answers)} answers for {len(ids)} annotations; give one for each")
    else:
        labels = {id_: np.asarray(answer) for id_, answer in zip(ids, answers, strict=True)}
    _check_labels(labels, annotations, {answer.recording_id: answer.fps for answer in by_id})
    return {id_: _signed(answer) for id_, answer in labels.items()}


def _signed(labels: np.ndarray) -> np.ndarray:
    """Labels as they are where they can hold -1 and any code; of thousands each copy takes room."""
    return labels if labels.dtype in (np.int32, np.int64) else labels.astype(np.int64)


def code_names(answers: Sequence[Answer], level: str = "action") -> dict[int, str]:
    """What the codes of all answers stand for; empty where they are clusters nobody named.

    Raises:
        ConfigError: If answers give one code two names, or only some have names.
    """
    named = [names_of([answer], level) for answer in answers if isinstance(answer, Segmentation)]
    together: dict[int, str] = {}
    for names in named:
        for code, name in names.items():
            if together.setdefault(code, name) != name:
                raise ConfigError(
                    f"code {code} is {together[code]!r} in one answer and {name!r} in another; score "
                    "the answers of one model at a time"
                )
    if together and not all(named):
        raise ConfigError(
            "some answers name their actions, others don't; score the answers of one model at a time"
        )
    return together


def common_actions(annotations: Sequence[Annotation]) -> tuple[str, ...]:
    """The action names all annotations share.

    Raises:
        ConfigError: If there are no annotations, or their names differ.
    """
    if not annotations:
        raise ConfigError("no annotations: nothing to score against")
    first = annotations[0]
    for other in annotations:
        if other.actions != first.actions:
            raise ConfigError(
                f"annotations of {first.recording_id!r} and {other.recording_id!r} have different "
                f"actions, {list(first.actions)} and {list(other.actions)}; number all recordings' "
                "labels by one list of actions"
            )
    return first.actions


def _labels_of(answer: Segmentation, level: str) -> np.ndarray:
    labels = answer.labels(level)
    if labels is None:
        raise ConfigError(
            f"the answer for {answer.recording_id!r} has no {level}s: its method works on one "
            "level; score level='action'"
        )
    return np.asarray(labels)


def _refuse_twice(ids: Sequence[str], what: str) -> None:
    twice = [id_ for id_, count in Counter(ids).items() if count > 1]
    if twice:
        raise ConfigError(f"{what} hold these recordings more than once: {_some(twice)}")


def _same_recordings(answered: Collection[str], annotated: Sequence[str]) -> None:
    answered_ids = set(answered)
    faults = {
        "no answer for": set(annotated) - answered_ids,
        "no annotation for": answered_ids - set(annotated),
    }
    if any(faults.values()):
        raise ConfigError(
            "answers and annotations are of different recordings: "
            + "; ".join(f"{what} {_some(sorted(ids))}" for what, ids in faults.items() if ids)
        )


def _check_labels(
    labels: dict[str, np.ndarray], annotations: Sequence[Annotation], rates: dict[str, float]
) -> None:
    faults = []
    for annotation in annotations:
        id_, answer = annotation.recording_id, labels[annotation.recording_id]
        if answer.ndim != 1 or not np.issubdtype(answer.dtype, np.integer):
            faults.append(
                f"{id_!r}: answer of shape {answer.shape} and type {answer.dtype}, expected one "
                "integer a frame"
            )
        elif len(answer) != annotation.n_frames:
            faults.append(
                f"{id_!r}: answer of {len(answer)} frames{_lasting(len(answer), rates.get(id_))}, "
                f"annotation of {annotation.n_frames}"
                f"{_lasting(annotation.n_frames, annotation.fps)}; give labels of the whole recording, "
                "and the rate they were made at"
            )
        elif len(answer) and answer.min() < -1:
            faults.append(f"{id_!r}: code {answer.min()}; codes start at 0, -1 is no answer")
    if faults:
        raise ConfigError(f"answers do not fit the annotations: {_some(faults, mark=False)}")


def _lasting(n_frames: int, fps: float | None) -> str:
    return "" if fps is None else f" at {fps:g} fps ({n_frames / fps:.1f} s)"


def _some(items: Sequence[str], *, mark: bool = True) -> str:
    """The first five items and how many more there are."""
    shown = ", ".join(map(repr, items[:5])) if mark else "; ".join(items[:5])
    return shown + (f" and {len(items) - 5} more" if len(items) > 5 else "")
