"""Who is learned from and who is tested on: always whole people, where they are known."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from histvq.errors import ConfigError
from histvq.recording import Recording


@dataclass(frozen=True, kw_only=True)
class Split:
    """A way to divide a dataset, fold by fold.

    Attributes:
        name: What it is called.
        by: What divides: `person`, or a key of the recordings' metadata, as `view`.
        folds: Of each fold, which people (or views) it tests on; it learns from all others.
    """

    name: str
    folds: tuple[tuple[str, ...], ...]
    by: str = "person"


# HuGaDB's are ours: no paper says whom it held out. The other datasets' are published.
SPLITS = {
    "hugadb": Split(
        name="4 folds of people",
        folds=(
            ("01", "05", "09", "13", "17"),
            ("02", "06", "10", "14", "18"),
            ("03", "07", "11", "15"),
            ("04", "08", "12", "16"),
        ),
    ),
    "lara": Split(name="S05-S08 held out", folds=(("S05", "S06", "S07", "S08"),)),
    "pku-mmd": Split(name="cross-subject", folds=(("02", "03", "07"),)),
    "pku-mmd-cross-view": Split(name="cross-view", folds=(("L",),), by="view"),
}


FEW_PEOPLE = 6


def split_of(name: str, recordings: Sequence[Recording]) -> Split:
    """The split of a dataset: the one of its name in `SPLITS`; else each person, of many five groups.

    Raises:
        ConfigError: If there is none, and nobody says whom the recordings are of, or it is one person.
    """
    if name in SPLITS:
        return SPLITS[name]
    alone = leave_one_person_out(recordings)
    return alone if len(alone.folds) <= FEW_PEOPLE else in_folds(alone, n_folds=5)


def in_folds(split: Split, *, n_folds: int) -> Split:
    """The same people in fewer folds, dealt out in turn."""
    people = [person for fold in split.folds for person in fold]
    return Split(
        name=f"{n_folds} folds of people",
        folds=tuple(tuple(people[k::n_folds]) for k in range(n_folds)),
    )


def leave_one_person_out(recordings: Sequence[Recording]) -> Split:
    """As many folds as people, each tested on once.

    Raises:
        ConfigError: If a recording does not say whom it is of, or all are of one person.
    """
    people = [group_of(recording, by="person") for recording in recordings]
    if len(set(people)) < 2:
        raise ConfigError(
            f"all {len(people)} recordings are of one person: nobody is left to learn from when that "
            "person is left out. Name only the rows that need no labels, as --only histvq"
        )
    return Split(
        name="leave one person out", folds=tuple((person,) for person in sorted(set(people)))
    )


def group_of(recording: Recording, *, by: str) -> str:
    """The person (or view, ...) of a recording.

    Raises:
        ConfigError: If it does not say.
    """
    found = recording.person if by == "person" else recording.metadata.get(by)
    if found is None:
        raise ConfigError(
            f"recording {recording.id!r} does not say its {by}: a split by {by} needs it, as "
            f"Recording({'person' if by == 'person' else 'metadata'}=...)"
        )
    return str(found)


def is_tested_on(recordings: Sequence[Recording], test: Sequence[str], *, by: str) -> np.ndarray:
    """Bool (recording,): which are tested on, the others are learned from.

    Raises:
        ConfigError: If somebody to test on is not there, or nobody to learn from.
    """
    groups = [group_of(recording, by=by) for recording in recordings]
    if absent := sorted(set(test) - set(groups)):
        raise ConfigError(
            f"no recording of {by} {', '.join(absent)}; there are {', '.join(sorted(set(groups)))}"
        )
    found = np.isin(groups, list(test))
    if found.all():
        raise ConfigError(f"every recording is tested on: no {by} is left to learn from")
    return found


def held_out(
    recordings: Sequence[Recording],
    labels: Sequence[np.ndarray],
    *,
    share: float,
    rng: np.random.Generator,
) -> list[int]:
    """Places of the recordings to validate on: people at random, until a share of all frames is theirs.

    Where not every recording says whom it is of, or there is one person only, recordings are held out
    instead of people. Whoever alone does some action is not held out: it could not be learned then.

    Args:
        recordings: All there are to learn from.
        labels: Theirs, -1 where nobody said.
        share: How much to hold out; 0 for nothing.
        rng: Decides who.

    Returns:
        None where everything is needed to learn from, as with a single recording.
    """
    people = [recording.person for recording in recordings]
    apart = None not in people and len(set(people)) > 1
    groups = people if apart else [recording.id for recording in recordings]
    occurs = [frozenset(np.unique(one[one >= 0]).tolist()) for one in labels]
    uses = Counter((g, label) for g, found in zip(groups, occurs, strict=True) for label in found)
    left = Counter(label for _, label in uses)  # label -> how many still do it
    frames = {g: sum(r.n_frames for r, o in zip(recordings, groups, strict=True) if o == g)
              for g in dict.fromkeys(groups)}  # fmt: skip
    chosen: set[str | None] = set()
    wanted = share * sum(frames.values())
    for place in rng.permutation(len(frames)):
        group = list(frames)[place]
        theirs = [label for g, label in uses if g == group]
        if sum(frames[g] for g in chosen) >= wanted or any(left[label] < 2 for label in theirs):
            continue
        if len(chosen) + 1 < len(frames):
            chosen.add(group)
            left.subtract(theirs)
    return [place for place, group in enumerate(groups) if group in chosen]
