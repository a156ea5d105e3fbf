"""What a page tells a newcomer to do: its fenced blocks, and the commands in them."""

import re
from dataclasses import dataclass

_FENCE = re.compile(
    r"(?:^<!--\s*(?P<remark>not run|file):\s*(?P<said>.*?)\s*-->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of a page; `file` where a remark before it names the file whose content it is."""

    language: str
    text: str
    not_run: bool = False
    file: str | None = None


def section(page: str, heading: str) -> str:
    """What stands below a second-level heading, up to the next one.

    Raises:
        ValueError: If there is no such heading.
    """
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE
    )
    if found is None:
        raise ValueError(f"no heading {heading!r}")
    return found[1]


def blocks(text: str) -> list[Block]:
    """All fenced blocks, in order."""
    return [
        Block(
            language=found["language"],
            text=found["text"],
            not_run=found["remark"] == "not run",
            file=found["said"] if found["remark"] == "file" else None,
        )
        for found in _FENCE.finditer(text)
    ]


def commands(text: str) -> list[str]:
    """The commands of a page's bash blocks, each on one line, without comments."""
    return [line for one in blocks(text) if one.language == "bash" for line in lines_of(one.text)]


def lines_of(bash: str) -> list[str]:
    """Commands of a bash block, each on one line."""
    joined = re.sub(r"\s*\\\n\s*", " ", bash)
    bare = (re.sub(r"(^|\s+)#.*", "", line).strip() for line in joined.splitlines())
    return [line for line in bare if line]
