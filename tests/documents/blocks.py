"""The code blocks of a Markdown page, and what its comments say of them.

A comment on the line before a block may say why it is not run, or which file it is the content of:

    <!-- not run: needs a cluster -->
    <!-- file: groups.csv -->
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

RUN = ("bash", "python")
CONTENTS = ("toml", "yaml", "json", "csv")
LANGUAGES = (*RUN, *CONTENTS, "text")
REASONS = (
    "needs the internet",
    "needs a cluster",
    "needs a GPU",
    "needs other people's software",
    "needs published weights",
    "needs a benchmark's files",
    "run by .ci/run itself",
)

_REMARK = re.compile(r"<!--\s*(not run|file):\s*(.*?)\s*-->\s*$")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block.

    Attributes:
        page: Where it stands.
        line: Line of its opening fence, from 1.
        language: What follows the fence, as `bash` or `{code-cell} ipython3`; "" if nothing does,
            "indented" for a block without a fence.
        text: What is in it.
        not_run: The reason a comment gives for not running it.
        file: The file a comment says it is the content of.
    """

    page: Path
    line: int
    language: str
    text: str
    not_run: str | None = None
    file: str | None = None

    @property
    def place(self) -> str:
        """Page and line, as editors jump to."""
        return f"{name_of(self.page)}:{self.line}"

    @property
    def is_run(self) -> bool:
        """Whether it is run, or written to its file."""
        return self.not_run is None and (self.language in RUN or self.file is not None)


def name_of(page: Path) -> str:
    """A page's path within the repository, or as it is."""
    return page.relative_to(ROOT).as_posix() if page.is_relative_to(ROOT) else str(page)


def blocks_of(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    text = re.sub(r"\A---\n.*?\n---\n", _blanked, page.read_text(), flags=re.DOTALL)
    return list(_blocks(text, page=page, first_line=1))


def _blanked(front_matter: re.Match) -> str:
    """As many empty lines."""
    return "\n" * front_matter[0].count("\n")


def _blocks(text: str, *, page: Path, first_line: int) -> Iterator[Block]:
    lines = text.splitlines()
    for token in MarkdownIt("commonmark").parse(text):
        if token.type not in ("fence", "code_block"):
            continue
        language = token.info.strip() if token.type == "fence" else "indented"
        line = first_line + token.map[0]
        if language.startswith("{") and not language.startswith("{code"):
            yield from _blocks(token.content, page=page, first_line=line + 1)  # as {note}
            continue
        remarks = _remarks(token, lines)
        yield Block(
            page=page,
            line=line,
            language=language,
            text=token.content,
            not_run=remarks.get("not run"),
            file=remarks.get("file"),
        )


def _remarks(token: Token, lines: list[str]) -> dict[str, str]:
    """What the comment on the line before says, if there is one."""
    before = lines[token.map[0] - 1] if token.map[0] else ""
    found = _REMARK.search(before)
    return {found[1]: found[2]} if found else {}
