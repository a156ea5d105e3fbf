"""What the made-up people do: curves of joint angles over time.

A move takes the time in tempo-scaled seconds and a size (1 is usual) and returns what it adds to a
person's posture: degrees for angles, mm for `lift`, mm/s for `speed`.
"""

from collections.abc import Callable

import numpy as np

Curves = dict[str, np.ndarray]


def _wave(cycle: np.ndarray, hertz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * cycle)


def _pulse(cycle: np.ndarray, hertz: float) -> np.ndarray:
    """From 0 to 1 and back, once a cycle."""
    return (1 - np.cos(2 * np.pi * hertz * cycle)) / 2


def _both(**angles: np.ndarray) -> Curves:
    return {
        f"{side}_{name}": values for side in ("left", "right") for name, values in angles.items()
    }


def _stand(cycle: np.ndarray, size: float) -> Curves:
    return {"lean_left": 2 * size * _wave(cycle, 0.2), "twist": 3 * size * _wave(cycle, 0.13)}


def _walk(cycle: np.ndarray, size: float) -> Curves:
    swing, lifted = _wave(cycle, 0.95), _wave(cycle + 0.25 / 0.95, 0.95)
    return {
        "left_leg_forward": 26 * size * swing,
        "right_leg_forward": -26 * size * swing,
        "left_knee": 6 + 48 * size * np.clip(lifted, 0, 1) ** 2,
        "right_knee": 6 + 48 * size * np.clip(-lifted, 0, 1) ** 2,
        "left_arm_forward": -24 * size * swing,
        "right_arm_forward": 24 * size * swing,
        **_both(elbow=np.full_like(cycle, 8)),
        "twist": -5 * size * swing,
        "lean": np.full_like(cycle, 3),
        "speed": np.full_like(cycle, 1250 * size),
    }


def _squat(cycle: np.ndarray, size: float) -> Curves:
    depth = size * _pulse(cycle, 0.5)
    return {
        **_both(
            leg_forward=85 * depth, knee=105 * depth, toe_up=20 * depth, arm_forward=70 * depth
        ),
        "lean": 24 * depth,
    }


def _wave_hand(cycle: np.ndarray, size: float) -> Curves:
    return {
        "right_arm_out": np.full_like(cycle, 62 * size),
        "right_forearm_out": 62 + 30 * size * _wave(cycle, 1.5),
        "lean_left": 2 * _wave(cycle, 0.75),
    }


def _jumping_jack(cycle: np.ndarray, size: float) -> Curves:
    spread = size * _pulse(cycle, 1.0)
    lift = 60 * size * _pulse(cycle, 2.0)
    return {**_both(arm_out=125 * spread, leg_out=18 * spread), "lift": lift}


def _side_bend(cycle: np.ndarray, size: float) -> Curves:
    hands_on_hips = _both(arm_out=np.full_like(cycle, 38), forearm_out=np.full_like(cycle, -85))
    return {**hands_on_hips, "lean_left": 32 * size * _wave(cycle, 0.4)}


def _kick(cycle: np.ndarray, size: float) -> Curves:
    kick = size * _pulse(cycle, 0.8) ** 2
    return {
        "right_leg_forward": 68 * kick,
        "right_knee": 55 * size * _pulse(cycle + 0.15, 0.8) ** 4,
        "lean": -7 * kick,
        "left_arm_forward": 25 * kick,
        **_both(arm_out=np.full_like(cycle, 14)),
    }


def _sit(cycle: np.ndarray, size: float) -> Curves:
    bent = np.full_like(cycle, 84)
    return {
        **_both(leg_forward=bent, knee=bent, arm_forward=bent / 4, elbow=bent / 2),
        "lean": 8 + 3 * size * _wave(cycle, 0.15),
    }


_BY_NAME: dict[str, Callable[[np.ndarray, float], Curves]] = {
    "stand": _stand,
    "walk": _walk,
    "squat": _squat,
    "wave": _wave_hand,
    "jumping jack": _jumping_jack,
    "side bend": _side_bend,
    "kick": _kick,
    "sit": _sit,
}
ACTIONS = tuple(_BY_NAME)
MOVES = tuple(_BY_NAME.values())
