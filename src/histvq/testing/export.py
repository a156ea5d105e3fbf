"""What an export keeps to."""

import tempfile
import warnings
from pathlib import Path

from histvq.errors import ConfigError, DataWarning
from histvq.export import export, find_export
from histvq.segments import Segmentation
from histvq.testing.holding import hold, refused
from histvq.testing.made_up import answers


def check_export(name: str) -> None:
    """Let an export write made-up answers, ordinary and strange ones.

    Args:
        name: `module:EXPORT`, or a name of the table.

    Raises:
        AssertionError: At the first thing that is not as it must be; the words say which.
    """
    made = find_export(name)
    hold(made.description, "an export must say what people call it: description")
    hold(
        made.place and Path(made.place).name == made.place,
        f"place must be the name of one file or folder, not {made.place!r}",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        for what, given in answers().items():
            with tempfile.TemporaryDirectory() as folder:
                _check_run(name, made.place, Path(folder), given, what)


def _check_run(name: str, place: str, folder: Path, given: list[Segmentation], what: str) -> None:
    written = export([name], folder, given)
    hold(written[name] == folder / place, f"{what}: write() must return the place it wrote to")
    hold((folder / place).exists(), f"{what}: nothing was written to its place, {place!r}")
    there = sorted(path.name for path in folder.iterdir())
    hold(there == [place], f"{what}: beside its place, {place!r}, lies something: {there}")
    with refused(ConfigError, f"{what}: a second export to the same place", naming=place):
        export([name], folder, given)
    export([name], folder, given, overwrite=True)
