"""BORIS: one `.boris` project of a whole run, an observation a recording.

**Source**: the structure of the sample projects that come with BORIS (format 7.0; JSON). Behaviours are
state events: in the list of events of an observation the first of a behaviour starts it, the next
stops it, and so on in turn. BORIS keeps milliseconds.

A recording without a known video becomes a `LIVE` observation, which can be looked at and corrected
as a table, but plays nothing.
"""

import json
import string
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

from histvq.export.parts.export import Export
from histvq.export.parts.media import Media, mime_type, relative
from histvq.export.parts.pieces import level_names, milliseconds, pieces
from histvq.io.parts.boris_project import CATEGORY, RECORDING, STATE
from histvq.io.parts.safe_names import distinct, quoted
from histvq.recording import Recording
from histvq.report.key import make_key
from histvq.segments import Segmentation, segment_name
from histvq.writing import write_text

FORMAT = "7.0"
# BORIS parts lists of behaviours by commas, and refuses the bar in their names.
NOT_IN_NAMES = "|,"
Codes = Mapping[str, Mapping[int, str]]  # by level, code -> name


def write_boris(
    path: str | Path,
    answers: Sequence[Segmentation],
    *,
    recordings: Sequence[Recording] = (),
    media: Media | None = None,
) -> Path:
    """Write a BORIS project with everything in it: behaviours, subjects and coded observations.

    Actions exclude one another, and so do subactions: to start one in BORIS stops the other. The mean
    confidence of a segment stands as comment where it starts. Media are named from
    where the project lies.

    Units: seconds, the nearest millisecond; up to 1000 frames a second it leads back to the frame.
    """
    path = Path(path)
    names = _codes(answers)
    ids = distinct([answer.recording_id for answer in answers])
    people = list(dict.fromkeys(answer.person for answer in answers if answer.person))
    called = dict(zip(people, distinct(people), strict=True))
    now = datetime.now().isoformat(timespec="seconds")
    project = {
        "time_format": "hh:mm:ss",
        "project_date": now,
        "project_name": path.stem,
        "project_description": "Actions found by histvq, to be corrected",
        "project_format_version": FORMAT,
        "subjects_conf": _subjects(list(called.values())),
        "behaviors_conf": _behaviours(answers, names),
        "observations": {
            id: _observation(
                answer, names, called, (media or {}).get(answer.recording_id, ()), path.parent, now
            )
            for id, answer in zip(ids, answers, strict=True)
        },
        "behavioral_categories": [CATEGORY[level] for level in names],
        "behavioral_categories_config": {
            str(n): {"name": CATEGORY[level], "color": ""} for n, level in enumerate(names)
        },
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    # In ASCII: BORIS reads a project in whatever encoding the system has.
    return write_text(path, json.dumps(project, indent=1, ensure_ascii=True) + "\n")


EXPORT = Export(description="a BORIS project", place="run.boris", write=write_boris)


def _codes(answers: Sequence[Segmentation]) -> dict[str, dict[int, str]]:
    """Names by level and code; a name that both levels have is told apart, for BORIS has one list."""
    found = level_names(answers, without=NOT_IN_NAMES)
    both = [(level, code, name) for level, called in found.items() for code, name in called.items()]
    names: dict[str, dict[int, str]] = {level: {} for level in found}
    for (level, code, _), name in zip(both, distinct([name for *_, name in both]), strict=True):
        names[level][code] = name
    return names


def _keys() -> Iterator[str]:
    """One character a behaviour: letters and digits of a keyboard first, then letters of any script.

    There are 62 of the former. With the others a behaviour may need the mouse where the keyboard lacks
    the letter: BORIS takes a click on it, and the key can be changed there.
    """
    plain = string.ascii_lowercase + string.digits + string.ascii_uppercase
    others = (chr(n) for n in count(0xC0) if chr(n).isalpha() and chr(n).islower())
    return chain(plain, others)


def _subjects(names: Sequence[str]) -> dict[str, Any]:
    """No keys: the characters are the behaviours'."""
    return {str(n): {"key": "", "name": name, "description": ""} for n, name in enumerate(names)}


def _behaviours(answers: Sequence[Segmentation], names: Codes) -> dict[str, Any]:
    key = make_key(answers, {}, {})
    colours = {
        "action": {code: look.colour for code, look in key.looks.items()},
        "subaction": key.fine_colours,
    }
    both = [(level, code) for level, called in names.items() for code in called]
    return {
        str(n): {
            "type": STATE,
            "key": character,
            "code": names[level][code],
            "description": segment_name(level, code),
            "color": colours[level].get(code, ""),
            "category": CATEGORY[level],
            "modifiers": {},
            "excluded": ",".join(name for c, name in names[level].items() if c != code),
            "coding map": "",
        }
        for n, ((level, code), character) in enumerate(
            zip(both, islice(_keys(), len(both)), strict=True)
        )
    }


def _observation(
    answer: Segmentation,
    names: Codes,
    people: Mapping[str, str],
    media: Sequence[Path],
    folder: Path,
    now: str,
) -> dict[str, Any]:
    files = {relative(file, folder): mime_type(file).partition("/")[0] for file in media}
    seconds = answer.n_frames / answer.fps
    return {
        "file": {str(n): [file] for n, file in enumerate(files, 1)},
        "type": "MEDIA" if files else "LIVE",
        "date": now,
        "description": f"{RECORDING}{quoted(answer.recording_id)}",
        "time offset": 0.0,
        "events": _events(answer, names, people.get(answer.person or "", "")),
        "observation time interval": [0, 0],
        "independent_variables": {},
        "visualize_spectrogram": False,
        "visualize_waveform": False,
        "close_behaviors_between_videos": False,
        "scan_sampling_time": 0,
        "media_info": {
            "length": dict.fromkeys(files, round(seconds, 3)),
            "fps": dict.fromkeys(files, answer.fps),
            "hasVideo": {file: kind == "video" for file, kind in files.items()},
            "hasAudio": {file: kind == "audio" for file, kind in files.items()},
            "offset": {str(n): 0.0 for n in range(1, len(files) + 1)},
        },
    }


def _events(answer: Segmentation, names: Codes, subject: str) -> list[list[Any]]:
    """Time, subject, behaviour, modifier, comment; where one stops and another starts, in that order."""
    at = milliseconds(answer)
    events: list[tuple[int, bool, list[Any]]] = []
    for level, called in names.items():
        for piece in pieces(answer, level):
            said = "" if piece.confidence is None else f"confidence {piece.confidence:.2f}"
            for starts, frame in ((True, piece.start), (False, piece.stop)):
                event = [at[frame] / 1000, subject, called[piece.code], "", said if starts else ""]
                events.append((at[frame], starts, event))
    return [event for *_, event in sorted(events, key=lambda one: one[:2])]
