"""The process that works through the blocks of one page: `python -m documents.driver NOTES`."""

import json
import subprocess
import sys
from pathlib import Path


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
            if status := subprocess.run(shell, check=False).returncode:
                return status
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
