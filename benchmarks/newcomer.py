"""The newcomer's paths, timed: to a first report, to passing tests, from own tables to a report, and to
a method of one's own with a score.

    python -m benchmarks.newcomer             # writes benchmarks/results/newcomer.json and newcomer.md
    python -m benchmarks.newcomer --tests     # the tests as well, which take long

From the root of the repository. The commands are read from README.md and docs/extending/method.md, not
typed again here. They run in a fresh clone of the last commit, with a virtual environment and
a home folder of their own, so that nothing cached helps. Leave the machine alone meanwhile.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path("benchmarks") / "results"
METHOD_PAGE = Path("docs") / "extending" / "method.md"
START, OWN_DATA = "Start", "Five minutes on your own data"
LIMIT_S = 3600  # a command; the tests on a slow machine are the longest
PATHS = {
    "report": "fresh clone to the demo's report",
    "tests": "fresh clone to passing tests",
    "own data": "own CSV files to a report",
    "own method": "a method of one's own, added and scored",
}

_FENCE = re.compile(
    r"(?:^<!--\s*(?P<remark>not run|file):\s*(?P<said>.*?)\s*-->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of a page; `file` where a remark before it names the file whose content it is."""

    language: str
    text: str
    not_run: bool = False
    file: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command that was run."""

    command: str
    seconds: float


def section(page: str, heading: str) -> str:
    """What stands below a second-level heading, up to the next one.

    Raises:
        ValueError: If there is no such heading.
    """
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE
    )
    if found is None:
        raise ValueError(f"no heading {heading!r}")
    return found[1]


def blocks(text: str) -> list[Block]:
    """All fenced blocks, in order."""
    return [
        Block(
            language=found["language"],
            text=found["text"],
            not_run=found["remark"] == "not run",
            file=found["said"] if found["remark"] == "file" else None,
        )
        for found in _FENCE.finditer(text)
    ]


def commands(text: str) -> list[str]:
    """The commands of a page's bash blocks, each on one line, without comments."""
    return [line for one in blocks(text) if one.language == "bash" for line in _lines(one.text)]


def _lines(bash: str) -> list[str]:
    joined = re.sub(r"\s*\\\n\s*", " ", bash)
    bare = (re.sub(r"(^|\s+)#.*", "", line).strip() for line in joined.splitlines())
    return [line for line in bare if line]


def first_report(page: str) -> tuple[list[str], list[str]]:
    """README's commands to the demo's report, and those that test."""
    said = commands(section(page, START))
    tests = [one for one in said if "pytest" in one]
    return [one for one in said if one not in tests], tests


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
                yield from (self.does(line, folder) for line in _lines(block.text))
            elif block.language == "python" and not block.not_run:
                program += block.text
                script = folder / f"block{number}.py"
                script.write_text(program, encoding="utf-8")
                yield self.does(f"python {script.name}", folder, shown=f"Python, block {number}")


def write_own_tables(folder: Path) -> None:
    """Made-up motion as anybody may have it: a CSV a recording, a row a frame, the time in front."""
    import pandas as pd

    from histvq.datasets.synthetic import load

    folder.mkdir()
    for recording in load(n_people=3, recordings_per_person=2).recordings:
        names = [f"{joint}_{axis} [mm]" for joint in recording.joint_names for axis in "xyz"]
        table = pd.DataFrame(recording.skeleton.reshape(len(recording.skeleton), -1), columns=names)
        table.insert(0, "time_s", [frame / recording.fps for frame in range(len(table))])
        table.to_csv(folder / f"{recording.id}.csv", index=False, float_format="%.4f")


def write_own_recordings(folder: Path) -> None:
    """The recordings that pages take for granted: `my_recordings/`, with labels."""
    from histvq.datasets.synthetic import load
    from histvq.io.npz import write_npz

    folder.mkdir()
    data = load(n_people=3, recordings_per_person=2)
    for recording, annotation in zip(data.recordings, data.annotations, strict=True):
        write_npz(folder / f"{recording.id}.npz", recording, annotation)


def walk(home: Path, *, tests: bool) -> dict[str, list[Step]]:
    """Go all paths; gives the steps of each."""
    somebody = Newcomer(home)
    clone = somebody.does(f"git clone --quiet {ROOT} {somebody.clone}", home, shown="git clone")
    readme = (somebody.clone / "README.md").read_text(encoding="utf-8")
    to_report, to_tests = first_report(readme)
    steps = [clone, *(somebody.does(one, somebody.clone) for one in to_report)]
    _must_be(somebody.clone / "runs" / "demo" / "report.html")
    taken = {"report": steps}
    if tests:
        set_up = [one for one in steps if "histvq demo" not in one.command]
        taken["tests"] = [*set_up, *(somebody.does(one, somebody.clone) for one in to_tests)]
    folder = _folder(home / "own-data", write_own_tables)
    own = commands(section(readme, OWN_DATA))
    own = own[: 1 + next(n for n, one in enumerate(own) if one.startswith("histvq run"))]
    taken["own data"] = [somebody.does(one, folder) for one in own]
    _must_be(next(folder.glob("runs/*/report.html"), folder / "runs" / "report.html"))
    page = somebody.clone / METHOD_PAGE
    if page.exists():
        folder = _folder(home / "own-method", write_own_recordings)
        taken["own method"] = list(somebody.follows(page.read_text(encoding="utf-8"), folder))
    else:
        print(f"no {METHOD_PAGE}: a method of one's own is left out", file=sys.stderr)
    return taken


def _folder(path: Path, fill: Callable[[Path], None]) -> Path:
    path.mkdir()
    fill(path / "my_recordings")
    return path


def _must_be(path: Path) -> None:
    if not path.is_file():
        raise SystemExit(f"every command ended well, but there is no {path}")


def summary(taken: dict[str, list[Step]], *, cores: int, commit: str) -> dict:
    """What the JSON file holds: seconds and commands of each path, and its steps."""
    paths = {
        name: {
            "what": PATHS[name],
            "commands": len(steps),
            "seconds": round(sum(one.seconds for one in steps), 1),
            "steps": [{"command": one.command, "seconds": one.seconds} for one in steps],
        }
        for name, steps in taken.items()
    }
    return {"cores": cores, "commit": commit, "paths": paths}


def as_page(found: dict) -> str:
    """The same as Markdown."""
    lines = [
        "# The newcomer's paths, timed", "",
        f"`python -m benchmarks.newcomer`, commit {found['commit']}, {found['cores']} cores. The commands "
        "are those of README.md and docs/extending/method.md. What setting up takes depends on the network.",
        "",
        "| path | commands | seconds |", "| --- | ---: | ---: |",
        *(f"| {p['what']} | {p['commands']} | {p['seconds']:.0f} |" for p in found["paths"].values()),
    ]  # fmt: skip
    for path in found["paths"].values():
        lines += ["", f"## {path['what'].capitalize()}", "", "| step | seconds |", "| --- | ---: |"]
        for step in path["steps"]:
            command = step["command"].replace("|", "\\|")
            lines.append(f"| `{command}` | {step['seconds']:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Go the paths and write what they took."""
    parser = argparse.ArgumentParser(description="The newcomer's paths, timed.")
    parser.add_argument("--tests", action="store_true", help="run the tests, too")
    parser.add_argument(
        "-o", "--out", type=Path, default=ROOT / RESULTS, help="folder of the results"
    )
    given = parser.parse_args()
    git = shutil.which("git") or "git"
    commit = subprocess.run(
        [git, "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as home:
        taken = walk(Path(home), tests=given.tests)
    found = summary(taken, cores=len(os.sched_getaffinity(0)), commit=commit)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "newcomer.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (given.out / "newcomer.md").write_text(as_page(found), encoding="utf-8")
    print(as_page(found))


if __name__ == "__main__":
    main()
