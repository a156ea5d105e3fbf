"""The data that speed is measured on: shapes of datasets of the paper, real or made up."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.speed.plain import Sizes
from histvq.recording import Recording

# Lengths of the 364 recordings of HuGaDB in frames: minimum, every twentieth, maximum.
HUGADB_QUANTILES = (
    *(333, 709, 1292, 1554, 1796, 1992, 2133, 2388, 2543, 2667, 2820),
    *(2940, 3041, 3187, 3398, 3720, 4063, 4836, 5523, 6909, 12472),
)


@dataclass(frozen=True)
class Shape:
    """Sizes of one dataset, and the settings the paper has for it.

    Attributes:
        title: As it stands in tables.
        preset: The paper's settings, `histvq.make_method(preset=...)`.
        length_quantiles: Of the recordings' lengths in frames, evenly spaced from minimum to maximum.
    """

    title: str
    preset: str
    n_joints: int
    n_channels: int
    fps: float
    batch_size: int
    length_quantiles: tuple[int, ...]


SHAPES = {
    "hugadb": Shape("HuGaDB", "paper-hugadb", 6, 6, 60.0, 8, HUGADB_QUANTILES),
    "babel": Shape("BABEL", "paper-babel", 25, 3, 30.0, 32, (5 * 30, 60 * 30)),
}


def sizes_of(shape: Shape, config: object) -> Sizes:
    """Sizes and weights of the plain version: those of the method's settings."""
    names = set(Sizes.__dataclass_fields__) & set(type(config).model_fields)  # type: ignore[attr-defined]
    patch_frames = round(config.patch_seconds * shape.fps)  # type: ignore[attr-defined]
    return Sizes(
        shape.n_joints,
        shape.n_channels,
        patch_frames,
        **{name: getattr(config, name) for name in names},
    )


def made_up_lengths(shape: Shape, n: int, rng: np.random.Generator, *, scale: float) -> list[int]:
    """Lengths in frames, drawn from the shape's quantiles."""
    at = np.linspace(0, 1, len(shape.length_quantiles))
    return [round(x) for x in scale * np.interp(rng.random(n), at, shape.length_quantiles)]


def random_walk(
    n_frames: int, n_joints: int, n_channels: int, rng: np.random.Generator
) -> np.ndarray:
    """Made-up motion, float32 (frame, joint, channel): every channel wanders by itself."""
    steps = rng.standard_normal((n_frames, n_joints, n_channels), dtype=np.float32)
    return np.cumsum(steps, axis=0, dtype=np.float32)


def write(
    shape: Shape, folder: Path, *, hugadb: Path | None, n: int, scale: float, seed: int
) -> list[int]:
    """Write recordings as `<number>.npy`, float32 (frame, joint, channel), and tell their lengths.

    Args:
        shape: Which.
        folder: Where to, one that exists.
        hugadb: Folder with the real recordings, taken for that shape where given.
        n: How many are made up.
        scale: Of their lengths; real ones are cut.
        seed: Of what is made up.
    """
    rng = np.random.default_rng(seed)
    if hugadb is not None and shape is SHAPES["hugadb"]:
        skeletons = [s[: max(1, round(scale * len(s)))] for s in _real(hugadb)]
    else:
        lengths = made_up_lengths(shape, n, rng, scale=scale)
        skeletons = [random_walk(t, shape.n_joints, shape.n_channels, rng) for t in lengths]
    for number, skeleton in enumerate(skeletons):
        np.save(folder / f"{number}.npy", skeleton)
    return [len(skeleton) for skeleton in skeletons]


def load(folder: Path, numbers: list[int], fps: float) -> list[Recording]:
    """Some of the recordings that `write` wrote."""
    return [Recording(id=str(n), skeleton=np.load(folder / f"{n}.npy"), fps=fps) for n in numbers]


def _real(folder: Path) -> list[np.ndarray]:
    from histvq.datasets import load_dataset

    # Missing values are taken as they come: `pad` and `pack` mask them.
    return [recording.skeleton for recording in load_dataset("hugadb", folder).recordings]
