"""Plug-ins by name: tables of strings, imported when asked for."""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from histvq.errors import ConfigError, did_you_mean


def resolve(name: str, table: Mapping[str, str], *, kind: str) -> Any:
    """What a name in the table, or `module:attribute` written out, stands for.

    A module that is not installed is looked for in the current folder: whoever writes a name out means
    it. So a name that a file says must be looked for in the table before it comes here.

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
    if name in table:
        return getattr(importlib.import_module(module_name), attribute)
    try:
        module = _own_module(module_name)
        if not hasattr(module, attribute):
            raise ImportError(
                f"there is no {attribute!r} in {getattr(module, '__file__', module_name)}"
            )
    except ImportError as error:
        raise ConfigError(
            f"{kind} {name!r} cannot be imported: {error}; write it as package.module:Name"
        ) from error
    return getattr(module, attribute)


def _own_module(name: str) -> ModuleType:
    """A module that is installed, or lies in the current folder.

    Programs that pip installed do not look there by themselves. The folder is put last, and only where
    what was named lies in it: no file in it can stand in for an installed package.
    """
    if not all(name.split(".")):
        raise ImportError(f"{name!r} is no module's name")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        here, first = Path.cwd(), name.partition(".")[0]
        lies_here = (here / f"{first}.py").is_file() or (here / first).is_dir()
        if error.name == first and not lies_here:
            raise ImportError(f"no module {first!r} is installed, or lies in {here}") from error
        if error.name != first or str(here) in sys.path:
            raise
        sys.path.append(str(here))
        importlib.invalidate_caches()
        return importlib.import_module(name)
