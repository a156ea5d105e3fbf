"""What `run` and `fit` share: which method is meant, and what it learned."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typer import BadParameter

from histvq import console
from histvq.cli.common import How, read_files
from histvq.errors import ConfigError
from histvq.io.parts.settings import parsed
from histvq.methods import METHODS
from histvq.segmenter import AUTO
from histvq.supervised import SUPERVISED
from histvq.transforms import labels_at

if TYPE_CHECKING:
    from histvq.annotation import Annotation
    from histvq.io import Readings
    from histvq.recording import Recording
    from histvq.segments import Segmentation

# What is taken where neither a method nor a preset is named.
DEFAULT_PRESET = "best"
VALIDATED = {"mof": "MoF", "edit": "Edit", "f1@50": "F1@50"}


def method_of(
    name: str | None,
    preset: str | None,
    actions: "int | str | None",
    patch_seconds: float | None,
    seed: int,
    settings: list[str] | None,
    transforms: list[str] | None,
) -> Any:
    """The method named on the command line, with its settings and the transforms before it.

    Raises:
        ConfigError: If there is no such method or setting, or nobody says how many actions to find.
    """
    from histvq.models import make_method
    from histvq.prepared import prepared
    from histvq.presets import load_preset

    if name is None and preset is None:
        preset = DEFAULT_PRESET
    chosen = load_preset(preset).method if preset else None
    if name is None and chosen is not None and chosen.name not in {**METHODS, **SUPERVISED}:
        raise ConfigError(  # a file must not say what code runs
            f"preset {preset}: its method {chosen.name!r} is none of histvq's. If it is your own and you "
            f"trust it, name it here too: --method {chosen.name}"
        )
    name = name or (chosen.name if chosen else "histvq")
    if name in SUPERVISED and actions is not None:
        raise ConfigError(
            f"-k {actions}: {name} learns the actions that are labelled; leave -k out"
        )
    counted = chosen is not None and "n_actions" in (chosen.model_extra or {})
    if name in METHODS and actions is None and not counted:
        raise ConfigError("say how many actions to find, as -k 8, or -k auto")
    given = {"n_actions": actions, "patch_seconds": patch_seconds, "random_state": seed}
    params = {key: value for key, value in given.items() if value is not None}
    made = make_method(name, preset=preset, **{**params, **parsed(settings or [], flag="--set")})
    return prepared(made, transforms or [])


def action_count(text: str) -> int | str:
    """What stands after -k: a number from 1 on, or `auto`.

    Raises:
        BadParameter: If it is neither.
    """
    if text == AUTO or (text.isdecimal() and int(text) >= 1):
        return text if text == AUTO else int(text)
    raise BadParameter(f"{text!r} is neither a number from 1 on nor {AUTO}")


def tell_chosen(method: Any) -> None:
    """How many actions were found to be there, where nobody said how many to find."""
    if getattr(method, "n_actions", None) == AUTO:
        console.say(f"{method.n_actions_} actions; histvq choose-k says why")


def is_supervised(method: Any) -> bool:
    """Whether a method learns from labels."""
    from histvq.prepared import inner
    from histvq.supervised.learning import SupervisedEstimator

    return isinstance(inner(method), SupervisedEstimator)


def labels_for(
    readings: "Readings", labels: Path | None, *, label_fps: float | None = None
) -> "Sequence[Annotation | None]":
    """The labels of a table, of ELAN, BORIS or text files, or those the files brought along.

    Raises:
        ConfigError: If there is no table, and the files have none.
        FileFormatError: If the table is at fault.
    """
    from histvq.io.labels.reading import read_any_labels

    if labels is not None:
        _check_named(labels)
        found = read_any_labels(labels, readings.recordings, label_fps=label_fps)
        return [_in_step(a, r) for a, r in zip(found, readings.recordings, strict=True)]
    if label_fps is not None:
        raise ConfigError(
            "--label-fps is about text files of labels; name them, as --labels FOLDER"
        )
    if not any(a is not None for a in readings.annotations):
        raise ConfigError(
            "the files hold no labels to learn from; give a table of them, as --labels segments.csv"
        )
    return readings.annotations


def _check_named(labels: Path) -> None:
    """Raise ConfigError if the table in a run's folder has not the names in its `names.yaml`."""
    from histvq.report.names import FILE
    from histvq.report.run_folder import out_of_date, read_run

    if (labels / FILE).is_file() and out_of_date(read_run(labels)):
        raise ConfigError(
            f"{labels / FILE} was changed after segments.csv was written: histvq report {labels} brings "
            "the names into it"
        )


def truth_for(
    answers: "Sequence[Segmentation]", files: list[Path], how: How, *, label_fps: float | None
) -> "tuple[list[Annotation], Sequence[tuple[Path, str]]]":
    """The truth about these answers, and what could not be read of it.

    Raises:
        ConfigError: If there are no labels in it.
        FileFormatError: If nothing of it can be read.
    """
    from histvq.io.labels.reading import are_labels, read_any_labels

    if label_fps is not None or are_labels(files):
        for file in files:
            _check_named(file)
        stand_ins = [_stand_in(answer) for answer in answers]
        found = read_any_labels(files, stand_ins, label_fps=label_fps)
        return [a for a in found if a is not None], ()
    readings = _with_answers(read_files(files, how), answers)
    truth = [a for a in readings.annotations if a is not None]
    if not truth:
        raise ConfigError(
            f"no labels in {', '.join(map(str, files))}: there is nothing to score against"
        )
    return truth, readings.skipped


def _with_answers(readings: "Readings", answers: "Sequence[Segmentation]") -> "Readings":
    """The recordings there is an answer for, if there is any; other labelled ones are skipped."""
    known = {answer.recording_id for answer in answers}
    without = {
        place: f"recording {recording.id!r}: labelled, but not answered in the run; not scored"
        for place, recording in enumerate(readings.recordings)
        if recording.id not in known and readings.annotations[place] is not None
    }
    return readings if len(without) == len(readings.recordings) else readings.without(without)


def scored(
    answers: "Sequence[Segmentation]", truth: "Sequence[Annotation]"
) -> "Sequence[Segmentation]":
    """The answers there is a truth about, as where one file of many was corrected; says how many."""
    known = {annotation.recording_id for annotation in truth}
    found = [answer for answer in answers if answer.recording_id in known]
    if 0 < len(found) < len(answers):
        console.say(f"{len(found)} of {len(answers)} recordings have labels; scored are those")
    return found or answers  # of no recording: the scores say so


def _in_step(annotation: "Annotation | None", recording: "Recording") -> "Annotation | None":
    """The annotation with a label for each frame of its recording.

    Raises:
        ConfigError: If they are not equally long.
    """
    if annotation is None or annotation.n_frames == recording.n_frames:
        return annotation
    labels = labels_at(
        annotation.labels, annotation.fps, n_frames=recording.n_frames, fps=recording.fps
    )
    if labels is None:
        raise ConfigError(
            f"{recording.id}: {annotation.n_frames} labels at {annotation.fps:g} a second for "
            f"{recording.duration_s:.1f} s of motion; give labels of the whole recording, and their "
            "rate by --label-fps"
        )
    return replace(annotation, labels=labels, fps=recording.fps)


def _stand_in(answer: "Segmentation") -> "Recording":
    """A recording as long as the answer: a table of segments is read for recordings."""
    from histvq.recording import Recording

    nothing = np.full((answer.n_frames, 1, 1), np.nan, np.float32)
    return Recording(id=answer.recording_id, skeleton=nothing, fps=answer.fps)


def tell_learned(model: Any, n_recordings: int) -> None:
    """What was learned, and by whom it was checked."""
    n_used, n_held = model.n_recordings_, len(model.held_out_)
    if n_used < n_recordings:
        console.say(f"{n_recordings - n_used} recordings have no labels and were left aside")
    console.say(f"{len(model.actions_)} actions: {', '.join(model.actions_)}")
    kept = f"kept epoch {model.kept_epoch_} of {model.n_iter_}"
    if not n_held:
        console.say(f"learned from {n_used} recordings, nobody held out; {kept}")
        return
    scores = model.history_[model.kept_epoch_ - 1]
    said = ", ".join(f"{name} {scores[key]:.1f}" for key, name in VALIDATED.items())
    console.say(f"learned from {n_used - n_held} recordings, {n_held} held out: {said}; {kept}")
