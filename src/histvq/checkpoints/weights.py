"""Weights in PyTorch's own files, of both formats, read without PyTorch and without running anything.

`torch.load(weights_only=True)` runs code in files made for it up to PyTorch 2.5 (CVE-2025-32434), and
makes room for whatever a file asks for. Here a tensor has the bytes that are there, or is refused.

Source: the layout of the files `torch.save` writes, as seen in them: an archive of a pickle and a file a
storage; before PyTorch 1.6, pickles and storages one after the other.
"""

import io
import math
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, NamedTuple

import numpy as np

from histvq.io.parts.archive import check_claims
from histvq.io.parts.safe_pickle import SafeUnpickler

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_PICKLE_BYTES = 2**24
_TYPES = {
    "Double": "<f8", "Float": "<f4", "Half": "<f2", "Long": "<i8", "Int": "<i4", "Short": "<i2",
    "Char": "|i1", "Byte": "|u1", "Bool": "|b1",
}  # fmt: skip


class _Storage(NamedTuple):
    key: str
    type: str
    n_values: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Table(dict[str, Any]):
    """Stands for an OrderedDict; what PyTorch notes about one beside its items is left out."""

    def __init__(self) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        """Takes PyTorch's notes about modules, of which nothing matters."""


def read_weights(path: Path) -> dict[str, np.ndarray] | None:
    """The tensors of a file by name; None where it holds something else.

    Raises:
        Exception: Whatever a damaged file may come to.
    """
    # In memory: of a file, as many bytes are asked for as it claims to have.
    with io.BytesIO(path.read_bytes()) as file:
        if zipfile.is_zipfile(file):
            archive = zipfile.ZipFile(file)
            check_claims(archive, path)
            found, data_of = _of_archive(archive)
        else:
            file.seek(0)
            found, data_of = _of_row(file)
        if not isinstance(found, dict) or not all(
            type(value) is _Tensor for value in found.values()
        ):
            return None
        return {str(name): _array(tensor, data_of) for name, tensor in found.items()}


def _of_archive(archive: zipfile.ZipFile) -> tuple[object, Callable[[_Storage], bytes]]:
    """What the pickle in an archive describes, and where to find the numbers of its storages."""
    name = next(n for n in archive.namelist() if n.endswith("data.pkl"))
    folder = name.removesuffix("data.pkl")

    def member(place: str, most: int) -> bytes:
        info = archive.getinfo(place)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > most:
            raise ValueError(f"{place} is packed, or larger than it should be")
        return archive.read(info)

    if f"{folder}byteorder" in archive.namelist() and member(f"{folder}byteorder", 6) != b"little":
        raise ValueError("its numbers are in another order of bytes")
    found = _WeightsUnpickler(io.BytesIO(member(name, _PICKLE_BYTES))).load()
    return found, lambda storage: member(f"{folder}data/{storage.key}", _n_bytes(storage))


def _of_row(file: IO[bytes]) -> tuple[object, Callable[[_Storage], bytes]]:
    """Likewise of a file that is no archive."""
    if (_WeightsUnpickler(file).load(), _WeightsUnpickler(file).load()) != (_MAGIC, _VERSION):
        raise ValueError("it does not begin as such a file")
    _WeightsUnpickler(file).load()  # about the machine
    reader = _WeightsUnpickler(file)
    found, keys = reader.load(), _WeightsUnpickler(file).load()
    data: dict[str, bytes] = {}
    for key in keys:
        storage = reader.storages[key]
        if int.from_bytes(file.read(8), "little") != storage.n_values:
            raise ValueError("a storage is not as long as it should be")
        data[key] = file.read(_n_bytes(storage))
    return found, lambda storage: data[storage.key]


def _n_bytes(storage: _Storage) -> int:
    return storage.n_values * np.dtype(storage.type).itemsize


def _array(tensor: _Tensor, data_of: Callable[[_Storage], bytes]) -> np.ndarray:
    """The tensor's numbers, a copy; each stands in its storage, and in no other's place."""
    storage, offset, shape, strides = tensor
    data = data_of(storage)
    if len(data) != _n_bytes(storage):
        raise ValueError(f"{len(data)} bytes for {storage.n_values} numbers")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    n_values = math.prod(shape)
    if n_values and (last >= storage.n_values or n_values > storage.n_values):
        raise ValueError(f"a tensor of shape {shape} in {storage.n_values} numbers")
    values = np.frombuffer(data, storage.type)[offset:] if n_values else np.zeros(0, storage.type)
    steps = [step * values.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(values, shape, steps).copy(order="C")


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: object) -> _Tensor:
    whole = isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) <= 8
    if type(storage) is not _Storage or not whole or not _counts(offset, *shape, *strides):
        raise pickle.UnpicklingError("a tensor that is none")
    return _Tensor(storage, offset, shape, strides)


def _counts(*values: object) -> bool:
    return all(type(value) is int and 0 <= value < 2**48 for value in values)


def _parameter(tensor: Any, *_: object) -> _Tensor:
    if type(tensor) is not _Tensor:
        raise pickle.UnpicklingError("a parameter that is no tensor")
    return tensor


class _WeightsUnpickler(SafeUnpickler):
    stand_ins: ClassVar[Mapping[tuple[str, str], object]] = {
        ("collections", "OrderedDict"): _Table,
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        ("torch._utils", "_rebuild_parameter"): _parameter,
        **{("torch", f"{name}Storage"): type_ for name, type_ in _TYPES.items()},
    }
    stateful = (_Table,)
    dispatch: ClassVar[dict[int, Callable[..., None]]] = {
        **SafeUnpickler.dispatch,
        pickle.BINPERSID[0]: pickle._Unpickler.dispatch[pickle.BINPERSID[0]],
    }

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def persistent_load(self, pid: Any) -> _Storage:
        """A storage: its type, name, device and length."""
        if not isinstance(pid, tuple) or pid[:1] != ("storage",) or pid[5:] not in ((), (None,)):
            raise pickle.UnpicklingError("it names something else than a storage")
        _, type_, key, _, n_values = pid[:5]
        if type_ not in _TYPES.values() or not isinstance(key, str) or not _counts(n_values):
            raise pickle.UnpicklingError("a storage that is none")
        self.storages[key] = _Storage(key, type_, n_values)
        return self.storages[key]
