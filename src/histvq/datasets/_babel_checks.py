"""What of the BABEL subsets is left out, and what shows that files are not of their preparation."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from histvq.datasets._babel_labels import CLASSES, FPS, NONE
from histvq.datasets._babel_motion import CENTRE, HEAD, JOINTS, PELVIS
from histvq.datasets._babel_prepared import Found
from histvq.errors import FileFormatError
from histvq.recording import Recording

# From pelvis to head, in millimetres: what is outside is in another unit.
_TALL = (400.0, 900.0)
_STILL = 1e-3  # how far off 0 the joint everything is relative to may be


def stop_at_faults(found: Found, root: Path, *, everything: bool, strict: bool) -> None:
    """Raise where nothing could be read; or anything could not, if everything is wanted."""
    faults = in_one(found.skipped) if everything or not found.recordings else []
    if strict:
        faults += found.warnings
    if faults:
        raise FileFormatError("\n".join(faults[:10]))
    if not found.recordings:
        raise FileFormatError(f"{root}: no sequence of this subset in it")


def leave_out_idle(found: Found) -> None:
    """Leave out what is `none` in more than half of its frames; put the others in order."""
    pairs = sorted(
        zip(found.recordings, found.annotations, strict=True), key=lambda pair: pair[0].id
    )
    none = len(CLASSES[1])
    kept = [(r, a) for r, a in pairs if 2 * (a.labels == none).sum() <= a.n_frames]
    if len(kept) < len(pairs):
        found.notes.append(
            f"{len(pairs) - len(kept)} sequences left out: {NONE!r} in more than half of their frames"
        )
    found.recordings = [recording for recording, _ in kept]
    found.annotations = [annotation for _, annotation in kept]


def check_preparation(found: Found, root: Path) -> None:
    """Raise for what shows that the files are not of this preparation."""
    if not found.recordings:
        raise FileFormatError(
            f"{root}: every sequence is {NONE!r} in more than half of its frames. Is it the whole file?"
        )
    strange = [r.id for r in found.recordings if not _is_ours(r)]
    if strange:
        raise FileFormatError(
            f"{root}: {len(strange)} recordings, as {', '.join(strange[:10])}, have other joints, or are "
            f"not in millimetres at {FPS:g} frames a second, whole. Prepare the raw files again"
        )
    ids = Counter(recording.id for recording in found.recordings)
    if twice := [id for id, count in ids.items() if count > 1]:
        raise FileFormatError(
            f"{root}: {len(twice)} sequences stand in training and validation both, as "
            f"{', '.join(twice[:10])}. Get files that belong together"
        )
    moving = [r.id for r in found.recordings if np.abs(r.skeleton[:, CENTRE]).max() > _STILL]
    if moving:
        raise FileFormatError(
            f"{root}: {JOINTS[CENTRE]} is not at 0 throughout in {len(moving)} sequences, as "
            f"{', '.join(moving[:10])}; in this preparation everything is relative to it"
        )
    heights = [
        np.median(np.linalg.norm(r.skeleton[:, HEAD] - r.skeleton[:, PELVIS], axis=1))
        for r in found.recordings
    ]
    if not _TALL[0] <= (height := float(np.median(heights))) <= _TALL[1]:
        raise FileFormatError(
            f"{root}: {height:.4g} mm from pelvis to head; expected {_TALL[0]:g} to {_TALL[1]:g}. "
            "Pickles hold metres, features/*.npy millimetres: is the unit another one?"
        )


def _is_ours(recording: Recording) -> bool:
    return (
        recording.joint_names == JOINTS
        and recording.skeleton.shape[2] == 3
        and (recording.fps, recording.unit) == (FPS, "mm")
        and bool(np.isfinite(recording.skeleton).all())
    )


def in_one(skipped: Iterable[tuple[Path, str]]) -> list[str]:
    """What could not be read, in one message: of AMASS one may have a part only."""
    reasons = [f"{file}: {why}" if str(file) not in why else why for file, why in skipped]
    if not reasons:
        return []
    more = f"\n... and {len(reasons) - 10} more" if len(reasons) > 10 else ""
    return [f"{len(reasons)} sequences could not be read:\n" + "\n".join(reasons[:10]) + more]
