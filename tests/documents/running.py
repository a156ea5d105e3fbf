"""Run a page's blocks from top to bottom, as somebody would who follows it.

One process a page works through them in one folder: Python blocks in one namespace, bash blocks
each in a shell of its own that stops at the first error. What is said goes to a file, not through
a pipe: a program left in the background would keep a pipe open for ever.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from documents.blocks import Block
from documents.stand_ins import MODULES, PROGRAMS

LIMIT_S = 900  # a page; the longest takes a minute on a usual machine
MARK = "HISTVQ_PAGE_RUN"  # in the environment of whatever a page starts


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The block that failed, and what was said from its beginning on."""

    block: Block
    said: str

    def __str__(self) -> str:
        shown = "\n".join(f"    {line}" for line in self.block.text.splitlines())
        said = "\n".join(f"    {line}" for line in self.said.splitlines()[-60:])
        return f"{self.block.place} ({self.block.language})\n{shown}\nsaid\n{said}"


def run_page(
    blocks: list[Block],
    folder: Path,
    *,
    limit_s: float = LIMIT_S,
) -> Failure | None:
    """Run what is to be run, in `folder`; gives the first failure, and leaves nothing running."""
    todo = [block for block in blocks if block.is_run]
    notes = folder.parent / f"{folder.name}-notes"
    notes.mkdir()
    (notes / "blocks.json").write_text(json.dumps([asdict(b) for b in todo], default=str))
    mark = uuid.uuid4().hex
    environment = {**environment_of(folder), MARK: mark}
    with (notes / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "documents.driver", str(notes)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            status: int | str = process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            status = f"not done after {limit_s:g} s, stopped"
        finally:
            stop_all(mark)
            process.wait()
    if status == 0:
        return None
    number, offset = map(int, (notes / "at.txt").read_text().split())
    text = (notes / "said.txt").read_bytes()[offset:].decode(errors="replace")
    return Failure(block=todo[number], said=f"{text}\n[{status}]")


def environment_of(folder: Path) -> dict[str, str]:
    """The reader's: this Python's programs on the PATH, one thread, no window, pip without a network."""
    programs = [folder / PROGRAMS, Path(sys.executable).parent, os.environ["PATH"]]
    modules = [folder / MODULES, *(Path(place).resolve() for place in sys.path if place)]
    return {
        **os.environ,
        "PATH": os.pathsep.join(map(str, programs)),
        "PYTHONPATH": os.pathsep.join(map(str, modules)),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
        "COLUMNS": "120",
        "PIP_NO_INDEX": "1",  # what a page installs must be here already
        "PIP_QUIET": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def stop_all(mark: str, *, within_s: float = 60) -> None:
    """Kill every process whose environment holds the mark, whatever group or session it is in."""
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
    """Processes with the mark in their environment."""
    sign = f"{MARK}={mark}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            held = sign in (place / "environ").read_bytes().split(b"\0")
            ended = (place / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue  # gone meanwhile, or somebody else's
        if held and not ended:
            found.append(int(place.name))
    return found
