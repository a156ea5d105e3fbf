"""The one optimisation loop."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar
from warnings import warn

import torch
from torch import Tensor, nn

from histvq.devices import give_back_memory
from histvq.errors import DataWarning, ProcessLost, TrainingError, out_of_memory
from histvq.nn.exact import exact_sums
from histvq.nn.parts import gradients_by_part
from histvq.nn.peers import peers
from histvq.resuming import Checkpoint, Course, Keeper, Stateful
from histvq.segmenter import Progress, ProgressCallback


class Named(Protocol):
    """A batch that can say which recordings it is of."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Their ids."""
        ...


AnyBatch = TypeVar("AnyBatch", bound=Named)
Thing = TypeVar("Thing")
EndOfEpoch = Callable[[int], dict[str, float]]


@dataclass(frozen=True)
class Watch:
    """What goes on beside a training.

    Attributes:
        progress: Told after every batch and every epoch.
        checkpoint: Where the training is kept while it goes on, and where it may go on from.
    """

    progress: ProgressCallback | None = None
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True, kw_only=True)
class Items(Generic[AnyBatch]):
    """What is learned from.

    Attributes:
        n: How many items an epoch has.
        batch_size: Of them a batch.
        order: Their places in the order of the next epoch.
        batch: Makes a batch of the items at these places.
    """

    n: int
    batch_size: int
    order: Callable[[], Tensor]
    batch: Callable[[list[int]], AnyBatch]

    @classmethod
    def shuffled(
        cls,
        things: Sequence[Thing],
        batch: Callable[[list[Thing]], AnyBatch],
        *,
        batch_size: int,
        generator: torch.Generator,
    ) -> "Items[AnyBatch]":
        """All of these things, in another order every epoch."""
        return cls(
            n=len(things),
            batch_size=batch_size,
            order=lambda: torch.randperm(len(things), generator=generator),
            batch=lambda places: batch([things[place] for place in places]),
        )

    @property
    def n_batches(self) -> int:
        """Of an epoch."""
        return -(-self.n // self.batch_size)

    def places(self, order: Tensor, number: int) -> list[int]:
        """Of the items of a batch, counted from 0."""
        start = number * self.batch_size
        return [int(place) for place in order[start : start + self.batch_size]]


def train(
    *,
    network: nn.Module,
    items: Items[AnyBatch],
    step: Callable[[AnyBatch], dict[str, Tensor]],
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    epochs: int,
    min_steps: int = 0,
    min_gain: float = 0.0,
    uneven: bool = True,
    also: Mapping[str, Stateful] = MappingProxyType({}),
    start: Callable[[], None] = lambda: None,
    end_of_epoch: EndOfEpoch = lambda _: {},
    less_at_once: Callable[[], str | None] = lambda: None,
    watch: Watch = Watch(),
) -> list[Progress]:
    """Minimise the `total` of a step's losses, epoch by epoch.

    Processes that train together (`nn.peers`) take the same batches; what `batch` makes is each one's
    share, and so are the losses a step gives. Losses and gradients are summed over them.

    With a checkpoint the training can be stopped between any two batches: by a signal, which is obeyed
    as soon as the state is kept, or by force, which costs what was learned since it was last kept.
    Another call with the same settings and data goes on from there, and ends with the same numbers as if
    it had never been stopped.

    Args:
        network: What is trained. With `optimizer`, `generator`, `also` and torch's global generator it
            holds all that changes from batch to batch.
        items: What to learn from.
        step: Batch -> loss terms; the term called `total` is minimised.
        optimizer: Of the parameters the step uses.
        generator: Where chance comes from, beside torch's global generator.
        epochs: How many at most, unless `min_steps` asks for more.
        min_steps: With few batches an epoch, allow more epochs, until there are this many batches.
        min_gain: Stop after an epoch whose loss is lower than that of the one before by less than this
            share of it; 0 trains all epochs.
        uneven: Whether batches differ so much in size that freed memory is handed back after each.
        also: Whatever else changes from batch to batch.
        start: Called first, except where a training goes on.
        end_of_epoch: Called with the epoch's number; returns what it measured.
        less_at_once: Called where memory runs out: does with less, and says how in words, or None if
            that cannot be. The step is then done again.
        watch: Who is told, and where the training is kept.

    Returns:
        One entry an epoch: mean losses and what `end_of_epoch` measured.

    Raises:
        TrainingError: If a loss, a gradient or what was learned is not finite, or memory runs out; names
            the term, the epoch, the batch and the recordings. What was kept before stays.
        ProcessLost: If another process that trains along has ended. What was learned is kept first.
        Stopped: If a signal asked to stop.
    """
    epochs = max(epochs, -(-min_steps // items.n_batches))
    course = Course()
    parts: dict[str, Stateful] = {
        "network": network,
        "optimizer": optimizer,
        "course": course,
        **also,
    }
    keeper = Keeper(parts, generator, watch.checkpoint)
    keeper.begin(start)

    def learn(places: list[int]) -> dict[str, float]:
        """A step; where memory runs out, again with less at a time."""
        while True:
            put_back, where = keeper.remembered(), _where(course)
            try:
                return _learn(items, places, step, optimizer, where=where)
            except ProcessLost:
                put_back()
                raise
            except (MemoryError, RuntimeError) as error:
                if isinstance(error, TrainingError) or not out_of_memory(error):
                    raise
            # Not while the error is held: what it goes back to holds the memory.
            put_back()
            optimizer.zero_grad(set_to_none=True)
            give_back_memory()
            # Alone, for the others would wait for what this one does again.
            if peers().n > 1 or (done := less_at_once()) is None:
                raise TrainingError(_too_much(items.batch(places).ids, where=where))
            warn(f"{where}: memory ran out; {done}", DataWarning, stacklevel=2)

    with keeper.stops_noted(), keeper.kept_if_others_end(lambda: f"before {_where(course)}"):
        while course.epoch < epochs and not course.over:
            epoch = course.epoch
            if course.order is None:
                course.order = items.order().to(torch.int32)
            while course.n_done < items.n_batches:
                places = items.places(course.order, course.n_done)
                course.add(learn(places))
                if uneven:
                    give_back_memory()
                if watch.progress:
                    at = Progress(epoch, epochs, course.n_done, items.n_batches, course.means)
                    watch.progress(at)
                keeper.keep(f"in epoch {epoch + 1} of {epochs}")
            course.end_epoch(epochs, items.n_batches, end_of_epoch(epoch), min_gain=min_gain)
            if watch.progress:
                watch.progress(course.history[-1])
            keeper.keep(f"after epoch {epoch + 1} of {epochs}")
        keeper.keep("at the end", at_once=True)
    return course.history


def _learn(
    items: Items[AnyBatch],
    places: list[int],
    step: Callable[[AnyBatch], dict[str, Tensor]],
    optimizer: torch.optim.Optimizer,
    *,
    where: str,
) -> dict[str, float]:
    """One step down the gradient; the losses before it."""
    batch = items.batch(places)
    optimizer.zero_grad(set_to_none=True)
    with gradients_by_part() as by_part:
        losses = step(batch)
        found = _over_all(losses)
        if terms := [name for name, loss in found.items() if not math.isfinite(loss)]:
            raise TrainingError(_not_finite(items, places, batch, step, terms, where=where))
        losses["total"].backward()  # type: ignore[no-untyped-call]
    weights = [p for group in optimizer.param_groups for p in group["params"]]
    in_parts = [weight for weight in weights if weight in by_part]
    sums = exact_sums([by_part[weight] for weight in in_parts], like=in_parts, by=peers())
    for weight, gradient in zip(in_parts, sums, strict=True):
        weight.grad = gradient
    if not all(bool(torch.isfinite(w.grad).all()) for w in weights if w.grad is not None):
        terms = ["the gradient of the total"]
        raise TrainingError(_not_finite(items, places, batch, step, terms, where=where))
    optimizer.step()
    return found


def _over_all(losses: dict[str, Tensor]) -> dict[str, float]:
    """The losses of the whole batch, of which each process has its share."""
    values = torch.stack([loss.detach().double() for loss in losses.values()])
    return dict(zip(losses, peers().summed(values).tolist(), strict=True))


def _too_much(ids: Sequence[str], *, where: str) -> str:
    return (
        f"{where}: memory ran out on a batch of {_shown(ids)}. Give smaller batches, as batch_size=1, "
        "shorter pieces, as piece_seconds=10, or a narrower network, as n_maps=16, where the method has "
        "them; or resample the recordings to fewer frames a second"
    )


def _not_finite(
    items: Items[AnyBatch],
    places: list[int],
    batch: AnyBatch,
    step: Callable[[AnyBatch], dict[str, Tensor]],
    terms: list[str],
    *,
    where: str,
) -> str:
    """What to say of a batch whose losses are not all numbers: with which recordings alone it is so."""
    alone: list[str] = []
    for place in places:
        one = items.batch([place])
        if not all(map(math.isfinite, _over_all(step(one)).values())):
            alone += one.ids
    those = sorted(set(alone))
    if 0 < len(those) < len(set(batch.ids)):
        whose = f"it comes from {', '.join(those[:10])}: look for extreme values there"
    else:
        whose = f"it is so with {'each' if those else 'none'} of them alone"
    return (
        f"{where}: not a finite number ({', '.join(terms)}) on a batch of {_shown(batch.ids)}; {whose}. "
        "Otherwise lower learning_rate, or use input_scale='quantity'"
    )


def _shown(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - 10} more" if len(ids) > 10 else ""
    return f"{len(ids)} recordings ({', '.join(ids[:10])}{more})"


def _where(course: Course) -> str:
    return f"epoch {course.epoch + 1}, batch {course.n_done + 1}"
