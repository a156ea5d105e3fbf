"""A folder of labels, given where they do not lie where they are looked for."""

from pathlib import Path

from histvq.errors import ConfigError


def labels_folder(given: str | Path | None) -> Path | None:
    """The folder, if one was given.

    Raises:
        ConfigError: If it is none.
    """
    if given is None:
        return None
    if not Path(given).is_dir():
        raise ConfigError(f"labels={str(given)!r}: not a folder. Give that of the labels files")
    return Path(given)
