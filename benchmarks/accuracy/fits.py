"""Fits that are kept: each is done once, in a process of its own, whichever script asks for it.

`study.py`, `carry_over.py` and `confidence.py` score the same answers in different ways. A fit is
known by all that decides its outcome (data, method, every setting, seed, whom it learned from); what is in
the folder already is not done again, and what a stopped run had finished is kept.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # several threads add up in another order; processes inherit it

import hashlib
import json
import multiprocessing
import subprocess
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from histvq.datasets import Dataset, load_dataset
from histvq.errors import ConfigError, DataWarning
from histvq.evaluation import evaluate
from histvq.experiment import load_preset, make_method, versions
from histvq.report import atomically
from histvq.reproduction.plan import digest_of, find_preset
from histvq.segments import Segmentation


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

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the outcome, the seed apart; the same wherever the files lie."""
        return {k: v for k, v in asdict(self).items() if k not in ("data", "seed")}

    def place(self, out: Path) -> Path:
        """The file that says how it went; the answers lie beside it."""
        text = json.dumps(self.settings, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:10]
        return out / "fits" / f"{self.dataset}-{self.method}-{key}" / f"seed-{self.seed}.json"

    @property
    def called(self) -> str:
        """What to call it when speaking of it."""
        return f"{self.method}, seed {self.seed}, learning from {len(self.people)} people"


@dataclass(frozen=True, kw_only=True)
class Data:
    """A dataset, where it came from, and its digest."""

    dataset: Dataset
    name: str
    root: str | None
    digest: str

    @classmethod
    def load(cls, name: str, root: str | Path | None) -> "Data":
        """Load a dataset; remarks on its files are left to `histvq data`."""
        folder = None if root is None else str(root)
        dataset = _loaded(name, folder)
        return cls(dataset=dataset, name=name, root=folder, digest=digest_of(dataset))

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody in it, sorted; numbers by their value."""
        names = {recording.person or "" for recording in self.dataset.recordings}
        return tuple(sorted(names, key=lambda name: (int(name) if name.isdecimal() else -1, name)))

    def fit(self, method: str, params: dict[str, Any], *, seed: int, people: Sequence[str]) -> Fit:
        """A fit to these people, with every setting spelled out."""
        return Fit(
            dataset=self.name,
            data=self.root,
            digest=self.digest,
            method=method,
            params=params,
            seed=seed,
            people=tuple(sorted(people)),
        )

    def params(self, method: str, preset: str | None = None, **settings: Any) -> dict[str, Any]:
        """Every setting of a method, seed and device apart.

        Args:
            method: Its name.
            preset: Name or TOML file of a preset; None for the method's own defaults.
            **settings: Win over the preset's. K is the dataset's number of actions unless one of them
                says otherwise.

        Raises:
            ConfigError: If there is no such method, preset or setting.
        """
        of_preset = {} if preset is None else load_preset(preset).method.model_extra or {}
        k = {} if "n_actions" in of_preset else {"n_actions": self.dataset.n_actions}
        made: Any = make_method(method, preset=preset, **{**k, **settings})
        return made.config.model_dump(exclude={"random_state", "device"}, mode="json")

    def chosen(self, words: str, *, scale: str = "fast") -> tuple[str, dict[str, Any]]:
        """Method and settings that `METHOD` (with its preset for the dataset) or `METHOD:PRESET` names."""
        method, _, preset = words.partition(":")
        if preset:
            return method, self.params(method, preset)
        found = find_preset(self.name, method, scale=scale).method.model_extra or {}
        return method, self.params(method, **found)


def halves(people: Sequence[str], which: str) -> tuple[str, ...]:
    """Half of the people, `odd` or `even` by number, or `all` of them.

    Where not everybody has a number, they are numbered from 1 in the order given.

    Raises:
        ConfigError: If nobody is in that half.
    """
    if which == "all":
        return tuple(people)
    known = all(name.isdecimal() for name in people)
    numbers = [int(name) for name in people] if known else range(1, len(people) + 1)
    rest = {"odd": 1, "even": 0}[which]
    found = tuple(name for name, n in zip(people, numbers, strict=True) if n % 2 == rest)
    if not found:
        raise ConfigError(
            f"nobody of {', '.join(people)} is in the half {which!r}; take --people all"
        )
    return found


def run_missing(fits: Sequence[Fit], out: Path, *, jobs: int) -> int:
    """Do what has no outcome yet, `jobs` at a time; returns how many failed, each being told of.

    Raises:
        ConfigError: If a process was killed; what was finished before is kept.
    """
    different = {fit.place(out): fit for fit in fits}
    missing = [fit for place, fit in different.items() if not place.exists()]
    print(f"{len(missing)} of {len(different)} fits to do, {jobs} at a time, in {out}", flush=True)
    failed = 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        waiting = {pool.submit(run_fit, fit, out): fit for fit in missing}
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
            print(f"{waiting[done].called}: {words}", flush=True)
    return failed


def run_fit(fit: Fit, out: Path) -> float:
    """Fit, answer for everybody, and keep both; returns the seconds the fit took."""
    dataset = _loaded(fit.dataset, fit.data)
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
    if all(a.confidence is not None for a in answers):
        columns["confidence"] = np.concatenate([a.confidence for a in answers])

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
    atomically(place, lambda part: part.write_text(text, encoding="utf-8"))  # last: it says "done"
    return seconds["fit"]


def seconds_of(fit: Fit, out: Path) -> float:
    """How long the fit took."""
    return json.loads(fit.place(out).read_text(encoding="utf-8"))["seconds"]["fit"]


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


def scores_of(
    answers: Sequence[Segmentation], dataset: Dataset, people: Sequence[str]
) -> dict[str, float]:
    """Every score of these people's recordings, matched over these alone."""
    theirs = [a for a in answers if (a.person or "") in people]
    ids = {answer.recording_id for answer in theirs}
    truth = [a for a in dataset.annotations if a.recording_id in ids]
    found = evaluate(theirs, truth, matching="global", activities=dataset.activities or None)
    return dict(found.values)


@cache
def _loaded(name: str, root: str | None) -> Dataset:
    """A dataset, once a process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return load_dataset(name, root)


@cache
def commit() -> str:
    """Which code this is, as git calls it; empty outside a repository."""
    asked = ["git", "describe", "--always", "--dirty"]
    folder = Path(__file__).parent
    said = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
    return said.stdout.strip()
