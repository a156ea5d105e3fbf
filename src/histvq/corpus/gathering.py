"""What came of all pieces put together, as `read_many` and `predict_each` would have given it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from histvq import io
from histvq.annotation import Annotation
from histvq.corpus.asked import Reading
from histvq.corpus.findings import Answered, FileFindings, Findings
from histvq.corpus.joined import KINDS, LENGTHS, taken_apart
from histvq.corpus.near import Near, near
from histvq.corpus.spool import Spool
from histvq.corpus.texts import unpacked
from histvq.corpus.working import FRAMES, LABELS, SEGMENTS
from histvq.errors import ConfigError, FileFormatError, HistvqError
from histvq.io.parts.attempting import attempt
from histvq.io.parts.finding import Entry, Place, survey_of
from histvq.io.parts.reader import Pair
from histvq.io.parts.same_actions import with_the_same_actions
from histvq.io.parts.telling import differences, listed, without_values
from histvq.io.parts.unique import unique_ids
from histvq.recording import Recording
from histvq.remote import as_path
from histvq.report.ready import Ready, Rows
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


class _Part:
    """A piece: what was said of its files, and where the arrays are."""

    def __init__(
        self, findings: Findings, arrays: Mapping[str, tuple[str, int, int]], spool: Spool
    ) -> None:
        self.layouts, self.names, self.actions = findings.layouts, findings.names, findings.actions
        self.texts = findings.texts
        self._arrays, self._spool = arrays, spool

    def labels(self) -> list[dict[str, Any]]:
        """Of each of its recordings, by kind."""
        names = (*KINDS, LENGTHS)
        return taken_apart(
            {name: self._spool.get(self._arrays[name]) for name in names if name in self._arrays}
        )

    def rows(self, number: int) -> Rows:
        """Of its texts, one."""
        text = self.texts[number]
        frames, segments = (self._arrays[f"{number}.{what}"] for what in (FRAMES, SEGMENTS))
        return Rows(
            n_answers=text.n_answers,
            columns=text.columns,
            frames=lambda: unpacked(self._spool.get(frames)),
            segments=lambda: unpacked(self._spool.get(segments)),
        )


@dataclass(slots=True)
class _One:
    """A recording: where it is from, and what came of it."""

    file: int
    place: int  # in its file
    part: _Part
    number: int  # in its part
    said: Answered
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
        playable: File, format, number in its file and id of the first answered recordings.
        ready: Rows of tables that are text already.
    """

    answers: Sequence[Segmentation]
    annotations: Sequence[Annotation | None]
    skipped: Skipped
    warnings: tuple[str, ...]
    said: tuple[str, ...]
    ignored: int
    playable: Sequence[tuple[Entry, str, int, str]]
    ready: Ready


class Gathering:
    """Takes what came of one piece after the other."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.parts: list[_Part] = []
        self.files: list[FileFindings] = []
        self.starts: list[tuple[int, int]] = []  # by file: its part, and its first recording there
        self.said: dict[str, None] = {}

    def add(self, findings: Findings, arrays: Mapping[str, np.ndarray]) -> None:
        """Take a piece: its files are the next ones."""
        kept = {name: self.spool.put(array) for name, array in arrays.items()}
        n_recordings = 0
        for file in findings.files:
            self.starts.append((len(self.parts), n_recordings))
            self.files.append(replace(file, state=None))
            n_recordings += len(file.recordings)
        self.parts.append(_Part(findings, kept, self.spool))
        self.said |= dict.fromkeys(findings.said)

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
        entries = [entry for place in places for entry in place.entries]
        numbers = {entry.path: n for n, entry in reversed(list(enumerate(entries)))}
        survey = survey_of(self._looks(places), io.readers_for(format), format=format)
        io.check_options(options, dict.fromkeys(survey.formats.values()))
        skipped = list(survey.faults.items())
        messages: dict[str, None] = {}
        found: list[_One] = []
        for path in survey.formats:
            number = numbers[str(path)]
            file = self.files[number]
            messages |= dict.fromkeys(file.warnings)
            found += self._recordings(number)
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
        n_others = len(survey.others)
        del survey, numbers, found  # which took as much room as the answers will
        both = [
            (_answer(one, labels[one.number]), _truth(one, labels[one.number]))
            for part, ones in groupby(answered, attrgetter("part"))
            for labels in [part.labels()]
            for one in ones
        ]
        return Gathered(
            answers=[answer for answer, _ in both],
            annotations=with_the_same_actions([truth for _, truth in both]),
            skipped=(*skipped, *failed),
            warnings=warnings,
            said=tuple(self.said),
            ignored=n_others,
            playable=[
                (entries[one.file], self.files[one.file].look.format or "", one.place, one.id)
                for one in answered[:PLAYED]
            ],
            ready=_ready(self.parts, answered),
        )

    def _recordings(self, file: int) -> Iterator[_One]:
        part, start = self.starts[file]
        for place, said in enumerate(self.files[file].recordings):
            yield _One(file, place, self.parts[part], start + place, said)

    def _looks(self, places: Sequence[Place]) -> Iterator[tuple[Place, list]]:
        start = 0
        for place in places:
            stop = start + len(place.entries)
            yield place, [file.look for file in self.files[start:stop]]
            start = stop


def _answer(one: _One, labels: Mapping[str, Any]) -> Segmentation:
    names, fine = one.part.names[one.said.names]
    return Segmentation(
        recording_id=one.id,
        fps=one.said.answer_fps,
        person=one.said.person,
        names=names,
        subaction_names=fine,
        **{name: labels.get(name) for name in LABELS},  # type: ignore[arg-type]
    )


def _truth(one: _One, labels: Mapping[str, Any]) -> Annotation | None:
    if one.said.truth is None:
        return None
    return Annotation(
        recording_id=one.id,
        labels=labels["truth"],
        actions=one.part.actions[one.said.truth],
        fps=one.said.truth_fps,
    )


def _ready(parts: Sequence[_Part], answered: Sequence[_One]) -> Ready:
    """Texts whose answers follow one another here as there, under the same ids and names.

    All others are made anew: of recordings that another has the id of, and of those around one that is
    skipped.
    """
    if any(part.names != parts[0].names for part in parts):
        return {}
    places: dict[int, list[tuple[int, bool]]] = {}
    for place, one in enumerate(answered):
        places.setdefault(id(one.part), []).append((place, one.id == one.said.id))
    ready: dict[int, Rows] = {}
    for part in parts:
        here, start = places.get(id(part), []), 0
        if len(here) != sum(text.n_answers for text in part.texts):
            continue
        for number, text in enumerate(part.texts):
            some = here[start : start + text.n_answers]
            start += text.n_answers
            if all(same and place == some[0][0] + n for n, (place, same) in enumerate(some)):
                ready[some[0][0]] = part.rows(number)
    return ready


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
    joints, channels = one.part.layouts[one.said.layout]
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
