"""The recordings a run was made from, read again."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histvq.errors import ConfigError, DataWarning, HistvqError
from histvq.io import READERS, Readings, read_many
from histvq.io.parts.plugins import plugins
from histvq.io.parts.settings import parsed
from histvq.remote import is_remote

if TYPE_CHECKING:
    from histvq.report.run_folder import RunFolder

GIVE_FILES = "name the files or folders the run was made from after the run's folder"


def read_sources(run: "RunFolder", files: Sequence[Path] | None = None) -> Readings | None:
    """Read the recordings of a run again, as they were read for it.

    Args:
        run: Its settings say which files they were, and how they were read. A relative path is looked
            for from here, then from the folders the run's folder is in.
        files: Files and folders to take instead, should those have moved.

    Returns:
        The recordings that are in step with the run's answers, in their order; None, with a warning that
        says why, where there are none.

    Raises:
        ConfigError: If files are given and no recording in them is one of the run's.

    Warns:
        DataWarning: If recordings are missing, or have other lengths than when the run was made.
    """
    wanted = list(files) if files else _noted_files(run)
    if not wanted:
        return None
    try:
        format, people, options = _noted_reading(run)
        readings = read_many(wanted, format=format, people=people, **options)
    except HistvqError as error:
        if files:
            raise
        _tell(f"{run.folder}: its recordings cannot be read again ({error}); {GIVE_FILES}")
        return None
    return _in_step(readings, run, given=bool(files))


def _noted_files(run: "RunFolder") -> list[Path]:
    """The files of the run, where they are now, with a warning of those that are gone."""
    noted = run.settings.get("data")
    if not isinstance(noted, list) or not noted:
        said = (
            f"config.yaml says of its data: {noted}"
            if noted
            else "no files are noted in config.yaml"
        )
        _tell(f"{run.folder}: {said}; to see the motion, {GIVE_FILES}")
        return []
    if far := [
        path for path in noted if is_remote(str(path))
    ]:  # not fetched because a file says so
        _tell(f"{run.folder}: its recordings are at {far[0]}; to see the motion, {GIVE_FILES}")
        return []
    places = [_found(Path(str(path)), run.folder) for path in noted]
    gone = [str(path) for path, place in zip(noted, places, strict=True) if place is None]
    if gone:
        _tell(
            f"{run.folder}: its recordings are no longer at {', '.join(gone[:5])}"
            f"{' ...' if len(gone) > 5 else ''}; {GIVE_FILES}"
        )
    return [place for place in places if place is not None]


def _noted_reading(run: "RunFolder") -> tuple[str | None, Any, dict[str, Any]]:
    """Format, people and options as the run's files were read with.

    Raises:
        ConfigError: If `config.yaml` says what cannot be; above all a reader of one's own, for whoever
            wrote the folder must not say what code runs here.
    """
    how = run.settings.get("reading") or {}
    options = how.get("options", []) if isinstance(how, Mapping) else None
    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        raise ConfigError("config.yaml says of reading what nobody can follow")
    format = how.get("format")
    if format is not None and format not in (*READERS, *plugins()):
        raise ConfigError(
            f"config.yaml says they are of the format {str(format)!r}, which is none of those installed, "
            "and code that a file names is not run"
        )
    found = parsed(options, flag="--option")
    found |= {name: how[name] for name in ("fps", "unit") if name in how}
    return format, how.get("people", "together"), found


def _found(path: Path, folder: Path) -> Path | None:
    """Where a path noted in a run leads: from here, or from a folder the run's is in."""
    roots = [Path(), *folder.resolve().parents]
    # Not Path.exists, which raises where a name is longer than names can be.
    return next((root / path for root in roots if os.path.exists(root / path)), None)


def _in_step(readings: Readings, run: "RunFolder", *, given: bool) -> Readings | None:
    """Of the recordings those that answers are there for, in the answers' order."""
    places = {recording.id: place for place, recording in enumerate(readings.recordings)}
    chosen, faults = [], []
    for answer in run.answers:
        place = places.get(answer.recording_id)
        n_frames = None if place is None else readings.recordings[place].n_frames
        if place is not None and n_frames == answer.n_frames:
            chosen.append(place)
        elif place is not None:
            faults.append(
                f"{answer.recording_id} has {n_frames} frames now, {answer.n_frames} when it was run"
            )
        else:
            faults.append(f"{answer.recording_id} is not in the files")
    said = f"{'; '.join(faults[:5])}{f'; {len(faults) - 5} more' if len(faults) > 5 else ''}"
    if not chosen and given:
        raise ConfigError(
            f"the files hold no recording of {run.folder} ({said}): {GIVE_FILES}, all of them, as the "
            "ids of files depend on one another"
        )
    if faults:
        _tell(f"{run.folder}: without motion: {said}")
    if not chosen:
        return None
    return replace(
        readings,
        recordings=tuple(readings.recordings[place] for place in chosen),
        annotations=tuple(readings.annotations[place] for place in chosen),
        formats=tuple(readings.formats[place] for place in chosen),
    )


def _tell(words: str) -> None:
    warnings.warn(words, DataWarning, stacklevel=4)
