"""Names within a Python pickle, read without running it.

Unpickling runs whatever the file says. pandas, by PyTables, keeps the names of columns in that
form, so they are spelled out here from the few operations that lists of text need; any other is
refused.

Source: `pickletools` of Python's standard library, which tells the operations and runs none.
"""

import pickletools
from collections.abc import Callable

from histvq.errors import FileFormatError

_MARK = object()
_TEXT = {
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
    "BINUNICODE8",
}  # fmt: skip
_LENGTHS = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_PUT = {"PUT", "BINPUT", "LONG_BINPUT"}
_GET = {"GET", "BINGET", "LONG_BINGET"}


def names_of(data: bytes) -> list[tuple[str, ...]]:
    """The tuples of text in a pickled list.

    Raises:
        FileFormatError: If it holds, or does, anything else.
    """
    try:
        found = _spelled(data)
    except FileFormatError:
        raise
    except (ValueError, LookupError, TypeError) as error:
        raise FileFormatError(f"names cannot be read ({error})") from error
    if not isinstance(found, list) or not all(map(_is_names, found)):
        raise FileFormatError("names are no list of texts")
    return [tuple(names) for names in found]


def _is_names(value: object) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(name, str) for name in value)


def _spelled(data: bytes) -> object:
    """What the operations build on their stack."""
    stack: list = []
    memo: dict[int, object] = {}
    for operation, argument, _ in pickletools.genops(data):
        name = operation.name
        if name in _TEXT:
            stack.append(argument)
        elif name in _LENGTHS:
            stack.append(_last(stack, _LENGTHS[name], tuple))
        elif name in _PUT:
            memo[int(argument)] = stack[-1]  # type: ignore[arg-type]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in _GET:
            stack.append(memo[int(argument)])  # type: ignore[arg-type]
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name in ("LIST", "TUPLE"):
            stack.append((list if name == "LIST" else tuple)(_since_mark(stack)))
        elif name in ("APPEND", "APPENDS"):
            items = [stack.pop()] if name == "APPEND" else _since_mark(stack)
            _list_on_top(stack).extend(items)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise FileFormatError(
                f"names come with the pickle operation {name}, which is not run: only lists of text "
                "are read"
            )
    (found,) = stack
    return found


def _last(stack: list, count: int, kind: Callable) -> object:
    """The last items, taken off."""
    if count > len(stack):
        raise IndexError("nothing to make a tuple of")
    items = [stack.pop() for _ in range(count)]
    return kind(reversed(items))


def _since_mark(stack: list) -> list:
    items: list = []
    while (item := stack.pop()) is not _MARK:
        items.append(item)
    return items[::-1]


def _list_on_top(stack: list) -> list:
    if not isinstance(stack[-1], list):
        raise TypeError("something is added to what is no list")
    return stack[-1]
