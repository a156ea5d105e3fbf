"""Fill the figures of pages in Markdown: markers in, what the results files say out."""

import re
from collections.abc import Callable
from pathlib import Path

from histvq.errors import ConfigError

MARKED = re.compile(r"<!--=(?P<key>(?:(?!-->).)*)-->(?P<value>(?:(?!<!--=).)*?)<!--/-->", re.DOTALL)
_ALONE = re.compile(r"<!--/-->|<!--=.*?-->", re.DOTALL)
_CODE = re.compile(
    r"^ *(?P<fence>`{3,}|~{3,})[^\n]*\n.*?^ *(?P=fence)"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=ticks)(?!`)",
    re.DOTALL | re.MULTILINE,
)


def without_code(text: str) -> str:
    """The text with blanks in place of code, so that every place stays where it is."""
    return _CODE.sub(blank, text)


def blank(found: re.Match[str]) -> str:
    """As many blanks and line ends as the match has."""
    return re.sub(r"[^\n]", " ", found[0])


def filled(
    text: str, *, name: str, figure: Callable[[str], str], table: Callable[[str], str]
) -> str:
    """A page with every marked figure as it should be.

    Args:
        text: The page.
        name: What errors call it.
        figure: Key -> text of the figure.
        table: Name -> Markdown of the table.

    Returns:
        The page; text outside markers is as it was.

    Raises:
        ConfigError: If markers are misplaced, or keys and tables unknown: all of them, line by line.
    """
    visible, parts, at = without_code(text), [], 0
    faults: dict[int, str] = {}
    for mark in MARKED.finditer(visible):
        key = text[slice(*mark.span("key"))].strip()
        try:
            value = _value(text, mark, key, figure, table)
        except ConfigError as error:
            faults[mark.start()] = f"{key}: {error}"
            continue
        parts += [text[at : mark.start("value")], value]
        at = mark.end("value")
    for alone in _ALONE.finditer(MARKED.sub(blank, visible)):
        what = "closes nothing" if alone[0] == "<!--/-->" else "is not closed by <!--/-->"
        faults[alone.start()] = f"{alone[0]} {what}"
    if faults:
        lines = {place: text.count("\n", 0, place) + 1 for place in sorted(faults)}
        raise ConfigError("\n".join(f"{name}, line {n}: {faults[at]}" for at, n in lines.items()))
    return "".join(parts) + text[at:]


def _value(
    text: str,
    mark: re.Match[str],
    key: str,
    figure: Callable[[str], str],
    table: Callable[[str], str],
) -> str:
    """What should stand between two markers."""
    if "\n" in key:
        raise ConfigError("a key is written on one line")
    before = text[text.rfind("\n", 0, mark.start()) + 1 : mark.start()]
    behind = text[mark.end() :].partition("\n")[0]
    old = mark["value"]
    if key.startswith("table "):
        if before or behind.strip() or not (old.startswith("\n") and old.endswith("\n")):
            raise ConfigError("the markers of a table are each on a line of their own")
        return f"\n{table(key.removeprefix('table ').strip())}\n"
    if "\n" in old:
        raise ConfigError("an inline figure is on the line of its key")
    if not before.strip(" >-*+0123456789."):
        raise ConfigError(
            "Markdown takes a line that begins with a marker for HTML: put words before it"
        )
    return figure(key)


def pages_of(root: Path) -> list[Path]:
    """The pages whose figures are filled in: README and all below `docs`."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
