"""The process that works through the blocks of one page: `python -m documents.driver NOTES MARK`.

Its standard input is a pipe that whoever started it holds: at its end all of the page is ended, so that
nothing goes on when the tests are killed.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from documents.processes import end_all


def main(notes: Path) -> int:
    """Run the blocks; notes which is being run, and where what it says begins."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    for number, block in enumerate(json.loads((notes / "blocks.json").read_text())):
        sys.stdout.flush()
        sys.stderr.flush()
        (notes / "at.txt").write_text(f"{number} {(notes / 'said.txt').stat().st_size}")
        if block["file"] is not None:
            Path(block["file"]).parent.mkdir(parents=True, exist_ok=True)
            Path(block["file"]).write_text(block["text"])
        elif block["language"] == "python":
            # Lines are those of the page, so that tracebacks show them.
            source = "\n" * block["line"] + block["text"]
            try:
                exec(compile(source, block["page"], "exec"), namespace)
            except SystemExit as stop:
                raise RuntimeError("the block ended by itself, so the rest was not run") from stop
        else:
            shell = ["bash", "-euo", "pipefail", "-c", block["text"]]
            if status := subprocess.run(shell, stdin=subprocess.DEVNULL).returncode:
                return status
    return 0


def _watch(mark: str) -> None:
    """End everything once nobody waits for it."""
    os.read(sys.stdin.fileno(), 1)
    end_all(mark)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_watch, args=[sys.argv[2]], daemon=True).start()
    sys.exit(main(Path(sys.argv[1])))
