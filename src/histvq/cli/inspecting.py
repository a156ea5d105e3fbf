"""What `inspect` says, to people and to programs."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from histvq import console
from histvq.chain import Chain
from histvq.errors import ConfigError

if TYPE_CHECKING:
    from histvq.inspection import Inspection
    from histvq.io import Readings
    from histvq.recording import Recording

# Joints listed by name, of those that lack values.
SHOWN = 8
# So many letters tell what sort of thing is said of a recording.
KIND = 24
COLUMNS = (
    "recording", "format", "person", "frames", "s", "fps", "joints", "channels", "unit", "missing",
    "labels",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """All there is to say.

    Attributes:
        inspections: What was understood, by recording.
        readings: The recordings themselves, and what was odd about them.
        between: What looks wrong when they are compared.
        changes: What is done to them before they are learned from.
    """

    inspections: "list[Inspection]"
    readings: "Readings"
    between: tuple[str, ...]
    changes: tuple[str, ...]


def inspected(readings: "Readings", steps: Sequence[str]) -> Found:
    """What there is to say of these recordings, and of what these transforms would make of them."""
    from histvq.inspection import changes_before, inspect_recording, swapped_sides

    made, faults = _changed(readings.recordings, Chain.of(steps))
    notes = dict.fromkeys(
        note
        for before, after in zip(readings.recordings, made, strict=True)
        if after is not None
        for note in after.history[len(before.history) :]
    )
    usable = [recording for recording in made if recording is not None]
    odd, refused = _apart(usable)
    return Found(
        [
            inspect_recording(recording, annotation, format=format)
            for recording, annotation, format in zip(
                readings.recordings, readings.annotations, readings.formats, strict=True
            )
        ],
        readings,
        (*swapped_sides(readings.recordings), *refused),
        (
            *notes,
            *(f"skipped: {words}" for words in (*faults, *odd.values())),
            *changes_before([one for place, one in enumerate(usable) if place not in odd]),
        ),
    )


def _changed(
    recordings: "Sequence[Recording]", chain: Chain
) -> "tuple[list[Recording | None], list[str]]":
    """The recordings after these steps, None for each they fail for, and why they do.

    Raises:
        ConfigError: If they fail for all.
    """
    made: list[Recording | None] = []
    errors: list[ConfigError] = []
    for recording in recordings:
        try:
            made.append(chain(recording))
        except ConfigError as error:
            made.append(None)
            errors.append(error)
    if len(errors) == len(made):
        raise errors[0]
    return made, [str(error) for error in errors]


def _apart(recordings: "Sequence[Recording]") -> tuple[dict[int, str], list[str]]:
    """Which recordings do not fit the others, by their places; or that there are too many of them."""
    from histvq.majority import odd_ones

    try:
        return odd_ones(recordings), []
    except ConfigError as error:
        return {}, [f"nothing can be learned from these together: {error}"]


def tell(found: Found) -> None:
    """Everything as tables and sentences."""
    console.table(COLUMNS, [_row(inspection) for inspection in found.inspections])
    first = found.inspections[0]
    console.say(f"joints: {', '.join(first.joints)}")
    console.say(f"channels: {', '.join(first.channels)}")
    total = sum(inspection.duration_s for inspection in found.inspections)
    console.say(f"{len(found.inspections)} recordings, {total / 60:.1f} minutes")
    _list(
        "missing, by joint", [f"{i.recording}: {_gaps(i)}" for i in found.inspections if _gaps(i)]
    )
    _list(
        "done while reading",
        _together([(i.recording, note) for i in found.inspections for note in i.history]),
    )
    odd = _together([(i.recording, words) for i in found.inspections for words in i.suspicious])
    _list("looks wrong", [*odd, *found.between])
    _list("before anything is learned", found.changes)
    console.list_skipped(found.readings.skipped)


def tell_as_json(found: Found) -> None:
    """The same for programs."""
    readings = found.readings
    console.say(
        json.dumps(
            {
                "recordings": [inspection.as_dict() for inspection in found.inspections],
                "suspicious": list(found.between),
                "changes": list(found.changes),
                "warnings": list(readings.warnings),
                "skipped": [{"file": str(file), "why": why} for file, why in readings.skipped],
                "ignored": readings.ignored,
            },
            indent=2,
        )
    )


def _row(inspection: "Inspection") -> tuple[object, ...]:
    missing = sum(inspection.missing.values()) / len(inspection.missing)
    labels = "no" if inspection.n_actions is None else f"{inspection.n_actions} actions"
    people = f" of {inspection.n_persons} people" if inspection.n_persons > 1 else ""
    return (
        inspection.recording,
        inspection.format,
        inspection.person or "",
        inspection.n_frames,
        f"{inspection.duration_s:.1f}",
        f"{inspection.fps:.6g}",
        f"{len(inspection.joints)}{people}",
        len(inspection.channels),
        inspection.unit,
        f"{missing:.1%}",
        labels,
    )


def _gaps(inspection: "Inspection") -> str:
    """The joints that lack most: how much, and the longest gap."""
    worst = sorted(
        ((share, joint) for joint, share in inspection.missing.items() if share), reverse=True
    )
    shown = [
        f"{joint} {share:.1%} (longest {inspection.longest_gap_s[joint]:.2f} s)"
        for share, joint in worst[:SHOWN]
    ]
    more = [f"{len(worst) - SHOWN} more"] if len(worst) > SHOWN else []
    return ", ".join([*shown, *more])


def _together(said: Sequence[tuple[str, str]]) -> list[str]:
    """What is said of recordings; the same of several, numbers and all that follows apart, once."""
    of: dict[str, list[tuple[str, str]]] = {}
    for recording, words in said:
        of.setdefault(re.sub(r"[0-9][0-9.]*", "#", words)[:KIND], []).append((recording, words))
    return [f"{alike[0][0]}{_others(alike)}: {alike[0][1]}" for alike in of.values()]


def _others(alike: Sequence[tuple[str, str]]) -> str:
    if len(alike) == 1:
        return ""
    same = len({words for _, words in alike}) == 1
    return f" and {len(alike) - 1} more recordings{'' if same else ', each in its way'}"


def _list(title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    console.say(f"{title}:")
    for line in lines[: console.SHOWN]:
        console.say(f"  {line}")
    if len(lines) > console.SHOWN:
        console.say(f"  ... and {len(lines) - console.SHOWN} more (--json has all)")
