"""Where a body is, which way it looks, and how large it is."""

from collections.abc import Iterator, Sequence

import numpy as np

from histvq.blocks import blocks
from histvq.errors import ConfigError
from histvq.recording import Recording, quantity_of
from histvq.transforms.centring import Centring


def centre_on_root(recording: Recording) -> Recording:
    """Positions relative to the root joint of each person; the root itself becomes 0.

    Where the root is not measured it stays missing, and the other joints are taken relative to where
    it must have been: see `Centring`.

    Raises:
        ConfigError: If the recording has no parents, or no `x`, `y`, `z` channels.
    """
    return _centred(recording, _roots(recording), "centre_on_root")


def root_centring(recording: Recording) -> Centring:
    """`centre_on_root` for frames that come block by block, laid out as those of this recording.

    Raises:
        ConfigError: If the recording has no parents, or no `x`, `y`, `z` channels.
    """
    return _centring(recording, _roots(recording))


def blocks_centred_on_root(
    recording: Recording, *, n_frames: int | None = None
) -> Iterator[np.ndarray]:
    """The frames of `centre_on_root`, some at a time, so that a long recording is not copied whole.

    Args:
        recording: Its frames may be in a mapped file.
        n_frames: Looked at in one go; by default as many as `blocks` takes. A block has other numbers
            of frames where a root is not measured.

    Raises:
        ConfigError: As `root_centring`.
    """
    centring = root_centring(recording)
    for block in blocks(recording.skeleton, n_rows=n_frames):
        yield centring.push(block)
    yield centring.finish()


def _roots(recording: Recording) -> list[int]:
    if recording.parents is None:
        raise ConfigError(
            f"recording {recording.id!r}: parents are not known, so there is no root to centre on; "
            "give parents, or turn centring off"
        )
    return [joint for joint, parent in enumerate(recording.parents) if parent == -1]


def centre_on(recording: Recording, joint: str) -> Recording:
    """Positions relative to one joint, which becomes 0; of several people, each to their own.

    While it is not measured, the others are taken relative to where it must have been, as in
    `centre_on_root`. With several people the joint is looked for by the name after `person/`.

    Raises:
        ConfigError: If a person has no such joint, or there are no positions.
    """
    named = [k for k, name in enumerate(recording.joint_names) if name.rpartition("/")[2] == joint]
    if not named:
        raise ConfigError(
            f"recording {recording.id!r} has no joint {joint!r} to centre on; it has "
            f"{', '.join(recording.joint_names)}"
        )
    return _centred(recording, named, f"centre_on({joint})")


def _centred(recording: Recording, centres: Sequence[int], note: str) -> Recording:
    centring = _centring(recording, centres)
    first, rest = centring.push(recording.skeleton), centring.finish()
    return recording.noted(note, skeleton=np.concatenate([first, rest]) if len(rest) else first)


def _centring(recording: Recording, centres: Sequence[int]) -> Centring:
    space = _positions(recording, "centre; turn centring off for inertial data")
    return Centring(recording, centres, space=space)


def relative_features(recording: Recording, *, fps: float | None = None) -> Recording:
    """Displacements and relative positions in place of positions: `dx`, `dy`, `dz`, then `x`, `y`, `z`.

    The displacement of a frame leads to the next one, and is 0 at the last in which anything was
    measured. Positions become relative to the first joint.

    Source: the input of MS-GCN for PKU-MMD (at the files' own rate, before any frames are left out).
    Departure: there a frame whose numbers are all 0 counts as missing; here missing is NaN.
    Units: of the positions; displacements a frame.

    Args:
        recording: Positions.
        fps: Give displacements as large as they would be from frame to frame at this rate, so that those
            of recordings at different rates can be compared; None: as they are.

    Raises:
        ConfigError: If there are other channels than x, y and z.
    """
    names = recording.channel_names
    if not set(names) <= {"x", "y", "z"}:
        raise ConfigError(
            f"recording {recording.id!r}: displacements and relative positions are of x, y and z, not "
            f"of {', '.join(names)}; take the channels as they are, features='raw'"
        )
    skeleton = recording.skeleton
    moved = np.full_like(skeleton, np.nan)
    moved[:-1] = (skeleton[1:] - skeleton[:-1]) * (recording.fps / (fps or recording.fps))
    if len(known := np.flatnonzero(~np.isnan(skeleton).all(axis=(1, 2)))):
        last = known[-1]
        moved[last] = np.where(np.isnan(skeleton[last]), np.nan, 0)
    return recording.noted(
        "relative_features",
        skeleton=np.concatenate([moved, skeleton - skeleton[:, :1]], axis=2),
        channel_names=(*(f"d{name}" for name in names), *names),
    )


METRES = {"mm": 0.001, "cm": 0.01, "m": 1.0, "inch": 0.0254}


def to_unit(recording: Recording, unit: str) -> Recording:
    """The same positions in another unit of length.

    Raises:
        ConfigError: If either unit is not one of `METRES`, or there are channels that are no positions.
    """
    for name in (recording.unit, unit):
        if name not in METRES:
            raise ConfigError(
                f"recording {recording.id!r}: cannot bring {recording.unit} to {unit}; known lengths are "
                f"{', '.join(METRES)}"
            )
    if recording.unit == unit:
        return recording
    places = _positions(recording, "bring to another unit")
    skeleton = recording.skeleton.copy()
    skeleton[:, :, places] *= METRES[recording.unit] / METRES[unit]
    return recording.noted(f"to_unit({unit})", skeleton=skeleton, unit=unit)


def face_heading(recording: Recording, *, left: str, right: str, up: str = "z") -> Recording:
    """Turned about the vertical, frame by frame, so that everybody looks the same way.

    From the left joint to the right one is then along the first of the two level axes. Where either is
    not measured, the heading of the frames around holds; if it never is, nothing is turned.

    Args:
        recording: Positions in three dimensions.
        left: A joint of the left side, as a hip or shoulder.
        right: Its twin.
        up: The vertical axis, `x`, `y` or `z`.

    Raises:
        ConfigError: If there are no three axes, or no such joints.
    """
    names = recording.channel_names
    level = [axis for axis in ("x", "y", "z") if axis != up]
    if not {"x", "y", "z"} <= set(names) or up not in ("x", "y", "z"):
        raise ConfigError(
            f"recording {recording.id!r}: a heading needs channels x, y and z and up=x, y or z; there "
            f"are {', '.join(names)}, up={up}"
        )
    if missing := [joint for joint in (left, right) if joint not in recording.joint_names]:
        raise ConfigError(
            f"recording {recording.id!r} has no joint {', '.join(missing)} to tell the heading by; it "
            f"has {', '.join(recording.joint_names)}"
        )
    a, b = (names.index(axis) for axis in level)
    across = (
        recording.skeleton[:, recording.joint_names.index(right)]
        - recording.skeleton[:, recording.joint_names.index(left)]
    )
    angle = _filled_angles(np.arctan2(across[:, b], across[:, a]))
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    skeleton = recording.skeleton.copy()
    first, second = recording.skeleton[:, :, a], recording.skeleton[:, :, b]
    skeleton[:, :, a] = cos * first + sin * second
    skeleton[:, :, b] = cos * second - sin * first
    return recording.noted(f"face_heading({left}, {right}, up={up})", skeleton=skeleton)


def _filled_angles(angles: np.ndarray) -> np.ndarray:
    """Angles without gaps: turned evenly from one known frame to the next; 0 if none is known."""
    known = np.flatnonzero(~np.isnan(angles))
    if not len(known):
        return np.zeros_like(angles)
    return np.interp(np.arange(len(angles)), known, np.unwrap(angles[known]))


def scale_to_body(recording: Recording) -> Recording:
    """Positions in body sizes: divided by the length of the longest chain of bones, end to end.

    Bones are from joint to parent, each as long as its median over time, so that posture does not count;
    of several people, each by their own.

    Raises:
        ConfigError: If parents are not known, no bone was measured, or there are no positions.
    """
    if recording.parents is None:
        raise ConfigError(
            f"recording {recording.id!r}: parents are not known, so there are no bones to measure; give "
            "them, or use unit_variance"
        )
    places = _positions(recording, "scale to the body")
    lengths = _bone_lengths(recording.skeleton[:, :, places], recording.parents)
    persons = np.array(recording.joint_persons or [0] * len(recording.joint_names))
    skeleton = recording.skeleton.copy()
    sizes = []
    for person in np.unique(persons):
        joints = np.flatnonzero(persons == person)
        size = _longest_chain(lengths, recording.parents, joints.tolist())
        if not size > 0:
            raise ConfigError(
                f"recording {recording.id!r}: no bone was ever measured whole, so there is no body size"
            )
        skeleton[np.ix_(np.arange(len(skeleton)), joints, np.array(places))] /= size
        sizes.append(f"{size:.4g} {recording.unit}")
    return recording.noted(f"scale_to_body({', '.join(sizes)})", skeleton=skeleton, unit="body")


def _bone_lengths(positions: np.ndarray, parents: tuple[int, ...]) -> np.ndarray:
    """Median length of each joint's bone to its parent; 0 at roots and where never measured."""
    lengths = np.zeros(len(parents))
    for joint, parent in enumerate(parents):
        if parent < 0:
            continue
        found = np.linalg.norm(positions[:, joint] - positions[:, parent], axis=1)
        found = found[~np.isnan(found)]
        lengths[joint] = np.median(found) if len(found) else 0
    return lengths


def _longest_chain(lengths: np.ndarray, parents: tuple[int, ...], joints: list[int]) -> float:
    """The longest way from one end of a skeleton to another, along its bones."""
    longest = 0.0
    reach = dict.fromkeys(joints, (0.0, 0.0))  # the two longest ways down from each joint
    for joint in sorted(joints, key=lambda j: -_depth(j, parents)):
        longest = max(longest, sum(reach[joint]))
        parent = parents[joint]
        if parent in reach:
            way = reach[joint][0] + lengths[joint]
            reach[parent] = tuple(sorted((*reach[parent], way))[:0:-1])  # type: ignore[assignment]
    return longest


def _depth(joint: int, parents: tuple[int, ...]) -> int:
    depth = 0
    while (joint := parents[joint]) != -1:
        depth += 1
    return depth


def unit_variance(recording: Recording) -> Recording:
    """Every quantity (positions, `acc`, `gyro`, ...) over its standard deviation in the recording.

    One factor for all joints and axes of a quantity, around each channel's own mean, so directions and
    proportions stay as they are. A quantity that never changes stays as it is.
    """
    quantities = [quantity_of(name) for name in recording.channel_names]
    skeleton = recording.skeleton.astype(np.float64)
    for quantity in dict.fromkeys(quantities):
        places = [c for c, q in enumerate(quantities) if q == quantity]
        values = skeleton[:, :, places].reshape(len(skeleton), -1)
        count = np.maximum((~np.isnan(values)).sum(axis=0), 1)
        spread = np.nansum((values - np.nansum(values, axis=0) / count) ** 2)
        deviation = np.sqrt(spread / max(1, (~np.isnan(values)).sum()))
        if deviation > 0:
            skeleton[:, :, places] /= deviation
    return recording.noted("unit_variance", skeleton=skeleton.astype(np.float32), unit="deviations")


def _positions(recording: Recording, purpose: str) -> list[int]:
    """Places of the x, y and z channels.

    Raises:
        ConfigError: If there are none.
    """
    places = [c for c, name in enumerate(recording.channel_names) if name in ("x", "y", "z")]
    if not places:
        raise ConfigError(
            f"recording {recording.id!r}: among {', '.join(recording.channel_names)} are no x, y, z "
            f"channels to {purpose}"
        )
    return places
