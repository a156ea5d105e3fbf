"""What the page's scripts are given: labels as runs, looks and names, motion."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from histvq.annotation import Annotation
from histvq.report.embed import Embedded, in_numbers, shapes_of
from histvq.report.key import Key
from histvq.report.palette import Look, look_of, painted
from histvq.segments import Segmentation, names_of, segment_name, to_segments

# Inside <script> only these could end it or begin another one; U+2028 and U+2029, ends of lines in
# older scripts, are escaped by `json.dumps` like all that is not ASCII.
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}


def script_json(value: object) -> Markup:
    """A value as JSON that can stand in a script block, whatever the texts in it."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPES))


def labels_payload(
    answers: Sequence[Segmentation],
    known: Mapping[str, Annotation],
    key: Key,
    *,
    extras: Mapping[str, Mapping[str, str]],
) -> dict[str, object]:
    """Everything but the motion.

    Labels are runs, `[length, label, length, label, ...]`. `extras` are what a table of recordings
    says of each: recording -> column -> value.
    """
    fine_names = names_of(answers, "subaction")
    return {
        "actions": [
            {"code": code, "name": key.short_names[code], "tag": str(code), **_look(look)}
            for code, look in sorted(key.looks.items())
        ],
        "truth": [
            {"code": place, "name": name, "tag": letters(place), **_look(key.truth_looks[place])}
            for place, name in enumerate(key.actions)
        ],
        "subactions": [
            {
                "code": code,
                "name": fine_names.get(code, segment_name("subaction", code)),
                "tag": str(code),
                **_look(painted(look_of(-1), colour)),
            }
            for code, colour in sorted(key.fine_colours.items())
        ],
        "recordings": [
            {
                "id": answer.recording_id,
                "person": answer.person or "",
                "fps": answer.fps,
                "frames": answer.n_frames,
                "extras": dict(extras.get(answer.recording_id, {})),
                "actions": runs(answer.actions),
                "subactions": None if answer.subactions is None else runs(answer.subactions),
                "truth": runs(known[answer.recording_id].labels)
                if answer.recording_id in known
                else None,
            }
            for answer in answers
        ],
    }


def motion_payload(
    embedded: Embedded, places: Mapping[str, int]
) -> tuple[dict[str, object], list[Markup]]:
    """What the page must know of the motion in it, and the numbers of each piece in base64.

    Args:
        embedded: What was chosen.
        places: Recording -> its number in the page.
    """
    shapes, shape_of = shapes_of(embedded.pieces)
    abouts, numbers = [], []
    for piece in embedded.pieces:
        about, encoded = in_numbers(piece)
        name = piece.recording.id
        abouts.append({"recording": places[name], "shape": shape_of[name], **about})
        numbers.append(Markup(encoded))  # nothing in it to escape, so it is not copied for that
    return {"shapes": shapes, "pieces": abouts}, numbers


def runs(labels: np.ndarray) -> list[int]:
    """`[length, label, length, label, ...]`."""
    return [n for start, stop, label in to_segments(labels) for n in (stop - start, label)]


def letters(place: int) -> str:
    """`a` to `z`, then `aa`, `ab` and so on: true actions, where found ones have numbers."""
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def _look(look: Look) -> dict[str, str]:
    return {"colour": look.colour, "hatch": look.hatch[:1], "ink": look.ink}
