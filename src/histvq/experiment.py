"""A method, its settings and data -> a run folder: model, labels, scores, report."""

import inspect
import json
import time
import warnings as python_warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from warnings import catch_warnings, warn

from histvq.annotation import Annotation
from histvq.claiming import TRAINING, claim, under_way
from histvq.errors import CheckpointMismatch, ConfigError, DamagedCheckpoint, DataWarning
from histvq.evaluation import Scores
from histvq.nn.peers import peers
from histvq.outcomes import outcomes, told_apart
from histvq.prepared import Prepared, inner
from histvq.recording import Recording
from histvq.remote import as_path
from histvq.report.names_place import put_names
from histvq.results import Skipped, versions, write_answers
from histvq.segmenter import Progress, ProgressCallback, Segmenter
from histvq.segments import Segmentation
from histvq.writing import growing, write_text


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
            "and give the answers to histvq.results.write_answers"
        )
    folder = claim(folder, overwrite=overwrite)
    said = list(warnings)
    with under_way(folder), data_warnings_noted(said):
        started = time.perf_counter()
        fit_and_save(folder, method, recordings, overwrite=overwrite, progress=progress)
        fitted = time.perf_counter()
        answers, failed = told_apart(list(outcomes(method, recordings)))
        answered = [place for place in range(len(recordings)) if place not in failed]
        sources = [as_path(recording.source or recording.id) for recording in recordings]
        skipped = (*skipped, *((sources[place], why) for place, why in failed.items()))
        seconds = {"fit": fitted - started, "predict": time.perf_counter() - fitted}
        noted = {"method": described(method), **(settings or {}), "seconds": _rounded(seconds)}
        write_versions(folder, versions())
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


def fit_and_save(
    folder: Path,
    method: Segmenter,
    recordings: Sequence[Recording],
    *,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
) -> None:
    """Fit a method as `fit_in` does, with a line an epoch in `metrics.jsonl`, and save it in `model`."""
    log = _Log(folder, progress)
    fit_in(folder, method, recordings, overwrite=overwrite, progress=log)
    method.save(folder / "model")
    put_names(folder / "model")


def write_versions(folder: Path, versions: Mapping[str, str]) -> None:
    """Note what an answer may depend on."""
    write_text(folder / "versions.json", json.dumps(versions, indent=2) + "\n")


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
        if peers().rank == 0:
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


def described(method: Segmenter) -> dict[str, Any]:
    """What is noted of a fitted method in `config.yaml`."""
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
