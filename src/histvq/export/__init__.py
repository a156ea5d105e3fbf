"""Answers as files of the tools people already use: `EXPORTS`, one file a format."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from histvq.errors import ConfigError
from histvq.export.parts.export import Export
from histvq.export.parts.media import Media
from histvq.recording import Recording
from histvq.registry import resolve
from histvq.segments import Segmentation

__all__ = ["EXPORTS", "Export", "export", "find_export"]

EXPORTS: dict[str, str] = {
    "csv": "histvq.export.csv_table:EXPORT",
    "csv-each": "histvq.export.csv_each:EXPORT",
    "parquet": "histvq.export.parquet:EXPORT",
    "elan": "histvq.export.elan:EXPORT",
    "boris": "histvq.export.boris:EXPORT",
    "audacity": "histvq.export.audacity:EXPORT",
    "nwb": "histvq.export.nwb:EXPORT",
}


def find_export(name: str) -> Export:
    """The export of that name, or `module:attribute` of your own.

    Raises:
        ConfigError: If there is none.
    """
    found = resolve(name, EXPORTS, kind="export")
    if not isinstance(found, Export):
        raise ConfigError(
            f"export {name!r} is of the type {type(found).__name__}, not Export; name the object made "
            "by histvq.export.Export(description=..., place=..., write=...)"
        )
    return found


def export(
    names: Sequence[str],
    folder: str | Path,
    answers: Sequence[Segmentation],
    *,
    recordings: Sequence[Recording] = (),
    media: Media | None = None,
    overwrite: bool = False,
) -> Mapping[str, Path]:
    """Write answers in these formats, each at its place in one folder.

    Args:
        names: Of `EXPORTS`, or `module:attribute` of your own.
        folder: Made here.
        answers: One a recording.
        recordings: What they are about, for formats that can say more of it.
        media: By recording id, its videos and sounds.
        overwrite: Replace earlier exports. People correct such files by hand, so they are never
            replaced unasked.

    Returns:
        Name -> the file or folder written.

    Raises:
        ConfigError: If there is no such format, an answer to write, or room for it.
    """
    if not answers:
        raise ConfigError("there are no answers to export")
    exports = {name: find_export(name) for name in dict.fromkeys(names)}
    places = {name: Path(folder) / made.place for name, made in exports.items()}
    there = [str(place) for place in places.values() if place.exists()]
    if there and not overwrite:
        raise ConfigError(
            f"{', '.join(there)}: there already, perhaps with corrections made by hand; choose another "
            "folder with -o, or replace them with --overwrite"
        )
    return {
        name: made.write(places[name], answers, recordings=recordings, media=media)
        for name, made in exports.items()
    }
