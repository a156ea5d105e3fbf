"""What the tests of the documentation read: pages, their tables, and the names of code in them."""

import importlib
import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
CODE = re.compile(r"`([^`\n]+)`")
# `module.function`, `module.Class.attribute`, `module.function(argument)`, within the package.
PLACE = re.compile(r"[a-z_]\w*(?:\.\w+)+(?:\(\w+\))?")


def text_of(page: str) -> str:
    """A page of the documentation without its fenced blocks, by its path within `docs`."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def headings(text: str) -> list[str]:
    """The second-level headings of a page, in order."""
    return re.findall(r"^## (.+)$", text, flags=re.MULTILINE)


def tables(text: str) -> list[list[dict[str, str]]]:
    """Every table of a page: its rows, by the names of its columns."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in cells_of(row)] for row in block.splitlines())
        found.append([dict(zip(head, row, strict=True)) for row in rows])
    return found


def cells_of(row: str) -> list[str]:
    """The cells of a row of a table."""
    return row.strip().removeprefix("|").removesuffix("|").split("|")


def code_in(text: str) -> list[str]:
    """Everything in backticks, in order."""
    return CODE.findall(text)


def places_in(text: str) -> list[str]:
    """What stands in backticks and looks like a place in the package."""
    return [code for code in code_in(text) if PLACE.fullmatch(code) and _within(code)]


def _within(place: str) -> bool:
    return importlib.util.find_spec(f"histvq.{place.split('.')[0]}") is not None


def is_there(place: str) -> bool:
    """Whether the package has such a module, class, function, attribute or argument."""
    dotted, _, argument = place.removesuffix(")").partition("(")
    found: object = importlib.import_module("histvq")
    for name in dotted.split("."):
        if isinstance(found, ModuleType) and not hasattr(found, name):
            try:
                found = importlib.import_module(f"{found.__name__}.{name}")
            except ModuleNotFoundError:
                return False
        elif name in _annotated(found):
            return not argument  # a field or a buffer: it has no value on the class
        elif (found := getattr(found, name, None)) is None:
            return False
    return not argument or argument in inspect.signature(found).parameters  # type: ignore[arg-type]


def _annotated(found: object) -> set[str]:
    if not isinstance(found, type):
        return set()
    return {name for base in found.__mro__ for name in inspect.get_annotations(base)}
