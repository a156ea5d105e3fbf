"""Fill the figures of pages in Markdown: markers in, what the results files say out."""

import re
from collections.abc import Callable
from pathlib import Path

from histvq.errors import ConfigError

OPEN = re.compile(r"<!--=(.*?)-->", re.DOTALL)
CLOSE = "<!--/-->"
_CODE = re.compile(
    r"^ *(?P<fence>`{3,}|~{3,})[^\n]*\n.*?^ *(?P=fence)"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=ticks)(?!`)",
    re.DOTALL | re.MULTILINE,
)


def without_code(text: str) -> str:
    """The text with blanks in place of code, so that every place stays where it is."""
    return _CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


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
    visible, parts, faults, at = without_code(text), [], [], 0

    def line_of(place: int) -> str:
        return f"{name}, line {text.count(chr(10), 0, place) + 1}"

    while opening := OPEN.search(visible, at):
        close = visible.find(CLOSE, opening.end())
        after = OPEN.search(visible, opening.end())
        if stray := _between(visible, at, opening.start()):
            faults.append(f"{line_of(stray)}: {CLOSE} closes nothing")
        if close < 0 or (after and after.start() < close):
            faults.append(f"{line_of(opening.start())}: {opening[0]} is not closed by {CLOSE}")
            parts.append(text[at : opening.end()])
            at = opening.end()
            continue
        key = text[opening.start(1) : opening.end(1)].strip()
        try:
            value = _value(text, opening, close, key, figure, table)
        except ConfigError as error:
            faults.append(f"{line_of(opening.start())}: {key}: {error}")
            value = text[opening.end() : close]
        parts += [text[at : opening.end()], value, CLOSE]
        at = close + len(CLOSE)
    if stray := _between(visible, at, len(visible)):
        faults.append(f"{line_of(stray)}: {CLOSE} closes nothing")
    if faults:
        raise ConfigError("\n".join(faults))
    return "".join(parts) + text[at:]


def _between(text: str, start: int, stop: int) -> int:
    """Place of a closing marker between two places, 0 if there is none."""
    return max(text.find(CLOSE, start, stop), 0)


def _value(
    text: str,
    opening: re.Match[str],
    close: int,
    key: str,
    figure: Callable[[str], str],
    table: Callable[[str], str],
) -> str:
    """What should stand between two markers."""
    if "\n" in key:
        raise ConfigError("a key is written on one line")
    before = text[text.rfind("\n", 0, opening.start()) + 1 : opening.start()]
    old = text[opening.end() : close]
    if key.startswith("table "):
        behind = text[close + len(CLOSE) :].partition("\n")[0]
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
