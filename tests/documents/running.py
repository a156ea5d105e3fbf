"""Run a page's blocks from top to bottom, as somebody would who follows it.

One process a page works through them in one folder: Python blocks in one namespace, bash blocks
each in a shell of its own that stops at the first error. What is said goes to a file, not through
a pipe: a program left in the background would keep a pipe open for ever.
"""

import json
import os
import subprocess
import sys
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from documents.blocks import Block
from documents.processes import MARK, end_all
from documents.stand_ins import MODULES, PROGRAMS

LIMIT_S = 1500  # a page; the longest takes a minute on a usual machine


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The block that failed, and what was said from its beginning on."""

    block: Block
    said: str

    def __str__(self) -> str:
        shown = "\n".join(f"    {line}" for line in self.block.text.splitlines())
        said = "\n".join(f"    {line}" for line in self.said.splitlines()[-60:])
        return f"{self.block.place} ({self.block.language})\n{shown}\nsaid\n{said}"


def run_page(blocks: list[Block], folder: Path, *, limit_s: float = LIMIT_S) -> Failure | None:
    """Run what is to be run, in `folder`; gives the first failure, and leaves nothing running."""
    todo = [block for block in blocks if block.is_run]
    notes = folder.parent / f"{folder.name}-notes"
    notes.mkdir()
    (notes / "blocks.json").write_text(json.dumps([asdict(b) for b in todo], default=str))
    mark = uuid.uuid4().hex
    (notes / "at.txt").write_text("0 0")
    with (
        (notes / "said.txt").open("wb") as said,
        subprocess.Popen(
            [sys.executable, "-m", "documents.driver", str(notes), mark],
            cwd=folder,
            env={**environment_of(folder), MARK: mark},
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            start_new_session=True,
        ) as process,
    ):
        try:
            status: int | str = process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            status = f"not done after {limit_s:g} s, stopped"
        finally:
            end_all(mark)
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
