"""Recordings of made-up people in the files that people have: for tutorials, and to try things out on.

What they do is known, and lies beside the files as a table of segments. A new kind is one file that makes
an `Example`, and a line here.
"""

from pathlib import Path

from histvq.datasets._examples.example import Example
from histvq.errors import ConfigError
from histvq.registry import resolve
from histvq.writing import write_text

KINDS = {
    "mocap": "histvq.datasets._examples.mocap:make",
    "pose-tracks": "histvq.datasets._examples.pose_tracks:make",
    "sensors": "histvq.datasets._examples.sensors:make",
}

__all__ = ["KINDS", "Example", "make_example", "put", "write_example"]


def make_example(kind: str, *, seed: int = 0) -> Example:
    """The files of an example, not yet written.

    Raises:
        ConfigError: If there is no such kind.
    """
    example: Example = resolve(kind, KINDS, kind="example")(seed=seed)
    return example


def write_example(kind: str, folder: str | Path, *, seed: int = 0) -> Example:
    """Write the files of an example into a folder that is empty or not there yet.

    Raises:
        ConfigError: If there is no such kind, or something is in the folder.
        NotWrittenError: If they cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: something is there already; name a new folder with -o")
    example = make_example(kind, seed=seed)
    put(example, folder)
    return example


def put(example: Example, folder: Path) -> None:
    """Write its files into a folder, over what is there."""
    for name, text in example.texts.items():
        write_text(folder / name, text)
