"""All readers: ours, and those that other installed packages bring."""

import warnings
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

from histvq.errors import ConfigError, DataWarning
from histvq.io.parts.reader import Reader
from histvq.registry import resolve

# What a package writes in its pyproject.toml to add a format:
#     [project.entry-points."histvq.readers"]
#     mvnx = "their_package.mvnx:READER"
GROUP = "histvq.readers"


@cache
def plugins() -> dict[str, str]:
    """Readers of other installed packages: name -> `module:attribute`."""
    return {point.name: point.value for point in entry_points(group=GROUP)}


def find_reader(name: str, table: Mapping[str, str]) -> Reader:
    """The reader of that name; a plain function of a path, given as `module:name`, will do.

    Raises:
        ConfigError: If there is none.
    """
    found = resolve(name, {**plugins(), **table}, kind="format")
    if isinstance(found, Reader):
        return found
    if not callable(found):
        raise ConfigError(
            f"format {name!r} is of the type {type(found).__name__}; name a histvq.io.Reader, or a "
            "function from a path to (Recording, Annotation or None)"
        )
    return Reader(description=name, read=found, suffixes=("",))


def all_readers(table: Mapping[str, str]) -> dict[str, Reader]:
    """Every reader there is, in the order they are asked: first those of other packages.

    A format may be anybody's, but one of ours keeps its name.

    Warns:
        DataWarning: If one of another package cannot be imported; it is left out.
    """
    found = {}
    for name in [name for name in plugins() if name not in table] + list(table):
        try:
            found[name] = find_reader(name, table)
        except Exception as error:
            if name in table:
                raise
            warnings.warn(
                f"reader {name!r} ({plugins()[name]}), of another package, cannot be imported: {error}. "
                "It is left out: update or remove that package",
                DataWarning,
                stacklevel=3,
            )
    return found
