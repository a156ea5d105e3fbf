"""Where the time of a training step goes: the operators of PyTorch, put into shares.

An operator counts for what it was called for (codebooks, losses, packing, optimiser), forward and
backward alike, and in the network for what it is (products, random bits, copies, else elementwise).
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch.profiler import ProfilerActivity, profile, record_function

import histvq
from benchmarks.speed.plan import Plan
from benchmarks.speed.shapes import SHAPES, load, write
from benchmarks.speed.table import markdown

# Functions, and the share that their calls belong to.
SCOPES = {
    "histvq.nn.hierarchy:HierarchicalQuantiser.forward": "codebooks",
    "histvq.nn.objective:commitment_loss": "losses",
    "histvq.nn.objective:joint_distance_sum": "losses",
    "histvq.nn.objective:timestamp_loss": "losses",
    "histvq.patchwise:PatchwiseEstimator._pack": "packing",
}
OPTIMISER = "Optimizer."
KINDS = {
    "convolutions, products": ("conv", "mm", "linear", "matmul", "mkldnn", "dot"),
    "random bits": ("random", "rand", "bernoulli", "dropout"),
    "copies, filling": ("copy", "clone", "contiguous", "zero", "fill", "empty", "cat", "index"),
}
BATCHES = 3  # in an epoch: the first is left out


def profiled(plan: Plan) -> str:
    """PyTorch's table of some training steps, and one of shares, for every shape."""
    blocks = []
    for name in plan.shapes:
        torch.set_num_threads(plan.threads[0])
        found, wall = _steps(name, plan)
        shares = shares_of(found.events(), wall)
        blocks += [
            f"## {SHAPES[name].title}, {plan.threads[0]} threads, {BATCHES - 1} training steps",
            found.key_averages().table(sort_by="self_cpu_time_total", row_limit=30),
            markdown(("share of the steps' time", "%"), shares_as_rows(shares, wall)),
        ]
    return "\n\n".join(blocks)


def _steps(name: str, plan: Plan) -> tuple[profile, float]:
    """The profile of the later batches of one epoch, and the seconds they took."""
    shape = SHAPES[name]
    activities = [ProfilerActivity.CPU]
    if plan.device != "cpu":
        activities.append(ProfilerActivity.CUDA)
    seen = profile(activities=activities)
    marks: list[float] = []

    def between(progress: Any) -> None:
        if progress.epoch_over:
            return
        if progress.batch == BATCHES:
            marks.append(time.perf_counter())
            seen.stop()
        elif progress.batch == 1:
            seen.start()
            marks.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as held, ExitStack() as stack:
        n = BATCHES * shape.batch_size
        write(shape, Path(held), hugadb=None, n=n, scale=plan.scale, seed=0)
        recordings = load(Path(held), list(range(n)), shape.fps)
        for function, scope in SCOPES.items():
            stack.enter_context(recorded(function, scope))
        settings = {"epochs": 1, "random_state": 0, "device": plan.device}
        method = histvq.make_method("histvq", preset=shape.preset, **settings)
        method.fit(recordings, progress=between)
    return seen, marks[1] - marks[0]


@contextmanager
def recorded(function: str, scope: str) -> Iterator[None]:
    """While this lasts, calls of `module:function` or `module:Class.method` stand in the profile."""
    module, _, path = function.partition(":")
    owner_name, _, attribute = path.rpartition(".")
    owner: Any = import_module(module)
    owner = getattr(owner, owner_name) if owner_name else owner
    plain: Callable = getattr(owner, attribute)

    @wraps(plain)
    def marked(*args: Any, **kwargs: Any) -> Any:
        with record_function(scope):
            return plain(*args, **kwargs)

    with patch.object(owner, attribute, marked):
        yield


def shares_of(events: Any, wall: float) -> dict[str, float]:
    """Seconds of each share; what no operator accounts for is `Python and the rest`."""
    # Operators that need no gradient bear the number of the next one that does: the last one counts.
    in_order = sorted(events, key=lambda event: event.time_range.start)
    last = {
        event.sequence_nr: _scope(event)
        for event in in_order
        if event.sequence_nr >= 0 and "Backward" not in event.name
    }
    forward = {number: scope for number, scope in last.items() if scope is not None}
    shares: Counter[str] = Counter()
    for event in events:
        shares[_share(event, forward)] += event.self_cpu_time_total / 1e6
    rest = wall - sum(shares.values())
    return {**dict(shares.most_common()), "Python and the rest": max(rest, 0.0)}


def _share(event: Any, forward: dict[int, str]) -> str:
    if scope := _scope(event):
        return scope
    # A backward operator belongs to what its forward one was called for.
    for at in _upwards(event):
        if "Backward" in at.name and at.sequence_nr in forward:
            return forward[at.sequence_nr]
    name = event.name.removeprefix("aten::")
    for kind, parts in KINDS.items():
        if any(part in name for part in parts):
            return kind
    return "elementwise"


def _scope(event: Any) -> str | None:
    """The scope an operator was called in."""
    for at in _upwards(event):
        if at.name in SCOPES.values():
            return at.name
        if at.name.startswith(OPTIMISER):
            return "optimiser"
    return None


def _upwards(event: Any) -> Iterator[Any]:
    at = event
    while at is not None:
        yield at
        at = at.cpu_parent


def shares_as_rows(shares: dict[str, float], wall: float) -> list[tuple[str, str]]:
    return [(name, f"{seconds / wall:.1%}") for name, seconds in shares.items()]
