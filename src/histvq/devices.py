"""Where tensors are worked on: which device, in which order, in how much memory."""

import ctypes
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from histvq.errors import ConfigError, DataWarning


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
        there = "'cpu' or 'cuda'" if torch.cuda.is_available() else "'cpu'"
        raise ConfigError(f"device={name!r} cannot be used here ({reason}); try {there}") from error
    return device


def device_or_cpu(name: str) -> str:
    """The name of this device, or `cpu`, with a DataWarning, where there is none such."""
    try:
        device_called(name)
    except ConfigError as error:
        warnings.warn(f"{error}. The CPU is used", DataWarning, stacklevel=3)
        return "cpu"
    return name


def give_back_memory() -> None:
    """Hand freed memory back to the system, where the C library keeps it.

    Batches of whole recordings differ in size, and glibc's heap keeps the holes each leaves: 3.7 GB after
    three epochs of HuGaDB (32 maps, every second frame), against 2.2 GB at the peak with this, which
    costs a fifth of the time. Batches of pieces leave none worth it: the CMU exercises need 1.4 GB
    without, 1.2 GB with it, and a third less time.
    """
    if trim := getattr(_LIBC, "malloc_trim", None):
        trim(0)


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
