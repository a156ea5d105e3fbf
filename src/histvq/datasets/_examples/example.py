"""What an example consists of, and the tables that lie beside its recordings."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from histvq.annotation import Annotation
from histvq.recording import Recording
from histvq.segments import to_segments


@dataclass(frozen=True, kw_only=True)
class Example:
    """Files with recordings of made-up people.

    Attributes:
        texts: Name of each file within the folder -> what stands in it.
        recordings: What our readers find in them, but for the rounding of the numbers.
        annotations: What people do, in step with the recordings.
        told: What it is, in a line.
        next: The command to go on with; `{folder}` stands for where the files lie.
    """

    texts: Mapping[str, str]
    recordings: tuple[Recording, ...]
    annotations: tuple[Annotation, ...]
    told: str
    next: str


def labels_csv(annotations: Iterable[Annotation]) -> str:
    """A table of segments, as `histvq evaluate` and `histvq fit --labels` read it; times in seconds."""
    rows = [
        (
            truth.recording_id,
            f"{start / truth.fps:.3f}",
            f"{stop / truth.fps:.3f}",
            truth.actions[label],
        )
        for truth in annotations
        for start, stop, label in to_segments(truth.labels)
    ]
    return csv_text(("recording", "start_s", "stop_s", "name"), rows)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as text, commas between its cells."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
