"""How time and memory grow with the sizes of the data."""

import statistics
import tempfile

import numpy as np

from benchmarks.speed.measure import in_process
from benchmarks.speed.plan import Plan, Results, Tell

GROWN = {
    "T": ("frames a recording", (500, 2_000, 8_000)),
    "V": ("joints", (4, 16, 64)),
    "K": ("actions", (5, 20, 80)),
    "N": ("recordings", (4, 16, 64)),
}
SMALLEST = {"T": 1_500, "V": 4, "K": 5, "N": 4}


def growth(plan: Plan, tell: Tell) -> Results:
    """One size after another made larger, the others held: a small network, default settings."""
    threads = plan.threads[-1]
    idle = in_process({"kind": "imported"}, threads=threads)["peak"]
    for axis, (title, values) in GROWN.items():
        points: dict[str, list[dict[str, float]]] = {"train": [], "predict": []}
        for value in values:
            tell(f"growth with {title}: {value}")
            with tempfile.TemporaryDirectory() as folder:
                job = {"kind": "growth", "model": f"{folder}/model", **SMALLEST, axis: value}
                for what, found in points.items():
                    done = in_process({**job, "what": what}, threads=threads)
                    seconds, memory = statistics.median(done["seconds"]), done["peak"] - idle
                    found.append({"seconds": seconds, "bytes": memory})
        yield {
            "part": "growth",
            "axis": axis,
            "title": title,
            "threads": threads,
            "values": values,
            "points": points,
            "exponents": {
                what: {key: exponent(values, [p[key] for p in found]) for key in found[0]}
                for what, found in points.items()
            },
        }


def exponent(sizes: tuple[int, ...], costs: list[float]) -> float:
    """Slope of a least-squares line through the logarithms: cost grows as size to this power."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])
