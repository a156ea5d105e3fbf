"""What may be wrong with a LARa recording although it could be read: gaps, units, axes, origin."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from histvq.errors import FileFormatError

Gaps = Literal["interpolate", "keep", "error"]

LONGEST_GAP_S = 0.5
_REACH_MM = 10_000.0  # the hall is smaller
_TURN = 360.0


def fill_gaps(
    skeleton: np.ndarray,
    *,
    gaps: Gaps,
    fps: float,
    path: Path,
    joints: Sequence[str],
    n_angles: int,
    first_line: int,
) -> str:
    """Fill gaps of up to half a second in place, as `gaps` says; what was found, or nothing.

    Straight lines between the neighbours in time, angles the short way round; at either end of the
    recording the nearest value holds.

    Args:
        skeleton: (frame, joint, channel), NaN where nothing was measured.
        gaps: `interpolate`, `keep` or `error`.
        fps: Frames a second.
        path: For error messages.
        joints: Names of the joints.
        n_angles: So many channels, the first ones, are angles in degrees.
        first_line: Line of the first frame.

    Raises:
        FileFormatError: If there are gaps and there shall be none, or longer ones than can be filled.
    """
    lost = np.isnan(skeleton).any(axis=2)
    if not lost.any():
        return ""
    gappy = np.flatnonzero(lost.any(axis=0)).tolist()
    counts = ", ".join(f"{joints[j]} {lost[:, j].sum()}" for j in gappy)
    first = first_line + int(lost.any(axis=1).argmax())
    found = f"frames with missing values: {counts}; the first at line {first}"
    if gaps == "keep":
        return found
    if gaps == "error":
        raise FileFormatError(
            f'{path}: {found}. Pass gaps="interpolate" to fill those of up to {LONGEST_GAP_S:g} s, '
            'or "keep" to leave them missing'
        )
    for joint in gappy:
        start, stop = max(_runs(lost[:, joint]), key=lambda run: run[1] - run[0])
        if stop - start > LONGEST_GAP_S * fps:
            raise FileFormatError(
                f"{path}, line {first_line + start}: {joints[joint]} is missing for "
                f"{(stop - start) / fps:g} s; gaps of up to {LONGEST_GAP_S:g} s can be filled. Pass "
                'gaps="keep" to leave all missing, or take the file out'
            )
        for channel in range(skeleton.shape[2]):
            _fill(skeleton[:, joint, channel], turns=channel < n_angles)
    return f"{found}. Interpolated"


def implausible(skeleton: np.ndarray, *, joints: Sequence[str], version: int) -> Iterator[str]:
    """What is odd about positions that should be millimetres, z up; in version 3 not yet centred.

    Args:
        skeleton: (frame, joint, channel), the last three channels positions.
        joints: Names of the joints.
        version: Of the dataset.
    """
    place = {joint: number for number, joint in enumerate(joints)}
    positions = skeleton[:, :, -3:]
    known = [values[~np.isnan(values)] for values in np.moveaxis(positions, 2, 0)]
    span = max((float(np.ptp(values)) for values in known if len(values)), default=0.0)
    if span > _REACH_MM:
        yield f"positions range over {span / 1000:.4g} m, if they are millimetres; are they?"
    elif 0 < span < _REACH_MM / 1000:
        yield f"positions range over {span:.3g} mm only; are they metres?"
    toes = [place["left_toe"], place["right_toe"]]
    if _median(positions[:, place["head"], 2]) < _median(positions[:, toes, 2]):
        yield "the head is below the toes in most frames: z is not up, or axes are swapped"
    for joint in ("root", "lower_back"):
        if version == 3 and not positions[:, place[joint]].any():
            yield f"{joint} stays at 0: positions are centred already, as in version 1"


def _median(values: np.ndarray) -> float:
    return float(np.nanmedian(values)) if not np.isnan(values).all() else float("nan")


def _runs(true: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(true, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _fill(values: np.ndarray, *, turns: bool) -> None:
    """Fill one series in place."""
    lost = np.isnan(values)
    known = np.flatnonzero(~lost)
    if not lost.any() or not len(known):
        return
    given = values[known].astype(np.float64)
    if turns:
        given = np.unwrap(given, period=_TURN)
    filled = np.interp(np.flatnonzero(lost), known, given)
    values[lost] = (filled + _TURN / 2) % _TURN - _TURN / 2 if turns else filled
