"""Pickles of numbers, read without running what they ask for.

A pickle is a program, and `pickle.load` runs it. Here it may build lists, dictionaries and the like out
of numbers and text, and say what NumPy arrays of numbers hold. It gets hold of no function of NumPy's or
of anybody's: what it names is matched with stand-ins of ours, which check what they are given, above all
that there are as many bytes as a shape promises.
"""

import io
import math
import pickle
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from histvq.errors import FileFormatError

_NUMBERS = re.compile(r"[<>=|]?[biuf][1248]")


def load_numbers(path: Path) -> object:
    """What a pickle of built-in containers and NumPy arrays of numbers holds.

    Args:
        path: A file of any protocol.

    Raises:
        FileFormatError: If it is damaged, or asks for anything else.
    """
    try:
        return _plain(_NumbersUnpickler(io.BytesIO(path.read_bytes())).load(), {})
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror})") from error
    except Exception as error:  # there is nothing a damaged pickle may not raise
        raise FileFormatError(
            f"{path}: no pickle of numbers, or a damaged one ({type(error).__name__}: {error}). Only "
            "NumPy arrays of numbers, and lists and dictionaries, are admitted, for a pickle can run "
            "anything. Fetch it again from where it was published"
        ) from error


class _Type:
    """Stands for numpy.dtype while a pickle is read."""

    __slots__ = ("dtype",)

    def __init__(self, code: str, *_: object) -> None:
        if not _NUMBERS.fullmatch(code):
            raise pickle.UnpicklingError(f"an array of type {code!r}, no plain numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        """Byte order; everything else a dtype may be told is for other types."""
        _, order, subarray, names, fields, *_ = state
        if (subarray, names, fields) != (None, None, None):
            raise pickle.UnpicklingError("an array of records")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stands for an array until the pickle has said what it holds."""

    __slots__ = ("values",)

    values: np.ndarray

    def __init__(self, *_: object) -> None:
        """Takes what numpy._core.multiarray._reconstruct is given, of which nothing matters."""

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, in_columns, data = state
        self.values = _filled(data, kind, shape, "F" if in_columns else "C")


def _filled(data: Any, kind: _Type, shape: Any, order: Any) -> np.ndarray:
    """An array of these bytes; raises unless they are as many as the shape promises."""
    if not isinstance(data, bytes | bytearray) or type(kind) is not _Type:
        raise pickle.UnpicklingError("an array of something else than numbers")
    # A text, or a list, times a number would be made before it is found to be no size.
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n < 2**48 for n in shape):
        raise pickle.UnpicklingError("an array whose shape is not in whole numbers")
    if len(data) != math.prod(shape) * kind.dtype.itemsize:
        raise pickle.UnpicklingError(f"{len(data)} bytes for an array of shape {shape}")
    return np.frombuffer(data, kind.dtype).reshape(shape, order=order)


def _from_buffer(data: Any, kind: Any, shape: Any, order: Any, axes: Any = None) -> _Array:
    array = _Array()
    if order == "K" and axes is not None:
        array.values = _filled(data, kind, shape, "C").transpose(axes)
    else:
        array.values = _filled(data, kind, shape, order)
    return array


def _scalar(kind: Any, data: Any) -> Any:
    return _filled(data, kind, (), "C").item()


_STAND_INS: Mapping[tuple[str, str], object] = {
    ("numpy", "dtype"): _Type,
    ("numpy", "ndarray"): "ndarray",  # only ever named, never called
    **{
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", _Array),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
}


# The one in Python: that in C makes room for what a pickle says of itself before it looks.
class SafeUnpickler(pickle._Unpickler):
    """Makes built-in values, lists and dictionaries, and whatever stand-ins make of the rest.

    Attributes:
        stand_ins: By module and name, what stands for it: a value, or a class or function of ours.
        stateful: Stand-ins that may be given a state.
    """

    stand_ins: ClassVar[Mapping[tuple[str, str], object]] = {}
    stateful: ClassVar[tuple[type, ...]] = ()
    dispatch: ClassVar[dict[int, Callable[..., None]]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in of that name; nothing is imported."""
        if (module, name) not in self.stand_ins:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return self.stand_ins[module, name]

    def load_build(self) -> None:
        """State goes to our stand-ins alone: given to a class or function, it would change them."""
        state = self.stack.pop()  # type: ignore[attr-defined]
        target = self.stack[-1]  # type: ignore[attr-defined]
        if type(target) not in self.stateful:
            raise pickle.UnpicklingError(f"it sets the state of {type(target).__name__}")
        target.__setstate__(state)

    def load_setitem(self) -> None:
        """A key and its value; what keys may be, see `_put`."""
        value, key = self.stack.pop(), self.stack.pop()  # type: ignore[attr-defined]
        _put(self.stack[-1], [key, value])  # type: ignore[attr-defined]

    def load_setitems(self) -> None:
        """Likewise, several."""
        items = self.pop_mark()  # type: ignore[attr-defined]
        _put(self.stack[-1], items)  # type: ignore[attr-defined]

    def load_dict(self) -> None:
        """Likewise, into a new dictionary."""
        made: dict[Any, Any] = {}
        _put(made, self.pop_mark())  # type: ignore[attr-defined]
        self.append(made)  # type: ignore[attr-defined]

    def load_none_of_these(self) -> None:
        """Operations no table of numbers needs."""
        raise pickle.UnpicklingError("it holds sets, or what lies outside of it")

    def load_bytearray8(self) -> None:
        """Bytes that are there, not as many as it says there are."""
        (size,) = struct.unpack("<Q", self.read(8))  # type: ignore[attr-defined]
        data = self.read(size)  # type: ignore[attr-defined]
        self.append(bytearray(data))  # type: ignore[attr-defined]

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.DICT[0]] = load_dict
    for _operation in (
        pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET, pickle.PERSID, pickle.BINPERSID,
        pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER,
    ):  # fmt: skip
        dispatch[_operation[0]] = load_none_of_these


class _NumbersUnpickler(SafeUnpickler):
    stand_ins = _STAND_INS
    stateful = (_Type, _Array)


def _put(target: Any, items: list[Any]) -> None:
    """Keys and values, in turn, into a dictionary; to look up nested tuples could take for ever."""
    keys = items[::2]
    if not isinstance(target, dict) or not all(
        isinstance(k, str | bytes | int | float) for k in keys
    ):
        raise pickle.UnpicklingError("it has keys that are no text and no number")
    target.update(zip(keys, items[1::2], strict=True))


def _plain(value: Any, done: dict[int, Any]) -> Any:
    """The same with arrays in place of their stand-ins; what stands in two places is made once."""
    if id(value) not in done:
        # The value is kept beside the result, or its id might be given to another object.
        done[id(value)] = value, _remade(value, done)
    return done[id(value)][1]


def _remade(value: Any, done: dict[int, Any]) -> Any:
    if isinstance(value, _Array):
        return value.values
    if isinstance(value, dict):
        return {_plain(key, done): _plain(item, done) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(item, done) for item in value)
    if value is None or isinstance(value, bool | int | float | str | bytes | bytearray):
        return value
    raise pickle.UnpicklingError(f"it holds {type(value).__name__}")
