"""Files of PyTorch weights, read without running anything in them."""

from pathlib import Path
from typing import TYPE_CHECKING

from histvq.checkpoints.weights import read_weights
from histvq.errors import FileFormatError

if TYPE_CHECKING:
    from torch import Tensor


def state_dict(path: Path) -> "dict[str, Tensor]":
    """The tensors of a PyTorch file; whatever else it holds is never run.

    Raises:
        FileFormatError: If it is no such file, or holds anything but tensors by name.
    """
    import torch

    try:
        found = read_weights(path)
    except FileNotFoundError as error:
        raise FileFormatError(f"{path}: there is no such file") from error
    except Exception as error:  # there is nothing a damaged file may not come to
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileFormatError(
            f"{path}: not a file of PyTorch weights alone ({reason}). It may be cut short, or a "
            "pointer to a file kept elsewhere: fetch it again"
        ) from error
    if found is None:
        raise FileFormatError(f"{path}: not a table of weights by name; save model.state_dict()")
    return {name: torch.from_numpy(array) for name, array in found.items()}
