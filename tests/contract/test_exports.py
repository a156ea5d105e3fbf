"""Every export of the table, and every file that should be in it."""

import csv
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import histvq.export
from histvq.errors import ConfigError
from histvq.export import EXPORTS, Export, export, find_export
from oracles.exported import UNSAFE, answer, recordings_of

every_export = pytest.mark.parametrize("name", EXPORTS)
RUNS = {
    "usual": [
        answer([0, 0, 1, 1, -1], subactions=[0, 1, 2, 2, 3], confidence=[0.5] * 5, person="Ada")
    ],
    "one level": [answer([0, 0, 1])],
    "nothing known": [answer([-1, -1])],
    "one frame": [answer([0])],
    "no frame": [answer([]), answer([0], id="other")],
    "one action": [answer([0] * 50, subactions=[0] * 50)],
    "sixty actions": [answer(np.arange(60).repeat(3), subactions=np.arange(180))],
    "unsafe ids": [answer([0, 1], id=id, person=id) for id in UNSAFE],
    "unsafe names": [answer([*range(len(UNSAFE))], names=dict(enumerate(UNSAFE)))],
}


def test_every_file_of_the_folder_is_in_the_table():
    files = {m.name for m in pkgutil.iter_modules(histvq.export.__path__) if not m.ispkg}
    assert files == {target.split(":")[0].rsplit(".")[-1] for target in EXPORTS.values()}


def test_no_two_write_to_one_place():
    places = [find_export(name).place for name in EXPORTS]
    assert len(set(places)) == len(places)


@every_export
def test_it_is_an_export_that_says_what_it_is(name):
    found = find_export(name)
    assert isinstance(found, Export)
    assert found.description


@every_export
@pytest.mark.parametrize("run", RUNS)
def test_it_writes_any_run_to_its_place(name, run, tmp_path):
    written = export([name], tmp_path, RUNS[run], recordings=recordings_of(RUNS[run]))
    place = tmp_path / find_export(name).place
    assert written == {name: place}
    assert list(tmp_path.iterdir()) == [place]  # nothing half-written beside it
    if place.is_file():
        assert place.stat().st_size
        return
    with (place / "recordings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["recording"] for row in rows} == {a.recording_id for a in RUNS[run]}
    assert {row["file"] for row in rows} | {"recordings.csv"} == {f.name for f in place.iterdir()}
    lower = [row["file"].casefold() for row in rows]
    assert len(set(lower)) == len(lower)


@every_export
def test_what_is_there_is_not_replaced_unasked(name, tmp_path):
    export([name], tmp_path, RUNS["usual"])
    with pytest.raises(ConfigError, match=r"there already.*--overwrite"):
        export([name], tmp_path, RUNS["one level"])
    export([name], tmp_path, RUNS["one level"], overwrite=True)


def test_nothing_is_written_where_one_name_is_wrong(tmp_path):
    with pytest.raises(ConfigError, match="no export is called 'elam'; did you mean 'elan'"):
        export(["csv", "elam"], tmp_path, RUNS["usual"])
    assert not list(tmp_path.iterdir())


def test_nothing_to_export():
    with pytest.raises(ConfigError, match="no answers"):
        export(["csv"], "x", [])


@pytest.mark.parametrize(("name", "package"), [("nwb", "pynwb"), ("parquet", "pyarrow")])
def test_a_missing_package_is_named_with_the_line_that_installs_it(
    name, package, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf'pip install "histvq\[{name}\]"'):
        export([name], tmp_path, RUNS["usual"])


def test_exports_run_without_torch():
    program = (
        "import sys, histvq.export as e; [e.find_export(name) for name in e.EXPORTS]; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
