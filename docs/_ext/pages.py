"""What is done to the text of a page before Sphinx reads it.

`<!-- made here: NAME -->` gives way to text made from the package; links out of `docs/` are mended; and
the pages below the page, as `contents` has them, are led to.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docs._ext import commands, settings, tables
from docs._ext.contents import SHOWN, below, toctree
from docs._ext.links import from_root, mended

MADE: dict[str, Callable[[], str]] = {
    "commands": commands.markdown,
    "presets": tables.presets,
    "settings of methods without labels": settings.unsupervised,
    "settings of methods with labels": settings.supervised,
    "steps": tables.steps,
}
_PLACE = re.compile(r"^<!-- made here: (.+?) -->$", re.MULTILINE)


def setup(app: Any) -> dict[str, Any]:
    """Tell Sphinx of it."""
    app.connect("source-read", _read)
    app.connect("env-get-outdated", _made_pages)
    return {"parallel_read_safe": True}


def filled(text: str) -> str:
    """The text of a page with what is made for it in its places."""
    return _PLACE.sub(lambda place: MADE[place[1]](), text)


def _read(app: Any, page: str, source: list[str]) -> None:
    docs = Path(app.srcdir).resolve()
    root = docs.parent
    if page in SHOWN:
        app.env.note_dependency(root / SHOWN[page])
        source[0] = from_root((root / SHOWN[page]).read_text(encoding="utf-8"), docs=docs.name)
    text = mended(
        filled(source[0]),
        folder=(docs / page).parent,
        docs=docs,
        shown_at={root / file: f"/{name}.md" for name, file in SHOWN.items()},
    )
    source[0] = text + toctree(below(page, app.env.found_docs))


def _made_pages(app: Any, env: Any, *_: Any) -> list[str]:
    """Pages with something made in them are always read: what it is made from is no file of theirs."""
    paths = {page: Path(env.doc2path(page)) for page in env.found_docs}
    return [page for page, path in paths.items() if _PLACE.search(path.read_text(encoding="utf-8"))]
