"""The pages about adding one's own: they are worked through as written."""

import json
import os
import re
import subprocess
import sys
import tomllib

import pytest

from documents.blocks import ROOT, blocks_of
from documents.running import environment_of
from histvq.datasets.synthetic import load as made_up
from histvq.io.npz import write_npz

DOCS = ROOT / "docs"
# Page -> the plug-in it ends up with, and the file it puts it into.
EXAMPLES = {
    "extending/method": "my_method",
    "extending/dataset": "my_dataset",
    "extending/format": "my_reader",
    "extending/score": "my_score",
    "extending/export": "my_export",
}
LIMIT_S = 600  # of a block, should it hang; the longest takes ten seconds


def blocks(page):
    return blocks_of((DOCS / page).with_suffix(".md"))


def do(command, folder, **more):
    """Run a command in a folder; gives what it said, which is shown where it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**environment_of(folder), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def my_recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world") / "my_recordings"
    folder.mkdir()
    data = made_up(n_people=3, recordings_per_person=2, seconds=40.0)
    for recording, annotation in zip(data.recordings, data.annotations, strict=True):
        write_npz(folder / f"{recording.id}.npz", recording, annotation)
    return folder


@pytest.fixture
def folder(tmp_path, my_recordings):
    (tmp_path / "my_recordings").symlink_to(my_recordings, target_is_directory=True)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", EXAMPLES)
def test_a_page_worked_through(page, folder):
    """Files are written where the page says, commands given, and Python typed into one session."""
    said, typed = [], []
    for block in blocks(page):
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "bash":
            said.append(do(["bash", "-euo", "pipefail", "-c", block.text], folder))
        elif block.language == "python":
            typed.append(block.text)
            said.append(do([sys.executable, "-c", "\n".join(typed)], folder))
    SAID_BY_PAGE[page]("\n".join(said), said[-1], folder)


def _method(said, last, folder):
    table = last.splitlines()
    assert table[0].split() == ["mof", "edit", "f1@10", "f1@25", "f1@50", "jsd"]
    assert [row.split()[0] for row in table[2:4]] == ["window-kmeans", "my_method:SpeedMixture"]
    assert min(float(row.split()[1]) for row in table[2:4]) > 30  # one action for all scores 26
    assert (folder / "runs" / "speeds" / "report.html").is_file()
    labels = [(folder / "runs" / run / "segments.csv").read_bytes() for run in ("speeds", "again")]
    assert labels[0] == labels[1]
    assert "2 passed" in said


def _dataset(said, last, folder):
    assert "3 actions: still, walk, exercise\n6 recordings, 7200 frames\nMoF" in said
    assert "2 passed" in said


def _format(said, last, folder):
    assert "3 passed" in said
    scores = json.loads((folder / "runs" / "logs" / "scores.json").read_text())
    assert scores["actions"] == ["rest", "run", "walk"]
    # What the page says of the folder: it must not say what code runs.
    told = do(["histvq", "report", "runs/logs"], folder)
    assert "is none of those installed, and code that a file names is not run" in " ".join(
        told.split()
    )


def _score(said, last, folder):
    scores = json.loads((folder / "runs" / "first" / "scores.json").read_text())["scores"]
    assert [*scores][-1] == "my_score:mean_over_actions"
    assert len(scores) == 7
    assert f"my_score:mean_over_actions {scores['my_score:mean_over_actions']:.1f}" in said
    assert "2 passed" in said


def _export(said, last, folder):
    assert re.search(r"^1\n00:00:00,000 --> 00:00:\d\d,\d\d\d\naction \d\n\n2\n", said, re.M)
    assert len(list((folder / "runs" / "first" / "export" / "subtitles").glob("*.srt"))) == 6
    assert "2 passed" in said


SAID_BY_PAGE = {
    "extending/method": _method,
    "extending/dataset": _dataset,
    "extending/format": _format,
    "extending/score": _score,
    "extending/export": _export,
}


@pytest.mark.parametrize("page", EXAMPLES)
def test_files_are_named_in_the_comment_and_in_their_first_line(page):
    files = [(block.file, block.text) for block in blocks(page) if block.file]
    name = EXAMPLES[page]
    assert [file for file, _ in files] == [f"{name}.py", f"test_{name}.py"]
    for file, text in files:
        assert text.splitlines()[0] == f"# {file}"
        assert max(map(len, text.splitlines())) <= 88


def test_the_package_of_the_page_is_found_by_every_command(folder):
    """As pip would leave it: the module, and what its metadata say of entry points."""
    found = blocks("extending/format")
    written = {block.file: block.text for block in found if block.file}
    said = next(tomllib.loads(block.text) for block in found if block.language == "toml")
    project = said["project"]
    site = folder / "site"
    about = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir(parents=True)
    for module in said["tool"]["setuptools"]["py-modules"]:
        (site / f"{module}.py").write_text(written[f"{module}.py"], encoding="utf-8")
    head = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (about / "METADATA").write_text(head.format(**project))
    points = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in named.items())
        for group, named in project["entry-points"].items()
    ]
    (about / "entry_points.txt").write_text("\n".join(points))
    (folder / "logs").mkdir()
    lines = "LOGGER\n" + "0 9.8 0 rest\n" * 60
    (folder / "logs" / "ada.logger").write_text(lines)
    path = os.pathsep.join([str(site), environment_of(folder)["PYTHONPATH"]])
    shown = do(["histvq", "inspect", "logs", "--fps", "50"], folder, PYTHONPATH=path)
    assert "logger" in shown
    assert "acc_x" in shown
