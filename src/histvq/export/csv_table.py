"""One table of all segments, as `segments.csv` of a run."""

from collections.abc import Sequence
from pathlib import Path

from histvq.export.parts.export import Export
from histvq.export.parts.media import Media
from histvq.recording import Recording
from histvq.report.tables import write_segments
from histvq.segments import Segmentation


def write_csv(
    path: str | Path,
    answers: Sequence[Segmentation],
    *,
    recordings: Sequence[Recording] = (),
    media: Media | None = None,
) -> Path:
    """Write the segments of all recordings as one CSV table."""
    return write_segments(path, answers)


EXPORT = Export(description="one CSV table of segments", place="segments.csv", write=write_csv)
