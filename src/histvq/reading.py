"""Settings and descriptions from anybody: JSON, YAML and TOML that cannot take the machine along.

Besides being no file of its format at all, one may be endless, brackets within brackets, or a few lines
of YAML that stand for millions by naming one another. Each is found before it is followed.
"""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from histvq.errors import FileFormatError

SETTINGS_BYTES = 2**22  # YAML takes half a minute to read as much
JSON_BYTES = 2**27
DEPTH = 32
YAML_PARTS = 200_000

# What the readers of these formats raise for texts that are none; those of YAML and TOML raise what
# Python's own functions do for what looks like a number or date and is not.
_NO_SENSE = (
    ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, MemoryError,
)  # fmt: skip


def read_json(place: str | Path, *, at_most_bytes: int = JSON_BYTES, finite: bool = False) -> Any:
    """What a JSON file holds.

    Args:
        place: The file.
        at_most_bytes: A larger one is refused.
        finite: Whether `NaN` and `Infinity` are refused too, which are no JSON but written by some.

    Raises:
        FileFormatError: If it is no JSON, or lists and objects stand too deep in one another.
    """
    constant = _no_number if finite else None
    return _made(
        place, lambda text: json.loads(text, parse_constant=constant), "no JSON", at_most_bytes
    )


def read_toml(place: str | Path) -> dict[str, Any]:
    """What a TOML file holds.

    Raises:
        FileFormatError: If it is none, or tables stand too deep in one another.
    """
    found: dict[str, Any] = _made(place, tomllib.loads, "not a TOML file", SETTINGS_BYTES)
    return found


def read_yaml(place: str | Path, loader: Any = None) -> Any:
    """What a YAML file holds: plain values, lists and mappings, of which Python makes no other objects.

    Args:
        place: The file.
        loader: A `yaml.SafeLoader` that is stricter in some way.

    Raises:
        FileFormatError: If it is none, or stands for much more than is written.
    """
    return _made(place, lambda text: _yaml(text, loader), "not a YAML file", SETTINGS_BYTES)


def _made(place: str | Path, make: Callable[[str], Any], otherwise: str, at_most_bytes: int) -> Any:
    """What is made of a text in UTF-8, if it can be, and is of a depth that can be followed."""
    try:
        if (n_bytes := Path(place).stat().st_size) > at_most_bytes:
            raise FileFormatError(
                f"{place}: {n_bytes:,} bytes, where no file of this sort has more than {at_most_bytes:,}"
            )
        data = Path(place).read_bytes()
        found = make(data.decode("utf-8-sig"))
        _check_depth(found)
    except FileFormatError:
        raise
    except OSError as error:
        raise FileFormatError(f"{place}: cannot be read ({error.strerror or error})") from error
    except _NO_SENSE as error:
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise FileFormatError(f"{place}: {otherwise} ({words})") from error
    return found


def _yaml(text: str, loader: Any) -> Any:
    import yaml

    try:
        reader = (loader or yaml.SafeLoader)(text)
        node = reader.get_single_node()
        if node is None:
            return None
        _check_parts(node)
        return reader.construct_document(node)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _check_parts(root: Any) -> None:
    """Raise ValueError if the nodes, each counted wherever it is named, are more than anybody writes."""
    import yaml

    parts: dict[int, int] = {}

    def count(node: Any, depth: int) -> int:
        if depth > DEPTH:  # also of one that stands within itself
            raise ValueError(f"more than {DEPTH} lists or mappings within one another")
        if id(node) not in parts:
            inside = [] if isinstance(node, yaml.ScalarNode) else node.value
            both = [pair for pair in inside if isinstance(pair, tuple)]
            items = [item for pair in both for item in pair] or inside
            parts[id(node)] = 1 + sum(count(item, depth + 1) for item in items)
        return parts[id(node)]

    if count(root, 0) > YAML_PARTS:
        raise ValueError(f"it stands for more than {YAML_PARTS:,} values; write them out")


def _check_depth(value: Any) -> None:
    layer = [value]
    for _ in range(DEPTH + 1):
        layer = [
            item
            for one in layer
            if isinstance(one, dict | list)
            for item in (one.values() if isinstance(one, dict) else one)
            if isinstance(item, dict | list)
        ]
        if not layer:
            return
    raise ValueError(f"more than {DEPTH} lists or objects within one another")


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")
