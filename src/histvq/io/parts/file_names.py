"""Names of files that every system takes."""

import re
from collections.abc import Iterable

from histvq.errors import FileFormatError

_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[1-9]|lpt[1-9])\s*(?:\..*)?", re.IGNORECASE)


def check_file_names(ids: Iterable[str]) -> None:
    """See that recordings can be written under their ids, one file each, on every system.

    Raises:
        FileFormatError: If not; names all ids that stand in the way, and why.
    """
    faults: list[str] = []
    taken: dict[str, str] = {}
    for id in ids:
        other = taken.setdefault(id.casefold(), id)
        if reason := file_name_fault(id):
            faults.append(f"{id!r} {reason}")
        elif other != id:
            faults.append(f"{id!r} differs from {other!r} in capitals only")
    if faults:
        raise FileFormatError(
            f"recording ids that cannot be names of files: {'; '.join(faults[:10])}"
            f"{f' and {len(faults) - 10} more' if len(faults) > 10 else ''}. Give other ids, as "
            "dataclasses.replace(recording, id='walk_1') does, and the annotation the same"
        )


def file_name_fault(id: str) -> str:
    """Why this is no safe name for a file; empty where it is one."""
    if not id:
        return "is empty"
    if wrong := _NOT_IN_NAMES.search(id):
        return f"holds {wrong.group()!r}"
    if id[0] in ". " or id[-1] in ". ":
        return "begins or ends with a dot or a space"
    if _RESERVED.fullmatch(id):
        return "is a name Windows keeps for devices"
    return ""
