"""Fits that are kept: each is done once, whichever script asks for it.

`study.py`, `carry_over.py` and `confidence.py` score the same answers in different ways. A fit is known
by all that decides its outcome (data, method, every setting, seed, whom it learned from); what is in the
folder already is not done again, and what a stopped run had finished is kept. The code is not among that:
after a change of the methods take another folder. Which commit made a fit stands in its file.
"""

import hashlib
import json
import multiprocessing
import os
import subprocess
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.data import Data, loaded
from histvq.datasets import Dataset
from histvq.errors import ConfigError, DataWarning
from histvq.models import make_method
from histvq.results import versions
from histvq.segments import Segmentation
from histvq.writing import atomically, write_text


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One fit; it answers for every recording of the dataset, of whomever it learned.

    Attributes:
        dataset: Name of the dataset.
        data: Folder of its files; None for one that is made up.
        digest: What its recordings and labels are, see `digest_of`.
        method: Name of the method.
        params: All of its settings, seed and device apart.
        seed: The seed.
        people: Whom it learns from, sorted.
    """

    dataset: str
    data: str | None
    digest: str
    method: str
    params: dict[str, Any]
    seed: int
    people: tuple[str, ...]

    @classmethod
    def to(
        cls, data: Data, method: str, params: dict[str, Any], *, seed: int, people: Sequence[str]
    ) -> "Fit":
        """A fit to these people of a dataset; `params` has every setting."""
        return cls(
            dataset=data.name,
            data=data.root,
            digest=data.digest,
            method=method,
            params=params,
            seed=seed,
            people=tuple(sorted(people)),
        )

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the outcome, the seed apart; the same wherever the files lie."""
        return {k: v for k, v in asdict(self).items() if k not in ("data", "seed")}

    def place(self, out: Path) -> Path:
        """The file that says how it went; the answers lie beside it."""
        text = json.dumps(self.settings, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:10]
        return out / "fits" / f"{self.dataset}-{self.method}-{key}" / f"seed-{self.seed}.json"


def run_missing(fits: Mapping[str, Sequence[Fit]], out: Path, *, jobs: int) -> int:
    """Do what has no outcome yet, `jobs` at a time and seed by seed, so that early tables are whole.

    Args:
        fits: By the name of what they are for, to speak of them.
        out: Where they are kept.
        jobs: How many processes.

    Returns:
        How many failed; why is told.

    Raises:
        ConfigError: If a process was killed; what was finished before is kept.
    """
    different = {fit.place(out): (name, fit) for name, of_one in fits.items() for fit in of_one}
    missing = sorted(
        (named for place, named in different.items() if not place.exists()),
        key=lambda named: named[1].seed,
    )
    print(f"{len(missing)} of {len(different)} fits to do, {jobs} at a time, in {out}", flush=True)
    failed = 0
    context = multiprocessing.get_context("spawn")
    with _one_thread_each(), ProcessPoolExecutor(jobs, mp_context=context) as pool:
        waiting = {
            pool.submit(run_fit, fit, out): f"{name}, seed {fit.seed}, {len(fit.people)} people"
            for name, fit in missing
        }
        for done in as_completed(waiting):
            try:
                words = f"{done.result():.0f} s"
            except BrokenProcessPool as error:
                raise ConfigError(
                    "a process was killed, perhaps for want of memory. What is finished is kept: run "
                    "the same command again, with fewer --jobs"
                ) from error
            except Exception as error:  # the others are not held up by it
                failed += 1
                words = f"failed: {type(error).__name__}: {error}"
            print(f"{waiting[done]}: {words}", flush=True)
    return failed


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes begun meanwhile use one thread: several would add numbers up in another order.

    It has to be known before numpy and torch load, which in a new process is before any code of ours.
    """
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def run_fit(fit: Fit, out: Path) -> float:
    """Fit, answer for everybody, and keep both; returns the seconds the fit took."""
    dataset = loaded(fit.dataset, fit.data)
    method: Any = make_method(fit.method, **fit.params, random_state=fit.seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        started = time.perf_counter()
        method.fit([r for r in dataset.recordings if (r.person or "") in fit.people])
        fitted = time.perf_counter()
        answers = method.predict(list(dataset.recordings))
    seconds = {"fit": fitted - started, "predict": time.perf_counter() - fitted}
    place = fit.place(out)
    place.parent.mkdir(parents=True, exist_ok=True)
    columns = {"actions": np.concatenate([a.actions for a in answers])}
    if any(a.confidence is not None for a in answers):
        # A recording in which nothing was measured may have none where all others do.
        columns["confidence"] = np.concatenate(
            [np.zeros(a.n_frames) if a.confidence is None else a.confidence for a in answers]
        )

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.savez_compressed(file, **columns)

    atomically(place.with_suffix(".npz"), write)
    said = {
        "settings": fit.settings,
        "seed": fit.seed,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "kept_epoch": getattr(method, "kept_epoch_", None),
        "versions": {**versions(), "commit": commit()},
    }
    text = json.dumps(said, indent=1) + "\n"
    write_text(place, text)  # last: it says "done"
    return seconds["fit"]


def seconds_of(fit: Fit, out: Path) -> float:
    """How long the fit took."""
    return json.loads(fit.place(out).read_text(encoding="utf-8"))["seconds"]["fit"]


def made_by(fits: Iterable[Sequence[Fit]], out: Path) -> str:
    """The commits that made those of the fits that are done."""
    every = [fit.place(out) for of_one in fits for fit in of_one]
    places = [place for place in every if place.exists()]
    said = [json.loads(place.read_text(encoding="utf-8")) for place in places]
    return ", ".join(sorted({one["versions"]["commit"] for one in said}))


def answers_of(fit: Fit, out: Path, dataset: Dataset) -> list[Segmentation]:
    """What a fit that is done answered, in the order of the dataset's recordings."""
    with np.load(fit.place(out).with_suffix(".npz")) as file:
        columns = {name: file[name] for name in file.files}
    ends = np.cumsum([recording.n_frames for recording in dataset.recordings])[:-1]
    parts = {name: np.split(values, ends) for name, values in columns.items()}
    confidence = parts.get("confidence", [None] * len(dataset.recordings))
    return [
        Segmentation(recording_id=r.id, fps=r.fps, actions=actions, confidence=c, person=r.person)
        for r, actions, c in zip(dataset.recordings, parts["actions"], confidence, strict=True)
    ]


@cache
def commit() -> str:
    """Which code this is, as git calls it; empty outside a repository."""
    asked = ["git", "describe", "--always", "--dirty"]
    folder = Path(__file__).parent
    said = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
    return said.stdout.strip()
