"""Values of JSON files, checked: what is not as expected is told with its place."""

import json
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from histvq.errors import FileFormatError
from histvq.io.parts.packed import AGAIN, read_packed_text


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        FileFormatError: If it is no JSON, UTF-8; `NaN` and `Infinity`, which Python's writer puts
            where numbers fail, are none. Missing values are `null`.
    """
    text = read_packed_text(path, encoding="utf-8-sig")
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise FileFormatError(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON ({error.msg}). {AGAIN}"
        ) from error
    except RecursionError as error:
        raise FileFormatError(
            f"{path}: brackets within brackets, too deep to be followed. {AGAIN}"
        ) from error
    except ValueError as error:  # of `_refuse`, or a number of thousands of digits
        raise FileFormatError(f"{path}: {error}") from error


def ends(path: Path, n_bytes: int = 65_536) -> tuple[bytes, bytes]:
    """The first and the last bytes of a file that begins as lists and objects of JSON do."""
    try:
        with path.open("rb") as file:
            start = file.read(n_bytes)
            if start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] not in (b"[", b"{"):
                return b"", b""
            file.seek(max(0, path.stat().st_size - n_bytes))
            return start, file.read(n_bytes)
    except OSError:
        return b"", b""


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number; write null for what is missing")


def list_in(value: Any, where: str) -> list[Any]:
    """The value, if it is a list."""
    if not isinstance(value, list):
        raise FileFormatError(f"{where}: expected a list in brackets, found {shown(value)}")
    return value


def object_in(value: Any, where: str) -> dict[str, Any]:
    """The value, if it is an object."""
    if not isinstance(value, dict):
        raise FileFormatError(f"{where}: expected keys and values, found {shown(value)}")
    return value


def whole_in(value: Any, where: str) -> int:
    """The value, if it is a whole number."""
    if type(value) is not int:
        raise FileFormatError(f"{where}: expected a whole number, found {shown(value)}")
    return value


def numbers_in(value: Any, where: str) -> np.ndarray:
    """The value as float64, if it is a list of numbers; NaN for null."""
    values = list_in(value, where)
    if not {type(one) for one in values} <= _NUMBERS:
        place = next(n for n, one in enumerate(values) if type(one) not in _NUMBERS)
        raise FileFormatError(
            f"{where}, value {place + 1} of {len(values)}: expected a number, or null for a "
            f"missing one, found {shown(values[place])}"
        )
    try:
        numbers = np.array(values, dtype=np.float64)
    except OverflowError:
        numbers = np.array([float(str(one or 0)) for one in values])
    if (np.abs(numbers) > _LARGEST).any():
        place = int(np.nanargmax(np.abs(numbers)))
        raise FileFormatError(
            f"{where}, value {place + 1} of {len(values)}: {shown(values[place])} is too large"
        )
    return numbers


_NUMBERS = {int, float, type(None)}  # not bool, which Python takes for a number
_LARGEST = float(np.finfo(np.float32).max)


def shown(value: Any) -> str:
    """A value as the file has it, its first characters."""
    if isinstance(value, dict | list):
        kind, n = ("object", "keys") if isinstance(value, dict) else ("list", "values")
        return f"{'an' if kind == 'object' else 'a'} {kind} of {len(value)} {n}"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except ValueError:  # more digits than Python writes
        return "a number of thousands of digits"
    return text if len(text) <= 40 else f"{text[:40]}..."
