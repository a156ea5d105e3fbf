"""Published benchmarks, each prepared as the papers have it."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from histvq import transforms
from histvq.annotation import Annotation
from histvq.datasets._sources import Fingerprint, Source
from histvq.errors import ConfigError, FileFormatError, did_you_mean
from histvq.recording import Recording
from histvq.registry import resolve

DATASETS = {
    "babel-1": "histvq.datasets.babel:SUBSET_1",
    "babel-2": "histvq.datasets.babel:SUBSET_2",
    "babel-3": "histvq.datasets.babel:SUBSET_3",
    "cmu-exercises": "histvq.datasets.cmu_exercises:load",
    "hugadb": "histvq.datasets.hugadb:load",
    "lara": "histvq.datasets.lara:load",
    "pku-mmd": "histvq.datasets.pku_mmd:load",
    "pku-mmd-cross-view": "histvq.datasets.pku_mmd_cross_view:load",
    "precog16": "histvq.datasets.precog16:load",
    "synthetic": "histvq.datasets.synthetic:load",
}

__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetInfo",
    "Fingerprint",
    "Prepared",
    "Source",
    "dataset_info",
    "load_dataset",
    "narrowed",
    "prepare_dataset",
]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Recordings and, apart from them, what people do in them.

    Attributes:
        name: Its name in the table.
        recordings: Motion, without labels.
        annotations: True labels, in step with the recordings.
        actions: Names of the actions that occur; the labels are indices into it.
        skipped: Files that could not be read, each with the reason.
        warnings: What was changed or looks wrong.
        notes: What was left out or differs from the published benchmark.
        activities: Recording -> the activity it belongs to, where a dataset has several, for JSD.
    """

    name: str
    recordings: tuple[Recording, ...]
    annotations: tuple[Annotation, ...]
    actions: tuple[str, ...]
    skipped: tuple[tuple[Path, str], ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    activities: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.recordings) != len(self.annotations):
            raise FileFormatError(
                f"dataset {self.name!r}: {len(self.recordings)} recordings but "
                f"{len(self.annotations)} annotations"
            )
        for recording, annotation in zip(self.recordings, self.annotations, strict=True):
            ours = (recording.id, recording.n_frames, self.actions)
            theirs = (annotation.recording_id, annotation.n_frames, annotation.actions)
            if ours != theirs:
                raise FileFormatError(
                    f"dataset {self.name!r}: recording and annotation are not in step: {ours[:2]} "
                    f"and {theirs[:2]}, or they name other actions"
                )

    @property
    def n_actions(self) -> int:
        """Number of actions that occur."""
        return len(self.actions)

    @property
    def n_frames(self) -> int:
        """Frames of all recordings together."""
        return sum(recording.n_frames for recording in self.recordings)


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """What one wants to know of a dataset before one has it; None where it is not fixed.

    Attributes:
        name: Its name in the table.
        title: What it is.
        n_recordings: Recordings in the benchmark.
        n_persons: People in it.
        n_frames: Frames of all recordings together.
        fps: Frames a second.
        unit: Unit of the values.
        joint_names: Joints or sensors.
        actions: Actions that occur.
        patch_seconds: Length of a patch in the papers.
        terms: What one may do with it.
        source: Where to get it.
        citation: The paper to cite.
        sources: Its files that can be fetched without a person.
        by_hand: Where to get what cannot.
        fingerprint: What the files of the benchmark together should be.
    """

    name: str
    title: str
    n_recordings: int | None = None
    n_persons: int | None = None
    n_frames: int | None = None
    fps: float | None = None
    unit: str = ""
    joint_names: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    patch_seconds: float | None = None
    terms: str = ""
    source: str = ""
    citation: str = ""
    sources: tuple[Source, ...] = ()
    by_hand: str = ""
    fingerprint: Fingerprint | None = None


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What `prepare_dataset` wrote.

    Attributes:
        folder: Where.
        n_recordings: Recordings written.
        n_frames: Their frames together.
        skipped: Files that could not be read, each with the reason.
        warnings: What was changed or looks wrong.
        notes: What was left out or differs from the published benchmark.
    """

    folder: Path
    n_recordings: int
    n_frames: int
    skipped: tuple[tuple[Path, str], ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def load_dataset(
    name: str,
    root: str | Path | None = None,
    *,
    stride: int = 1,
    strict: bool = False,
    **options: object,
) -> Dataset:
    """A dataset as the papers use it.

    Files that cannot be read are skipped, values that no sensor can give are mended; either is
    said in `skipped` and `warnings`, and with DataWarning.

    Args:
        name: A name of `DATASETS`, or `module:function` of your own.
        root: Folder the files lie in; not needed by datasets that are made up.
        stride: Take every so-maniest frame of motion and labels.
        strict: Stop instead of skipping and mending.
        **options: For this dataset's own loader.

    Raises:
        ConfigError: If there is no such dataset or option, or `root` is missing.
        FileFormatError: If nothing can be read, or, when strict, anything cannot.
    """
    load: Callable[..., Dataset] = resolve(name, DATASETS, kind="dataset")
    if not callable(load):
        raise ConfigError(f"dataset {name!r} is of the type {type(load).__name__}; name a function")
    known = inspect.signature(load).parameters
    _check_options(name, [load], options)
    if "root" in known:
        if root is None and known["root"].default is inspect.Parameter.empty:
            raise ConfigError(
                f"dataset {name!r}: give the folder its files lie in, as "
                f"load_dataset({name!r}, 'path/to/files')"
            )
        options["root"] = root
    if "strict" in known:
        options["strict"] = strict
    loaded = load(**options)
    if not isinstance(loaded, Dataset):
        raise ConfigError(
            f"dataset {name!r}: its function gave {type(loaded).__name__}, not histvq.Dataset"
        )
    return _strided(loaded, stride)


def prepare_dataset(name: str, raw: str | Path, out: str | Path, **options: Any) -> Prepared:
    """Convert the raw files of a dataset once, so that it loads fast ever after.

    Raises:
        ConfigError: If there is no such dataset or option, or it has no raw files.
        FileFormatError: If nothing can be read.
    """
    prepare = _beside_loader(name, "prepare")
    if prepare is None:
        raise ConfigError(f"dataset {name!r} has no raw files to prepare")
    # Those that `prepare` takes by no name of its own it hands on to the loader.
    load = resolve(name, DATASETS, kind="dataset")
    _check_options(name, [prepare, load], options)
    return prepare(raw, out, **options)


def dataset_info(name: str) -> DatasetInfo:
    """What there is to know of a dataset without having it."""
    info = _beside_loader(name, "INFO")
    if info is not None:
        return info
    title = inspect.getdoc(inspect.getmodule(resolve(name, DATASETS, kind="dataset"))) or name
    return DatasetInfo(name=name, title=title.splitlines()[0])


def narrowed(annotations: Sequence[Annotation]) -> tuple[tuple[str, ...], list[Annotation]]:
    """The actions that occur, in the order of their numbers, and the labels in terms of them."""
    labels = np.concatenate([a.labels for a in annotations])
    occur = np.unique(labels[labels >= 0])
    actions = tuple(annotations[0].actions[label] for label in occur)

    def renumbered(given: np.ndarray) -> np.ndarray:
        return np.where(given < 0, -1, np.searchsorted(occur, given)).astype(np.int32)

    return actions, [replace(a, labels=renumbered(a.labels), actions=actions) for a in annotations]


def _check_options(
    name: str, functions: Sequence[Callable[..., Any]], options: Iterable[str]
) -> None:
    """Raise for an option that none of the functions takes."""
    known = [p for function in functions for p in inspect.signature(function).parameters.values()]
    takes = {p.name for p in known if p.kind is p.KEYWORD_ONLY}
    for option in options:
        if option not in takes:
            raise ConfigError(
                f"dataset {name!r} has no option {option!r}{did_you_mean(option, takes)}"
            )


def _beside_loader(name: str, attribute: str) -> Any:
    """Another name of the module a dataset's loader stands in, or None."""
    load = resolve(name, DATASETS, kind="dataset")
    if hasattr(load, attribute):  # several datasets of one module carry their own
        return getattr(load, attribute)
    return getattr(inspect.getmodule(load), attribute, None)


def _strided(dataset: Dataset, step: int) -> Dataset:
    recordings = tuple(transforms.stride(recording, step) for recording in dataset.recordings)
    if step == 1:
        return dataset
    annotations = tuple(
        replace(annotation, labels=annotation.labels[::step], fps=annotation.fps / step)
        for annotation in dataset.annotations
    )
    return replace(
        dataset,
        recordings=recordings,
        annotations=annotations,
        notes=(*dataset.notes, f"every {step}. frame only"),
    )
