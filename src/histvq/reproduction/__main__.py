"""Do one run that is asked for on standard input: `python -m histvq.reproduction`, see `cell`.

The request is a line of JSON, and so is the answer, on standard output. Standard input stays open: once
it is closed the caller is gone, and the run ends at once.
"""

import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from histvq.errors import HistvqError, Stopped
from histvq.reproduction.cell import Answer
from histvq.reproduction.plan import Job
from histvq.reproduction.running import run_job


def main() -> None:
    """Do the run that standard input asks for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command alone listens to the keyboard
    answer_to = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever libraries print is no answer
    job, out = _asked(_line())
    threading.Thread(target=_end_with_caller, daemon=True).start()
    with answer_to:
        json.dump(asdict(_answer(job, out)), answer_to)


def _asked(line: bytes) -> tuple[Job, Path]:
    """The request again, as it was made."""
    request: dict[str, Any] = json.loads(line)
    fields = request["job"]
    return Job(**{**fields, "test": tuple(fields["test"])}), Path(request["out"])


def _answer(job: Job, out: Path) -> Answer:
    try:
        return Answer(True, run_job(job, out))
    except Stopped as stop:  # nobody waits for an answer; the training is kept
        sys.exit(128 + stop.signal)
    except HistvqError as error:
        return Answer(False, str(error), for_good=True)
    except (OSError, RuntimeError, MemoryError) as error:
        return Answer(False, str(error) or type(error).__name__)


def _line() -> bytes:
    """Not by `sys.stdin`: Python cannot end while a thread waits in it."""
    line = b""
    while not line.endswith(b"\n"):
        if not (more := os.read(0, 2**16)):
            os._exit(1)
        line += more
    return line


def _end_with_caller() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
