"""What is measured: training, prediction, growth with the sizes, and very long recordings."""

import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import histvq
from benchmarks.speed.cost import (
    encoder_flop_per_frame,
    plain_training_bytes,
    training_flop_per_frame,
)
from benchmarks.speed.measure import in_process
from benchmarks.speed.shapes import SHAPES, random_walk, sizes_of, write

Job = dict[str, Any]
Tell = Callable[[str], None]


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


@dataclass(frozen=True)
class Version:
    """One of the programs timed side by side, and the job that times it."""

    name: str
    job: Job


def precisions(device: str) -> list[str]:
    """Those that `HiSTVQ` has on this device."""
    found = ["float32"] if device == "cpu" else ["float32", "tf32"]
    if "precision" in histvq.HiSTVQ.Config.model_fields:
        found.append("bfloat16")
    return found


def limits(plan: Plan, threads: int) -> dict[str, float]:
    """FLOP a second of a large matrix product, by precision."""
    kinds = ["float32", "bfloat16"] if plan.device == "cpu" else ["float32", "tf32", "bfloat16"]
    job = {"kind": "limit", "device": plan.device, "size": plan.matrix}
    return {
        kind: in_process({**job, "precision": kind}, threads=threads)["flop_per_s"]
        for kind in kinds
    }


def train(plan: Plan, tell: Tell) -> Iterator[dict[str, Any]]:
    """Training steps of ours and of the plain version: a result for every shape and thread count."""
    ours = [
        Version(f"ours, {p}", {"kind": "train_ours", "precision": p})
        for p in precisions(plan.device)
    ]
    plain = Version("plain, float32", {"kind": "train_plain", "precision": "float32"})
    yield from _compared(plan, tell, "train", [plain, *ours])


def predict(plan: Plan, tell: Tell) -> Iterator[dict[str, Any]]:
    """Prediction of ours, of both halves of the plain version, and of its encoder alone."""
    plain = {"kind": "predict_plain", "precision": "float32"}
    versions = [
        Version("plain, both halves", {**plain, "half": "both"}),
        Version("plain, encoder alone", {**plain, "half": "encoder"}),
        *(
            Version(f"ours, {p}", {"kind": "predict_ours", "precision": p})
            for p in precisions(plan.device)
        ),
    ]
    yield from _compared(plan, tell, "predict", versions)


def _compared(plan: Plan, tell: Tell, part: str, versions: list[Version]) -> Iterator[dict]:
    for name in plan.shapes:
        shape = SHAPES[name]
        method = histvq.make_method("histvq", preset=shape.preset)
        sizes = sizes_of(shape, method.config)
        count = training_flop_per_frame if part == "train" else encoder_flop_per_frame
        with tempfile.TemporaryDirectory() as held:
            folder = Path(held)
            lengths = write(shape, folder, hugadb=plan.hugadb, n=200, scale=plan.scale, seed=0)
            batch_size = _batch_that_fits(shape.batch_size, sizes, max(lengths))
            common = {"shape": name, "data": held, "device": plan.device, "batches": plan.batches}
            for threads in plan.threads:
                drawn = _draws(len(lengths), batch_size, plan.repetitions)
                jobs = [Version(v.name, {**common, **v.job}) for v in versions]
                if part == "predict":
                    jobs = [_with_model(job, folder, drawn[0], threads) for job in jobs]
                runs, rates = [], []
                for number, numbers in enumerate(drawn):
                    # Turn and turn about, so that neither has the machine while it is cooler.
                    order = jobs if number % 2 else jobs[::-1]
                    done = {}
                    for version in order:
                        tell(f"{part} {name}, {threads} threads, {version.name}, {number + 1}")
                        job = {**version.job, "numbers": numbers}
                        done[version.name] = in_process(job, threads=threads)
                    runs.append({version.name: done[version.name] for version in jobs})
                    rates.append(limits(plan, threads))
                yield {
                    "part": part,
                    "shape": shape.title,
                    "threads": threads,
                    "batch_size": batch_size,
                    "paper_batch_size": shape.batch_size,
                    "sizes": asdict(sizes),
                    "flop_per_frame": count(sizes),
                    "padding": statistics.mean(_padding(lengths, numbers) for numbers in drawn),
                    "limits": {p: statistics.median(r[p] for r in rates) for p in rates[0]},
                    "runs": runs,
                }


def _with_model(version: Version, folder: Path, numbers: list[int], threads: int) -> Version:
    """The same job, with a trained model where it needs one."""
    if version.job["kind"] != "predict_ours":
        return version
    model = str(folder / f"model-{version.job['precision']}-{threads}")
    in_process(
        {**version.job, "kind": "keep_model", "model": model, "numbers": numbers}, threads=threads
    )
    return Version(version.name, {**version.job, "model": model})


def _draws(n: int, batch_size: int, repetitions: int) -> list[list[int]]:
    """Numbers of the recordings of each repetition's batch."""
    rng = np.random.default_rng(1)
    return [rng.choice(n, batch_size, replace=False).tolist() for _ in range(repetitions)]


def _padding(lengths: list[int], numbers: list[int]) -> float:
    """Share of a padded batch that is padding."""
    taken = [lengths[number] for number in numbers]
    return 1 - sum(taken) / (len(taken) * max(taken))


def _batch_that_fits(batch_size: int, sizes: Any, longest: int) -> int:
    """The batch size, halved until the plain version needs less than half of the memory."""
    import os

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    while batch_size > 1 and plain_training_bytes(sizes, [longest] * batch_size) > memory / 2:
        batch_size //= 2
    return batch_size


GROWN = {
    "T": ("frames a recording", (1_000, 4_000, 16_000)),
    "V": ("joints", (5, 20, 80)),
    "K": ("actions", (5, 20, 80)),
    "N": ("recordings", (4, 16, 64)),
}
SMALLEST = {"T": 2_000, "V": 5, "K": 5, "N": 4}


def growth(plan: Plan, tell: Tell) -> Iterator[dict[str, Any]]:
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


LONG_JOINTS, LONG_FPS = 22, 60.0


def long(plan: Plan, tell: Tell) -> Iterator[dict[str, Any]]:
    """Recordings of hours, default settings, mapped from their files."""
    threads = plan.threads[-1]
    with tempfile.TemporaryDirectory() as held:
        model = _long_model(Path(held))
        for hours in plan.long_hours:
            tell(f"predicting {hours:g} hours")
            file = Path(held) / "long.npy"
            _write_long(file, round(hours * 3600 * LONG_FPS))
            job = {"kind": "predict_long", "file": str(file), "fps": LONG_FPS, "model": model}
            done = in_process(job, threads=threads)
            yield {"part": "long", "threads": threads, "hours": hours, **done}


def _long_model(folder: Path) -> str:
    """A model for such recordings, trained for a moment."""
    rng = np.random.default_rng(0)
    recordings = [
        histvq.Recording(id=str(n), skeleton=random_walk(3600, LONG_JOINTS, 3, rng), fps=LONG_FPS)
        for n in range(4)
    ]
    method = histvq.HiSTVQ(n_actions=10, epochs=1, min_steps=0, centre=False, random_state=0)
    method.fit(recordings).save(folder / "model")
    return str(folder / "model")


def _write_long(file: Path, n_frames: int) -> None:
    """A made-up recording of this length, an hour at most in memory."""
    rng = np.random.default_rng(0)
    shape = (n_frames, LONG_JOINTS, 3)
    array = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=shape)
    step = round(3600 * LONG_FPS)
    for start in range(0, n_frames, step):
        stop = min(start + step, n_frames)
        array[start:stop] = random_walk(stop - start, LONG_JOINTS, 3, rng)
    array.flush()


PARTS: dict[str, Callable[[Plan, Tell], Iterator[dict[str, Any]]]] = {
    "train": train,
    "predict": predict,
    "growth": growth,
    "long": long,
}
