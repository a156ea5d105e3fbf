"""From a table and a dataset to the runs it takes: one a row and seed, each with a name of its own."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from histvq.datasets import Dataset
from histvq.errors import ConfigError
from histvq.models import make_method
from histvq.presets import Preset, load_preset, preset_names
from histvq.reproduction.tables import Row, Table
from histvq.supervised import SUPERVISED
from histvq.supervised.splits import split_of


@dataclass(frozen=True, kw_only=True)
class Job:
    """One fit, prediction and scoring.

    Attributes:
        row: Name of the table's row it is for, to speak of it.
        dataset: Name of the dataset.
        data: Folder of its files; None for a dataset that is made up.
        digest: What its recordings and labels are, see `digest_of`.
        method: Name of the method.
        params: All of its parameters, seed and device apart.
        seed: The seed.
        threads: How many threads the run may use: more threads add numbers in another order, and a
            last digit that differs makes another run.
        test: Of a supervised method: the people (or views) it is tested on and does not learn from.
        by: What `test` names, see `Split`.
    """

    row: str
    dataset: str
    data: str | None
    digest: str
    method: str
    params: dict[str, Any]
    seed: int
    threads: int
    test: tuple[str, ...] = ()
    by: str = ""

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the outcome, the seed apart; the same on whatever machine the files lie."""
        without = {"row", "data", "seed"} | ({"test", "by"} if not self.test else set())
        return {k: v for k, v in asdict(self).items() if k not in without}

    @property
    def called(self) -> str:
        """What to call the run when speaking of it."""
        tested = f", tested on {self.by} {', '.join(self.test)}" if self.test else ""
        return f"{self.row}, seed {self.seed}{tested}"

    @property
    def key(self) -> str:
        """A short name of the settings; tables that share a row share its runs."""
        return key_of(self.settings)

    def folder(self, out: Path) -> Path:
        """Where the run leaves its files."""
        return out / "runs" / self.key / f"seed-{self.seed}"


def key_of(settings: dict[str, Any]) -> str:
    """A short name of a run's settings, see `Job.settings`."""
    text = json.dumps(settings, sort_keys=True)
    dataset = re.sub(r"[^\w-]", "_", settings["dataset"])
    return f"{dataset}-{settings['method']}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def row_on(row: Row, table: Table, *, dataset: str, scale: str) -> Row:
    """A row as it makes sense on a dataset.

    The paper's loss weights hold for raw numbers. Where a preset's input is unit-free they would stand
    for nothing, so there the row is the same multiple of the preset's weight as it is of the paper's.
    """
    if not row.method or not table.multiples_of:
        return row
    preset = find_preset(dataset, row.method, scale=scale, variant=row.variant)
    params = preset.method.model_extra or {}
    if params.get("input_scale") == "none":
        return row
    changes, label = dict(row.changes), row.label
    for name, printed in table.multiples_of.items():
        factor = row.changes[name] / printed
        changes[name] = float(f"{factor * params[name]:.6g}")
        label = f"{name} = {changes[name]:g} ({factor:g} times the preset's)"
    return row.model_copy(update={"changes": changes, "label": label})


def jobs_of(
    table: Table,
    row: Row,
    *,
    name: str,
    dataset: Dataset,
    data: str | None,
    digest: str,
    scale: str,
    seeds: int,
    threads: int,
) -> list[Job]:
    """The runs of one row, a seed each; none for a row that only has the paper's numbers.

    K is the number of actions that occur in the dataset, as in the papers, whatever the preset says. A
    supervised method has a run for every fold of the dataset's split, and so many seeds that there are
    no more runs than `seeds`, but one at least.

    Raises:
        ConfigError: If there is no preset for the row, or its changes do not fit the method.
    """
    if not row.method:
        return []
    preset = find_preset(dataset.name, row.method, scale=scale, variant=row.variant)
    given = {
        **(preset.method.model_extra or {}),
        **table.shared(scale, dataset.name),
        **row.changes,
    }
    folds: tuple[tuple[str, ...], ...] = ((),)
    by = ""
    if row.method in SUPERVISED:
        split = split_of(dataset.name, dataset.recordings)
        folds, by = split.folds, split.by
    else:
        given["n_actions"] = dataset.n_actions
    method: Any = make_method(row.method, **given)
    params = method.config.model_dump(exclude={"random_state", "device"}, mode="json")
    return [
        Job(
            row=row.name,
            dataset=name,
            data=data,
            digest=digest,
            method=row.method,
            params=params,
            seed=seed,
            threads=threads,
            test=test,
            by=by,
        )
        for seed in range(max(1, seeds // len(folds)))
        for test in folds
    ]


def find_preset(dataset: str, method: str, *, scale: str, variant: str = "") -> Preset:
    """The preset for a method on a dataset at a scale; one without a scale, or a dataset, serves any.

    Raises:
        ConfigError: If there is none; says what there is.
    """
    presets = [load_preset(name) for name in preset_names()]
    for wanted in (scale, ""):
        for preset in presets:
            found = (preset.method.name, preset.scale, preset.variant)
            meant = dataset in preset.datasets or (variant and not preset.datasets)
            if meant and found == (method, wanted, variant):
                return preset
    there = sorted({name for p in presets if p.method.name == method for name in p.datasets})
    raise ConfigError(
        f"no {scale} preset for {' '.join(filter(None, (method, variant)))} on {dataset!r}; "
        f"{method} has presets for {', '.join(there) or 'no dataset yet'}"
    )


def digest_of(dataset: Dataset) -> str:
    """A short name of everything in a dataset that can change a score."""
    digest = hashlib.sha256()
    for recording, annotation in zip(dataset.recordings, dataset.annotations, strict=True):
        digest.update(f"{recording.id} {recording.fps} {recording.skeleton.shape}".encode())
        digest.update(recording.skeleton.tobytes())
        digest.update(annotation.labels.astype("int32").tobytes())
    return digest.hexdigest()[:10]
