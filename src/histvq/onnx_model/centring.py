"""Positions relative to each person's root, as nodes: `transforms.centre_on_root` again.

A root that is not measured is taken to move along a straight line from where it was seen last to where
it is seen next, before and after that to stand still; if it is never seen, to be amid the other joints.
"""

from collections.abc import Sequence

import numpy as np

from histvq.onnx_model.nodes import Nodes, integers


def centred(
    nodes: Nodes,
    skeleton: str,
    *,
    persons: np.ndarray,
    roots: Sequence[int],
    space: Sequence[bool],
) -> str:
    """The skeleton (frame, joint, channel) relative to its roots.

    Args:
        nodes: Written to.
        skeleton: float32, NaN where nothing was measured.
        persons: Person of each joint, from 0.
        roots: Root joint of each person.
        space: For each channel, whether it is a coordinate; others stay as they are.
    """
    paths = [
        _path(nodes, skeleton, joints=np.flatnonzero(persons == k), root=root, space=space)
        for k, root in enumerate(roots)
    ]
    path = nodes("Gather", nodes("Concat", *paths, axis=1), persons.astype(np.int64), axis=1)
    return nodes("Sub", skeleton, path)


def _path(
    nodes: Nodes, skeleton: str, *, joints: np.ndarray, root: int, space: Sequence[bool]
) -> str:
    """Where one person's root is (frame, 1, channel); 0 in channels that are no coordinates."""
    body = nodes("Gather", skeleton, joints.astype(np.int64), axis=1)
    at_root = nodes("Gather", skeleton, np.array(root, np.int64), axis=1)
    columns = []
    for channel, is_coordinate in enumerate(space):
        place = np.array(channel, np.int64)
        series = nodes("Gather", at_root, place, axis=1)
        if is_coordinate:
            others = nodes("Gather", body, place, axis=2)
            column = _known(nodes, series, others)
        else:
            column = nodes("Expand", np.float32(0), nodes("Shape", series))
        columns.append(nodes("Unsqueeze", column, integers(1, 2)))
    return nodes("Concat", *columns, axis=2)


def _known(nodes: Nodes, series: str, others: str) -> str:
    """One coordinate of a root (frame,), also where it is missing; `others` is (frame, joint)."""
    one, zero = np.int64(1), np.int64(0)
    seen = nodes("Not", nodes("IsNaN", series))
    frames = nodes("Squeeze", nodes("NonZero", seen), integers(0))
    # Where it is never seen there must be a frame to look up all the same; its value is not used.
    frames = nodes("Concat", frames, integers(0), axis=0)
    seen = nodes.cast(seen, "int64")
    count = nodes("ReduceSum", seen, integers(0), keepdims=0)
    rank = nodes("CumSum", seen, zero)
    latest = nodes("Max", nodes("Sub", count, one), zero)

    def end(place: str) -> tuple[str, str]:
        """Frame and value at one end of the stretch that every frame is in."""
        frame = nodes("Gather", frames, nodes("Min", nodes("Max", place, zero), latest))
        return nodes.cast(frame, "float64"), nodes.cast(nodes("Gather", series, frame), "float64")

    start, first = end(nodes("Sub", rank, one))
    stop, last = end(rank)
    now = nodes.cast(nodes("Sub", nodes("CumSum", _ones_like(nodes, seen), zero), one), "float64")
    stretch = nodes("Max", nodes("Sub", stop, start), np.float64(1))
    slope = nodes("Div", nodes("Sub", last, first), stretch)
    moved = nodes("Add", nodes("Mul", slope, nodes("Sub", now, start)), first)
    ever = nodes("Greater", count, zero)
    return nodes.cast(nodes("Where", ever, moved, _mean(nodes, others)), "float32")


def _mean(nodes: Nodes, others: str) -> str:
    """The mean of the measured joints (frame,); 0 where none is."""
    missing = nodes("IsNaN", others)
    values = nodes.cast(nodes("Where", missing, np.float32(0), others), "float64")
    total = nodes("ReduceSum", values, integers(1), keepdims=0)
    present = nodes.cast(nodes("Not", missing), "float64")
    count = nodes("ReduceSum", present, integers(1), keepdims=0)
    return nodes("Div", total, nodes("Max", count, np.float64(1)))


def _ones_like(nodes: Nodes, values: str) -> str:
    return nodes("Expand", integers(1), nodes("Shape", values))
