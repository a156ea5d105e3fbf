"""What an inertial sensor on a moving bone measures."""

import numpy as np
from scipy.spatial.transform import Rotation

GRAVITY = np.array([0.0, 0.0, -9.81])  # m/s2; z is up


def axes_along(bone: np.ndarray, across: np.ndarray) -> Rotation:
    """How a sensor on a bone is turned in the room, frame by frame.

    Its x points down the bone, its y as much to the person's left as it then can, z out of both.

    Args:
        bone: (frame, 3) from one end of the bone to the other.
        across: (frame, 3) to the person's left, never along the bone.
    """
    x = bone / np.linalg.norm(bone, axis=1, keepdims=True)
    y = across - (across * x).sum(axis=1, keepdims=True) * x
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    return Rotation.from_matrix(np.stack([x, y, np.cross(x, y)], axis=2))


def specific_force(positions: np.ndarray, axes: Rotation, *, fps: float) -> np.ndarray:
    """What an accelerometer says: acceleration without gravity's, along its own axes.

    At rest it says 9.81 m/s2 upwards.

    Units: positions in m; m/s2.

    Args:
        positions: (frame, 3) of the sensor in the room, z up.
        axes: How it is turned.
        fps: Frames a second.
    """
    velocity = np.gradient(positions, 1 / fps, axis=0)
    acceleration = np.gradient(velocity, 1 / fps, axis=0)
    return axes.apply(acceleration - GRAVITY, inverse=True)


def turning(axes: Rotation, *, fps: float) -> np.ndarray:
    """What a gyroscope says: angular velocity along its own axes, in rad/s (frame, 3).

    From each frame to the next; the last one is there twice.
    """
    steps = (axes[:-1].inv() * axes[1:]).as_rotvec() * fps
    return np.concatenate([steps, steps[-1:]])
