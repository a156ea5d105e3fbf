"""What the project says of itself in several places has to agree."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

import histvq

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_stands_in_one_place_and_the_citation_and_changelog_follow():
    assert "version" not in PROJECT
    assert "version" in PROJECT["dynamic"]
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.?(a|b|rc|dev)\d+)?", histvq.__version__)
    cited = yaml.safe_load(text("CITATION.cff"))
    assert str(cited["version"]) == histvq.__version__
    assert cited["license"] == PROJECT["license"]
    newest = re.search(r"^## (\S+)", text("CHANGELOG.md"), re.M)[1]
    assert newest == histvq.__version__


def test_the_pythons_that_are_named_are_those_that_may_be_installed_on():
    lowest = PROJECT["requires-python"].removeprefix(">=")
    named = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert named[0] == lowest
    assert re.search(rf"Python {re.escape(lowest)}", text("README.md"))


def test_it_says_that_it_is_typed_and_for_every_system():
    assert (ROOT / "src" / "histvq" / "py.typed").is_file()
    assert {"Typing :: Typed", "Operating System :: OS Independent"} <= {*PROJECT["classifiers"]}


def test_every_tested_extra_is_pinned_and_installed_for_the_tests():
    pinned = {
        re.split(r"==", line)[0].lower().replace("_", "-")
        for line in text("constraints.txt").splitlines()
        if "==" in line
    }
    test = PROJECT["optional-dependencies"]["test"]
    wanted = [re.split(r"[>=\[]", line)[0] for line in (*PROJECT["dependencies"], *test)]
    assert [name for name in wanted if name.lower().replace("_", "-") not in pinned] == []


def test_the_package_costs_nothing_until_it_is_used():
    heavy = "{'torch', 'pandas', 'matplotlib', 'sklearn', 'scipy', 'numpy'}"
    code = f"import sys, histvq; dir(histvq); print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert said.stdout.strip() == "[]"
