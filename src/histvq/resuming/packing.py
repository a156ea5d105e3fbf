"""The state of a training as named tensors and JSON, and back. Nothing in it can be run."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor


def packed(state: Any) -> tuple[Any, dict[str, Tensor]]:
    """Dictionaries, lists, tuples, tensors, arrays, numbers and text, apart from each other.

    Returns:
        What JSON can hold, in which tensors and arrays are named; and these by their names.

    Raises:
        TypeError: If there is anything else in it.
    """
    tensors: dict[str, Tensor] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):  # keys may be numbers, which JSON would make text of
            return {"dict": [[plain(key), plain(item)] for key, item in value.items()]}
        if isinstance(value, list | tuple):
            kind = "list" if isinstance(value, list) else "tuple"
            return {kind: [plain(item) for item in value]}
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, Tensor | np.ndarray):
            name = str(len(tensors))
            array = isinstance(value, np.ndarray)
            held = torch.from_numpy(value) if isinstance(value, np.ndarray) else value.detach()
            tensors[name] = held.cpu().clone().contiguous()  # no two may share memory
            return {"array" if array else "tensor": name}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise TypeError(f"the state of a training cannot hold {type(value).__name__}")

    return plain(state), tensors


def unpacked(plain: Any, tensors: Mapping[str, Tensor]) -> Any:
    """What `packed` was given.

    Raises:
        ValueError: If it does not come from there.
        KeyError: If a tensor is missing.
    """
    if not isinstance(plain, dict):
        if isinstance(plain, list):
            raise ValueError("a list that says not what it is")
        return plain
    ((kind, content),) = plain.items()
    if kind == "dict":
        return {unpacked(key, tensors): unpacked(item, tensors) for key, item in content}
    if kind in ("list", "tuple"):
        items = [unpacked(item, tensors) for item in content]
        return items if kind == "list" else tuple(items)
    if kind in ("array", "tensor"):
        held = tensors[content]
        return held.numpy() if kind == "array" else held
    raise ValueError(f"it holds {kind!r}")


def to_bytes(state: Any) -> bytes:
    """The same in one piece, to be sent."""
    plain, tensors = packed(state)
    head = json.dumps(plain).encode()
    return len(head).to_bytes(8, "little") + head + save(tensors)


def from_bytes(sent: bytes) -> Any:
    """What `to_bytes` was given."""
    start = 8 + int.from_bytes(sent[:8], "little")
    return unpacked(json.loads(sent[8:start]), load(sent[start:]))
