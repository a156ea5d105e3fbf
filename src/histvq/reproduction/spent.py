"""What a run cost: seconds by the clock, seconds of processor time, and memory."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Spent:
    """Adds up what the parts of a run cost.

    Processor time is that of all threads of this process: beside other work on the same machine it says
    more of a run than the clock does.
    """

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, float]] = {}

    @contextmanager
    def on(self, part: str) -> Iterator[None]:
        """Measure what is done inside, under a name."""
        clock, processor = time.perf_counter(), time.process_time()
        yield
        self._parts[part] = {
            "wall_s": round(time.perf_counter() - clock, 1),
            "cpu_s": round(time.process_time() - processor, 1),
        }

    def record(self) -> dict[str, Any]:
        """All parts, and the process's highest memory where the system tells."""
        peak = _peak_mb()
        return {**self._parts, **({"peak_mb": peak} if peak else {})}


def _peak_mb() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10))
