"""What people look at: tables, timelines and one HTML page."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from histvq.annotation import Annotation
from histvq.report.frames import read_frames, write_frames
from histvq.report.key import code_looks
from histvq.report.page import page
from histvq.report.palette import look_of
from histvq.report.tables import atomically, usage_table, write_segments
from histvq.report.timeline import draw_timelines, write_timelines
from histvq.segments import Segmentation

__all__ = [
    "atomically",
    "draw_timelines",
    "look_of",
    "read_frames",
    "usage_table",
    "write_frames",
    "write_report",
    "write_segments",
    "write_timelines",
]


def write_report(
    folder: str | Path,
    answers: Sequence[Segmentation],
    *,
    annotations: Sequence[Annotation] | None = None,
    scores: object | None = None,
    warnings: Iterable[object] = (),
    skipped: Iterable[object] = (),
    settings: Mapping[str, object] | None = None,
) -> dict[str, Path]:
    """Write everything people look at after a run into a folder.

    Args:
        folder: Made if it is not there; files of an earlier report are replaced.
        answers: What was found, one answer a recording.
        annotations: Truth, where there is one.
        scores: Anything with a `str` to print and, for the colours, `matched`: action code -> name
            of the true action.
        warnings: What people should know before they believe the numbers.
        skipped: Files left out, and why.
        settings: What the method was asked to do.

    Returns:
        `segments`, `frames`, `usage`, `timelines` (a folder) and `report` -> where it was written.

    Raises:
        ValueError: If an annotation has not as many frames as its answer.
    """
    folder = Path(folder)
    matched: Mapping[int, str] = getattr(scores, "matched", None) or {}
    usage = usage_table(answers)
    paths = {
        "segments": write_segments(folder / "segments.csv", answers),
        "frames": write_frames(folder / "frames.csv", answers, annotations),
        "usage": atomically(
            folder / "usage.csv", lambda file: usage.round(6).to_csv(file, index=False)
        ),
        "timelines": folder / "timelines",
    }
    pictures = write_timelines(paths["timelines"], answers, annotations, matched)
    html = page(
        answers,
        usage,
        looks=code_looks(answers, annotations, matched),
        pictures=[path for path in pictures if path.suffix == ".svg"],
        scores=scores,
        warnings=warnings,
        skipped=skipped,
        settings=settings,
    )
    paths["report"] = atomically(
        folder / "report.html", lambda file: file.write_text(html, encoding="utf-8")
    )
    return paths
