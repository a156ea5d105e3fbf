"""Answers scored, written to a run's folder, and reported on."""

import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from warnings import warn

import yaml

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning
from histvq.evaluation import Scores, evaluate
from histvq.recording import Recording
from histvq.report import write_report
from histvq.report.names import FILE as NAMES
from histvq.report.names import as_predicted, read_names, renamed
from histvq.report.names_place import put_names
from histvq.report.ready import Ready
from histvq.report.run_folder import CONFIG, SCORES, RunFolder, write_said
from histvq.segments import Segmentation, names_of
from histvq.writing import remove, write_text

if TYPE_CHECKING:
    import pandas as pd

Skipped = Sequence[tuple[Path, str]]


def write_answers(
    folder: Path,
    answers: Sequence[Segmentation],
    *,
    annotations: Sequence[Annotation | None],
    recordings: Sequence[Recording] = (),
    names: Path | None = None,
    warnings: Sequence[str] = (),
    skipped: Skipped = (),
    settings: Mapping[str, Any] | None = None,
    ready: Ready = MappingProxyType({}),
) -> tuple[Scores | None, Mapping[str, Path]]:
    """Score what has a truth, and write settings, tables, timelines and a page that plays them.

    Labels that do not fit cost the scores, never the answers: what was wrong is among the warnings.

    Args:
        folder: There already.
        answers: As a method gave them.
        annotations: The truth, of those recordings that have one.
        recordings: What the answers are about, to be shown.
        names: A `names.yaml` to apply, which is copied into the folder. Another that is there already is
            about earlier answers and moved to `names-earlier.yaml`.
        warnings: What reading the data said.
        skipped: Files left out and why.
        settings: Noted in `config.yaml`.
        ready: Rows of the tables that are text already.
    """
    if settings:
        text = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)
        write_text(folder / CONFIG, text)
    write_said(folder, answers, warnings, skipped)
    remove(folder / SCORES)  # of an earlier run
    put_names(folder, names)
    given = None if names is None else read_names(folder / NAMES)
    run = RunFolder(
        folder=folder,
        answers=answers if given is None else renamed(answers, given),
        annotations=[annotation for annotation in annotations if annotation is not None],
        settings=settings or {},
        names=given,
        warnings=tuple(warnings),
        skipped=tuple(skipped),
    )
    return rewrite_report(run, recordings=recordings, ready=ready)


def rewrite_report(
    run: RunFolder,
    *,
    recordings: Sequence[Recording] = (),
    groups: "pd.DataFrame | None" = None,
    budget_mb: float = 20,
    ready: Ready = MappingProxyType({}),
) -> tuple[Scores | None, Mapping[str, Path]]:
    """Score a run's answers under the names they have now, and write tables, timelines and page anew.

    Args:
        run: As `histvq.report.run_folder.read_run` gives it.
        recordings: Its recordings, as far as they are to be shown.
        groups: What is known of recordings, to compare by: `histvq.report.groups_table.read_groups`.
        budget_mb: How large the page may get.
        ready: As for `histvq.report.write_report`.
    """
    truth, scores, remarks = _scored(run.answers, run.annotations)
    files = dict(
        write_report(
            run.folder,
            run.answers,
            annotations=truth or None,
            scores=scores,
            warnings=[*run.warnings, *remarks],
            skipped=run.skipped,
            settings=run.settings or None,
            recordings=recordings,
            names=run.names,
            groups=groups,
            budget_mb=budget_mb,
            ready=ready,
        )
    )
    if scores:
        files["scores"] = write_scores(run.folder, scores)
    elif run.annotations:
        remove(run.folder / SCORES)  # of the names before
    for remark in remarks:
        warn(remark, DataWarning, stacklevel=2)
    return scores, files


def _scored(
    answers: Sequence[Segmentation], given: Sequence[Annotation]
) -> tuple[list[Annotation], Scores | None, list[str]]:
    """The truth that fits, the scores of the recordings that have one, and what to say about it.

    A method that knows names is scored by these: what a person calls its actions since changes nothing
    about what it said.
    """
    said = as_predicted(answers)
    answers = said if names_of(said) else answers
    frames = {answer.recording_id: answer.n_frames for answer in answers}
    fits = [frames.get(a.recording_id) == a.n_frames for a in given]
    truth = [a for a, fit in zip(given, fits, strict=True) if fit]
    remarks = [
        f"recording {a.recording_id!r}: {a.n_frames} labels for {frames.get(a.recording_id, 0)} "
        "frames; left out of the scores"
        for a, fit in zip(given, fits, strict=True)
        if not fit
    ]
    if not truth:
        return [], None, remarks
    if len(truth) < len(answers):
        remarks.append(f"{len(truth)} of {len(answers)} recordings have labels; scored are those")
    labelled = {a.recording_id for a in truth}
    try:
        scores = evaluate([a for a in answers if a.recording_id in labelled], truth)
    except ConfigError as error:
        return [], None, [*remarks, f"not scored: {error}"]
    return truth, scores, remarks


def write_scores(folder: Path, scores: Scores, *, name: str = SCORES) -> Path:
    """Every score, the protocol, and which code was matched with which action, as JSON."""
    return write_text(folder / name, json.dumps(scores.to_dict(), indent=2) + "\n")


def versions() -> dict[str, str]:
    """Versions of what an answer may depend on, the processor and the number of threads."""
    import torch

    names = ("histvq", "torch", "numpy", "scipy", "scikit-learn", "pandas")
    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in names},
        "processor": platform.machine(),
        "threads": str(torch.get_num_threads()),
    }
