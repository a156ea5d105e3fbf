"""Several processes that train one network together, over `torch.distributed`.

`torchrun` starts them, on one machine or on many, and says to each in its environment which one it is.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from histvq.errors import ConfigError, ProcessLost
from histvq.launched import launched
from histvq.nn.peers import Alone, Peers, among

# A process may wait so long for another, which reads or clusters; one that ended is noticed at once.
PATIENCE = timedelta(hours=2)


@contextmanager
def all_processes(*, patience: timedelta = PATIENCE) -> Iterator[Peers]:
    """While this lasts, fits are shared out among all processes that `torchrun` has started.

    Every one of them must do the same fits in the same order, with the same recordings. Without
    `torchrun`, or with one process, fits are what they always are.

    Args:
        patience: How long one may wait for another that neither answers nor ends.

    Raises:
        ConfigError: If the others cannot be reached.
    """
    rank, n = launched()
    if n == 1:
        yield Alone()
        return
    on_gpus = torch.cuda.is_available()
    if on_gpus:  # `cuda` is another GPU for each process of a machine
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpus else "gloo", timeout=patience)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(
            f"process {rank} of {n} cannot reach the others ({_short(error)}). Start all of them with "
            "torchrun, with the same --rdzv-endpoint or --master-addr on every machine"
        ) from error
    try:
        these = Processes(rank, n)
        with among(these):
            yield these
    finally:
        dist.destroy_process_group()


class Processes:
    """The processes of this training, as `nn.peers.Peers` has them.

    Args:
        rank: The number of this one, from 0.
        n: How many there are.
    """

    def __init__(self, rank: int, n: int) -> None:
        self.rank = rank
        self.n = n

    def summed(self, values: Tensor) -> Tensor:
        """The sum of what all of them give, of one shape; the same bits in each.

        Raises:
            ProcessLost: If one of them has ended.
        """
        total = values.detach().clone().contiguous()
        self._do(dist.all_reduce, total)
        return total

    def largest(self, values: Tensor) -> Tensor:
        """Of each value, the largest that any of them gives.

        Raises:
            ProcessLost: If one of them has ended.
        """
        found = values.detach().clone().contiguous()
        self._do(dist.all_reduce, found, op=dist.ReduceOp.MAX)
        return found

    def gathered(self, values: Tensor) -> list[Tensor]:
        """What each of them gives, in their order; lengths of the first axis may differ.

        Raises:
            ProcessLost: If one of them has ended.
        """
        lengths = torch.zeros(self.n, dtype=torch.int64, device=values.device)
        lengths[self.rank] = len(values)
        found = []
        for rank, length in enumerate(self.summed(lengths).tolist()):
            one = (
                values.contiguous()
                if rank == self.rank
                else values.new_empty(length, *values.shape[1:])
            )
            if one.numel():
                self._do(dist.broadcast, one, src=rank)
            found.append(one)
        return found

    def _do(self, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        try:
            operation(*args, **kwargs)
        except RuntimeError as error:
            raise ProcessLost(
                f"another of the {self.n} processes of this training has ended, or cannot be reached any "
                f"more, so process {self.rank} stops too ({_short(error)}). What was kept stays: the "
                "same command goes on from there, with as many processes as you like"
            ) from error


def _short(error: Exception) -> str:
    """Its first line, without the place in the library that said it."""
    return re.sub(r"^\[[^]]*\]\s*", "", str(error).strip().splitlines()[0])[:200]
