"""Do the runs that are missing, several side by side, each in a process of its own."""

import json
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import numpy as np

from histvq.annotation import Annotation
from histvq.claiming import TRAINING
from histvq.datasets import Dataset, load_dataset
from histvq.errors import ConfigError, DataWarning, HistvqError, Stopped
from histvq.evaluation import Scores, evaluate
from histvq.experiment import fit_in
from histvq.metrics.jsd import length_bias_by_action, length_bias_by_activity
from histvq.modelfile import DESCRIPTION
from histvq.models import load_model, make_method
from histvq.recording import Recording
from histvq.report import write_segments
from histvq.reproduction.plan import Job, digest_of
from histvq.reproduction.spent import Spent
from histvq.results import versions, write_scores
from histvq.segmenter import Segmenter
from histvq.supervised.splits import is_tested_on
from histvq.writing import write_text

DONE, TIMES, EACH = "run.json", "times.json", "recordings.csv"

Told = Callable[[str], None]


def run_missing(
    jobs: Sequence[Job], out: Path, *, side_by_side: int, told: Told
) -> dict[Path, str]:
    """Run every job that has no outcome yet.

    A run's outcome is written last and whole, so a run that was stopped has none, and is done again;
    one that had begun to learn goes on from there.

    Args:
        jobs: What there is to do.
        out: Where the runs go.
        side_by_side: How many at a time.
        told: Called with what there is to do, and as each run ends, with its scores or what went wrong.

    Returns:
        Folder of each job that failed -> why. The others are not held up by it.
    """
    waiting, n_all = missing_of(jobs, out)
    told(f"{len(waiting)} of {n_all} runs to do, {side_by_side} at a time, in {out / 'runs'}")
    failed: dict[Path, str] = {}
    running: dict[Any, tuple[Job, SpawnProcess]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < side_by_side:
                place, process = _started(waiting[0], out)
                running[place] = (waiting.pop(0), process)
            for ended in wait(list(running)):
                job, process = running.pop(ended)
                done, words = _ended(ended, process)
                told(f"{job.called}{'' if done else ' failed'}: {words}")
                if not done:
                    failed[job.folder(out)] = words
    finally:
        for _, process in running.values():
            process.terminate()
            process.join()
    return failed


def missing_of(jobs: Sequence[Job], out: Path) -> tuple[list[Job], int]:
    """The runs that have no outcome yet, and how many there are in all; rows may share runs."""
    runs = {job.folder(out): job for job in jobs}.values()
    return [job for job in runs if outcome(job, out) is None], len(runs)


def _started(job: Job, out: Path) -> tuple[Connection, SpawnProcess]:
    """A run in a process of its own: its memory is given back, its threads are set before torch loads."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, out, theirs), daemon=True)
    before = dict(os.environ)
    os.environ.update(thread_variables(job.threads))  # a process takes them as it starts
    try:
        process.start()
    finally:
        os.environ.clear()
        os.environ.update(before)
    theirs.close()
    return ours, process


def _ended(place: Any, process: SpawnProcess) -> tuple[bool, str]:
    """Whether a run that has ended was done, and its scores in words or what went wrong."""
    try:
        done, words = place.recv()
    except EOFError:
        process.join()
        done, words = False, ended_early(process.exitcode)
    process.join()
    return done, words


def ended_early(status: int | None) -> str:
    """What to say of a process that has not said anything."""
    words = f"its process ended early, with status {status}"
    return words + ("; perhaps memory ran out, try fewer --jobs" if status == -9 else "")


def _work(job: Job, out: Path, place: Connection) -> None:
    """Do a run and say how it went; the parent alone listens to the keyboard."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _follow_parent()
    try:
        place.send((True, run_job(job, out)))
    except Stopped as stop:  # the parent knows; the training is kept
        sys.exit(128 + stop.signal)
    except (HistvqError, OSError, RuntimeError, MemoryError) as error:
        place.send((False, str(error) or type(error).__name__))


def outcome(job: Job, out: Path) -> dict[str, Any] | None:
    """What a finished run wrote, or None."""
    place = job.folder(out) / DONE
    return json.loads(place.read_text(encoding="utf-8")) if place.is_file() else None


def run_job(job: Job, out: Path) -> str:
    """Fit, predict and score; returns the scores in words."""
    _limit_threads(job.threads)
    folder = job.folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # said once already, by whoever made the plan
        dataset = load_dataset(job.dataset, job.data)
    if digest_of(dataset) != job.digest:
        raise ConfigError(
            f"{job.data or job.dataset}: not the recordings that the runs were planned with; they have "
            "changed since, or are others on this machine"
        )
    recordings, truth = _tested(job, dataset)
    spent, resumed = Spent(), (folder / TRAINING).is_file() or (folder / "model").is_dir()
    with spent.on("fit"):
        method = _fitted(job, dataset, folder)
    with spent.on("predict"):
        answers = method.predict(recordings)
    scores = evaluate(answers, truth, activities=dataset.activities or None)
    write_segments(folder / "segments.csv", answers)
    write_scores(folder, scores)
    write_text(folder / EACH, scores.per_recording().round(2).to_csv(lineterminator="\n"))
    _write_json(folder / TIMES, {**spent.record(), "from_the_start": not resumed})
    _write_json(folder / DONE, _record(job, method, scores))
    (folder / TRAINING).unlink(missing_ok=True)
    return str(scores)


def _fitted(job: Job, dataset: Dataset, folder: Path) -> Segmenter:
    """The model a stopped run left, or a new one, saved before anything else can go wrong."""
    model = folder / "model"
    if (model / DESCRIPTION).is_file():
        return load_model(model, method=job.method if ":" in job.method else None)
    method: Any = make_method(job.method, **job.params, random_state=job.seed)
    given: tuple[Any, ...] = (dataset.recordings,)
    if job.test:
        aside = {recording.id for recording in _tested(job, dataset)[0]}
        given = (
            [r for r in dataset.recordings if r.id not in aside],
            [a for a in dataset.annotations if a.recording_id not in aside],
        )
    fit_in(folder, method, *given)
    method.save(model)
    return method


def _tested(job: Job, dataset: Dataset) -> tuple[list[Recording], list[Annotation]]:
    """What a run is scored on: everything, or whom a supervised method has not learned from."""
    if not job.test:
        return list(dataset.recordings), list(dataset.annotations)
    places = np.flatnonzero(is_tested_on(dataset.recordings, job.test, by=job.by))
    return [dataset.recordings[p] for p in places], [dataset.annotations[p] for p in places]


def _record(job: Job, method: Segmenter, scores: Scores) -> dict[str, Any]:
    return {
        "settings": job.settings,
        "seed": job.seed,
        **({"test": list(job.test)} if job.test else {}),
        "epochs": getattr(method, "n_iter_", None),
        "kept_epoch": getattr(method, "kept_epoch_", None),
        "scores": dict(scores.values),
        "jsd_by_activity": length_bias_by_activity(scores.pairs),
        "jsd_by_action": length_bias_by_action(scores.pairs, actions=scores.actions),
        "protocol": dict(scores.protocol),
        "versions": versions(),
    }


def _write_json(place: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=1) + "\n"
    write_text(place, text)


def thread_variables(threads: int) -> dict[str, str]:
    """What to set for a process to come; once numpy is loaded, its part comes too late."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return dict.fromkeys(names, str(threads))


def _limit_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def _follow_parent() -> None:
    """End with the process that started this one, even if that one is killed: nobody else will."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
