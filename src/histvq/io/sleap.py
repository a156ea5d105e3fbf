"""SLEAP: keypoints of animals in video, as its analysis export (`.h5`) holds them.

Source: SLEAP's documentation, "Export analysis HDF5", and the description of the format in
sleap-io, "Analysis HDF5 format".
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from histvq.errors import FileFormatError
from histvq.io.parts.asked import given_fps, unit_name
from histvq.io.parts.hdf5 import dataset, holds, numbers, opened, strings, text
from histvq.io.parts.individuals import Tracks, check_confidence, to_recording
from histvq.io.parts.packed import AGAIN
from histvq.io.parts.reader import Pair, Reader

POSITIONS = ("frame", "track", "node", "xy")
SUFFIXES = (".analysis.h5", ".h5", ".hdf5")

# The orders of axes met: SLEAP's own, turned round for MATLAB or not, and sleap-io's "standard".
LAYOUTS: tuple[Mapping[str, tuple[str, ...]], ...] = (
    {
        "tracks": ("track", "xy", "node", "frame"),
        "point_scores": ("track", "node", "frame"),
        "track_occupancy": ("frame", "track"),
    },
    {
        "tracks": ("frame", "node", "xy", "track"),
        "point_scores": ("frame", "node", "track"),
        "track_occupancy": ("track", "frame"),
    },
    {
        "tracks": POSITIONS,
        "point_scores": ("frame", "track", "node"),
        "track_occupancy": ("frame", "track"),
    },
)


def read_sleap(
    path: str | Path,
    *,
    fps: float | None = None,
    unit: str = "px",
    min_confidence: float = 0.0,
) -> Pair:
    """Read the keypoints SLEAP found in one video.

    Several tracks stand side by side, with joints `track/node`. The skeleton's edges become
    parents where they form a tree, each node with at most one edge towards it. Unless all frames
    were exported, the file begins with the first labelled frame and does not say which that was.

    Units: pixels of the video.

    Args:
        path: Analysis file; a project (`.slp`) has to be exported first.
        fps: Frames a second; must be given, the files do not say it.
        unit: Unit of the positions.
        min_confidence: Positions with a lower score become missing. SLEAP's scores are peaks of
            confidence maps: they may pass 1, and what is good differs from model to model, so
            nothing is taken out unasked. Points set by hand have no score and stay.

    Raises:
        ConfigError: If h5py is not installed.
        FileFormatError: If the file is not as it should be, or does not say the order of its axes.
    """
    path = Path(path)
    fps = given_fps(fps, path, format="SLEAP")
    check_confidence(min_confidence)
    with opened(path) as file:
        tracks = _tracks(file, path)
    recording = to_recording(
        tracks,
        path=path,
        id=path.name.removesuffix(".h5").removesuffix(".hdf5").removesuffix(".analysis"),
        fps=fps,
        unit=unit_name(unit),
        min_confidence=min_confidence,
        metadata={},
    )
    return recording, None


def _tracks(file: Any, path: Path) -> Tracks:
    for name in ("tracks", "node_names"):
        if name not in file:
            raise FileFormatError(
                f"{path}: no {name!r} in it, so it is no analysis file of SLEAP. Export a project "
                "with sleap-convert --format analysis"
            )
    nodes = _names(file, "node_names", path)
    if not nodes:
        raise FileFormatError(f"{path}: a skeleton without nodes. Leave it out")
    # A video with one animal may have been left without tracks.
    individuals = _names(file, "track_names", path) if "track_names" in file else []
    individuals = individuals or [""]
    counts = {"xy": 2, "node": len(nodes), "track": len(individuals)}
    arrays = {name: dataset(file, name, path) for name in LAYOUTS[0] if name in file}
    layout = _layout(arrays, counts, path)

    def turned(name: str, axes: tuple[str, ...]) -> np.ndarray:
        order = [layout[name].index(axis) for axis in axes]
        values = numbers(arrays[name], path).transpose(order)
        return values.reshape(len(values), len(individuals) * len(nodes), *values.shape[3:])

    return Tracks(
        names=tuple((individual, node) for individual in individuals for node in nodes),
        positions=turned("tracks", POSITIONS),
        confidence=turned("point_scores", POSITIONS[:3]) if "point_scores" in arrays else None,
        parents=_repeated(_parents(file, path, n_nodes=len(nodes)), len(individuals)),
    )


def _names(file: Any, name: str, path: Path) -> list[str]:
    found = dataset(file, name, path)
    if found.size == 0:  # of no type in particular
        return []
    names = strings(found, path)
    if names.ndim != 1:
        raise FileFormatError(f"{path}: {name} has the shape {names.shape}; expected a list")
    return [str(each) for each in names]


def _layout(
    arrays: Mapping[str, Any], counts: Mapping[str, int], path: Path
) -> Mapping[str, tuple[str, ...]]:
    """The axes of each array: as the file names them, else the one order that fits the counts."""
    shapes = {name: array.shape for name, array in arrays.items()}
    said = {name: _said_axes(array, path) for name, array in arrays.items()}
    layouts = [said] if all(said.values()) else LAYOUTS
    fitting = [layout for layout in layouts if _fits(layout, shapes, counts)]
    if len(fitting) == 1:
        return fitting[0]
    shown = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    if not fitting:
        raise FileFormatError(
            f"{path}: arrays of the shapes {shown} do not fit {counts['node']} nodes and "
            f"{counts['track']} tracks. {AGAIN}"
        )
    raise FileFormatError(
        f"{path}: which axis of {shown} is which cannot be told, for several orders fit. Write it "
        "again with sleap-io, which names the axes"
    )


def _said_axes(array: Any, path: Path) -> tuple[str, ...]:
    """Names of the axes, as sleap-io writes them beside the array; none if it does not."""
    try:
        axes = json.loads(text(array, "dims", path))
    except ValueError:
        return ()
    return tuple(map(str, axes)) if isinstance(axes, list) else ()


def _fits(
    layout: Mapping[str, tuple[str, ...]],
    shapes: Mapping[str, tuple[int, ...]],
    counts: Mapping[str, int],
) -> bool:
    """Whether all arrays have these axes, of these lengths, and agree on the number of frames."""
    lengths = dict(counts)
    for name, shape in shapes.items():
        if sorted(layout[name]) != sorted(LAYOUTS[0][name]) or len(layout[name]) != len(shape):
            return False
        for axis, length in zip(layout[name], shape, strict=True):
            if lengths.setdefault(axis, length) != length:
                return False
    return True


def _parents(file: Any, path: Path, *, n_nodes: int) -> list[int] | None:
    """The parent of each node, -1 at roots; None without edges, or where they form no tree."""
    if "edge_inds" not in file:
        return None
    found = dataset(file, "edge_inds", path)
    if found.size == 0:
        return None
    edges = numbers(found, path)
    if edges.dtype.kind not in "iu" or edges.ndim != 2 or edges.shape[1] != 2:
        raise FileFormatError(
            f"{path}: edge_inds has the shape {edges.shape} and the type {edges.dtype}; expected "
            f"two numbers of nodes an edge. {AGAIN}"
        )
    if edges.min() < 0 or edges.max() >= n_nodes:
        raise FileFormatError(
            f"{path}: edges between the nodes {edges.min()} to {edges.max()}, but there are "
            f"{n_nodes}. {AGAIN}"
        )
    parents = [-1] * n_nodes
    for parent, child in edges.tolist():
        above = parent
        while above not in (-1, child):
            above = parents[above]
        if parents[child] != -1 or above == child:
            return None  # a second parent, or a loop
        parents[child] = parent
    return parents


def _repeated(parents: list[int] | None, times: int) -> tuple[int, ...] | None:
    """The same tree once for each individual, side by side."""
    if parents is None:
        return None
    starts = range(0, times * len(parents), len(parents))
    return tuple(-1 if parent == -1 else start + parent for start in starts for parent in parents)


def _recognises(path: Path) -> bool:
    return holds(path, "tracks", "node_names")


READER = Reader(
    description="SLEAP analysis file",
    read=read_sleap,
    suffixes=SUFFIXES,
    recognises=_recognises,
    own_suffixes=SUFFIXES[:1],
)
