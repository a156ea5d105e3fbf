"""What a BORIS project says: its behaviours, and what was coded when.

**Source**: the structure of the sample projects that come with BORIS, JSON of format 4.0 to 7.0. Whether
an event starts or stops a state is not written: they take turns.
"""

import gzip
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from histvq.errors import FileFormatError, did_you_mean
from histvq.io.parts.packed import read_unpacked
from histvq.io.parts.safe_names import unquoted

STATE = "State event"
# What an observation's description begins with, before the recording's id in quotes, where we wrote it.
RECORDING = "recording "
# The category of behaviours by level; those of any other are actions.
CATEGORY = {"action": "action", "subaction": "subaction"}


class State(NamedTuple):
    """A stretch of time in which somebody did something.

    Attributes:
        start_s: Seconds from the start of the recording.
        stop_s: Likewise.
        behaviour: What was done.
        category: Of the behaviour.
        events: Numbers of the two events that say so, from 1.
    """

    start_s: float
    stop_s: float
    behaviour: str
    category: str
    events: tuple[int, int]


Ethogram = Mapping[str, tuple[str, str]]  # behaviour -> its type and category


def read_project(path: Path) -> dict[str, Any]:
    """What the project says, where it has the parts that are read."""
    try:
        packed = path.name.lower().endswith(".gz")
        with gzip.open(path) if packed else path.open("rb") as file:
            data = read_unpacked(file, path)
        project = json.loads(data.decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise FileFormatError(f"{path}: there is no such file") from error
    except FileFormatError:
        raise
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        raise FileFormatError(
            f"{path}: no BORIS project ({error}). It may be cut short: open it in BORIS and save it again"
        ) from error
    parts = {"behaviors_conf", "observations"}
    if not isinstance(project, dict) or not all(isinstance(project.get(p), dict) for p in parts):
        raise FileFormatError(
            f"{path}: no BORIS project: expected {' and '.join(sorted(parts))} in it"
        )
    for id, observation in project["observations"].items():
        events = observation.get("events") if isinstance(observation, dict) else None
        if not isinstance(events, list):
            raise FileFormatError(f"{path}, observation {id!r}: has no list of events")
    return project


def ethogram_of(project: Mapping[str, Any]) -> Ethogram:
    """Behaviour -> its type and category."""
    behaviours = [b for b in project["behaviors_conf"].values() if isinstance(b, dict)]
    return {
        str(b.get("code", "")): (str(b.get("type", "")), str(b.get("category", "")))
        for b in behaviours
    }


def states(observation: Mapping[str, Any], ethogram: Ethogram) -> tuple[list[State], list[str]]:
    """The states of an observation, and what is wrong with its events.

    Units: seconds, the observation's time offset taken off.
    """
    offset = observation.get("time offset") or 0
    if not _is_number(offset):
        return [], [f"its time offset is {offset!r}, not a number"]
    events: list[tuple[float, int, tuple[str, str, str]]] = []
    faults: list[str] = []
    for number, event in enumerate(observation["events"], 1):
        if fault := _event_fault(event, ethogram):
            faults.append(f"event {number}: {fault}")
        else:
            time, subject, code, modifier = event[:4]
            events.append((time - offset, number, (code, str(subject), str(modifier))))
    begun: dict[tuple[str, str, str], tuple[float, int]] = {}
    found: list[State] = []
    # BORIS sorts by time; events of one time keep their order.
    for time, number, what in sorted(events, key=lambda event: event[0]):
        if what in begun:
            start, first = begun.pop(what)
            found.append(State(start, time, what[0], ethogram[what[0]][1], (first, number)))
        else:
            begun[what] = (time, number)
    faults += [
        f"event {number}: {code!r} starts at {time:g} s and nothing stops it; add its end"
        for (code, *_), (time, number) in begun.items()
    ]
    return found, faults


def _event_fault(event: Any, ethogram: Ethogram) -> str:
    """Why an event cannot be read; empty where it can."""
    if not isinstance(event, list) or len(event) < 4 or not isinstance(event[2], str):
        return "expected time, subject, behaviour and modifier"
    time, _, code = event[:3]
    if not _is_number(time):
        return f"its time is {time!r}, not a number"
    if code not in ethogram:
        return f"{code!r} is none of the project's behaviours{did_you_mean(code, ethogram)}"
    if not ethogram[code][0].startswith(STATE):
        return (
            f"{code!r} at {time:g} s is a point in time, and labels need start and end; make it a state "
            "event in BORIS, or take it out"
        )
    return ""


def _is_number(value: object) -> bool:
    """Whether it is a finite number; BORIS writes NaN where a time is not known."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def names_of(id: str, observation: Mapping[str, Any]) -> tuple[str, ...]:
    """What an observation may call its recording, the surest first.

    The description as we wrote it; its own name; the first video's, with which several in turn begin.
    """
    description = str(observation.get("description", "")).partition("\n")[0].strip()
    noted = description.removeprefix(RECORDING)
    files = observation.get("file")
    players = [p for p in files.values() if p] if isinstance(files, dict) else []
    first = players[0][0] if players and isinstance(players[0], list) else None
    return (*[unquoted(noted)] * (noted != description), id, *stem_of(first))


def stem_of(file: object) -> tuple[str, ...]:
    """Windows paths are read everywhere."""
    name = re.split(r"[/\\]", file)[-1] if isinstance(file, str) else ""
    return (Path(name).stem,) if name else ()
