"""One HTML file that opens anywhere: no network, everything inside, users' texts escaped."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from histvq.annotation import Annotation
from histvq.recording import Recording
from histvq.report.analysis import Card, Clip, cards
from histvq.report.embed import Embedded, choose_pieces
from histvq.report.frames import truth_by_recording
from histvq.report.key import Key
from histvq.report.page_groups import extras, group_tables
from histvq.report.page_parts import card_parts, transition_parts
from histvq.report.page_truth import against_truth
from histvq.report.palette import Look, look_of
from histvq.report.payload import labels_payload, motion_payload, script_json
from histvq.segments import Segmentation, names_of

if TYPE_CHECKING:
    import pandas as pd

MEGABYTE = 1_000_000
# What is left for the page's tables and scripts, though they may take less.
REST_BYTES = 600_000
# What is said of the motion of a recording, besides its numbers.
ABOUT_BYTES = 300
SCRIPTS = ("looks.js", "motion.js", "player.js", "list.js", "cards.js", "app.js")
SECTIONS = {
    "warnings": "Warnings",
    "scores": "Scores",
    "recordings": "Recordings",
    "usage": "Actions",
    "cards": "What each looks like",
    "transitions": "What follows what",
    "groups": "Groups",
    "truth": "Against the truth",
    "skipped": "Skipped files",
    "settings": "Settings",
}


def page(
    answers: Sequence[Segmentation],
    usage: "pd.DataFrame",
    *,
    key: Key,
    recordings: Sequence[Recording],
    annotations: Sequence[Annotation],
    scores: object | None,
    warnings: Iterable[object],
    skipped: Iterable[object],
    settings: Mapping[str, object] | None,
    groups: "pd.DataFrame | None",
    budget_mb: float,
) -> str:
    """The report as HTML.

    Args:
        answers: What was found.
        usage: Its `usage_table`.
        key: How actions look and what they are called.
        recordings: The motion, of any of the answers.
        annotations: The truth about any of them.
        scores: Printed as `str` gives it; `protocol`, `per_recording` and `confusion` are used if there.
        warnings: One item each.
        skipped: What was left out, one line each: a text, or a pair of file and reason.
        settings: What the method was asked to do.
        groups: A row a recording (by id), any columns.
        budget_mb: The size the page is to keep to.
    """
    known = truth_by_recording(annotations)
    motion, remarks = _in_step(answers, recordings)
    made = cards(answers, motion)
    data = labels_payload(answers, known, key, extras=extras(groups))
    places = {answer.recording_id: place for place, answer in enumerate(answers)}
    names = {card.action: key.names.get(card.action, card.name) for card in made}
    parts: dict[str, Any] = {
        "warnings": [_line(item) for item in (*warnings, *remarks)],
        "scores": _scored(scores),
        "recordings": True,
        "usage": usage.to_dict("records"),
        "cards": [_card(card, usage, answers, places) for card in made],
        "transitions": transition_parts(answers, key),
        "groups": group_tables(answers, groups, names),
        "skipped": [_line(item) for item in skipped],
        "settings": _flat(settings),
        **against_truth(answers, known, scores, places),
    }
    parts["truth"] = parts["lengths"] or parts["confusion"] or parts["compared"]
    script = Markup("\n".join(map(_static, SCRIPTS)))
    fixed = partial(
        _template().render,
        **parts,
        title="histvq report",
        lead=_lead(answers, len(usage)),
        sections=[(f"section-{place}", name) for place, name in SECTIONS.items() if parts[place]],
        looks=_Looks(key.looks),
        names=names,
        matched={} if names_of(answers) else _matched(scores),
        has_truth=bool(known),
        has_fine=any(answer.subactions is not None for answer in answers),
        n_recordings=len(answers),
        style=Markup(_static("page.css")),
        script=script,
        script_hash=_hash(script),
    )
    # Thousands of warnings take room too, so the page is made once without motion, to be measured.
    without = fixed(embedded="", data=script_json(data), motion=[])
    least = len(script_json(data)) + REST_BYTES
    tables = len(without.encode()) + ABOUT_BYTES * len(motion)
    room = budget_mb * MEGABYTE - max(least, tables)
    clips = [(clip.recording_id, clip.start, clip.stop) for card in made for clip in card.clips]
    embedded = choose_pieces(motion, room=room, clips=clips)
    moving, numbers = motion_payload(embedded, places)
    said = _embedded_in_words(embedded, motion, budget_mb, n_answers=len(answers))
    return fixed(
        embedded=said, data=script_json({**data, **moving, "no_motion": said}), motion=numbers
    )


class _Looks(dict[int, Look]):
    """Looks by code; codes that never occur have theirs too."""

    def __missing__(self, code: int) -> Look:
        return look_of(code)


def _in_step(
    answers: Sequence[Segmentation], recordings: Iterable[Recording]
) -> tuple[list[Recording], list[str]]:
    """Recordings there is an answer to, in the answers' order, and what to say of misfits."""
    by_id = {recording.id: recording for recording in recordings}
    found = [(answer, by_id.get(answer.recording_id)) for answer in answers]
    fitting, remarks = [], []
    for answer, recording in found:
        if recording is None or not recording.n_frames:
            continue
        if recording.n_frames == answer.n_frames:
            fitting.append(recording)
        else:
            remarks.append(
                f"recording {answer.recording_id}: {recording.n_frames} frames of motion, "
                f"{answer.n_frames} of labels; its motion is not shown"
            )
    return fitting, remarks


def _embedded_in_words(
    embedded: Embedded, motion: Sequence[Recording], budget_mb: float, *, n_answers: int
) -> str:
    """What of the motion is in the page, and why not all of it."""
    if not motion:
        return "This page was made without the motion: only labels are shown."
    left_out = len(embedded.left_out)
    if embedded.fps is None:
        return f"No motion is in this page: it did not fit into {budget_mb:g} MB."
    said = (
        f"The page keeps to {budget_mb:g} MB: motion is held at up to {embedded.fps:.3g} frames a "
        "second, labels at every frame."
    )
    if len(motion) < n_answers:
        said += (
            f" {len(motion):,} of {n_answers:,} recordings are played; of all, labels are shown."
        )
    if left_out:
        said += (
            f" Of {left_out} of {len(motion)} recordings, for which there was no room, only the clips on "
            "the cards are held."
        )
    return said


def _lead(answers: Sequence[Segmentation], n_actions: int) -> str:
    minutes = sum(answer.n_frames / answer.fps for answer in answers) / 60
    people = {answer.person for answer in answers} - {None}
    who = f" of {_counted(len(people), 'person', 'people')}" if people else ""
    return (
        f"{_counted(n_actions, 'action', 'actions')} in "
        f"{_counted(len(answers), 'recording', 'recordings')}{who}, {minutes:.1f} minutes in all."
    )


def _counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def _line(item: object) -> str:
    return ": ".join(map(str, item)) if isinstance(item, tuple) else str(item)


def _matched(scores: object) -> Mapping[int, str]:
    return getattr(scores, "matched", None) or {}


def _scored(scores: object | None) -> dict[str, object] | None:
    if scores is None:
        return None
    return {"text": str(scores), "protocol": getattr(scores, "protocol", None) or {}}


def _flat(settings: Mapping[str, object] | None) -> dict[str, str]:
    """Settings of settings in one list, as `method: n_actions`."""
    rows: dict[str, str] = {}
    for name, value in (settings or {}).items():
        if isinstance(value, Mapping):
            rows |= {f"{name}: {inner}": text for inner, text in _flat(value).items()}
        elif isinstance(value, list | tuple):
            rows[str(name)] = ", ".join(map(str, value))
        else:
            rows[str(name)] = "" if value is None else str(value)
    return rows


def _card(
    card: Card,
    usage: "pd.DataFrame",
    answers: Sequence[Segmentation],
    places: Mapping[str, int],
) -> dict[str, Any]:
    row = usage[usage["action"] == card.action].to_dict("records")
    clips = [
        {
            "place": places[clip.recording_id],
            "recording_id": clip.recording_id,
            "start": clip.start,
            "stop": clip.stop,
            "kind": clip.kind,
            **_in_seconds(clip, answers[places[clip.recording_id]].fps),
        }
        for clip in card.clips
    ]
    return {**card_parts(card, row[0] if row else None), "clips": clips}


def _in_seconds(clip: Clip, fps: float) -> dict[str, str]:
    return {
        "begin": f"{clip.start / fps:.1f} s",
        "length": f"{(clip.stop - clip.start) / fps:.1f} s",
        "time": f"{clip.start / fps:.1f} to {clip.stop / fps:.1f} s",
    }


@cache
def _template() -> Any:
    loader = PackageLoader("histvq.report")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


@cache
def _static(name: str) -> str:
    return (resources.files("histvq.report") / "static" / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """What a browser must find the script to be before it runs it."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
