"""What processes that train together tell each other beside sums: states, answers, faults."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from histvq import errors
from histvq.errors import HistvqError
from histvq.nn.peers import peers
from histvq.resuming.packing import from_bytes, to_bytes

Item = TypeVar("Item")


def told_by_all(state: Any) -> list[Any]:
    """What each process says, in their order: anything `packed` knows, arrays as tensors or arrays."""
    by = peers()
    if by.n == 1:
        return [state]
    return [_opened(one) for one in by.gathered(_sealed(state))]


def told_by_first(state: Any) -> Any:
    """What the first process says, to all; what others say is not heard."""
    by = peers()
    if by.n == 1:
        return state
    nothing = torch.zeros(0, dtype=torch.uint8)
    return _opened(by.gathered(_sealed(state) if by.rank == 0 else nothing)[0])


def done_by_first(task: Callable[[], Any]) -> Any:
    """What a task gives that the first process does for all; an error of ours is raised in all.

    Raises:
        HistvqError: If the task does.
    """
    by = peers()
    if by.n == 1:
        return task()
    said: dict[str, Any] = {}
    if by.rank == 0:
        try:
            said = {"result": task()}
        except HistvqError as error:
            said = {"error": type(error).__name__, "words": str(error)}
    said = told_by_first(said)
    if "error" in said:
        kind = getattr(errors, said["error"], HistvqError)
        raise kind(said["words"])
    return said["result"]


def shared_out(task: Callable[[Item], Any], items: Sequence[Item]) -> list[Any]:
    """The task's results for all items, of which every process does some and tells the others."""
    by = peers()
    told = told_by_all([task(item) for item in items[by.rank :: by.n]])
    return [told[place % by.n][place // by.n] for place in range(len(items))]


def _sealed(state: Any) -> Tensor:
    return torch.frombuffer(bytearray(to_bytes(state)), dtype=torch.uint8)


def _opened(sent: Tensor) -> Any:
    return from_bytes(sent.numpy().tobytes())
