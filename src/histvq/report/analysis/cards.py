"""A card per action: what it looks like, how long it lasts, where it occurs and how distinct it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from histvq.errors import ConfigError
from histvq.recording import Recording
from histvq.report.analysis.card import Card
from histvq.report.analysis.choosing import Clip, Ranking, choose, to_be_seen
from histvq.report.analysis.comparing import Comparison, compare, visible
from histvq.report.analysis.remarks import Whole, remarks_on, why_unseen
from histvq.report.analysis.spans import Spans, pieces_of, segments_of
from histvq.segments import Segmentation, names_of, segment_name


def cards(
    answers: Sequence[Segmentation],
    recordings: Sequence[Recording] = (),
    *,
    clips_per_kind: int = 2,
    seed: int = 0,
) -> list[Card]:
    """A card for every action that occurs or has a name, by code.

    Without recordings clips are chosen by the answers' confidence (the surest are typical, the least
    sure borderline), and without confidence by chance. The order of answers makes no difference.

    Args:
        answers: What was found.
        recordings: What it was found in, or some of it, at the answers' rate.
        clips_per_kind: Typical, borderline and random clips an action, at most so many of each.
        seed: Same seed, same clips.

    Raises:
        ConfigError: If `clips_per_kind` is below 0.
        ValueError: If a recording has not as many frames as its answer.

    Warns:
        DataWarning: If the recordings have other joints or channels and cannot be compared.
    """
    if clips_per_kind < 0:
        raise ConfigError(f"clips_per_kind {clips_per_kind}: expected 0 or more")
    run = _Run.of(sorted(answers, key=lambda answer: answer.recording_id), recordings, seed=seed)
    codes = {*run.segments.action.tolist(), *run.names}
    made = [_card(run, code, _clips(run, code, clips_per_kind, seed)) for code in sorted(codes)]
    whole = _whole(run)
    remarks = [remarks_on(card, whole, run.name_of) for card in made]
    if clips_per_kind:
        remarks = [[*r, *_unseen(run, card)] for r, card in zip(remarks, made, strict=True)]
    return [replace(card, remark="; ".join(r)) for r, card in zip(remarks, made, strict=True)]


@dataclass(frozen=True, eq=False)
class _Run:
    """All that cards are made of; `people` are whoever is in each answer, where known."""

    answers: Sequence[Segmentation]
    people: Sequence[str | None]
    names: Mapping[int, str]
    segments: Spans
    pieces: Spans
    comparison: Comparison
    ranking: Ranking

    @classmethod
    def of(
        cls, answers: Sequence[Segmentation], recordings: Sequence[Recording], *, seed: int
    ) -> "_Run":
        data = _in_step(answers, recordings)
        people = [
            answer.person or (recording and recording.person) or None
            for answer, recording in zip(answers, data, strict=True)
        ]
        segments = segments_of(answers)
        pieces = pieces_of(segments, answers)
        comparison = compare(answers, data, segments, pieces, seed=seed)
        everything = np.ones(len(pieces.start), dtype=bool)
        ranking = Ranking(
            far=comparison.far,
            margin=comparison.margin,
            visible=visible(data, pieces) if len(recordings) else everything,
            person=_numbered(answers, people)[pieces.recording],
        )
        return cls(answers, people, names_of(answers), segments, pieces, comparison, ranking)

    def name_of(self, code: int) -> str:
        return self.names.get(code, segment_name("action", code))


def _in_step(
    answers: Sequence[Segmentation], recordings: Sequence[Recording]
) -> list[Recording | None]:
    """The recording of each answer, where it is at hand."""
    known = {recording.id: recording for recording in recordings}
    data = [known.get(answer.recording_id) for answer in answers]
    for answer, recording in zip(answers, data, strict=True):
        if recording is not None and recording.n_frames != answer.n_frames:
            raise ValueError(
                f"recording {answer.recording_id!r}: the answer has {answer.n_frames} frames, the "
                f"recording {recording.n_frames}; take both at the same frame rate"
            )
    return data


def _numbered(answers: Sequence[Segmentation], people: Sequence[str | None]) -> np.ndarray:
    """A number for who is in each answer; a recording of somebody without a name has its own."""
    who = [
        ("recording", answer.recording_id) if person is None else ("person", person)
        for answer, person in zip(answers, people, strict=True)
    ]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(who))}
    return np.array([numbers[key] for key in who], dtype=int)


def _card(run: _Run, code: int, clips: tuple[Clip, ...]) -> Card:
    mine = run.segments.action == code
    places, seconds = run.segments.recording[mine].tolist(), run.segments.seconds[mine]
    return Card(
        action=code,
        name=run.name_of(code),
        clips=clips,
        durations_s=seconds,
        seconds_in=_sums([run.answers[place].recording_id for place in places], seconds),
        seconds_of=_sums([run.people[place] for place in places], seconds),
        distinctness=run.comparison.distinctness.get(code),
        nearest=run.comparison.nearest.get(code),
        remark="",
    )


def _whole(run: _Run) -> Whole:
    return Whole(
        n_recordings=len(run.answers),
        n_people=len({*run.people} - {None}),
        seconds=float(run.segments.seconds.sum()),
        n_actions=len(np.unique(run.segments.action)),
    )


def _unseen(run: _Run, card: Card) -> list[str]:
    """Why there are no clips of an action that occurs; empty where there are some."""
    if card.clips or not len(card.durations_s):
        return []
    mine = run.pieces.action == card.action
    shown = run.ranking.visible[mine]
    return [why_unseen(run.pieces.seconds[mine][shown])]


def _sums(keys: Sequence[str | None], seconds: np.ndarray) -> dict[str, float]:
    """Seconds of each key but None."""
    sums: dict[str, float] = {}
    for key, length in zip(keys, seconds.tolist(), strict=True):
        if key is not None:
            sums[key] = sums.get(key, 0.0) + length
    return sums


def _clips(run: _Run, code: int, n: int, seed: int) -> tuple[Clip, ...]:
    pieces = run.pieces
    chosen = choose(
        to_be_seen(pieces, run.ranking.visible, np.flatnonzero(pieces.action == code)),
        pieces,
        run.ranking,
        run.segments.seconds,
        n=n,
        # Of its own for each action: another action more changes nothing here.
        generator=np.random.default_rng([seed, code]),
    )
    return tuple(
        Clip(
            run.answers[pieces.recording[piece]].recording_id,
            int(pieces.start[piece]),
            int(pieces.stop[piece]),
            kind,
        )
        for piece, kind in chosen
    )
