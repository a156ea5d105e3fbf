"""Settings as people type them."""

from collections.abc import Sequence
from typing import Any

from histvq.errors import ConfigError


def parsed(settings: Sequence[str], *, flag: str) -> dict[str, Any]:
    """`["alpha=3", "keep=last"]` as parameters; values are read as YAML."""
    import yaml

    found = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"{flag} {setting}: write it as {flag} name=value, as {flag} alpha=3")
        try:
            found[key.strip()] = yaml.safe_load(value)
        # Beside its own errors, those of Python's functions for numbers and dates that are none.
        except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError) as error:
            raise ConfigError(f"{flag} {setting}: the value cannot be read ({error})") from error
    return found
