"""A dataset with its people, the settings a method has on it, and how answers to it score."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from histvq.datasets import Dataset, load_dataset
from histvq.errors import ConfigError, DataWarning
from histvq.evaluation import evaluate
from histvq.models import make_method
from histvq.presets import load_preset
from histvq.reproduction.plan import digest_of, find_preset
from histvq.segments import Segmentation


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
        dataset = loaded(name, folder)
        return cls(dataset=dataset, name=name, root=folder, digest=digest_of(dataset))

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody in it, sorted; numbers by their value."""
        names = {recording.person or "" for recording in self.dataset.recordings}
        return tuple(sorted(names, key=lambda name: (int(name) if name.isdecimal() else -1, name)))

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
        """Method and settings of `METHOD:PRESET`, or of `METHOD` with its preset for the dataset."""
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
def loaded(name: str, root: str | None) -> Dataset:
    """A dataset, once a process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return load_dataset(name, root)
