"""Which joints there are, and what they are called."""

import re
from collections.abc import Mapping

import numpy as np

from histvq.errors import ConfigError, did_you_mean
from histvq.recording import Recording
from histvq.skeletons import Skeleton, mirrored_pairs


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


def with_skeleton(recording: Recording, skeleton: Skeleton) -> Recording:
    """The same joints as those of a known skeleton: its parents, and its names where they have none.

    Joints go by name; where nobody named them (`joint0`, `joint1`, ...) and there are as many as in the
    skeleton, by their order. A joint whose parent the recording lacks hangs on the next one up.

    Raises:
        ConfigError: If a joint is not in the skeleton, or there are others in number.
    """
    persons = recording.joint_persons or (0,) * len(recording.joint_names)
    names, parents = list(recording.joint_names), [-1] * len(persons)
    for person in sorted(set(persons)):
        joints = [joint for joint, theirs in enumerate(persons) if theirs == person]
        bare = _named(recording, [names[joint].rpartition("/")[2] for joint in joints], skeleton)
        place = dict(zip(bare, joints, strict=True))
        for name, joint in place.items():
            whose, slash, _ = names[joint].rpartition("/")
            names[joint] = whose + slash + name
            up = skeleton.parents[skeleton.joint_names.index(name)]
            while up != -1 and skeleton.joint_names[up] not in place:
                up = skeleton.parents[up]
            parents[joint] = -1 if up == -1 else place[skeleton.joint_names[up]]
    return recording.noted(
        f"with_skeleton({skeleton.name})", joint_names=tuple(names), parents=tuple(parents)
    )


def _named(recording: Recording, names: list[str], skeleton: Skeleton) -> list[str]:
    """What one person's joints are called in the skeleton."""
    if names == [f"joint{j}" for j in range(len(names))]:
        if len(names) == len(skeleton.joint_names):
            return list(skeleton.joint_names)
        raise ConfigError(
            f"recording {recording.id!r} has {len(names)} joints without names, {skeleton.name} has "
            f"{len(skeleton.joint_names)}"
        )
    for name in names:
        if name not in skeleton.joint_names:
            raise ConfigError(
                f"recording {recording.id!r}: {skeleton.name} has no joint {name!r}"
                f"{did_you_mean(name, skeleton.joint_names)} Rename it, or select others first"
            )
    return names


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

    Joints belong together by their names, see `histvq.skeletons.mirrored_pairs`; the others stay in
    their places.

    Raises:
        ConfigError: If there is no such channel.
    """
    if axis not in recording.channel_names:
        raise ConfigError(
            f"recording {recording.id!r} has no channel {axis!r} to mirror; it has "
            f"{', '.join(recording.channel_names)}"
        )
    order = list(range(len(recording.joint_names)))
    for left, right in mirrored_pairs(recording.joint_names):
        order[left], order[right] = right, left
    skeleton = recording.skeleton[:, order]
    skeleton[:, :, recording.channel_names.index(axis)] *= -1
    return recording.noted(f"mirror({axis})", skeleton=skeleton)
