"""Which video or sound belongs to which recording."""

import csv
import mimetypes
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from histvq.errors import ConfigError, FileFormatError

Media = Mapping[str, tuple[Path, ...]]

_KINDS = ("video", "audio")


def find_media(place: str | Path, ids: Sequence[str]) -> Media:
    """The media of these recordings.

    Args:
        place: A folder, whose videos and sounds are called exactly as the recordings; or a CSV table
            with the columns `recording` and `media`, paths from where the table lies.
        ids: Of the recordings.

    Raises:
        FileFormatError: If the table is none, or names what is not there.
        ConfigError: If the folder or table is not there, or none of it is of these recordings.
    """
    place = Path(place)
    if not place.exists():
        raise ConfigError(f"media {place}: there is no such folder or table")
    found = _in_folder(place) if place.is_dir() else _in_table(place, ids)
    known = {id: tuple(found[id]) for id in ids if id in found}
    if not known:
        raise ConfigError(
            f"media {place}: none is of {', '.join(ids[:5])}. Call a file exactly as its recording, as "
            f"{ids[0]}.mp4, or name a CSV table with the columns recording and media"
        )
    return known


def mime_type(path: Path) -> str:
    """As `video/mp4`."""
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def relative(path: Path, folder: Path) -> str:
    """The way from a folder to a file, with `/`; absolute where there is none (another drive)."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def _in_folder(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        if file.is_file() and mime_type(file).partition("/")[0] in _KINDS:
            found.setdefault(file.stem, []).append(file)
    return found


def _in_table(table: Path, ids: Sequence[str]) -> dict[str, list[Path]]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(f"{table}: not a CSV table in UTF-8 ({error})") from error
    if rows and not {"recording", "media"} <= set(rows[0]):
        raise FileFormatError(
            f"{table}: columns {', '.join(map(str, rows[0]))}; expected recording and media"
        )
    found: dict[str, list[Path]] = {}
    faults = []
    for number, row in enumerate(rows, 2):
        id, media = (row["recording"] or ""), table.parent / (row["media"] or "")
        if id not in ids:
            faults.append(f"row {number}: no recording is called {id!r}")
        elif not media.is_file():
            faults.append(f"row {number}: there is no file {media}")
        else:
            found.setdefault(id, []).append(media)
    if faults:
        more = [f"... and {len(faults) - 10} more"] * (len(faults) > 10)
        raise FileFormatError("\n".join([f"{table}: wrong rows:", *faults[:10], *more]))
    return found
