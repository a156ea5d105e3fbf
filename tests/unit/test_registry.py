import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from histvq.errors import ConfigError, did_you_mean
from histvq.registry import resolve

TABLE = {"fraction": "fractions:Fraction", "broken": "no_such_module_at_all:thing"}


def test_by_name_and_written_out():
    assert resolve("fraction", TABLE, kind="number") is Fraction
    assert resolve("fractions:Fraction", {}, kind="number") is Fraction


def test_a_near_miss_is_named():
    with pytest.raises(
        ConfigError, match="no number is called 'fractoin'; did you mean 'fraction'"
    ):
        resolve("fractoin", TABLE, kind="number")
    with pytest.raises(ConfigError, match="known are broken, fraction"):
        resolve("zzz", TABLE, kind="number")


@pytest.mark.parametrize(
    "place", ["no_such_module_at_all:thing", "fractions:Fractoin", ":thing", ".fractions:Fraction"]
)
def test_a_written_out_place_that_is_not_there(place):
    with pytest.raises(ConfigError, match=r"cannot be imported: .*package\.module:Name"):
        resolve(place, TABLE, kind="number")


def test_a_fault_of_our_own_table_is_not_blamed_on_the_user():
    with pytest.raises(ModuleNotFoundError):
        resolve("broken", TABLE, kind="number")


def test_did_you_mean():
    assert did_you_mean("fpss", ["fps", "unit"]) == "; did you mean 'fps'?"
    assert did_you_mean("q", ["fps", "unit"]) == "; known are fps, unit"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    for module in ("found_here", "sibling_of_found_here", "wants_more"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return tmp_path


def test_a_module_of_the_current_folder(here):
    (here / "found_here.py").write_text("from sibling_of_found_here import THING\n")
    (here / "sibling_of_found_here.py").write_text("THING = 7\n")
    assert resolve("found_here:THING", {}, kind="number") == 7
    assert sys.path[-1] == str(here)


def test_the_folder_is_left_alone_where_it_has_no_such_module(here):
    with pytest.raises(
        ConfigError, match=f"no module 'found_here' is installed, or lies in {here}"
    ):
        resolve("found_here:THING", {}, kind="number")
    assert str(here) not in sys.path


def test_what_a_module_of_the_current_folder_lacks_is_named(here):
    (here / "wants_more.py").write_text("import no_such_module_at_all\n")
    with pytest.raises(ConfigError, match="No module named 'no_such_module_at_all'"):
        resolve("wants_more:THING", {}, kind="number")


def test_a_name_of_a_table_is_never_looked_for_in_the_current_folder(here):
    (here / "no_such_module_at_all.py").write_text("thing = 7\n")
    with pytest.raises(ModuleNotFoundError):
        resolve("broken", TABLE, kind="number")


def test_no_file_of_the_current_folder_stands_in_for_an_installed_package(tmp_path):
    """In a process of its own, started as installed programs are: without the folder on the path."""
    (tmp_path / "mine.py").write_text("import yaml\nVERSION = yaml.__version__\n")
    (tmp_path / "yaml.py").write_text("__version__ = 'not this one'\n")
    program = (
        "from histvq.registry import resolve; print(resolve('mine:VERSION', {}, kind='version'))"
    )
    places = os.pathsep.join(str(Path(place).resolve()) for place in sys.path if place)
    said = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    import yaml

    assert said.stdout.strip() == yaml.__version__
