"""NWB: one file a recording, with tables `actions` and `subactions` of time intervals.

**Source**: Neurodata Without Borders 2, `TimeIntervals` (nwb-schema.readthedocs.io), written by pynwb.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from histvq.errors import ConfigError
from histvq.export.parts.export import Export
from histvq.export.parts.media import Media
from histvq.export.parts.pieces import level_names, one_file_each, pieces
from histvq.io.parts.safe_names import plain
from histvq.recording import Recording
from histvq.segments import Segmentation
from histvq.writing import write_bytes

# NWB must have a date and we know none: times are from the start of the recording.
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)


def write_nwb(
    folder: str | Path,
    answers: Sequence[Segmentation],
    *,
    recordings: Sequence[Recording] = (),
    media: Media | None = None,
) -> Path:
    """Write one `.nwb` a recording: `start_time`, `stop_time`, `label`, `code`, `confidence` of segments.

    The session's start is not known; it says 1970-01-01, and the description says so.

    Units: seconds from the start of the recording.

    Raises:
        ConfigError: If pynwb is not installed.
    """
    try:
        import h5py
        from pynwb import NWBHDF5IO
    except ImportError as error:
        raise ConfigError('NWB needs pynwb: pip install "histvq[nwb]"') from error
    folder = Path(folder)
    names = level_names(answers)
    with one_file_each(folder, answers, ".nwb") as files:
        for answer, (file,) in files:
            # In memory first: HDF5 has no words of its own for a full disk.
            made = BytesIO()
            with h5py.File(made, "w") as hdf5, NWBHDF5IO(file=hdf5, mode="w") as io:
                io.write(_session(answer, names))
            write_bytes(file, made.getvalue())
    return folder


EXPORT = Export(description="NWB files", place="nwb", write=write_nwb)


def _session(answer: Segmentation, names: dict[str, dict[int, str]]) -> Any:
    from pynwb import NWBFile
    from pynwb.file import Subject

    session = NWBFile(
        session_description=f"actions that histvq found in recording {plain(answer.recording_id)}; "
        "when it was made is not known, and the session's start stands for that",
        identifier=str(uuid4()),
        session_start_time=UNKNOWN,
        session_id=plain(answer.recording_id),
    )
    if answer.person:
        session.subject = Subject(subject_id=plain(answer.person))
    for level, called in names.items():
        if found := pieces(answer, level):
            session.add_time_intervals(_intervals(answer, level, found, called))
    return session


def _intervals(
    answer: Segmentation, level: str, found: Sequence[Any], names: dict[int, str]
) -> Any:
    from pynwb.epoch import TimeIntervals

    table = TimeIntervals(name=f"{level}s", description=f"{level}s of the recording, in order")
    table.add_column("label", f"name of the {level}")
    table.add_column("code", f"number of the {level}")
    if answer.confidence is not None:
        table.add_column("confidence", "mean confidence of its frames, from 0 to 1")
    for piece in found:
        said = {} if piece.confidence is None else {"confidence": piece.confidence}
        table.add_interval(
            start_time=piece.start / answer.fps,
            stop_time=piece.stop / answer.fps,
            label=names[piece.code],
            code=piece.code,
            **said,
        )
    return table
