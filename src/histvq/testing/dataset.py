"""What a dataset keeps to."""

from pathlib import Path

import numpy as np

from histvq.datasets import Dataset, DatasetInfo, dataset_info, load_dataset
from histvq.errors import ConfigError
from histvq.testing.holding import hold, refused


def check_dataset(dataset: str, root: str | Path | None = None, **options: object) -> None:
    """Load a dataset and see that motion and labels fit together, and nothing is told twice.

    Args:
        dataset: `module:function`, or a name of the table.
        root: The folder its files lie in; a few of them will do.
        **options: For its loader.

    Raises:
        AssertionError: At the first thing that is not as it must be; the words say which.
    """
    data = load_dataset(dataset, root, **options)  # type: ignore[arg-type]
    hold(data.name, "a dataset must have a name")
    hold(data.recordings, "a dataset must have a recording at least")
    ids = [recording.id for recording in data.recordings]
    hold(len(set(ids)) == len(ids), "ids of recordings must differ")
    for recording, annotation in zip(data.recordings, data.annotations, strict=True):
        hold(recording.fps == annotation.fps, f"{recording.id}: labels must have its frame rate")
    _check_actions(data)
    _check_no_peeking(data)
    _check_again(data, load_dataset(dataset, root, **options))  # type: ignore[arg-type]
    with refused(ConfigError, "an option that there is not", naming="no_such_option"):
        load_dataset(dataset, root, no_such_option=1)
    info = dataset_info(dataset)
    hold(isinstance(info, DatasetInfo), "INFO beside the loader must be a DatasetInfo")
    hold(
        not info.actions or set(data.actions) <= set(info.actions),
        "INFO.actions must hold every action that occurs",
    )


def _check_actions(data: Dataset) -> None:
    labels = np.concatenate([annotation.labels for annotation in data.annotations])
    occur = set(np.unique(labels[labels >= 0]).tolist())
    never = [name for place, name in enumerate(data.actions) if place not in occur]
    hold(
        not never,
        f"actions that occur nowhere: {', '.join(never)}; histvq.datasets.narrowed leaves them out",
    )
    hold(len(set(data.actions)) == len(data.actions), "names of actions must differ")


def _check_no_peeking(data: Dataset) -> None:
    """See that no action's name stands where methods look."""
    for recording in data.recordings:
        told = {*map(str, recording.metadata.values()), *recording.channel_names}
        found = (told | {*recording.history}) & {*data.actions}
        hold(not found, f"{recording.id}: the recording itself tells an action: {', '.join(found)}")


def _check_again(one: Dataset, other: Dataset) -> None:
    """See that a dataset is the same when it is loaded again."""
    same = [recording.id for recording in one.recordings] == [r.id for r in other.recordings]
    same = same and all(
        np.array_equal(a.skeleton, b.skeleton, equal_nan=True)
        for a, b in zip(one.recordings, other.recordings, strict=True)
    )
    hold(same, "loaded twice, a dataset must be the same, in the same order")
