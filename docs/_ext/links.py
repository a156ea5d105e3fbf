"""Links of a page to files outside `docs/`: a download, or the page that shows that file.

There is no address at which the repository can be looked at, so a folder becomes plain text.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

# What starts first counts: in code there are no links, but there may be code in the words of a link.
_LINK = re.compile(
    r"^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)[`~]*[ \t]*$"
    r"|(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"
    r"|(?P<start>!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\()(?P<to>[^()\s]+)(?P<end>\))",
    re.MULTILINE | re.DOTALL,
)


def links(text: str) -> Iterator[str]:
    """Where the links and images of a Markdown text lead, but for those in its code."""
    return (link["to"] for link in _LINK.finditer(text) if link["to"])


def is_elsewhere(to: str) -> bool:
    """Whether it leads to the network, or to a place in the same page."""
    return to.startswith("#") or re.match(r"[a-z][a-z0-9+.-]+:", to) is not None


def mended(text: str, *, folder: Path, docs: Path, shown_at: Mapping[Path, str]) -> str:
    """A page's Markdown with its links to files outside of `docs` led to where they can be had.

    Args:
        text: Markdown.
        folder: Where its relative links start from.
        docs: Root of the pages.
        shown_at: File outside -> page that shows it, as `/changelog.md`.
    """

    def mend(link: re.Match[str]) -> str:
        to, _, place = link["to"].partition("#")
        path = (folder / to).resolve()
        if path.is_relative_to(docs) or link[0].startswith("!"):
            return link[0]
        if path in shown_at:
            return f"{link['start']}{shown_at[path]}{'#' * bool(place)}{place})"
        words = link["start"].removeprefix("[").removesuffix("](")
        return f"[{words}](<path:{to}>)" if path.is_file() else words

    return _replaced(text, mend)


def from_root(text: str, *, docs: str) -> str:
    """Markdown of a file in the root, with its relative links as they are from the folder `docs`."""

    def move(link: re.Match[str]) -> str:
        inside = link["to"].startswith(f"{docs}/")
        to = link["to"].removeprefix(f"{docs}/") if inside else f"../{link['to']}"
        return f"{link['start']}{to})"

    return _replaced(text, move)


def _replaced(text: str, change: Callable[[re.Match[str]], str]) -> str:
    def replace(link: re.Match[str]) -> str:
        return link[0] if link["to"] is None or is_elsewhere(link["to"]) else change(link)

    return _LINK.sub(replace, text)
