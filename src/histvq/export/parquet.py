"""Parquet: the table of segments with the types of its columns, for other programs."""

from collections.abc import Sequence
from pathlib import Path

from histvq.errors import ConfigError
from histvq.export.parts.export import Export
from histvq.export.parts.media import Media
from histvq.recording import Recording
from histvq.report.tables import segments_table
from histvq.segments import Segmentation
from histvq.writing import written_whole

_TYPES = {
    "recording": "str", "individual": "str", "level": "str", "segment": "int64",
    "start_frame": "int64", "stop_frame": "int64", "start_s": "float64", "stop_s": "float64",
    "duration_s": "float64", "label": "int64", "name": "str", "confidence": "float64", "parent": "Int64",
}  # fmt: skip


def write_parquet(
    path: str | Path,
    answers: Sequence[Segmentation],
    *,
    recordings: Sequence[Recording] = (),
    media: Media | None = None,
) -> Path:
    """Write the segments of all recordings as one Parquet table, with the columns of `segments.csv`.

    Raises:
        ConfigError: If pyarrow is not installed.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ConfigError('Parquet needs pyarrow: pip install "histvq[parquet]"') from error
    path = Path(path)
    with written_whole(path) as file:
        segments_table(answers).astype(_TYPES).to_parquet(file, engine="pyarrow", index=False)
    return path


EXPORT = Export(
    description="one Parquet table of segments", place="segments.parquet", write=write_parquet
)
