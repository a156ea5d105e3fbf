"""Each method has a page; its settings, defaults and places in the code are those of the method."""

import re
import tomllib
from importlib.resources import files

import pytest

import histvq
from documents.named import DOCS, code_in, headings, is_there, places_in, tables, text_of
from histvq.methods import METHODS
from histvq.supervised import SUPERVISED

UNSUPERVISED, NAMES = set(METHODS), [*METHODS, *SUPERVISED]
PAGES = [*NAMES, "best"]
BUILD = [
    "In and out", "How it works", "Decoding", "Settings that matter",
    "What is done otherwise than in the source", "Cost", "Run it", "References",
]  # fmt: skip


def page_of(name: str) -> str:
    return text_of(f"methods/{name}.md")


def fields_of(name: str) -> dict:
    params = {"n_actions": 2} if name in UNSUPERVISED else {}
    return type(histvq.make_method(name, **params).config).model_fields


def settings_of(name: str) -> list[dict[str, str]]:
    (table,) = [t for t in tables(page_of(name)) if "setting" in t[0]]
    return table


def as_written(value: object) -> str:
    """A setting's value as `--set` takes it, in backticks."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{list(value)}`" if isinstance(value, tuple) else f"`{value}`"


def default_of(field) -> str:
    return "required" if field.is_required() else as_written(field.default)


@pytest.mark.parametrize("name", PAGES)
def test_settings_and_defaults_are_those_of_the_method(name):
    fields = fields_of("histvq" if name == "best" else name)
    told = {code_in(row["setting"])[0]: row["default"] for row in settings_of(name)}
    assert len(told) > 7
    unknown = set(told) - set(fields)
    assert not unknown, f"{name}: no such settings: {sorted(unknown)}"
    assert told == {setting: default_of(fields[setting]) for setting in told}


@pytest.mark.parametrize("name", PAGES)
def test_every_setting_says_what_it_does(name):
    silent = [row["setting"] for row in settings_of(name) if not row["what it does"]]
    assert not silent


def test_what_best_sets_is_what_the_preset_says():
    preset = tomllib.loads(files("histvq.presets").joinpath("best.toml").read_text())["method"]
    told = {code_in(row["setting"])[0]: row["best"] for row in settings_of("best")}
    assert told == {setting: as_written(preset[setting]) for setting in told}
    # All that the preset changes is told.
    changed = {
        setting
        for setting, field in fields_of("histvq").items()
        if setting in preset and preset[setting] != field.default
    }
    assert changed <= set(told)


@pytest.mark.parametrize("name", PAGES)
def test_pages_have_the_same_build(name):
    assert [
        heading.replace("the paper", "the source") for heading in headings(page_of(name))
    ] == BUILD


@pytest.mark.parametrize("name", [*PAGES, "index"])
def test_places_in_the_code_are_there(name):
    places = places_in(page_of(name))
    assert [place for place in places if not is_there(place)] == []
    assert places or name in ("index",)


def test_no_method_is_without_a_page_and_a_row():
    linked = set(re.findall(r"\]\(([a-z-]+)\.md\)", (DOCS / "methods/index.md").read_text()))
    assert linked == set(PAGES)
    assert {path.stem for path in (DOCS / "methods").glob("*.md")} == {*PAGES, "index"}


def test_the_table_says_which_methods_need_labels():
    rows = next(t for t in tables(page_of("index")) if "labels?" in t[0])
    told = {re.match(r"\[([a-z-]+)\]", row["method"])[1]: row["labels?"] for row in rows}
    assert told == {n: "**yes**" if n in SUPERVISED else "no" for n in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_presets_named_on_a_page_exist(name):
    """`paper-...` and `...-fast` and `...-hugadb` are presets."""
    known = {path.name.removesuffix(".toml") for path in files("histvq.presets").iterdir()}
    looks = re.compile(r"(paper-|smq-clean-).+|.+-(fast|hugadb)")
    told = [code.removeprefix("--preset ") for code in code_in(page_of(name))]
    named = {code for code in told if looks.fullmatch(code)}
    assert named - known == set()
