"""An SMPL body by plain loops: one frame, one joint, one vertex, one number after another."""

import math

import numpy as np

BODY_PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19]
# Fifteen joints a hand, in chains of three from the wrist.
HANDS = [20 if k % 3 == 0 else 21 + k for k in range(15)]
HANDS += [21 if k % 3 == 0 else 36 + k for k in range(15)]
PARENTS = BODY_PARENTS + HANDS


def turned(axis_angle):
    """Rotation matrix by Rodrigues' formula."""
    x, y, z = axis_angle
    angle = math.sqrt(x * x + y * y + z * z)
    if angle == 0:
        return np.eye(3)
    x, y, z = x / angle, y / angle, z / angle
    c, s = math.cos(angle), math.sin(angle)
    return np.array(
        [
            [c + x * x * (1 - c), x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
            [y * x * (1 - c) + z * s, c + y * y * (1 - c), y * z * (1 - c) - x * s],
            [z * x * (1 - c) - y * s, z * y * (1 - c) + x * s, c + z * z * (1 - c)],
        ]
    )


def model_arrays(parents=PARENTS, n_vertices=60, n_shapes=16, seed=0):
    """A body model of random numbers, under the names the model files use."""
    rng = np.random.default_rng(seed)
    n = len(parents)
    weights = rng.random((n_vertices, n))
    regressor = rng.random((n, n_vertices))
    tree = np.array([parents, range(n)], dtype=np.int64)
    tree[0, 0] = 2**32 - 1
    return {
        "v_template": rng.normal(size=(n_vertices, 3)),
        "shapedirs": 0.1 * rng.normal(size=(n_vertices, 3, n_shapes)),
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "posedirs": 0.01 * rng.normal(size=(n_vertices, 3, 9 * (n - 1))),
        "kintree_table": tree,
        "f": np.zeros((2, 3), dtype=np.uint32),
    }


def body_by_loop(model, pose, betas=()):
    """Joints and vertices of one frame, as homogeneous matrices down the tree and over the skin."""
    parents = [-1, *model["kintree_table"][0][1:].tolist()]
    shaped = model["v_template"].copy()
    for vertex in range(len(shaped)):
        for axis in range(3):
            for k, beta in enumerate(betas):
                shaped[vertex, axis] += model["shapedirs"][vertex, axis, k] * beta
    rest = [sum(w * v for w, v in zip(row, shaped, strict=True)) for row in model["J_regressor"]]
    world = []
    for joint, parent in enumerate(parents):
        local = np.eye(4)
        local[:3, :3] = turned(pose[joint])
        local[:3, 3] = rest[joint] if parent < 0 else rest[joint] - rest[parent]
        world.append(local if parent < 0 else world[parent] @ local)
    bend = [
        turned(pose[joint])[row, column] - (row == column)
        for joint in range(1, len(parents))
        for row in range(3)
        for column in range(3)
    ]
    vertices = []
    for vertex, place in enumerate(shaped):
        bent = place + model["posedirs"][vertex] @ bend
        blended = np.zeros(3)
        for joint, weight in enumerate(model["weights"][vertex]):
            back = np.eye(4)
            back[:3, 3] = -rest[joint]
            blended += weight * (world[joint] @ back @ [*bent, 1])[:3]
        vertices.append(blended)
    return np.array([matrix[:3, 3] for matrix in world]), np.array(vertices)
