"""Plug-ins by name: tables of strings, imported when asked for."""

import importlib
from collections.abc import Mapping
from typing import Any

from histvq.errors import ConfigError, did_you_mean


def resolve(name: str, table: Mapping[str, str], *, kind: str) -> Any:
    """What a name in the table, or `module:attribute` written out, stands for.

    Args:
        name: A name of the table, or `module:attribute` for code outside this package.
        table: Name -> `module:attribute`. Nothing is imported until asked for.
        kind: What the table holds, for the error message: `method`, `dataset`, ...

    Raises:
        ConfigError: If nothing has that name or the written-out place cannot be imported.
    """
    target = table.get(name, name)
    module_name, colon, attribute = target.partition(":")
    if not colon:
        raise ConfigError(f"no {kind} is called {name!r}{did_you_mean(name, table)}")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        if name in table:
            raise
        raise ConfigError(
            f"{kind} {name!r} cannot be imported: {error}; write it as package.module:Name"
        ) from error
