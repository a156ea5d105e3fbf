"""Motion capture: takes for animation as BVH, and people at work as markers in TRC."""

import numpy as np

from histvq.datasets._examples.acting import Part, Performance, performed
from histvq.datasets._examples.bvh_text import bvh_text
from histvq.datasets._examples.example import Example, csv_text, labels_csv
from histvq.datasets._examples.trc_text import trc_text
from histvq.datasets._kinematics import JOINT_NAMES
from histvq.datasets.synthetic import measure
from histvq.recording import Recording

TAKES = {"stand": 1, "walk": 2, "wave": 1, "jumping jack": 1, "kick": 1, "sit": 1, "squat": 1}
# Work: what is done at a place where things lie on the floor, and at one where they hang high.
LOW = {"stand": 1, "walk": 1, "squat": 3, "side bend": 1, "wave": 1, "sit": 1}
HIGH = {"stand": 1, "walk": 1, "squat": 1, "side bend": 1, "wave": 3, "sit": 1}
STEPS = {"squat": "lift from floor", "wave": "wipe overhead", "side bend": "reach sideways"}
PERFORMERS, WORKERS = ("ines", "jo", "kim"), ("w1", "w2", "w3", "w4")
UPRIGHT = (0, 2, 1)  # TRC has y up: x forward, then up, then to the right


def make(*, seed: int) -> Example:
    """Three performers, two takes each; and four people working at two places."""
    takes = [
        Part(id=f"{who}-take{number}", person=who, deck=TAKES, seconds=40, fps=60)
        for who in PERFORMERS
        for number in (1, 2)
    ]
    work = [
        Part(id=f"{who}-{place}", person=who, deck=deck, seconds=60, fps=30)
        for who in WORKERS
        for place, deck in (("low", LOW), ("high", HIGH))
    ]
    texts, recordings = {}, []
    acted = list(performed(takes, seed=seed))
    for one in acted:
        texts[f"takes/{one.part.id}.bvh"] = bvh_text(one)
        recordings.append(_recording(one, one.positions[..., (1, 2, 0)] / 10, unit="cm"))
    worked = list(performed(work, seed=seed + 1, called=STEPS))
    for one in worked:
        markers = measure(one.positions, one.rng, fps=one.part.fps)[..., UPRIGHT] * (1, 1, -1)
        texts[f"work/{one.part.id}.trc"] = trc_text(
            markers, JOINT_NAMES, fps=one.part.fps, name=f"{one.part.id}.trc"
        )
        recordings.append(_recording(one, markers, unit="mm"))
    texts["takes-labels.csv"] = labels_csv(one.annotation for one in acted)
    texts["work-labels.csv"] = labels_csv(one.annotation for one in worked)
    rows = [(part.id, part.person, part.id.partition("-")[2]) for part in work]
    texts["work-places.csv"] = csv_text(("recording", "person", "place"), rows)
    return Example(
        texts=texts,
        recordings=tuple(recordings),
        annotations=tuple(one.annotation for one in (*acted, *worked)),
        told=f"{len(takes)} takes of {len(PERFORMERS)} performers as BVH in cm at 60 frames a second; "
        f"{len(work)} recordings of {len(WORKERS)} people at work as TRC in mm at 30",
        next="histvq inspect {folder}/takes --unit cm",
    )


def _recording(one: Performance, positions: np.ndarray, *, unit: str) -> Recording:
    return Recording(
        id=one.part.id,
        skeleton=positions,
        fps=one.part.fps,
        joint_names=JOINT_NAMES,
        unit=unit,
    )
