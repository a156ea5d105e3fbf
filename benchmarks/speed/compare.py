"""Training and prediction side by side with the plain version, run after run in turn."""

import os
import statistics
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.cost import (
    encoder_flop_per_frame,
    plain_training_bytes,
    training_flop_per_frame,
)
from benchmarks.speed.measure import in_process
from benchmarks.speed.plain import Sizes
from benchmarks.speed.plan import Plan, Results, Tell
from benchmarks.speed.shapes import SHAPES, sizes_of, write
from histvq import HiSTVQ, make_method

Job = dict[str, Any]
COUNTS = {"train": training_flop_per_frame, "predict": encoder_flop_per_frame}


@dataclass(frozen=True)
class Version:
    """One of the programs timed side by side, and the job that times it."""

    name: str
    job: Job


def train(plan: Plan, tell: Tell) -> Results:
    """Training steps of ours and of the plain version: a result for every shape and thread count."""
    plain = Version("plain, float32", {"kind": "train_plain", "precision": "float32"})
    ours = _ours("train_ours", plan.device)
    for name in plan.shapes:
        cut = False
        for result in _compared(plan, tell, "train", name, [plain, *ours]):
            cut = result["batch_size"] < result["paper_batch_size"]
            yield result
        if cut:
            # Once, for its memory: the ratios above hold.
            once = replace(plan, repetitions=1, batches=1)
            yield from _compared(once, tell, "train", name, ours, as_published=True)


def predict(plan: Plan, tell: Tell) -> Results:
    """Prediction of ours, of both halves of the plain version, and of its encoder alone."""
    plain = {"kind": "predict_plain", "precision": "float32"}
    versions = [
        Version("plain, both halves", {**plain, "half": "both"}),
        Version("plain, encoder alone", {**plain, "half": "encoder"}),
        *_ours("predict_ours", plan.device),
    ]
    for name in plan.shapes:
        yield from _compared(plan, tell, "predict", name, versions)


def _ours(kind: str, device: str) -> list[Version]:
    """Ours in every precision it has on this device."""
    found = ["float32"] if device == "cpu" else ["float32", "tf32"]
    if "precision" in HiSTVQ.Config.model_fields:
        found.append("bfloat16")
    return [Version(f"ours, {p}", {"kind": kind, "precision": p}) for p in found]


def _compared(
    plan: Plan,
    tell: Tell,
    part: str,
    name: str,
    versions: list[Version],
    *,
    as_published: bool = False,
) -> Results:
    """All versions on the same recordings, drawn anew for every repetition.

    Args:
        plan: How much.
        tell: Told before every run.
        part: `train` or `predict`.
        name: Of the shape.
        versions: What is timed; the first is what the others are compared with.
        as_published: Take the published batch size, even where the plain version has no room for it.
    """
    shape = SHAPES[name]
    sizes = sizes_of(shape, make_method("histvq", preset=shape.preset).config)
    with tempfile.TemporaryDirectory() as held:
        lengths = write(shape, Path(held), hugadb=plan.hugadb, n=200, scale=plan.scale, seed=0)
        draws = _draws(len(lengths), shape.batch_size, plan.repetitions)
        if not as_published:
            longest = max(lengths[number] for numbers in draws for number in numbers)
            size = batch_that_fits(shape.batch_size, sizes, longest, _memory())
            draws = [numbers[:size] for numbers in draws]
        common = {"shape": name, "data": held, "device": plan.device, "batches": plan.batches}
        for threads in plan.threads:
            ready = [
                _with_model(Version(v.name, {**common, **v.job}), Path(held), draws[0], threads)
                for v in versions
            ]
            runs, rates = [], []
            for number, numbers in enumerate(draws):
                tell(f"{part} {name}, {threads} threads: run {number + 1} of {len(draws)}")
                runs.append(_run(ready, numbers, threads, backwards=bool(number % 2)))
                rates.append(_limits(plan, threads))
            yield {
                "part": part,
                "shape": shape.title,
                "threads": threads,
                "batch_size": len(draws[0]),
                "paper_batch_size": shape.batch_size,
                "sizes": asdict(sizes),
                "flop_per_frame": COUNTS[part](sizes),
                "padding": statistics.mean(padding(lengths, numbers) for numbers in draws),
                "limits": {p: statistics.median(r[p] for r in rates) for p in rates[0]},
                "runs": runs,
            }


def _run(versions: list[Version], numbers: list[int], threads: int, *, backwards: bool) -> Job:
    """One run of every version; every other time in the opposite order, as a machine tires."""
    order = versions[::-1] if backwards else versions
    done = {v.name: in_process({**v.job, "numbers": numbers}, threads=threads) for v in order}
    return {version.name: done[version.name] for version in versions}


def _limits(plan: Plan, threads: int) -> dict[str, float]:
    """FLOP a second of a large matrix product, by precision."""
    kinds = ["float32", "bfloat16"] if plan.device == "cpu" else ["float32", "tf32", "bfloat16"]
    job = {"kind": "limit", "device": plan.device, "size": plan.matrix}
    return {
        kind: in_process({**job, "precision": kind}, threads=threads)["flop_per_s"]
        for kind in kinds
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


def padding(lengths: list[int], numbers: list[int]) -> float:
    """Share of a batch of these recordings that is padding, padded to the longest."""
    taken = [lengths[number] for number in numbers]
    return 1 - sum(taken) / (len(taken) * max(taken))


def batch_that_fits(batch_size: int, sizes: Sizes, longest: int, memory: int) -> int:
    """The batch size, halved until the plain version fits in two thirds of the memory, in bytes."""
    while batch_size > 1 and plain_training_bytes(sizes, [longest] * batch_size) > 2 / 3 * memory:
        batch_size //= 2
    return batch_size


def _memory() -> int:
    """Bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
