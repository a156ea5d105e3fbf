"""The one optimisation loop."""

import ctypes
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from histvq.errors import ConfigError, DataWarning, TrainingError
from histvq.segmenter import Progress, ProgressCallback


class Named(Protocol):
    """A batch that can say which recordings it is of."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Their ids."""
        ...


AnyBatch = TypeVar("AnyBatch", bound=Named)
EndOfEpoch = Callable[[int], dict[str, float]]


def train(
    *,
    epoch_batches: Callable[[], Iterator[AnyBatch]],
    n_batches: int,
    step: Callable[[AnyBatch], dict[str, Tensor]],
    optimizer: torch.optim.Optimizer,
    epochs: int,
    min_steps: int = 0,
    min_gain: float = 0.0,
    uneven: bool = True,
    end_of_epoch: EndOfEpoch = lambda _: {},
    progress: ProgressCallback | None = None,
) -> list[Progress]:
    """Minimise the `total` of a step's losses, epoch by epoch.

    Args:
        epoch_batches: The batches of the next epoch.
        n_batches: How many they are.
        step: Batch -> loss terms; the term called `total` is minimised.
        optimizer: Of the parameters the step uses.
        epochs: How many at most, unless `min_steps` asks for more.
        min_steps: With few batches an epoch, allow more epochs, until there are this many batches.
        min_gain: Stop after an epoch whose loss is lower than that of the one before by less than this
            share of it; 0 trains all epochs.
        uneven: Whether batches differ so much in size that freed memory is handed back after each.
        end_of_epoch: Called with the epoch's number; returns what it measured.
        progress: Told after every batch and every epoch.

    Returns:
        One entry an epoch: mean losses and what `end_of_epoch` measured.

    Raises:
        TrainingError: If a loss is not finite; names the term, the epoch and the recordings.
    """
    epochs = max(epochs, -(-min_steps // n_batches))
    history: list[Progress] = []
    for epoch in range(epochs):
        sums: dict[str, float] = {}
        for number, batch in enumerate(epoch_batches(), start=1):
            losses = step(batch)
            _check_finite(losses, batch, epoch)
            optimizer.zero_grad(set_to_none=True)
            losses["total"].backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + float(loss.detach())
            means = {name: total / number for name, total in sums.items()}
            if uneven:
                _give_back_memory()
            if progress:
                progress(Progress(epoch, epochs, number, n_batches, means))
        scores = end_of_epoch(epoch)
        history.append(
            Progress(epoch, epochs, n_batches, n_batches, means, scores, epoch_over=True)
        )
        if progress:
            progress(history[-1])
        if min_gain and epoch and means["total"] > (1 - min_gain) * history[-2].losses["total"]:
            break
    return history


def _check_finite(losses: dict[str, Tensor], batch: Named, epoch: int) -> None:
    broken = [name for name, loss in losses.items() if not torch.isfinite(loss)]
    if broken:
        shown = ", ".join(batch.ids[:10])
        raise TrainingError(
            f"epoch {epoch + 1}: the loss is not a finite number ({', '.join(broken)}) on a batch "
            f"of {len(batch.ids)} recordings: {shown}. Look for extreme values in them, "
            "lower learning_rate, or use input_scale='quantity'"
        )


@contextmanager
def deterministic() -> Iterator[None]:
    """Sums in the same order every time; afterwards as it was before.

    Without it, with two threads and more, the gradient of picking patches is summed in the order the
    threads happen to come by, and training makes another model of each last digit that differs.
    """
    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    memory.fill_uninitialized_memory = False  # every new tensor, for nothing
    try:
        yield
    finally:
        memory.fill_uninitialized_memory = filled
        torch.use_deterministic_algorithms(before, warn_only=warned)


def device_called(name: str) -> torch.device:
    """The device of that name.

    Raises:
        ConfigError: If there is none here.
    """
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"device={name!r} cannot be used here ({reason}); try 'cpu' or 'cuda'"
        ) from error
    return device


def device_or_cpu(name: str) -> str:
    """The name of this device, or `cpu`, with a DataWarning, where there is none such."""
    try:
        device_called(name)
    except ConfigError as error:
        warnings.warn(f"{error}. The CPU is used", DataWarning, stacklevel=3)
        return "cpu"
    return name


def _give_back_memory() -> None:
    """Hand freed memory back to the system, where the C library keeps it.

    Batches of whole recordings differ in size, and glibc's heap keeps the holes each leaves: 3.7 GB after
    three epochs of HuGaDB (32 maps, every second frame), against 2.2 GB at the peak with this, which
    costs a fifth of the time. Batches of pieces leave none worth it: the CMU exercises need 1.4 GB
    without, 1.2 GB with it, and a third less time.
    """
    if trim := getattr(_LIBC, "malloc_trim", None):
        trim(0)


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
