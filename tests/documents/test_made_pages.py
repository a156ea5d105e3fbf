"""The pages that are made from the package say what the package says of itself."""

import re

import pytest
from pydantic import BaseModel, Field
from typer.main import get_command
from typer.testing import CliRunner

from docs._ext import commands, settings, tables
from histvq.cli import app
from histvq.models import ALL_METHODS, make_method
from histvq.presets import load_preset, preset_names

COMMANDS = [path for path, _ in commands.commands("histvq", get_command(app))]


@pytest.fixture(scope="module")
def command_pages():
    """Command -> its section."""
    parts = re.split(r"^## `(.+?)`$", commands.markdown(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("path", COMMANDS)
def test_a_commands_section_has_the_options_of_its_help(path, command_pages):
    words = path.split()[1:]
    told = (
        CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "400", "TERM": "dumb"}).output
    )
    rows = [line for line in told.splitlines() if re.match(r"^\W*(?:-\w, *)?--\w", line)]
    options = {re.search(r"--[a-z][a-z-]*", row)[0] for row in rows} - {"--help"}
    cells = re.findall(r"^\| (.+?) \|", command_pages[path], re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"--[a-z][a-z-]*", cell)} == options


def test_the_commands_of_the_help_are_all_there(command_pages):
    told = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "400", "TERM": "dumb"}).output
    names = set(re.findall(r"^[│|] ([a-z][a-z-]+) ", told, re.MULTILINE))
    assert names == {path.split()[1] for path in command_pages}
    assert "histvq data download" in command_pages


def test_what_a_row_of_a_command_says(command_pages):
    rows = command_pages["histvq choose-k"].splitlines()
    assert "histvq choose-k FILES... [OPTIONS]" in rows
    assert any(
        row.startswith("| `--k-max` `INTEGER` |") and row.endswith("| `20` |") for row in rows
    )
    assert any(row.startswith("| `FILES...` |") and row.endswith("| required |") for row in rows)
    assert any(row.startswith("| `--set` `NAME=VALUE` |") and "repeated" in row for row in rows)


@pytest.mark.parametrize("name", ALL_METHODS)
def test_every_setting_of_a_method_is_explained(name):
    config = type(make_method(name, **needed(name))).Config
    explained = settings.explained(config)
    assert not [setting for setting in config.model_fields if not explained.get(setting)]


@pytest.mark.parametrize("name", ALL_METHODS)
def test_the_table_of_a_method_has_the_defaults_that_it_takes(name):
    method = make_method(name, **needed(name))
    sections = re.split(
        r"^### `(.+?)`$", f"{settings.unsupervised()}\n{settings.supervised()}", flags=re.MULTILINE
    )
    section = sections[sections.index(name) + 1]
    found = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", section, re.MULTILINE))
    expected = {key: f"`{value}`" for key, value in method.get_params().items()}
    assert found == {**expected, **dict.fromkeys(needed(name), "required")}


def needed(name: str) -> dict[str, int]:
    return {"n_actions": 3} if "n_actions" in settings_of(name) else {}


def settings_of(name: str) -> dict[str, object]:
    from histvq.registry import resolve

    return resolve(name, ALL_METHODS, kind="method").Config.model_fields


def test_what_a_setting_may_be_in_words():
    class Config(BaseModel):
        share: float = Field(0.5, ge=0, lt=1)
        count: int | None = Field(None, gt=0)
        flags: tuple[bool, ...] = ()

    assert [settings.values(info) for info in Config.model_fields.values()] == [
        "number, from 0, below 1",
        "whole number or `None`, above 0",
        "list of true, false",
    ]


def test_what_a_settings_class_explains_beside_those_it_builds_on():
    class Base(BaseModel):
        """Base.

        Attributes:
            first: One
                line.
            second: To be said anew.
        """

    class Config(Base):
        """Config.

        Attributes:
            second: Said anew.
        """

    assert settings.explained(Config) == {"first": "One line.", "second": "Said anew."}


def test_every_preset_stands_under_its_method():
    sections = re.split(r"^## `(.+?)`$", tables.presets(), flags=re.MULTILINE)[1:]
    found = {
        (method, preset)
        for method, section in zip(sections[::2], sections[1::2], strict=True)
        for preset in re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)
    }
    assert found == {(load_preset(name).method.name, name) for name in preset_names()}


@pytest.mark.parametrize(
    ("tex", "has"),
    [
        (r"\frac{a}{b}", "<mfrac>"),
        (r"z_1, \dots, z_K", "…"),
        (r"\Big( \sum_t x_t \Big)", "∑"),
        (r"\lambda {\textstyle \sum_k} x_k", "∑"),
    ],
)
def test_equations_become_mathml(tex, has):
    equations = pytest.importorskip("docs._ext.equations")
    made = equations.mathml(tex, as_block=True)
    assert made.startswith("<math ")
    assert has in made


def test_an_equation_with_an_unknown_command_is_refused():
    equations = pytest.importorskip("docs._ext.equations")
    with pytest.raises(equations.MathError, match="nosuch"):
        equations.mathml(r"\nosuch{x}", as_block=False)
