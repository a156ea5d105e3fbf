"""Pure changes of a recording: each returns a new one and notes what it did."""

import numpy as np

from histvq.errors import ConfigError
from histvq.recording import Recording


def stride(recording: Recording, step: int) -> Recording:
    """Every step-th frame, beginning with the first, without a filter (the benchmarks' way)."""
    if step < 1:
        raise ConfigError(f"stride {step}: must be 1 or more")
    if step == 1:
        return recording
    return recording.noted(
        f"stride({step})", skeleton=recording.skeleton[::step], fps=recording.fps / step
    )


def resample(recording: Recording, fps: float) -> Recording:
    """The same motion at another frame rate.

    A whole ratio takes every so-maniest frame; any other interpolates linearly between the two
    neighbouring frames (a value is missing where either neighbour is). No low-pass filter.
    """
    if not fps > 0:
        raise ConfigError(f"fps {fps}: must be above 0")
    ratio = recording.fps / fps
    step = round(ratio)
    if step >= 1 and abs(ratio - step) < 1e-6 * ratio:
        return stride(recording, step)
    n_frames = (
        int(np.floor((recording.n_frames - 1) / ratio + 1e-9)) + 1 if recording.n_frames else 0
    )
    at = np.arange(n_frames) * ratio
    before = np.minimum(np.floor(at).astype(int), recording.n_frames - 1)
    after = np.minimum(before + 1, recording.n_frames - 1)
    weight = (at - before).astype(np.float32)[:, None, None]
    low, high = recording.skeleton[before], recording.skeleton[after]
    mixed = np.where(weight < 1e-6, low, low + weight * (high - low))
    return recording.noted(f"resample({fps:g})", skeleton=mixed, fps=fps)


def frames_before_resampling(n_original: int, n_resampled: int, *, ratio: float) -> np.ndarray:
    """For each original frame, the resampled frame in force at that time (the latest not after it).

    Args:
        n_original: Frames of the original recording.
        n_resampled: Frames after resampling.
        ratio: Original frames a second over resampled ones.
    """
    latest = np.floor(np.arange(n_original) / ratio + 1e-6).astype(int)
    return np.minimum(latest, n_resampled - 1)


def centre_on_root(recording: Recording) -> Recording:
    """Positions relative to the root joint of each person; the root itself becomes 0.

    Where the root is not measured it stays missing, and the other joints are taken relative to where
    it must have been: see `_known_path`.

    Raises:
        ConfigError: If the recording has no parents, or no `x`, `y`, `z` channels.
    """
    if recording.parents is None:
        raise ConfigError(
            f"recording {recording.id!r}: parents are not known, so there is no root to centre on; "
            "give parents, or turn centring off"
        )
    space = [c for c, name in enumerate(recording.channel_names) if name in ("x", "y", "z")]
    if not space:
        raise ConfigError(
            f"recording {recording.id!r}: no x, y, z channels among "
            f"{', '.join(recording.channel_names)}; turn centring off for inertial data"
        )
    skeleton = recording.skeleton.copy()
    persons = np.array(recording.joint_persons or [0] * skeleton.shape[1])
    for person in np.unique(persons):
        joints = np.flatnonzero(persons == person)
        roots = [j for j in joints if recording.parents[j] == -1]
        if not roots:
            raise ConfigError(
                f"recording {recording.id!r}: no joint of person {person} is a root to centre on; "
                "give its root the parent -1, or turn centring off"
            )
        root = roots[0]
        place = np.ix_(np.arange(len(skeleton)), joints, np.array(space))
        measured = recording.skeleton[:, joints][:, :, space]
        skeleton[place] -= _known_path(recording.skeleton[:, root][:, space], measured)[:, None]
    return recording.noted("centre_on_root", skeleton=skeleton)


def _known_path(root: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Where a root is (frame, space), also while it is not measured, so that the others stay known.

    Between measured frames along a straight line, before the first and after the last where it was
    then; if it is never measured, the mean of the joints that are, axis by axis.
    """
    path = np.empty_like(root)
    frames = np.arange(len(root))
    for axis in range(root.shape[1]):
        known = np.flatnonzero(~np.isnan(root[:, axis]))
        if len(known):
            path[:, axis] = np.interp(frames, known, root[known, axis])
        else:
            values = joints[:, :, axis]
            count = (~np.isnan(values)).sum(axis=1)
            path[:, axis] = np.nansum(values, axis=1) / np.maximum(count, 1)
    return path


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


def fill_gaps(recording: Recording, *, max_gap_s: float = 0.25) -> Recording:
    """Missing values filled by linear interpolation where a gap is short; longer ones stay NaN.

    Gaps at the beginning or end of the recording stay as they are: there is nothing to lean on.
    """
    skeleton = recording.skeleton.copy()
    series = skeleton.reshape(len(skeleton), -1)
    limit = max_gap_s * recording.fps + 1e-6  # 0.29 s at 100 Hz is 28.999999999999996 frames
    filled = sum(_fill_series(series[:, k], limit) for k in range(series.shape[1]))
    if not filled:
        return recording
    return recording.noted(f"fill_gaps({max_gap_s:g} s): {filled} values", skeleton=skeleton)


def _fill_series(values: np.ndarray, limit: float) -> int:
    """Fill short inner gaps of one series in place; how many values were filled."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < 2:
        return 0
    gaps = np.diff(known) - 1
    filled = 0
    for place in np.flatnonzero((gaps > 0) & (gaps <= limit)):
        start, stop = known[place] + 1, known[place + 1]
        values[start:stop] = np.interp(
            np.arange(start, stop), [start - 1, stop], [values[start - 1], values[stop]]
        )
        filled += stop - start
    return filled


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
