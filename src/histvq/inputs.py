"""What recordings must be to be learned from, or segmented, together."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any
from warnings import warn

import numpy as np

from histvq.blocks import blocks
from histvq.errors import ConfigError, DataWarning
from histvq.recording import Recording
from histvq.transforms import complete_joints, select_joints, to_unit
from histvq.transforms.space import METRES

# Beyond what anybody measures, in whatever unit.
LARGEST = 1e12
# Joints nobody named.
_NUMBERED = re.compile(r"joint\d+")


def listed(recordings: Recording | Sequence[Recording]) -> list[Recording]:
    """One recording or several as a list.

    Raises:
        ConfigError: If something else is among them.
    """
    recordings = [recordings] if isinstance(recordings, Recording) else list(recordings)
    for recording in recordings:
        if not isinstance(recording, Recording):
            raise ConfigError(
                f"a recording is wanted, not {type(recording).__name__}; make one with "
                "histvq.Recording(id='name', skeleton=array, fps=60), the array (frame, joint, channel)"
            )
    return recordings


def checked(recordings: Sequence[Recording]) -> list[Recording]:
    """The recordings as a list, alike in layout, if they can be learned from together.

    The one with the most joints says what the others must have; see `alike`.

    Raises:
        ConfigError: If there are none, or they cannot be made alike, or share an id.
    """
    recordings = listed(recordings)
    if not recordings:
        raise ConfigError("no recordings to learn from; give at least one")
    fullest = max(recordings, key=lambda recording: len(recording.joint_names))
    recordings = [alike(recording, layout_of(fullest)) for recording in recordings]
    for recording in recordings:
        check_frames(recording)
    uses = Counter(recording.id for recording in recordings)
    if repeated := sorted(id_ for id_, count in uses.items() if count > 1):
        raise ConfigError(f"recordings with the same id: {', '.join(repeated[:10])}")
    return recordings


def check_frames(recording: Recording) -> None:
    """See that there is a frame at least, and no value beyond `LARGEST`.

    One such value makes all others look as if nothing ever moved, and its square may be infinite.

    Raises:
        ConfigError: If not; says where the value is.
    """
    if not recording.n_frames:
        raise ConfigError(f"recording {recording.id!r} has no frames; leave it out")
    start = 0
    for block in blocks(recording.skeleton):
        wrong = np.abs(block) > LARGEST
        if wrong.any():
            frame, joint, channel = np.argwhere(wrong)[0].tolist()
            raise ConfigError(
                f"recording {recording.id!r}: {block[frame, joint, channel]:.3g} at frame "
                f"{start + frame}, {recording.joint_names[joint]}, {recording.channel_names[channel]}: "
                "no measured value is so large. Write what is missing as an empty cell or NaN"
            )
        start += len(block)


def layout_of(recording: Recording) -> dict[str, Any]:
    """What recordings must share to be one method's input."""
    return {
        "joint_names": list(recording.joint_names),
        "channel_names": list(recording.channel_names),
        "joint_persons": recording.joint_persons and list(recording.joint_persons),
        "unit": recording.unit,
    }


def alike(recording: Recording, layout: dict[str, Any]) -> Recording:
    """The recording as a method with this layout takes it.

    Joints and channels come into the layout's order, lengths into its unit. A joint the recording lacks
    is missing throughout, and one that is too many is left out: both are warned of. Where joints are
    lacking and others are too many, or most are lacking, names are more likely to be others than joints.

    Raises:
        ConfigError: If that does not make it fit; names what is missing and what is too much.

    Warns:
        DataWarning: Of joints it lacks, and of joints left out.
    """
    if recording.unit != layout["unit"] and {recording.unit, layout["unit"]} <= METRES.keys():
        recording = to_unit(recording, layout["unit"])
    recording = _with_channels(recording, layout["channel_names"])
    recording = _with_joints(recording, layout["joint_names"])
    for name, expected in layout.items():
        if (found := layout_of(recording)[name]) != expected:
            raise ConfigError(_misfit(recording, name, found, expected))
    return recording


def _with_channels(recording: Recording, wanted: Sequence[str]) -> Recording:
    found = list(recording.channel_names)
    if found == list(wanted) or sorted(found) != sorted(wanted):
        return recording
    order = [found.index(name) for name in wanted]
    return recording.noted(
        f"channels in the order {', '.join(wanted)}",
        skeleton=recording.skeleton[:, :, order],
        channel_names=tuple(wanted),
    )


def _with_joints(recording: Recording, wanted: Sequence[str]) -> Recording:
    """These joints in this order, where lacking and surplus ones allow it; else as it is."""
    found = recording.joint_names
    lacking = [name for name in wanted if name not in found]
    surplus = [name for name in found if name not in wanted]
    if (
        list(found) == list(wanted)
        or len(set(found)) < len(found)
        or len(set(wanted)) < len(wanted)
    ):
        return recording
    if (lacking and surplus) or len(lacking) > len(wanted) / 2:
        return recording
    if (lacking or surplus) and any(_NUMBERED.fullmatch(name) for name in (*found, *wanted)):
        return recording  # by number alone nobody knows which joint it is that lacks
    if surplus:
        _tell(recording, "has joints that the others lack; left out", surplus)
    if lacking:
        _tell(recording, "lacks joints, taken as missing throughout", lacking)
    recording = select_joints(recording, tuple(name for name in wanted if name in found))
    return complete_joints(recording, tuple(wanted)) if lacking else recording


def _tell(recording: Recording, what: str, joints: Sequence[str]) -> None:
    words = f"recording {recording.id!r} {what}: {', '.join(joints)}"
    warn(words, DataWarning, stacklevel=5)


def _misfit(recording: Recording, name: str, found: Any, expected: Any) -> str:
    if isinstance(found, list) and isinstance(expected, list) and set(found) != set(expected):
        missing = [str(x) for x in expected if x not in found]
        extra = [str(x) for x in found if x not in expected]
        detail = (
            f"missing {', '.join(missing) or 'none'}; not expected {', '.join(extra) or 'none'}"
        )
    else:
        detail = f"{found} instead of {expected}"
    return (
        f"recording {recording.id!r} does not fit the others: {name.replace('_', ' ')} differ "
        f"({detail}). Make them alike first, as with --transform select=..., rename=... or unit=..., "
        "or histvq.transforms"
    )


def can_centre(recording: Recording) -> bool:
    """Whether there is one root a person, and nothing but positions to take off."""
    roots = [] if recording.parents is None else [p for p in recording.parents if p == -1]
    n_persons = len(set(recording.joint_persons or (0,)))
    return len(roots) == n_persons and set(recording.channel_names) <= {"x", "y", "z"}


def centred(recordings: Sequence[Recording], wish: bool | str) -> bool:
    """Whether to take the root's position off: decided once, for all that a model will ever see.

    Args:
        recordings: The training data.
        wish: True, False, or `auto`: where it can be done to all of them.
    """
    if isinstance(wish, bool):
        return wish
    return all(can_centre(recording) for recording in recordings)


def measured(skeleton: np.ndarray) -> bool:
    """Whether any joint of any frame has all its channels."""
    return bool((~np.isnan(skeleton).any(axis=2)).any())


def check_enough(
    recordings: Sequence[Recording], *, n_codes: int, n_patches: int, patch_seconds: float
) -> None:
    """See that there are at least as many patches as codes, and anything measured at all.

    Raises:
        ConfigError: If not.
    """
    if n_patches < n_codes:
        raise ConfigError(
            f"{n_patches} patches of {patch_seconds:g} s for {n_codes} codes: give "
            "more recordings, lower n_actions or alpha, or shorten patch_seconds"
        )
    check_measured(recordings)


def check_measured(recordings: Sequence[Recording]) -> None:
    """See that anything was measured at all.

    Raises:
        ConfigError: If not.
    """
    if not any(measured(recording.skeleton) for recording in recordings):
        raise ConfigError(
            "every value of every recording is missing: there is nothing to learn from"
        )


def warn_if_few(n_different: int, n_codes: int) -> None:
    """Say so where there are fewer different points in the data than codes to give them."""
    if n_different < n_codes:
        warn(
            f"only {n_different} different points in the data for {n_codes} codes: the other codes "
            "stay empty; lower n_actions",
            DataWarning,
            stacklevel=4,
        )


def seed_of(random_state: int | None) -> int:
    """The seed given, or one drawn."""
    if random_state is not None:
        return random_state
    return int(np.random.SeedSequence().generate_state(1)[0])
