"""Which joints there are, and what they are called."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from histvq.errors import ConfigError
from histvq.recording import Recording


def select_joints(recording: Recording, joints: tuple[str, ...]) -> Recording:
    """The named joints only, in this order; parents are followed up to the next one kept."""
    missing = [name for name in joints if name not in recording.joint_names]
    if missing:
        raise ConfigError(
            f"recording {recording.id!r} has no joint {', '.join(missing)}; it has "
            f"{', '.join(recording.joint_names)}"
        )
    index = [recording.joint_names.index(name) for name in joints]
    return recording.noted(
        f"select_joints({', '.join(joints)})",
        skeleton=recording.skeleton[:, index],
        joint_names=joints,
        parents=None if recording.parents is None else _new_parents(recording.parents, index),
        joint_persons=(
            None
            if recording.joint_persons is None
            else tuple(recording.joint_persons[j] for j in index)
        ),
    )


def _new_parents(parents: tuple[int, ...], kept: list[int]) -> tuple[int, ...]:
    def ancestor(joint: int) -> int:
        joint = parents[joint]
        while joint != -1 and joint not in kept:
            joint = parents[joint]
        return -1 if joint == -1 else kept.index(joint)

    return tuple(ancestor(joint) for joint in kept)


def complete_joints(recording: Recording, joints: tuple[str, ...]) -> Recording:
    """These joints in this order; those the recording lacks are missing (NaN) in every frame.

    A joint that is added hangs on the root of its recording, or of the person its name begins with.

    Raises:
        ConfigError: If a joint of the recording is not among them.
    """
    if left_out := [name for name in recording.joint_names if name not in joints]:
        raise ConfigError(f"recording {recording.id!r}: no place for joint {', '.join(left_out)}")
    place = [joints.index(name) for name in recording.joint_names]
    skeleton = np.full(
        (recording.n_frames, len(joints), recording.skeleton.shape[2]), np.nan, np.float32
    )
    skeleton[:, place] = recording.skeleton
    persons, parents = recording.joint_persons, recording.parents
    person_of = dict(zip(map(_person, recording.joint_names), persons or (), strict=False))
    whose = [person_of.get(_person(name), 0) for name in joints]
    roots = {
        whose[place[j]]: place[j] for j, up in reversed([*enumerate(parents or ())]) if up == -1
    }
    tree = [roots.get(person, -1) for person in whose]
    for joint, parent in zip(place, parents or (), strict=False):
        tree[joint] = -1 if parent == -1 else place[parent]
    added = [name for name in joints if name not in recording.joint_names]
    return recording.noted(
        f"complete_joints({', '.join(added)})",
        skeleton=skeleton,
        joint_names=joints,
        parents=None if parents is None else tuple(tree),
        joint_persons=None if persons is None else tuple(whose),
    )


def split_people(recording: Recording) -> list[Recording]:
    """One recording a person, where joints of several lie side by side; else the recording itself.

    Ids are `<id>-<person>`, and joints lose the `person/` before their names.
    """
    persons = np.array(recording.joint_persons or (0,))
    if len(set(persons.tolist())) < 2:
        return [recording]
    return [_alone(recording, int(person)) for person in np.unique(persons)]


def _alone(recording: Recording, person: int) -> Recording:
    chosen = [j for j, whose in enumerate(recording.joint_persons or ()) if whose == person]
    names = [recording.joint_names[joint] for joint in chosen]
    one = len({_person(name) for name in names}) == 1 and _person(names[0])
    called = str(one or f"person{person}")
    return recording.noted(
        f"split_people: {called}",
        skeleton=recording.skeleton[:, chosen],
        parents=None if recording.parents is None else _new_parents(recording.parents, chosen),
        id=f"{recording.id}-{_SAFE.sub('_', called)}",
        joint_names=tuple(name.rpartition("/")[2] if one else name for name in names),
        joint_persons=None,
        person=recording.person or called,
    )


# What a file's name may hold on every system.
_SAFE = re.compile(r"[^\w.+=-]+")


def _person(joint: str) -> str:
    """What stands before the slash of `person/joint`."""
    return joint.rpartition("/")[0]


def rename_joints(recording: Recording, names: Mapping[str, str]) -> Recording:
    """The same joints under other names; those not mentioned keep theirs.

    Raises:
        ConfigError: If there is no such joint, or two would be called the same.
    """
    if missing := [name for name in names if name not in recording.joint_names]:
        raise ConfigError(
            f"recording {recording.id!r} has no joint {', '.join(missing)}; it has "
            f"{', '.join(recording.joint_names)}"
        )
    renamed = tuple(names.get(name, name) for name in recording.joint_names)
    if twice := sorted({name for name in renamed if renamed.count(name) > 1}):
        raise ConfigError(f"recording {recording.id!r}: two joints would be called {twice[0]!r}")
    said = ", ".join(f"{old}={new}" for old, new in names.items())
    return recording.noted(f"rename_joints({said})", joint_names=renamed)


def mirror(recording: Recording, *, axis: str = "x") -> Recording:
    """The motion as a mirror shows it: one axis turned round, left and right joints swapped.

    Joints belong together whose names differ in `left` and `right` (or `l_` and `r_`, `Left`, `Right`)
    alone; the others stay in their places.

    Raises:
        ConfigError: If there is no such channel.
    """
    if axis not in recording.channel_names:
        raise ConfigError(
            f"recording {recording.id!r} has no channel {axis!r} to mirror; it has "
            f"{', '.join(recording.channel_names)}"
        )
    order = [_twin(name, recording.joint_names) for name in recording.joint_names]
    skeleton = recording.skeleton[:, order]
    skeleton[:, :, recording.channel_names.index(axis)] *= -1
    return recording.noted(f"mirror({axis})", skeleton=skeleton)


_SIDES = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"))
_SHORT_SIDES = (("l_", "r_"), ("L_", "R_"))


def _twin(name: str, names: Sequence[str]) -> int:
    """Place of the joint on the other side; of the joint itself, if there is none."""
    swapped = [name.replace(a, b) for pair in _SIDES for a, b in (pair, pair[::-1]) if a in name]
    swapped += [
        b + name.removeprefix(a)
        for pair in _SHORT_SIDES
        for a, b in (pair, pair[::-1])
        if name.startswith(a)
    ]
    return next((names.index(other) for other in swapped if other in names), names.index(name))
