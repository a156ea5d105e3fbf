"""A run's folder read back: its answers under the names given since, its truth, settings and sources."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import FileFormatError
from histvq.reading import read_json, read_yaml
from histvq.report.frames import read_frames, read_truth
from histvq.report.names import FILE, Names, as_predicted, read_names, renamed
from histvq.report.naming import codes_in
from histvq.report.sources import read_sources
from histvq.segments import LEVELS, Segmentation, names_of
from histvq.writing import write_text

if TYPE_CHECKING:
    import pandas as pd

CONFIG, FRAMES, SEGMENTS, SAID = "config.yaml", "frames.csv", "segments.csv", "recordings.json"
SCORES = "scores.json"
# Of what lies in a run's folder; it stands in `recordings.json`. Folders from before it was noted are
# read as they are: what files of theirs lack, later ones added.
FORMAT = 1
MOST_CODES = 100_000
# Of segments.csv, what is exact: seconds are rounded.
EXACT = ["recording", "level", "start_frame", "stop_frame", "label", "name"]

__all__ = [
    "RunFolder",
    "corrected_by_hand",
    "out_of_date",
    "read_run",
    "read_sources",
    "write_said",
]


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """What a run, or a prediction, left in its folder.

    Attributes:
        folder: Where.
        answers: One a recording, under the names of `names.yaml` if there is one.
        annotations: The truth, of the recordings that have one.
        settings: What `config.yaml` says; empty where there is none.
        names: What `names.yaml` says; None where there is none.
        warnings: What was said when the recordings were read.
        skipped: Files that could not be read, and why.
    """

    folder: Path
    answers: Sequence[Segmentation]
    annotations: Sequence[Annotation]
    settings: Mapping[str, Any]
    names: Names | None = None
    warnings: tuple[str, ...] = ()
    skipped: tuple[tuple[Path, str], ...] = ()


def read_run(folder: str | Path, *, named: bool = True) -> RunFolder:
    """Read what `histvq run` or `histvq predict` wrote.

    Args:
        folder: The run's folder.
        named: Apply its `names.yaml`; otherwise answers are as the method gave them.

    Raises:
        FileFormatError: If it is no such folder, or a file in it is damaged, or `names.yaml` not as it
            must be.
    """
    folder = Path(folder)
    if folder.is_file():
        raise FileFormatError(f"{folder}: a file; name the folder of the run")
    said = _said(folder / SAID)  # first, for a newer run is refused by what it says
    answers = read_frames(folder / FRAMES)
    settings = _settings(folder / CONFIG)
    answers = [_of_person(answer, said.people.get(answer.recording_id)) for answer in answers]
    names = None
    if named and (folder / FILE).exists():
        names = read_names(folder / FILE, known=_codes(settings, as_predicted(answers)))
    return RunFolder(
        folder=folder,
        answers=as_predicted(answers) if names is None else renamed(answers, names),
        annotations=read_truth(folder / FRAMES, answers, actions=_actions(folder / SCORES)),
        settings=settings,
        names=names,
        warnings=said.warnings,
        skipped=said.skipped,
    )


def write_said(
    folder: Path,
    answers: Sequence[Segmentation],
    warnings: Sequence[object],
    skipped: Sequence[tuple[Path, str]],
) -> Path:
    """Write what no other file keeps, for reports to come: who was recorded, what reading said."""
    noted = {
        "format": FORMAT,
        "people": {answer.recording_id: answer.person for answer in answers if answer.person},
        "warnings": [str(words) for words in warnings],
        "skipped": [{"file": str(file), "why": why} for file, why in skipped],
    }
    text = json.dumps(noted, indent=2, ensure_ascii=False) + "\n"
    return write_text(folder / SAID, text)


def corrected_by_hand(run: RunFolder) -> bool:
    """Whether a person changed the run's `segments.csv` since it was written."""
    place = run.folder / SEGMENTS
    if not place.is_file():
        return False
    try:
        found = _read_segments(place, EXACT)
    except FileFormatError:
        return True
    written = read_frames(run.folder / FRAMES)
    rows = [
        row
        for answer in written
        for row in answer.segments()[EXACT].astype(str).to_numpy().tolist()
    ]
    return bool(found.to_numpy().tolist() != rows)


def out_of_date(run: RunFolder) -> bool:
    """Whether `names.yaml` says something that the run's tables do not."""
    written = read_frames(run.folder / FRAMES)
    return any(_differ(before, now) for before, now in zip(written, run.answers, strict=True))


def _differ(one: Segmentation, other: Segmentation) -> bool:
    return any(
        names_of([one], level) != names_of([other], level)
        or not np.array_equal(one.labels(level), other.labels(level))  # type: ignore[arg-type]
        for level in LEVELS
    )


class _Said(NamedTuple):
    people: Mapping[str, str] = MappingProxyType({})
    warnings: tuple[str, ...] = ()
    skipped: tuple[tuple[Path, str], ...] = ()


def _settings(place: Path) -> dict[str, Any]:
    if not place.is_file():
        return {}
    try:
        found = read_yaml(place)
    except FileFormatError as error:
        raise FileFormatError(f"{place}: not to be read ({error}); delete or mend it") from error
    if not isinstance(found, dict):
        raise FileFormatError(f"{place}: holds no settings; delete or mend it")
    return found


def _said(place: Path) -> _Said:
    if not place.is_file():
        return _Said(_people(place.with_name(SEGMENTS)))
    try:
        found = read_json(place)
        if (format := int(found.get("format", 1))) > FORMAT:
            raise FileFormatError(
                f"{place.parent}: a run of a newer histvq (format {format}, this one reads up to "
                f"{FORMAT}); upgrade with pip install -U histvq"
            )
        return _Said(
            {str(id): str(person) for id, person in found["people"].items()},
            tuple(map(str, found["warnings"])),
            tuple((Path(entry["file"]), str(entry["why"])) for entry in found["skipped"]),
        )
    except FileFormatError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise FileFormatError(f"{place}: not to be read ({error!r}); delete it") from error


def _people(place: Path) -> dict[str, str]:
    """Who was recorded, as far as a table of segments says: older runs wrote it nowhere else."""
    try:
        table = _read_segments(place, ["recording", "individual"])
    except (FileFormatError, OSError):
        return {}
    return {id: person for id, person in table.itertuples(index=False, name=None) if person}


def _actions(place: Path) -> list[str]:
    """All true actions in their order, as the scores name them."""
    try:
        return list(dict.fromkeys(map(str, read_json(place)["actions"])))
    except (ValueError, KeyError, TypeError):
        return []


def _read_segments(place: Path, columns: Collection[str]) -> "pd.DataFrame":
    import pandas as pd

    try:
        table = pd.read_csv(place, dtype=str, keep_default_na=False)
        return table[list(columns)]
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, KeyError) as error:
        raise FileFormatError(f"{place}: not a table of segments ({error})") from error


def _of_person(answer: Segmentation, person: str | None) -> Segmentation:
    predicted = answer.predicted and replace(answer.predicted, person=person)
    return replace(answer, person=person, predicted=predicted)


def _codes(
    settings: Mapping[str, Any], answers: Sequence[Segmentation]
) -> dict[str, Collection[int]]:
    """The codes there can be: those that occur, and those its method could have given.

    Of a prediction nothing is said: its model may have actions that do not occur in it.
    """
    method = settings.get("method")
    if not isinstance(method, Mapping) and "model" in settings:
        return {}
    method = method if isinstance(method, Mapping) else {}
    n_actions, alpha = method.get("n_actions"), method.get("alpha")
    counts = {"action": n_actions if isinstance(n_actions, int) else 0, "subaction": 0}
    if isinstance(alpha, int):
        counts["subaction"] = counts["action"] * alpha
    if (
        max(counts.values()) > MOST_CODES
    ):  # as no method has them: the file is not as it was written
        counts = dict.fromkeys(counts, 0)
    return {level: {*range(counts[level]), *codes_in(answers, level)} for level in LEVELS}
