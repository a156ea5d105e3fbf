"""Shapes of a network before any room is made for it."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


def check_shapes(
    build: Callable[[torch.Generator], nn.Module], weights: Mapping[str, Tensor]
) -> None:
    """See that the network these settings make has weights of just these names and shapes.

    It is built on the device `meta`, where tensors have shapes alone: settings of a damaged or made-up
    file may ask for more than there is memory.

    Raises:
        RuntimeError: If not; names the first weights at fault.
    """
    with torch.device("meta"), _WithoutGenerators():
        wanted = {
            name: _shape(value) for name, value in build(torch.Generator()).state_dict().items()
        }
    found = {name: _shape(value) for name, value in weights.items()}
    wrong = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    if wrong:
        said = "; ".join(
            f"{name} is {found.get(name, 'not there')}, the settings make {wanted.get(name, 'none')}"
            for name in wrong[:3]
        )
        raise RuntimeError(f"{said}{f'; and {len(wrong) - 3} more' if len(wrong) > 3 else ''}")


def _shape(value: Tensor) -> tuple[int, ...]:
    """Its shape; a single number may be written as an array of one."""
    return tuple(value.shape) or (1,)


class _WithoutGenerators(TorchFunctionMode):
    """Chance is left out: a generator is of one device, and there is none of `meta`."""

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kept = {name: value for name, value in (kwargs or {}).items() if name != "generator"}
        return func(*args, **kept)
