"""Takes written as files of motion, and a table of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from histvq.clips.cutting import Origin, cutter_of, write_take
from histvq.clips.naming import stems
from histvq.clips.takes import Take
from histvq.errors import ConfigError, FileFormatError
from histvq.io.tables.notes import FOR_ONE
from histvq.writing import make_folder, remove, write_text

TABLE = "clips.csv"
BESIDE = (".asf", FOR_ONE)  # files that go along with a clip
COLUMNS = [
    "file", "video", "action", "name", "kind", "recording", "start_frame", "stop_frame", "start_s",
    "stop_s", "note",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of one take.

    Attributes:
        take: Which.
        stem: Name of its files without ending.
        file: Its motion, where the recording was at hand.
        video: Its video, where there is one.
        notes: What to know of them.
    """

    take: Take
    stem: str
    file: Path | None = None
    video: Path | None = None
    notes: tuple[str, ...] = ()


def write_clips(
    folder: str | Path,
    takes: Sequence[Take],
    origins: Mapping[str, Origin],
    *,
    told: Callable[[Take], object] = lambda take: None,
) -> list[Written]:
    """Cut takes out of their recordings' files, one file each; in the order of the takes.

    BVH, AMC, TRC, tables, PRECOG, DeepLabCut CSV, AMASS and arrays of one's own are cut in their own
    format; takes of others, and of files that cannot be cut faithfully, are written as our `.npz`,
    and a note says why.

    Args:
        folder: Made if it is not there.
        takes: What to cut.
        origins: The recordings by id; takes of others have no file.
        told: Called before each take.
    """
    folder = make_folder(folder)
    named = list(zip(takes, stems(takes), range(len(takes)), strict=True))
    by_recording = groupby(
        sorted(named, key=lambda one: one[0].recording_id), key=lambda one: one[0].recording_id
    )
    found: dict[int, Written] = {}
    for recording_id, group in by_recording:
        origin = origins.get(recording_id)
        cutter = "" if origin is None else cutter_of(origin)  # opened once for all its takes
        for take, stem, place in group:
            told(take)
            if origin is None:
                found[place] = Written(take=take, stem=stem)
                continue
            file, note = write_take(folder, stem, take, origin, cutter)
            found[place] = Written(take=take, stem=stem, file=file, notes=(note,) if note else ())
    return [found[place] for place in range(len(takes))]


def write_table(folder: str | Path, written: Sequence[Written]) -> Path:
    """Write `clips.csv`, a row a take: where it is, what it is of, and what to know of it."""
    import pandas as pd

    rows = [
        {
            "file": "" if one.file is None else one.file.name,
            "video": "" if one.video is None else one.video.name,
            "action": one.take.action,
            "name": one.take.name,
            "kind": one.take.kind,
            "recording": one.take.recording_id,
            "start_frame": one.take.start,
            "stop_frame": one.take.stop,
            "start_s": round(one.take.start_s, 6),
            "stop_s": round(one.take.stop_s, 6),
            "note": "; ".join(one.notes),
        }
        for one in written
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return write_text(Path(folder) / TABLE, table.to_csv(index=False, lineterminator="\n"))


def clear(folder: str | Path, *, overwrite: bool) -> None:
    """Remove the clips that an earlier `clips.csv` lists, and nothing else.

    Raises:
        ConfigError: If there are any, and they are not to be replaced.
        FileFormatError: If the table cannot be read.
    """
    import pandas as pd

    place = Path(folder) / TABLE
    if not place.exists():
        return
    if not overwrite:
        raise ConfigError(
            f"{folder} holds clips already; choose another folder, or replace them with --overwrite"
        )
    try:
        table = pd.read_csv(place, dtype=str, keep_default_na=False)
        names = [*table["file"], *table["video"]]
    except (ValueError, KeyError) as error:
        raise FileFormatError(f"{place}: no table of clips ({error}); remove it by hand") from error
    for name in filter(None, names):
        file = Path(folder) / Path(name).name  # whatever the table says, in this folder
        for one in (file, *(file.with_name(f"{file.stem}{ending}") for ending in BESIDE)):
            remove(one)
    remove(place)
