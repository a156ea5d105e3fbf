import errno
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from histvq.claiming import LOCK, TRAINING, UNFINISHED, claim, under_way
from histvq.errors import ConfigError, DataWarning, NotWrittenError


class Trouble(Exception):
    """Whatever goes wrong in a run."""


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()} - {LOCK}


def fail_in(folder: Path, leaving=()) -> None:
    """A run that fails after it has left these files."""
    with suppress(Trouble), under_way(folder):
        for name in leaving:
            (folder / name).touch()
        raise Trouble


@pytest.mark.parametrize("name", ["config.yaml", "metrics.jsonl", "model", "model.json"])
def test_results_are_not_overwritten_unasked(name, tmp_path):
    (tmp_path / name).write_text("somebody's")
    with pytest.raises(
        ConfigError, match="holds results already; choose another folder, or replace"
    ):
        claim(tmp_path, overwrite=False)
    assert claim(tmp_path, overwrite=True) == tmp_path
    (tmp_path / UNFINISHED).touch()  # but those of a run that was stopped are
    assert claim(tmp_path, overwrite=False) == tmp_path


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "r").write_text("")
    with pytest.raises(NotWrittenError, match=r"r cannot be written: .*choose another"):
        claim(tmp_path / "r", overwrite=False)


def test_a_run_says_that_it_is_not_finished_until_it_is(tmp_path):
    with under_way(tmp_path):
        assert names(tmp_path) == {UNFINISHED}
        with under_way(tmp_path):  # within itself
            (tmp_path / TRAINING).touch()
        assert names(tmp_path) == {UNFINISHED, TRAINING}
        (tmp_path / "config.yaml").touch()
    assert names(tmp_path) == {"config.yaml"}


@pytest.mark.parametrize("left", [TRAINING, "model", "config.yaml"])
def test_a_run_that_fails_goes_on_saying_so_where_it_left_something(left, tmp_path):
    fail_in(tmp_path, leaving=[left])
    assert names(tmp_path) == {UNFINISHED, left}
    fail_in(tmp_path)  # again, before it could do anything
    assert names(tmp_path) == {UNFINISHED, left}


@pytest.mark.parametrize("before", [(), ("config.yaml", "metrics.jsonl")])
def test_a_run_that_fails_at_once_leaves_the_folder_as_it_was(before, tmp_path):
    for name in before:
        (tmp_path / name).touch()
    fail_in(tmp_path)
    assert names(tmp_path) == set(before)


ENTER = """
import sys
from contextlib import suppress
from pathlib import Path
from histvq.claiming import under_way

with under_way(Path(sys.argv[1])):
    print("in")
    input()
"""


def test_two_processes_are_never_at_work_in_one_folder(tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", ENTER, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert other.stdout.readline() == b"in\n"
    at_work = "another run is at work there; wait until it is over"
    with pytest.raises(ConfigError, match=at_work), under_way(tmp_path):
        pytest.fail("two at once")
    assert (tmp_path / UNFINISHED).exists()  # the other's
    other.kill()  # however it ends, the folder is free
    other.wait()
    with under_way(tmp_path):
        pass
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError("no")]
)
def test_a_file_system_without_locks_is_said(error, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("histvq.claiming.FileLock.acquire", fail)
    with (
        pytest.warns(DataWarning, match="cannot lock .*see to it that no other run"),
        under_way(tmp_path),
    ):
        (tmp_path / TRAINING).touch()
    assert names(tmp_path) == set()


def test_halves_of_files_that_nobody_writes_any_more_are_swept_away(tmp_path):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True
    )
    (tmp_path / "model").mkdir()
    gone = [f"{way}.histvq-{int(dead.stdout)}-0a1b.part" for way in ("", "model/")]
    kept = [f".histvq-{os.getpid()}-0a1b.part", ".mine.part", "table.csv.part"]
    for name in (*gone, *kept):
        (tmp_path / name).touch()
    with under_way(tmp_path):
        assert not any((tmp_path / name).exists() for name in gone)
        assert all((tmp_path / name).exists() for name in kept)


def test_what_says_unfinished_holds_no_password(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/bin/histvq", "run", "sftp://ada:secret@lab/x", "-o", "r"])
    with under_way(tmp_path):
        assert "histvq run sftp://ada@lab/x -o r" in (tmp_path / UNFINISHED).read_text()
