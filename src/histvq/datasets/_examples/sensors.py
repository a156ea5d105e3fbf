"""Six inertial sensors on the legs of people, as CSV."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial.transform import Rotation

from histvq.datasets._examples.acting import Part, Performance, performed
from histvq.datasets._examples.example import Example, csv_text, labels_csv
from histvq.datasets._examples.inertial import axes_along, specific_force, turning
from histvq.datasets._kinematics import JOINT_NAMES
from histvq.recording import Recording

# Sensor: the joint it is worn at, and the one the bone leads to.
PLACES = {
    f"{side}_{bone}": (f"{side}_{upper}", f"{side}_{lower}")
    for bone, upper, lower in (
        ("thigh", "hip", "knee"),
        ("shin", "knee", "ankle"),
        ("foot", "ankle", "toe"),
    )
    for side in ("left", "right")
}
CHANNELS = tuple(f"{what}_{axis}" for what in ("acc", "gyro") for axis in "xyz")
UNITS = {"acc": "m/s2", "gyro": "rad/s"}
FPS, SECONDS, N_PEOPLE = 50.0, 60.0, 4
RESTED = {"stand": 1, "walk": 3, "squat": 1, "kick": 1, "sit": 1}
TIRED = {"stand": 3, "walk": 2, "squat": 1, "kick": 1, "sit": 2}
LOOSE_S = 2.0  # for so long a plug had come off in one recording


def make(*, seed: int) -> Example:
    """Four people, rested and tired; tired they walk less, and stand and sit more."""
    parts = [
        Part(id=f"p{number}-{how}", person=f"p{number}", deck=deck, seconds=SECONDS, fps=FPS)
        for number in range(1, N_PEOPLE + 1)
        for how, deck in (("rested", RESTED), ("tired", TIRED))
    ]
    worn = {
        p.person: draw_mounting(np.random.default_rng([seed, 2, n])) for n, p in enumerate(parts)
    }
    texts, recordings, annotations = {}, [], []
    for number, one in enumerate(performed(parts, seed=seed)):
        signals = measured(one, worn[one.part.person])
        if number == 0:
            start = round(20 * FPS)
            signals[start : start + round(LOOSE_S * FPS), list(PLACES).index("right_foot")] = np.nan
        texts[f"recordings/{one.part.id}.csv"] = _text(one, signals)
        recordings.append(_recording(one, signals))
        annotations.append(one.annotation)
    rows = [(p.id, p.person, p.id.partition("-")[2]) for p in parts]
    texts["labels.csv"] = labels_csv(annotations)
    texts["conditions.csv"] = csv_text(("recording", "person", "condition"), rows)
    return Example(
        texts=texts,
        recordings=tuple(recordings),
        annotations=tuple(annotations),
        told=f"{len(parts)} recordings of {N_PEOPLE} people, {len(PLACES)} sensors on the legs at "
        f"{FPS:g} Hz: acceleration in m/s2, angular velocity in rad/s",
        next="histvq inspect {folder}/recordings",
    )


@dataclass(frozen=True, kw_only=True)
class Mounting:
    """How sensors sit on one person.

    Attributes:
        turns: Of each sensor against its bone, one rotation a sensor.
        offsets: What each sensor says at rest beyond what it should (sensor, channel).
    """

    turns: Rotation
    offsets: np.ndarray


def draw_mounting(rng: np.random.Generator) -> Mounting:
    """Sensors strapped on askew, some 25 degrees about each axis, with small offsets."""
    n = len(PLACES)
    sizes = [0.15] * 3 + [0.02] * 3  # m/s2, rad/s
    return Mounting(
        turns=Rotation.from_rotvec(rng.normal(0, np.radians(25), size=(n, 3))),
        offsets=rng.normal(0, sizes, size=(n, 6)),
    )


def measured(one: Performance, mounting: Mounting) -> np.ndarray:
    """What the sensors say: (frame, sensor, channel), of `CHANNELS`."""
    positions, fps = one.positions / 1000, one.part.fps
    left, right = (positions[:, JOINT_NAMES.index(f"{side}_hip")] for side in ("left", "right"))
    found = []
    for place, (upper, lower) in enumerate(PLACES.values()):
        here, there = (positions[:, JOINT_NAMES.index(name)] for name in (upper, lower))
        axes = axes_along(there - here, left - right) * mounting.turns[place]
        found.append(
            np.concatenate([specific_force(here, axes, fps=fps), turning(axes, fps=fps)], axis=1)
        )
    signals = np.stack(found, axis=1)
    noise = one.rng.normal(0, [0.08] * 3 + [0.015] * 3, size=signals.shape)
    return signals + mounting.offsets + noise


def _text(one: Performance, signals: np.ndarray) -> str:
    columns = [f"{s}_{c} [{UNITS[c.partition('_')[0]]}]" for s in PLACES for c in CHANNELS]
    table = pd.DataFrame(signals.reshape(len(signals), -1), columns=columns)
    times = np.arange(len(signals)) / one.part.fps
    table.insert(0, "time_s", [f"{time:.3f}" for time in times])
    table.insert(1, "person", one.part.person)
    return table.to_csv(index=False, float_format="%.4f", lineterminator="\n")


def _recording(one: Performance, signals: np.ndarray) -> Recording:
    return Recording(
        id=one.part.id,
        skeleton=signals,
        fps=one.part.fps,
        joint_names=tuple(PLACES),
        channel_names=CHANNELS,
        unit=", ".join(UNITS.values()),
        person=one.part.person,
    )
