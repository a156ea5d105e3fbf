"""Somebody with an empty home folder, who types what the pages say."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.newcomer.pages import blocks, lines_of

LIMIT_S = 3600  # a command; the tests on a slow machine are the longest


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command that was run."""

    command: str
    seconds: float


class Newcomer:
    """Somebody with an empty home folder and a clone."""

    def __init__(self, home: Path) -> None:
        self.clone = home / "histvq"
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "HISTVQ", "XDG_"))
        }
        kept.pop("VIRTUAL_ENV", None)
        kept.pop("OMP_NUM_THREADS", None)
        path = f"{self.clone / '.venv' / 'bin'}{os.pathsep}{kept['PATH']}"
        self.environment = kept | {"HOME": str(home), "PATH": path}

    def does(self, command: str, folder: Path, *, shown: str = "") -> Step:
        """Run a command; stop everything if it fails."""
        begun = time.perf_counter()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=folder, env=self.environment, stdin=subprocess.DEVNULL, timeout=LIMIT_S,
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - begun
        if done.returncode:
            said = f"{done.stdout}\n{done.stderr}"[-4000:]
            raise SystemExit(f"ended with {done.returncode}: {command}\n{said}")
        print(f"{seconds:8.1f} s  {shown or command}", file=sys.stderr, flush=True)
        return Step(command=shown or command, seconds=round(seconds, 1))

    def follows(self, page: str, folder: Path) -> Iterator[Step]:
        """Work through the blocks of a page in a folder, Python blocks as one growing program."""
        program = ""
        for number, block in enumerate(blocks(page), start=1):
            if block.file is not None:
                (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                (folder / block.file).write_text(block.text, encoding="utf-8")
            elif block.language == "bash" and not block.not_run:
                yield from (self.does(line, folder) for line in lines_of(block.text))
            elif block.language == "python" and not block.not_run:
                program += block.text
                script = folder / f"block{number}.py"
                script.write_text(program, encoding="utf-8")
                yield self.does(f"python {script.name}", folder, shown=f"Python, block {number}")
