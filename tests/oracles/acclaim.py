"""Joint positions of Acclaim files: own parsing, one frame, bone and matrix product after another."""

import math
import re

import numpy as np


def matrix(axis, degrees):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    m = [[float(row == column) for column in range(3)] for row in range(3)]
    m[i][i], m[i][j], m[j][i], m[j][j] = c, -s, s, c
    return np.array(m)


def in_order(order, angles):
    """Turns about fixed axes, the first named first."""
    total = np.eye(3)
    for axis, angle in zip(order.lower(), angles, strict=True):
        total = matrix(axis, angle) @ total
    return total


def positions_by_loop(asf, motion, n_frames):
    """Positions of the first frames: own parsing, one matrix product after another."""
    factor = 0.0254 / float(re.search(r"length\s+([\d.]+)\s+angle", asf)[1])
    bones = {"root": (np.zeros(3), np.eye(3), ["rx", "ry", "rz"])}
    for block in re.findall(r"begin\s+id(.*?)\bend\b", asf, re.S):
        name = re.search(r"name (\S+)", block)[1]
        direction = np.array(re.search(r"direction (.+)", block)[1].split(), float)
        length = float(re.search(r"length (\S+)", block)[1])
        *angles, order = re.search(r"axis (.+)", block)[1].split()
        dof = re.search(r"dof (.+)", block)
        bones[name] = (
            factor * length * direction,
            in_order(order, map(float, angles)),
            dof[1].split() if dof else [],
        )
    tree = asf[asf.index(":hierarchy") :]
    parent = {
        child: line.split()[0]
        for line in tree.splitlines()
        if len(line.split()) > 1
        for child in line.split()[1:]
    }
    frames = re.split(r"^\d+\s*$", motion, flags=re.M)[1 : n_frames + 1]
    found = []
    for text in frames:
        given = {w[0]: [float(x) for x in w[1:]] for w in map(str.split, text.strip().splitlines())}
        place, turn = {"root": factor * np.array(given["root"][:3])}, {}
        turn["root"] = in_order("xyz", given["root"][3:])
        for name in parent:
            offset, axis, dof = bones[name]
            angles = given.get(name, [0.0] * len(dof))
            local = in_order("".join(d[1] for d in dof), angles) if dof else np.eye(3)
            turn[name] = turn[parent[name]] @ axis @ local @ axis.T
            place[name] = place[parent[name]] + turn[name] @ offset
        found.append(place)
    return found
