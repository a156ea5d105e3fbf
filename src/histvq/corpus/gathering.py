"""What came of all pieces put together, as `read_many` and `predict_each` would have given it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from histvq import io
from histvq.annotation import Annotation
from histvq.corpus.asked import Reading
from histvq.corpus.findings import Answered, FileFindings, Findings
from histvq.corpus.near import Near, near
from histvq.corpus.spool import Spool
from histvq.corpus.working import LABELS
from histvq.errors import ConfigError, FileFormatError, HistvqError
from histvq.io.parts.attempting import attempt
from histvq.io.parts.finding import Entry, Place, survey_of
from histvq.io.parts.reader import Pair
from histvq.io.parts.telling import differences, listed, without_values
from histvq.io.parts.unique import unique_ids
from histvq.recording import Recording
from histvq.remote import as_path
from histvq.segments import Segmentation

Skipped = tuple[tuple[Path, str], ...]
# What a page plays at most: it holds 20 MB of motion, at a lower rate.
PLAYED, PLAYED_BYTES = 64, 256 * 2**20


@dataclass(frozen=True, slots=True)
class Laid:
    """What sets recordings apart that are read together."""

    id: str
    fps: float
    joint_names: tuple[str, ...]
    channel_names: tuple[str, ...]


@dataclass(slots=True)
class _One:
    """A recording: where it is from, what came of it, and where its labels are."""

    entry: Entry
    format: str
    place: int  # in its file
    said: Answered
    findings: Findings
    arrays: Mapping[str, tuple[str, int, int]]
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """Answers of a corpus, and what was said about it.

    Attributes:
        answers: One a recording, in the order of the files; labels are mapped.
        annotations: In step with the answers; None where a file has no labels.
        skipped: Files left out and why.
        warnings: What reading said.
        said: What answering said.
        ignored: How many files of the folders look like nothing a reader knows.
        playable: File, format, number in its file and id of each answered recording.
    """

    answers: Sequence[Segmentation]
    annotations: Sequence[Annotation | None]
    skipped: Skipped
    warnings: tuple[str, ...]
    said: tuple[str, ...]
    ignored: int
    playable: Sequence[tuple[Entry, str, int, str]]


class Gathering:
    """Takes what came of one piece after the other."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.files: list[FileFindings] = []
        self.recordings: list[list[_One]] = []  # by file
        self.said: dict[str, None] = {}

    def add(
        self, entries: Sequence[Entry], findings: Findings, arrays: Mapping[str, np.ndarray]
    ) -> None:
        """Take a piece: its files are the next ones."""
        kept: dict[int, dict[str, tuple[str, int, int]]] = {}
        for name, array in arrays.items():
            number, _, what = name.partition(".")
            kept.setdefault(int(number), {})[what] = self.spool.put(array)
        n_recordings = 0
        self.said |= dict.fromkeys(findings.said)
        for entry, file in zip(entries, findings.files, strict=True):
            self.files.append(file)
            found = []
            for place, one in enumerate(file.recordings):
                kind = file.look.format or ""
                labels = kept.get(n_recordings, {})
                found.append(_One(entry, kind, place, one, findings, labels))
                n_recordings += 1
            self.recordings.append(found)

    def end(
        self,
        places: Iterable[Place],
        *,
        format: str | None,
        options: Mapping[str, object],
        strict: bool,
        left_out: Mapping[str, str] = {},
    ) -> Gathered:
        """All together.

        Args:
            places: What was named, with all files in the order in which they were added.
            format: As for `read_many`.
            options: Likewise.
            strict: Likewise; also at recordings that cannot be answered.
            left_out: Why some recordings, by their unique ids, are to be skipped whatever came of them.

        Raises:
            FileFormatError: As `read_many`.
            ConfigError: As `read_many`, or, when strict, as the model refuses a recording.
            HistvqError: If no recording can be answered.
        """
        places = list(places)
        paths = [entry.path for place in places for entry in place.entries]
        numbers = {path: n for n, path in reversed(list(enumerate(paths)))}
        survey = survey_of(self._looks(places), io.readers_for(format), format=format)
        io.check_options(options, dict.fromkeys(survey.formats.values()))
        skipped = list(survey.faults.items())
        messages: dict[str, None] = {}
        found: list[_One] = []
        for path in survey.formats:
            number = numbers[str(path)]
            file = self.files[number]
            messages |= dict.fromkeys(file.warnings)
            found += self.recordings[number]
            if file.fault:
                skipped.append((path, file.fault))
        for one, id in zip(found, _unique(found), strict=True):
            one.id = id
        messages |= {without_values(one.id): None for one in found if one.said.empty}
        if strict and (skipped or messages):
            raise FileFormatError(listed([*(fault for _, fault in skipped), *messages]))
        if not found:
            reasons = listed([fault for _, fault in skipped]) if skipped else "no file was given"
            read_any = bool(survey.formats)
            raise FileFormatError(f"no file could be read: {reasons}" if read_any else reasons)
        warnings = (*messages, *differences([_laid(one) for one in found]))
        skipped += [
            (as_path(one.said.source), left_out[one.id]) for one in found if one.id in left_out
        ]
        answered, failed = _told_apart([o for o in found if o.id not in left_out], strict=strict)
        return Gathered(
            answers=[self._answer(one) for one in answered],
            annotations=[self._truth(one) for one in answered],
            skipped=(*skipped, *failed),
            warnings=warnings,
            said=tuple(self.said),
            ignored=len(survey.others),
            playable=[(one.entry, one.format, one.place, one.id) for one in answered],
        )

    def _looks(self, places: Sequence[Place]) -> Iterator[tuple[Place, list]]:
        start = 0
        for place in places:
            stop = start + len(place.entries)
            yield place, [file.look for file in self.files[start:stop]]
            start = stop

    def _answer(self, one: _One) -> Segmentation:
        labels = {
            name: self.spool.get(one.arrays[name]) if name in one.arrays else None
            for name in LABELS
        }
        names, fine = one.findings.names[one.said.names]
        return Segmentation(
            recording_id=one.id,
            fps=one.said.answer_fps,
            person=one.said.person,
            names=names,
            subaction_names=fine,
            **labels,  # type: ignore[arg-type]
        )

    def _truth(self, one: _One) -> Annotation | None:
        if one.said.truth is None:
            return None
        return Annotation(
            recording_id=one.id,
            labels=self.spool.get(one.arrays["truth"]),
            actions=one.findings.actions[one.said.truth],
            fps=one.said.truth_fps,
        )


def played(gathered: Gathered, reading: Reading) -> list[Recording]:
    """The first recordings, read once more for the page: only so many that memory does not grow."""
    recordings: list[Recording] = []
    room = PLAYED_BYTES
    chosen = gathered.playable[:PLAYED]
    read: tuple[Entry | None, tuple[Pair, ...]] = None, ()
    with near(reading.base, [entry.path for entry, *_ in chosen]) as here:
        for entry, format, place, id in chosen:
            if read[0] != entry:
                read = entry, _read_again(entry, format, here, reading)
            if place >= len(read[1]):
                continue  # changed since
            recording = read[1][place][0]
            room -= recording.skeleton.nbytes
            if room < 0 and recordings:
                break
            recordings.append(replace(recording, id=id))
    return recordings


def _read_again(entry: Entry, format: str, here: Near, reading: Reading) -> tuple[Pair, ...]:
    try:
        path = here.path(entry)
    except (FileFormatError, OSError):
        return ()
    apart = reading.people == "apart"
    return attempt(io.find_reader(format), path, reading.options, apart=apart).pairs


def _unique(found: Sequence[_One]) -> list[str]:
    return unique_ids([one.said.id for one in found], [one.said.source for one in found])


def _laid(one: _One) -> Laid:
    joints, channels = one.findings.layouts[one.said.layout]
    return Laid(one.id, one.said.fps, joints, channels)


def _told_apart(
    found: Sequence[_One], *, strict: bool
) -> tuple[list[_One], list[tuple[Path, str]]]:
    """The answered recordings, and why others are not.

    Raises:
        HistvqError: If none is; or, when strict, at the first that is not.
    """
    failed = [one for one in found if one.said.why is not None]
    if failed and strict:
        raise (ConfigError if failed[0].said.usage else HistvqError)(_why(failed[0]))
    if failed and len(failed) == len(found):
        raise HistvqError(f"no recording could be answered: {_why(failed[0])}")
    return (
        [one for one in found if one.said.why is None],
        [(as_path(one.said.source), _why(one)) for one in failed],
    )


def _why(one: _One) -> str:
    """The reason with the id by which the recording is known among all."""
    return (one.said.why or "").replace(repr(one.said.id), repr(one.id))
