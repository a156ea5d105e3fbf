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
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.newcomer.pages import commands, section
from benchmarks.newcomer.somebody import Newcomer, Step

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path("benchmarks") / "results"
METHOD_PAGE = Path("docs") / "extending" / "method.md"
START, OWN_DATA = "Start", "Five minutes on your own data"
PATHS = {
    "report": "fresh clone to the demo's report",
    "tests": "fresh clone to passing tests",
    "own data": "own CSV files to a report",
    "own method": "a method of one's own, added and scored",
}


def first_report(page: str) -> tuple[list[str], list[str]]:
    """README's commands to the demo's report, and those that test."""
    said = commands(section(page, START))
    tests = [one for one in said if "pytest" in one]
    return [one for one in said if one not in tests], tests


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
        f"`python -m benchmarks.newcomer`, commit {found['commit']}, {found['cores']} cores. The",
        "commands are those of README.md and docs/extending/method.md. Setting up waits for the network.",
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
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as home:
        taken = walk(Path(home), tests=given.tests)
        found = summary(taken, cores=os.cpu_count() or 1, commit=commit)
        given.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, indent=2) + "\n"
        (given.out / "newcomer.json").write_text(text, encoding="utf-8")
        (given.out / "newcomer.md").write_text(as_page(found), encoding="utf-8")
        print(as_page(found))


if __name__ == "__main__":
    main()
