"""Names of clip files: what is in them, and safe on every system."""

import re
import unicodedata
from collections.abc import Iterable

from histvq.clips.takes import Take
from histvq.segments import segment_name

_MOST_BYTES = 60  # of the action's and of the recording's name; systems take 255 for all


def stems(takes: Iterable[Take]) -> list[str]:
    """A name without ending for each take, as `action03-walk_13_29_12s340-15s000`; no two alike.

    There is no dot in it: many programs take what stands after the first for the ending.
    """
    taken: set[str] = set()
    names = []
    for take in takes:
        wanted = name = _stem(take)
        number = 1
        while name.casefold() in taken:  # some systems do not tell capitals apart
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _stem(take: Take) -> str:
    action = f"action{take.action:02d}"
    if take.name != segment_name("action", take.action):
        action += f"-{_safe(take.name)}"
    return f"{action}_{_safe(take.recording_id)}_{_time(take.start_s)}-{_time(take.stop_s)}"


def _safe(text: str) -> str:
    """Letters, digits, `_` and `-` of a text, and `-` for anything else."""
    kept = re.sub(r"[^\w-]+", "-", unicodedata.normalize("NFC", text)).strip("-")
    return kept.encode()[:_MOST_BYTES].decode(errors="ignore") or "unnamed"


def _time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    return f"{milliseconds // 1000}s{milliseconds % 1000:03d}"
