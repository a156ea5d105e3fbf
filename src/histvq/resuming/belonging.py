"""Which settings, data and program a training belongs to, and what is different about another."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from importlib import metadata
from typing import Any

import numpy as np

from histvq.recording import Recording

# Of these the result of a training may depend, to the last digit.
_PROGRAMS = ("histvq", "torch", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Belonging:
    """What a training is of.

    Attributes:
        method: Name of the method.
        settings: Its parameters, as JSON has them.
        recordings: Id of each recording and a digest of all that is learned from, in order.
        labels: A digest of the labels; empty for methods that see none.
        versions: Of the programs.
    """

    method: str
    settings: Mapping[str, Any]
    recordings: Sequence[tuple[str, str]]
    labels: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, plain: Any) -> "Belonging":
        """What `plain` gave.

        Raises:
            TypeError, ValueError, AttributeError: If it does not come from there.
        """
        found = cls(**plain)
        dict(found.settings), dict(found.versions)
        for id, digest in found.recordings:
            str(id), str(digest)
        return found

    @property
    def plain(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)


def belonging(
    method: str,
    settings: Mapping[str, Any],
    recordings: Sequence[Recording],
    *,
    labels: Sequence[np.ndarray] = (),
    actions: Sequence[str] = (),
) -> Belonging:
    """What a training with these settings, of these recordings and labels, is of."""
    told = blake2b(repr(tuple(actions)).encode(), digest_size=16)
    for values in labels:
        told.update(f"{len(values)}".encode())
        told.update(np.ascontiguousarray(values, np.int32).data)
    return Belonging(
        method=method,
        settings=settings,
        recordings=[(recording.id, digest_of(recording)) for recording in recordings],
        labels=told.hexdigest() if labels else "",
        versions={name: metadata.version(name) for name in _PROGRAMS},
    )


def digest_of(recording: Recording) -> str:
    """A digest of the motion, and of what else of a recording is learned from."""
    said = (
        recording.skeleton.shape, recording.fps, recording.joint_names, recording.channel_names,
        recording.parents, recording.joint_persons, recording.unit, recording.person,
    )  # fmt: skip
    digest = blake2b(repr(said).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(recording.skeleton).data)
    return digest.hexdigest()


def differences(kept: Belonging, now: Belonging) -> list[str]:
    """What is another now, in words; empty where nothing that matters is."""
    if kept.method != now.method:
        return [f"the method was {kept.method} and is {now.method}"]
    names = dict.fromkeys([*kept.settings, *now.settings])
    found = [
        f"{name} was {_shown(kept.settings, name)} and is {_shown(now.settings, name)}"
        for name in names
        if _shown(kept.settings, name) != _shown(now.settings, name)
    ]
    before = dict(kept.recordings)
    after = dict(now.recordings)
    for what, ids in (
        ("no longer there", [id for id in before if id not in after]),
        ("new", [id for id in after if id not in before]),
        ("changed", [id for id in after if before.get(id, after[id]) != after[id]]),
    ):
        if ids:
            more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
            found.append(f"recordings {what}: {', '.join(ids[:5])}{more}")
    if not found and list(map(tuple, kept.recordings)) != list(map(tuple, now.recordings)):
        found.append("the recordings come in another order")
    if kept.labels != now.labels:
        found.append("the labels are others")
    return found


def other_programs(kept: Belonging, now: Belonging) -> list[str]:
    """Which programs are of another version now."""
    return [
        f"{name} {kept.versions.get(name, 'of no known version')}, now {version}"
        for name, version in now.versions.items()
        if kept.versions.get(name) != version
    ]


def _shown(settings: Mapping[str, Any], name: str) -> str:
    """A setting as text: JSON makes lists of tuples."""
    value = settings.get(name)
    return repr(list(value) if isinstance(value, tuple) else value)
