"""PKU-MMD version 2 as `histvq.datasets.pku_mmd` has it, tested on the left of three views."""

from dataclasses import replace
from pathlib import Path

from histvq.datasets import Dataset, pku_mmd
from histvq.datasets._pku_mmd_files import Part
from histvq.datasets.pku_mmd import Background, Unit, prepare
from histvq.io import ReadProgress
from histvq.io.pku_mmd import Person

__all__ = ["INFO", "load", "prepare"]

INFO = replace(
    pku_mmd.INFO,
    name=pku_mmd.NAMES["cross-view"],
    title="41 everyday actions of 13 people, Kinect skeletons from three views; tested across views",
)


def load(
    root: str | Path,
    *,
    part: Part = "all",
    person: Person = "first",
    background: Background = "keep",
    unit: Unit = "m",
    labels: str | Path | None = None,
    benchmark: bool = False,
    strict: bool = False,
    progress: ReadProgress | None = None,
) -> Dataset:
    """Load the recordings as `histvq.datasets.pku_mmd.load` does with `split="cross-view"`."""
    return pku_mmd.load(
        root, split="cross-view", part=part, person=person, background=background, unit=unit,
        labels=labels, benchmark=benchmark, strict=strict, progress=progress,
    )  # fmt: skip
