"""Joint positions of BVH files: own parsing, one frame, joint and matrix product after another."""

import math

import numpy as np


def matrix(axis, degrees):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array(
        {
            "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
            "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
            "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
        }[axis]
    )


def positions_by_loop(text):
    """Name -> place, a frame; the ends of limbs are called `<parent>_end`."""
    words = text.split()
    motion = words.index("MOTION")
    roots, rest = [], iter(words[1:motion])
    for word in rest:
        assert word == "ROOT"
        roots.append(_joint(next(rest), rest))
    n_frames = int(words[motion + 2])
    numbers = iter([float(word) for word in words[motion + 6 :]])
    frames = []
    for _ in range(n_frames):
        found = {}
        for root in roots:
            _place(root, np.zeros(3), np.eye(3), numbers, found)
        frames.append(found)
    assert not list(numbers)
    return frames


def _joint(name, words):
    joint = {"name": name, "channels": [], "children": []}
    assert next(words) == "{"
    for word in words:
        if word == "}":
            return joint
        if word == "OFFSET":
            joint["offset"] = np.array([float(next(words)) for _ in range(3)])
        elif word == "CHANNELS":
            joint["channels"] = [next(words).lower() for _ in range(int(next(words)))]
        elif word == "JOINT":
            joint["children"].append(_joint(next(words), words))
        else:
            assert (word, next(words)) == ("End", "Site")
            joint["children"].append(_joint(f"{name}_end", words))
    raise AssertionError(f"{name} has no end")


def _place(joint, above, turn, numbers, found):
    """Places of the joint and all below it; takes their numbers as it goes down the tree."""
    offset = joint["offset"].copy()
    local = np.eye(3)
    for channel in joint["channels"]:
        number = next(numbers)
        if channel.endswith("position"):
            offset["xyz".index(channel[0])] = number
        else:
            local = local @ matrix(channel[0], number)
    found[joint["name"]] = above + turn @ offset
    for child in joint["children"]:
        _place(child, found[joint["name"]], turn @ local, numbers, found)
