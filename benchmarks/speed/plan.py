"""What a run measures, and how much of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Tell = Callable[[str], None]
Results = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        shapes: Names of `SHAPES`.
        threads: Numbers of threads, one table each.
        device: `cpu` or `cuda`.
        hugadb: Folder of the real recordings, if at hand.
        repetitions: Alternating runs of every version.
        batches: Batches timed in each run.
        scale: Of the recordings' lengths.
        long_hours: Lengths of the very long recordings.
        matrix: Rows of the matrices whose product is the limit.
    """

    shapes: tuple[str, ...]
    threads: tuple[int, ...]
    device: str
    hugadb: Path | None
    repetitions: int
    batches: int
    scale: float
    long_hours: tuple[float, ...]
    matrix: int
