"""The processes that a page has started, wherever they have gone."""

import os
import signal
import time
from pathlib import Path

MARK = "HISTVQ_PAGE_RUN"  # in the environment of whatever a page starts


def end_all(mark: str, *, within_s: float = 60) -> None:
    """Kill every process whose environment holds the mark, but for this one.

    Whatever group or session they are in; a process that is left to itself may choose both.
    """
    until = time.monotonic() + within_s
    while left := running_with(mark):
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > until:
            raise AssertionError(f"processes {left} cannot be ended")
        time.sleep(0.05)


def running_with(mark: str) -> list[int]:
    """Other processes with the mark in their environment."""
    sign = f"{MARK}={mark}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            held = sign in (place / "environ").read_bytes().split(b"\0")
            ended = (place / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue  # gone meanwhile, or somebody else's
        if held and not ended and int(place.name) != os.getpid():
            found.append(int(place.name))
    return found
