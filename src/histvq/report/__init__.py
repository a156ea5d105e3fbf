"""What people look at: tables, timelines and one HTML page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from warnings import warn

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import DataWarning, HistvqError, NotWrittenError
from histvq.recording import Recording
from histvq.report.frames import read_frames, truth_by_recording, write_frames
from histvq.report.key import make_key
from histvq.report.naming import Names, renamed
from histvq.report.page import page
from histvq.report.palette import look_of
from histvq.report.ready import Ready
from histvq.report.tables import usage_table, write_segments
from histvq.report.timeline import draw_timelines, write_timelines
from histvq.segments import Segmentation
from histvq.writing import write_text

if TYPE_CHECKING:
    import pandas as pd

# What a page holds of labels at most, some 15 MB: a browser has to read and draw it.
MOST_RECORDINGS, MOST_RUNS = 5_000, 1_500_000

__all__ = [
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
    recordings: Sequence[Recording] = (),
    annotations: Sequence[Annotation] | None = None,
    scores: object | None = None,
    warnings: Iterable[object] = (),
    skipped: Iterable[object] = (),
    settings: Mapping[str, object] | None = None,
    names: Names | None = None,
    groups: "pd.DataFrame | None" = None,
    budget_mb: float = 20,
    ready: Ready = MappingProxyType({}),
) -> dict[str, Path]:
    """Write everything people look at after a run into a folder.

    Args:
        folder: Made if it is not there; files of an earlier report are replaced.
        answers: What was found, one answer a recording.
        recordings: What it was found in, for the page to play; those of any of the answers.
        annotations: Truth, where there is one.
        scores: Anything with a `str` to print and, for the colours, `matched`: action code -> name
            of the true action.
        warnings: What people should know before they believe the numbers.
        skipped: Files left out, and why.
        settings: What the method was asked to do.
        names: What a person calls actions and subactions and how they colour them; actions of one name
            become one.
        groups: A row a recording, by its id, with any columns to compare recordings by.
        budget_mb: The size of the page, which is about the first few thousand recordings. Motion is
            embedded at the highest rate that keeps to it; where even a low rate does not, recordings are
            left out, and the page says so. Their labels are there, and all are in the tables.
        ready: Rows of the tables that need only be copied; not where `names` are given.

    Returns:
        `segments`, `frames`, `usage`, `timelines` (a folder) and `report` -> where it was written.

    Labels come first: whatever fails after them, they are there.

    Raises:
        ValueError: If an annotation has not as many frames as its answer.
        NotWrittenError: If a file cannot be written.
        HistvqError: If the page cannot be made.

    Warns:
        DataWarning: If the timelines cannot be drawn; the page says so too.
    """
    folder = Path(folder)
    if names is not None:
        answers, ready = renamed(answers, names), {}
    named = {} if names is None else names.actions
    colours = {code: look.colour for code, look in named.items() if look.colour is not None}
    matched: Mapping[int, str] = getattr(scores, "matched", None) or {}
    usage = usage_table(answers)
    paths = {
        "segments": write_segments(folder / "segments.csv", answers, ready=ready),
        "frames": write_frames(folder / "frames.csv", answers, annotations, ready=ready),
        "usage": folder / "usage.csv",
        "timelines": folder / "timelines",
        "report": folder / "report.html",
    }
    annotations, said = list(annotations or ()), list(warnings)
    with _labels_stay(folder):
        write_text(paths["usage"], usage.round(6).to_csv(index=False, lineterminator="\n"))
        try:
            write_timelines(paths["timelines"], answers, annotations, matched, colours=colours)
        except NotWrittenError:
            raise
        except Exception as error:  # what draws has faults of its own, and here it draws extras
            words = f"{paths['timelines']}: not drawn ({_in_short(error)})"
            warn(words, DataWarning, stacklevel=2)
            said.append(words)
        shown = on_page(answers)
        if len(shown) < len(answers):
            said.append(
                f"This page is about the first {len(shown):,} of {len(answers):,} recordings; its table "
                "of actions, segments.csv and frames.csv are about all of them."
            )
        html = page(
            shown,
            usage,
            key=make_key(answers, truth_by_recording(annotations), matched, colours),
            recordings=recordings,
            annotations=annotations,
            scores=scores,
            warnings=said,
            skipped=skipped,
            settings=settings,
            groups=groups,
            budget_mb=budget_mb,
        )
        write_text(paths["report"], html)
    return paths


def on_page(answers: Sequence[Segmentation]) -> Sequence[Segmentation]:
    """As many of the answers as a browser can hold: the first ones."""
    n_runs = 0
    for place, answer in enumerate(answers[:MOST_RECORDINGS]):
        for labels in (answer.actions, answer.subactions):
            n_runs += 0 if labels is None else 1 + int(np.count_nonzero(np.diff(labels)))
        if n_runs > MOST_RUNS:
            return answers[: max(1, place)]
    return answers[:MOST_RECORDINGS]


@contextmanager
def _labels_stay(folder: Path) -> Iterator[None]:
    """Whatever goes wrong now is told with where the labels are, for these are written."""
    rest = f"histvq report {folder}: its labels and tables are written"
    try:
        yield
    except NotWrittenError as error:
        error.again = rest
        raise
    except HistvqError:
        raise
    except Exception as error:
        raise HistvqError(
            f"{folder / 'report.html'} is not written ({_in_short(error)}); mend that, then {rest}"
        ) from error


def _in_short(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
