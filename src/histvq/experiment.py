"""A method, its settings and data -> a run folder: model, labels, scores, report."""

import inspect
import json
import platform
import time
import warnings as python_warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from warnings import catch_warnings, warn

import yaml
from pydantic import BaseModel, Field, ValidationError

from histvq.annotation import Annotation
from histvq.claiming import TRAINING, claim, under_way
from histvq.errors import (
    CheckpointMismatch,
    ConfigError,
    DamagedCheckpoint,
    DataWarning,
    FileFormatError,
    did_you_mean,
)
from histvq.evaluation import Scores, evaluate
from histvq.methods import METHODS
from histvq.modelfile import read_description
from histvq.outcomes import outcomes, told_apart
from histvq.prepared import Prepared, inner, read_chain
from histvq.reading import read_toml
from histvq.recording import Recording
from histvq.registry import resolve
from histvq.report import write_report
from histvq.report.names import FILE as NAMES
from histvq.report.names import as_predicted, read_names, renamed
from histvq.report.names_place import put_names
from histvq.report.run_folder import CONFIG, SCORES, RunFolder, write_said
from histvq.segmenter import Progress, ProgressCallback, Segmenter
from histvq.segments import Segmentation, names_of
from histvq.supervised import SUPERVISED
from histvq.writing import growing, remove, write_text

if TYPE_CHECKING:
    import pandas as pd

# Every method by its name, with labels or without.
ALL_METHODS = {**METHODS, **SUPERVISED}
Skipped = Sequence[tuple[Path, str]]


class MethodSettings(BaseModel, frozen=True, extra="allow"):
    """A method's name and, beside it, its parameters."""

    name: str


class Preset(BaseModel, frozen=True, extra="forbid"):
    """Named settings: what a TOML file in `presets/` says.

    Attributes:
        description: What it is for, in a sentence.
        method: `name` and the method's parameters.
        dataset: Which dataset it was made for, or which several (`name`); empty for any data.
        scale: `full`, the published size, or `fast`, made light; empty where one serves for both.
        variant: What sets it apart from the other presets of its method, dataset and scale, as `clean`.
    """

    description: str
    scale: Literal["full", "fast", ""] = ""
    variant: str = ""
    method: MethodSettings
    dataset: dict[str, Any] = Field(default_factory=dict)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets it was made for."""
        name = self.dataset.get("name", ())
        return (name,) if isinstance(name, str) else tuple(name)


def preset_names() -> list[str]:
    """Names of the presets that come with the package."""
    files = resources.files("histvq.presets").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def load_preset(name: str | Path) -> Preset:
    """A preset by name, or from a TOML file of one's own.

    Raises:
        ConfigError: If there is no such preset, or the file does not say what a preset must.
    """
    if str(name).endswith(".toml"):
        if not Path(name).is_file():
            raise ConfigError(f"preset {name}: there is no such file")
        place = Path(name)
    elif name in (known := preset_names()):
        place = Path(str(resources.files("histvq.presets") / f"{name}.toml"))
    else:
        raise ConfigError(f"no preset is called {str(name)!r}{did_you_mean(str(name), known)}")
    try:
        return Preset.model_validate(read_toml(place))
    except (FileFormatError, ValidationError) as error:
        raise ConfigError(f"preset {name}: {error}") from error


def make_method(name: str, *, preset: str | Path | None = None, **params: Any) -> Segmenter:
    """A method by its name in the table.

    Args:
        name: As `histvq`, or `ms-gcn`, whose `fit` takes annotations too; or `module:Class` of your own.
        preset: Settings to begin with.
        **params: The method's parameters; these win over the preset's.

    Raises:
        ConfigError: If there is no such method, preset or parameter, or one is out of bounds.
    """
    if preset is not None:
        chosen = load_preset(preset).method
        if chosen.name != name:
            raise ConfigError(
                f"preset {str(preset)!r} is for the method {chosen.name!r}, not {name!r}"
            )
        params = {**(chosen.model_extra or {}), **params}
    method: Segmenter = resolve(name, ALL_METHODS, kind="method")(**params)
    return method


def load_model(path: str | Path, *, device: str | None = None) -> Segmenter:
    """The fitted method that a method's `save` wrote, with the transforms it was fitted behind.

    Args:
        path: The folder.
        device: Where to run it; None: where it was fitted, or the CPU if that is not to be had here.

    Raises:
        FileFormatError: If the folder holds no model, or a damaged one.
    """
    name = read_description(path).get("method", "")
    # `resolve` takes `module:Class` too, and a file must not say what code runs.
    if not isinstance(name, str) or name not in ALL_METHODS:
        raise FileFormatError(
            f"{path}: a model of no method that is known here: {str(name)[:60]!r}"
            f"{did_you_mean(str(name), ALL_METHODS)}. Load one of a class of your own by its own load"
        )
    method: type[Segmenter] = resolve(name, ALL_METHODS, kind="method")
    loaded = method.load(path, device=device)
    chain = read_chain(path)
    return Prepared(loaded, chain) if chain.steps else loaded


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run left behind.

    Attributes:
        folder: Everything is in here.
        answers: One a recording.
        scores: Where every recording has a truth, else None.
        skipped: Files left out and why, those that were given and those that could not be answered.
        files: What was written, by name.
        seconds: How long fitting and predicting took, each.
    """

    folder: Path
    answers: list[Segmentation]
    scores: Scores | None
    skipped: Skipped
    files: Mapping[str, Path]
    seconds: Mapping[str, float]


def run(
    recordings: Sequence[Recording],
    method: Segmenter,
    folder: str | Path,
    *,
    annotations: Sequence[Annotation | None] = (),
    warnings: Sequence[str] = (),
    skipped: Skipped = (),
    settings: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
) -> Run:
    """Fit, predict, score and report, all into one folder.

    The model is saved as soon as it is fitted, so nothing that follows can lose it.

    Args:
        recordings: To learn from and to segment.
        method: Not fitted yet.
        folder: Run folder; made here.
        annotations: The truth, in step with the recordings; used after `predict`, for scores alone.
        warnings: What reading the data said.
        skipped: Files left out and why.
        settings: Anything to note in the run's configuration beside the method's parameters.
        overwrite: Replace an earlier run in the same folder.
        progress: Told after every batch.

    Raises:
        ConfigError: If the folder holds a run already, or the data do not suit the method.
        HistvqError: If no recording can be answered.
    """
    if not isinstance(inner(method), Segmenter):  # a supervised method has no fit_predict
        raise ConfigError(
            f"{type(inner(method)).__name__} learns from labels: fit it with them, predict others, "
            "and give the answers to histvq.experiment.write_answers"
        )
    folder = claim(folder, overwrite=overwrite)
    said = list(warnings)
    with under_way(folder), data_warnings_noted(said):
        started = time.perf_counter()
        log = _Log(folder, progress)
        fit_in(folder, method, recordings, overwrite=overwrite, progress=log)
        fitted = time.perf_counter()
        method.save(folder / "model")
        put_names(folder / "model")
        answers, failed = told_apart(list(outcomes(method, recordings)))
        answered = [place for place in range(len(recordings)) if place not in failed]
        sources = [Path(recording.source or recording.id) for recording in recordings]
        skipped = (*skipped, *((sources[place], why) for place, why in failed.items()))
        seconds = {"fit": fitted - started, "predict": time.perf_counter() - fitted}
        noted = {"method": _described(method), **(settings or {}), "seconds": _rounded(seconds)}
        write_text(folder / "versions.json", json.dumps(versions(), indent=2) + "\n")
        scores, files = write_answers(
            folder,
            answers,
            recordings=[recordings[place] for place in answered],
            annotations=[annotations[place] for place in answered] if annotations else (),
            warnings=said,
            skipped=skipped,
            settings=noted,
        )
    return Run(
        folder=folder, answers=answers, scores=scores, skipped=skipped, files=files, seconds=seconds
    )


def fit_in(
    folder: Path,
    method: Segmenter,
    *given: Any,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
) -> None:
    """Fit a method, with its training kept in a folder while it goes on, where the method can do that.

    A training that was stopped there goes on.

    Args:
        folder: There already, and ours (see `claiming.under_way`).
        method: Not fitted yet.
        *given: What its `fit` takes: recordings, and for supervised methods annotations.
        overwrite: Begin anew where a training of other settings or data was stopped.
        progress: Told after every batch.

    Raises:
        CheckpointMismatch: If a training of other settings or data was stopped there.
    """
    fit: Any = method.fit
    if "checkpoint" not in inspect.signature(inner(method).fit).parameters:
        fit(*given, progress=progress)
        return
    place = folder / TRAINING
    try:
        fit(*given, progress=progress, checkpoint=place)
    except (CheckpointMismatch, DamagedCheckpoint):
        if not overwrite:
            raise
        place.unlink()
        fit(*given, progress=progress, checkpoint=place)


@contextmanager
def data_warnings_noted(into: list[str]) -> Iterator[None]:
    """While this lasts, DataWarnings are put into a list too, each once."""
    with catch_warnings():
        show_before = python_warnings.showwarning

        def show(
            message: Warning | str, category: type[Warning], *more: Any, **others: Any
        ) -> None:
            if issubclass(category, DataWarning) and str(message) not in into:
                into.append(str(message))
            show_before(message, category, *more, **others)

        python_warnings.showwarning = show
        yield


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
    return rewrite_report(run, recordings=recordings)


def rewrite_report(
    run: RunFolder,
    *,
    recordings: Sequence[Recording] = (),
    groups: "pd.DataFrame | None" = None,
    budget_mb: float = 20,
) -> tuple[Scores | None, Mapping[str, Path]]:
    """Score a run's answers under the names they have now, and write tables, timelines and page anew.

    Args:
        run: As `histvq.report.run_folder.read_run` gives it.
        recordings: Its recordings, as far as they are to be shown.
        groups: What is known of recordings, to compare by: `histvq.report.groups_table.read_groups`.
        budget_mb: How large the page may get.
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
        )
    )
    if scores:
        files["scores"] = write_scores(run.folder, scores)
    elif run.annotations:
        remove(run.folder / SCORES)  # of the names before
    for remark in remarks:
        warn(remark, DataWarning, stacklevel=2)
    return scores, files


def codes_of(method: Any) -> dict[str, range]:
    """By level, the codes a fitted method can give, as far as it says."""
    n_actions = len(method.actions_) if hasattr(method, "actions_") else method.config.n_actions
    alpha = getattr(method, "alpha", None)
    fine = {} if alpha is None else {"subaction": range(n_actions * alpha)}
    return {"action": range(n_actions), **fine}


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


class _Log:
    """A line an epoch in `metrics.jsonl`, begun with the first, when the data are known to be fit."""

    def __init__(self, folder: Path, progress: ProgressCallback | None) -> None:
        self.place = folder / "metrics.jsonl"
        self.progress = progress
        self.begun = False

    def __call__(self, event: Progress) -> None:
        if event.epoch_over:
            try:
                self._note(event)
            except OSError as error:  # a full disk is no reason to lose a training
                warn(f"{error}. The training goes on", DataWarning, stacklevel=2)
        if self.progress:
            self.progress(event)

    def _note(self, event: Progress) -> None:
        if not self.begun:
            write_text(self.place, "".join(_lines(self.place)[: event.epoch]))
            self.begun = True
        line = {"epoch": event.epoch + 1, **event.losses, **event.scores}
        with growing(self.place) as write:
            write(json.dumps(line) + "\n")


def _lines(place: Path) -> list[str]:
    """The whole lines of a file; none if there is no such file."""
    try:
        text = place.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _described(method: Segmenter) -> dict[str, Any]:
    params = method.config.model_dump() if hasattr(method, "config") else {}
    learned = {
        k: getattr(method, k + "_")
        for k in ("seed", "n_iter", "kept_epoch")
        if hasattr(method, k + "_")
    }
    steps = list(method.chain.steps) if isinstance(method, Prepared) else []
    behind = {"transforms": steps} if steps else {}
    return {"name": type(inner(method)).__name__, **params, **learned, **behind}


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in seconds.items()}
