"""What may be set of each method, as Markdown tables, from the settings classes themselves."""

import inspect
import re
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, WrapValidator
from pydantic.fields import FieldInfo

from docs._ext.tables import table
from histvq.methods import METHODS
from histvq.registry import resolve
from histvq.supervised import SUPERVISED

_SORTS = {
    int: "whole number",
    float: "number",
    bool: "true, false",
    str: "text",
    NoneType: "`None`",
}
_BOUNDS = {Gt: ("gt", "above"), Ge: ("ge", "from"), Lt: ("lt", "below"), Le: ("le", "up to")}
_ENTRY = re.compile(r"^    (\w+): (.*(?:\n(?: {8}.*)?$)*)", re.MULTILINE)


def unsupervised() -> str:
    """Settings of the methods that learn without labels."""
    return _sections(METHODS)


def supervised() -> str:
    """Settings of the methods that learn from labels."""
    return _sections(SUPERVISED)


def explained(config: type[BaseModel]) -> dict[str, str]:
    """Setting -> what it means, as the docstrings of its class and of those it builds on say."""
    found: dict[str, str] = {}
    for base in reversed(config.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            attributes = (inspect.getdoc(base) or "").partition("Attributes:")[2]
            found |= {name: " ".join(text.split()) for name, text in _ENTRY.findall(attributes)}
    return found


def values(info: FieldInfo) -> str:
    """What a setting may be, in words."""
    rules = [rule for kept in info.metadata for rule in _unpacked(kept)]
    words = [_in_words(info.annotation), *_bounds(rules)]
    auto = ["or `auto`"] if any(isinstance(rule, WrapValidator) for rule in rules) else []
    return ", ".join(words) + "".join(f" {word}" for word in auto)


def _sections(methods: dict[str, str]) -> str:
    return "\n\n".join(_section(name, resolve(name, methods, kind="method")) for name in methods)


def _section(name: str, method: Any) -> str:
    meaning = explained(method.Config)
    rows = [
        (f"`{setting}`", _default(info), values(info), meaning.get(setting, ""))
        for setting, info in method.Config.model_fields.items()
    ]
    place = f"`{method.__module__}.{method.__qualname__}`"
    first = (inspect.getdoc(method) or "").partition("\n")[0]
    settings = table(("setting", "default", "may be", "what"), rows)
    return f"(settings-{name})=\n\n### `{name}`\n\n{first} In Python: {place}.\n\n{settings}"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    return f"`{value}`"


def _in_words(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inside)
    if origin in (Union, UnionType):
        return " or ".join(_in_words(one) for one in inside)
    if hasattr(annotation, "__metadata__"):
        return ", ".join([_in_words(inside[0]), *_bounds(annotation.__metadata__)])
    if origin is not None:
        return "list of " + " or ".join(_in_words(one) for one in inside if one is not ...)
    return _SORTS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _unpacked(rule: Any) -> Iterator[Any]:
    """The rules that a rule stands for: some are an annotated type, or a list of rules."""
    inside = getattr(rule, "__metadata__", None)
    yield from inside if inside is not None else (rule,)


def _bounds(rules: Any) -> Iterator[str]:
    for rule in rules:
        if type(rule) in _BOUNDS:
            name, word = _BOUNDS[type(rule)]
            yield f"{word} {getattr(rule, name)}"
