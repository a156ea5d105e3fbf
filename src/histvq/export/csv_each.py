"""A table of segments for each recording."""

from collections.abc import Sequence
from pathlib import Path

from histvq.export.parts.export import Export
from histvq.export.parts.media import Media
from histvq.export.parts.pieces import one_file_each
from histvq.recording import Recording
from histvq.report.tables import write_segments
from histvq.segments import Segmentation


def write_csv_each(
    folder: str | Path,
    answers: Sequence[Segmentation],
    *,
    recordings: Sequence[Recording] = (),
    media: Media | None = None,
) -> Path:
    """Write a CSV table of segments for each recording, and `recordings.csv` that says which is whose."""
    folder = Path(folder)
    with one_file_each(folder, answers, ".csv") as files:
        for answer, (file,) in files:
            write_segments(file, [answer])
    return folder


EXPORT = Export(
    description="a CSV table of segments for each recording", place="csv", write=write_csv_each
)
