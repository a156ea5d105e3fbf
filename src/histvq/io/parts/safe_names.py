"""Names that files, XML and tables of other programs can hold, made from any text."""

import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from histvq.io.parts.file_names import file_name_fault

_LONGEST = 180  # bytes; the longest name of a file is 255, and endings are to come


def plain(text: str, *, without: str = "") -> str:
    """One line of text without what XML, or a table parted by tabs, cannot hold.

    White space becomes single blanks, characters that cannot be shown become `�`, and those of
    `without` become `_`.
    """
    kept = "".join("_" if c in without else c if _shown(c) else "\ufffd" for c in text)
    return " ".join(kept.split())


def quoted(id: str) -> str:
    """The id so that it comes back exactly from wherever one line of plain letters can stand."""
    return json.dumps(id)


def unquoted(text: str) -> str:
    """The id that `quoted` wrote; the text as it is where that did not."""
    try:
        id = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text
    return id if isinstance(id, str) else text


def distinct(texts: Sequence[str], *, without: str = "") -> list[str]:
    """The texts as `plain` makes them, with a number where two would be the same."""
    names = [plain(text, without=without) or "unnamed" for text in texts]
    taken: set[str] = set()
    made: dict[int, str] = {}
    # Those that stay as they are come first, so that no other takes their place.
    for place in sorted(range(len(texts)), key=lambda place: names[place] != texts[place]):
        made[place] = _free(names[place], taken)
        taken.add(made[place])
    return [made[place] for place in range(len(texts))]


def file_names(ids: Iterable[str]) -> dict[str, str]:
    """For each id a name a file may have on every system, without ending; the id itself if it may.

    No two differ in capitals, or in the way an accent is written, alone.
    """
    made: dict[str, str] = {}
    taken: set[str] = set()
    ids = list(dict.fromkeys(ids))
    for id in sorted(ids, key=lambda id: _as_file(id) != id):
        made[id] = _free(_as_file(id), taken, key=_folded)
        taken.add(_folded(made[id]))
    return {id: made[id] for id in ids}


def _shown(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in ("Cc", "Cs", "Cn")


def _free(name: str, taken: set[str], *, key: Callable[[str], str] = str) -> str:
    number, found = 1, name
    while key(found) in taken:
        number += 1
        found = f"{name} ({number})"
    return found


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _as_file(id: str) -> str:
    name = "".join("_" if file_name_fault(f"a{c}a") or not _shown(c) else c for c in id)
    name = name.encode()[:_LONGEST].decode(errors="ignore").strip(". ") or "_"
    return f"_{name}" if file_name_fault(name) else name
