"""People filmed by one camera, their keypoints as DeepLabCut writes them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histvq.datasets._examples.acting import Part, Performance, performed
from histvq.datasets._examples.example import Example, csv_text, labels_csv
from histvq.datasets._kinematics import JOINT_NAMES
from histvq.recording import Recording

_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
KEYPOINTS = ("head", "neck", *(f"{side}_{joint}" for joint in _LIMBS for side in ("left", "right")))
SCORER = "made_up_network"
SURE = 0.6  # likelihoods are above it where the network saw the point, below where it did not
LACKS = ("ben-after", "left_wrist")  # a file, and the keypoint its network did not know
PX_PER_MM, LEFT_PX, FLOOR_PX = 0.22, 320.0, 440.0  # of pictures 640 wide and 480 high
VIEW = np.radians(50)  # between where people look and where the camera is
BEFORE = {"stand": 2, "walk": 2, "squat": 1, "wave": 1, "kick": 1, "sit": 1}
AFTER = {"stand": 1, "walk": 4, "squat": 1, "wave": 1, "kick": 1, "sit": 1}
SECONDS = 45.0

_ALONE = {"ada": 30.0, "ben": 30.0, "cleo": 30.0, "dan": 25.0}
_PAIR = ("eva", "finn")


def make(*, seed: int) -> Example:
    """Four people before and after a treatment, and two in one picture; after it they walk more often.

    One of the four was filmed at another rate.
    """
    parts = [
        Part(id=f"{who}-{when}", person=who, deck=deck, seconds=SECONDS, fps=fps)
        for who, fps in _ALONE.items()
        for when, deck in (("before", BEFORE), ("after", AFTER))
    ]
    parts += [
        Part(id=f"duo-{who}", person=who, deck=BEFORE, seconds=SECONDS, fps=30) for who in _PAIR
    ]
    found = list(performed(parts, seed=seed))
    alone, pair = found[: -len(_PAIR)], found[-len(_PAIR) :]
    texts, recordings = {}, []
    for one in alone:
        track = _tracked(one, across=0.0)
        names = [name for name in KEYPOINTS if (one.part.id, name) != LACKS]
        texts[f"{one.part.fps:g}fps/{one.part.id}.csv"] = _text({"": track}, names)
        recordings.append(_recording(one, track, names))
    both = {
        one.part.person: _tracked(one, across=across)
        for one, across in zip(pair, (-150.0, 150.0), strict=True)
    }
    texts["30fps/duo.csv"] = _text(both, KEYPOINTS)
    recordings += [_recording(one, both[one.part.person], KEYPOINTS) for one in pair]
    annotations = tuple(one.annotation for one in found)
    rows = [(p.id, p.person, "after" if p.id.endswith("after") else "before") for p in parts]
    texts["labels.csv"] = labels_csv(annotations)
    texts["sessions.csv"] = csv_text(("recording", "person", "session"), rows)
    return Example(
        texts=texts,
        recordings=tuple(recordings),
        annotations=annotations,
        told=f"keypoints of {len(_ALONE) + len(_PAIR)} people in {len(alone) + 1} DeepLabCut files; "
        f"two in duo.csv, and one filmed at 25 frames a second instead of 30",
        next="histvq inspect {folder}/30fps --fps 30 --people apart",
    )


def _tracked(one: Performance, *, across: float) -> pd.DataFrame:
    """What a network says of each keypoint in each frame: x, y and likelihood.

    Where it did not see a keypoint it names a place all the same, with a likelihood below `SURE`.

    Args:
        one: What was filmed.
        across: How far right of the middle the person is, in pixels.
    """
    rng, fps = one.rng, one.part.fps
    pixels = pictured(one.positions)[:, [JOINT_NAMES.index(name) for name in KEYPOINTS]]
    pixels += np.array([across, 0]) + rng.normal(0, 1.2, size=pixels.shape)
    n_frames, n_points, _ = pixels.shape
    likelihood = SURE + (1 - SURE) * rng.beta(20, 1, size=(n_frames, n_points))
    for shortest, longest, every_s in ((0.07, 0.2, 2.0), (1.0, 2.5, 20.0)):
        for _ in range(round(n_frames / fps / every_s)):
            start, point = rng.integers(n_frames), rng.integers(n_points)
            lost = slice(start, start + round(rng.uniform(shortest, longest) * fps))
            likelihood[lost, point] = rng.uniform(0.02, 0.4, size=len(likelihood[lost]))
            pixels[lost, point] += rng.normal(0, 40, size=pixels[lost, point].shape)
    values = np.concatenate([pixels, likelihood[..., None]], axis=2).reshape(n_frames, -1)
    coordinates = ("x", "y", "likelihood")
    return pd.DataFrame(values, columns=pd.MultiIndex.from_product([KEYPOINTS, coordinates]))


def pictured(positions: np.ndarray) -> np.ndarray:
    """Where joints are in the picture of a camera far away, which goes along with the person.

    Units: mm in, pixels out: x to the right, y down.

    Returns:
        (frame, joint, 2).
    """
    forward, left, up = np.moveaxis(positions - [1, 1, 0] * positions[:, :1], -1, 0)
    right = forward * np.sin(VIEW) - left * np.cos(VIEW)
    return np.stack([LEFT_PX + PX_PER_MM * right, FLOOR_PX - PX_PER_MM * up], axis=-1)


def _text(tracks: dict[str, pd.DataFrame], names: Sequence[str]) -> str:
    """The table, of one person without a name or of several with theirs."""
    columns = [
        (who, name, coordinate)
        for who in tracks
        for name in names
        for coordinate in ("x", "y", "likelihood")
    ]
    levels = {"scorer": [SCORER] * len(columns)}
    if list(tracks) != [""]:
        levels["individuals"] = [who for who, _, _ in columns]
    levels["bodyparts"] = [name for _, name, _ in columns]
    levels["coords"] = [coordinate for _, _, coordinate in columns]
    head = "".join(",".join([level, *cells]) + "\n" for level, cells in levels.items())
    rows = pd.concat([track[list(names)] for track in tracks.values()], axis=1)
    return head + rows.to_csv(header=False, float_format="%.3f", lineterminator="\n")


def _recording(one: Performance, track: pd.DataFrame, names: Sequence[str]) -> Recording:
    values = track[list(names)].to_numpy().reshape(len(track), len(names), 3)
    sure = values[..., 2:].round(3) >= SURE
    return Recording(
        id=one.part.id,
        skeleton=np.where(sure, values[..., :2], np.nan),
        fps=one.part.fps,
        joint_names=tuple(names),
        unit="px",
        person=one.part.person if one.part.person in _PAIR else None,  # others' files do not say
    )
