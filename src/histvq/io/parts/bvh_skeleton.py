"""The skeleton of a BVH file, as its HIERARCHY section gives it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from histvq.errors import FileFormatError
from histvq.io.parts.packed import AGAIN

CHANNELS = ("xposition", "yposition", "zposition", "xrotation", "yrotation", "zrotation")
# Offsets and positions up to here, summed along the longest chain, still fit single precision.
LARGEST = 1e30
MAX_JOINTS = 10_000


@dataclass(frozen=True, kw_only=True)
class Joint:
    """A joint, or the end of a limb.

    Attributes:
        name: `<parent>_end` for the end of a limb, which the file gives no name.
        parent: Place of its parent among the joints, -1 at a root.
        person: Number of the root above it, from 0.
        offset: From its parent, at rest, in the file's unit.
        channels: What a line of motion gives of it, in order, as `zrotation`.
    """

    name: str
    parent: int
    person: int
    offset: tuple[float, ...]
    channels: tuple[str, ...]


@dataclass(kw_only=True)
class _Block:
    """A joint while its lines are being read."""

    place: int
    kind: str
    name: str
    parent: int
    person: int
    line: int
    offset: tuple[float, ...] | None = None
    channels: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of line {self.line}"


def parse_hierarchy(lines: Iterable[str], path: Path, *, end_sites: bool) -> tuple[Joint, ...]:
    """The joints, each after its parent, in the order in which motion gives their channels.

    Args:
        lines: The file from its beginning, as far as the line MOTION.
        path: For messages.
        end_sites: Whether ends of limbs count as joints.

    Raises:
        FileFormatError: If a line is not as it should be, with its number; if a person has two
            joints of one name; if there are more than 10,000.
    """
    blocks: list[_Block] = []
    inside: list[_Block] = []  # those whose braces are open, the outermost first
    awaited: _Block | None = None  # the one whose brace comes next
    for number, words in _statements(lines):
        where, keyword = f"{path}, line {number}", words[0].upper()
        top = inside[-1] if inside else None
        if awaited:
            if keyword != "{":
                raise FileFormatError(f"{where}: {_shown(words)}; expected {{ after {awaited}")
            inside.append(awaited)
            awaited = None
        elif keyword in ("ROOT", "JOINT", "END"):
            awaited = _begun(words, top, blocks, number, where)
            blocks.append(awaited)
        elif keyword == "}" and top:
            if top.offset is None:
                raise FileFormatError(f"{where}: {top} has no OFFSET. {AGAIN}")
            inside.pop()
        elif keyword == "OFFSET" and top and top.offset is None:
            top.offset = _offset(words, where)
        elif keyword == "CHANNELS" and top and top.channels is None and top.kind != "END":
            top.channels = _channels(words, where)
        elif keyword != "HIERARCHY" or blocks:
            place = f"inside {top}" if top else "outside every joint"
            raise FileFormatError(f"{where}: {_shown(words)} has no place {place}. {AGAIN}")
    if awaited or inside or not blocks:
        missing = f"a brace of {awaited or inside[-1]}" if blocks else "ROOT"
        raise FileFormatError(f"{path}: the hierarchy ends without {missing}. {AGAIN}")
    return _joints(blocks, path, end_sites=end_sites)


def _statements(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The words of each line with its number; a brace stands alone, wherever it is written."""
    for number, line in enumerate(lines, start=1):
        for part in re.split(r"([{}])", line):
            if words := part.split():
                yield number, words


def _begun(
    words: list[str], parent: _Block | None, blocks: list[_Block], number: int, where: str
) -> _Block:
    """The joint that a line ROOT, JOINT or End Site opens."""
    kind = words[0].upper()
    if (kind == "ROOT") == (parent is not None) or (parent and parent.kind == "END"):
        place = f"inside {parent}" if parent else "outside every joint"
        raise FileFormatError(f"{where}: {_shown(words)} has no place {place}. {AGAIN}")
    if kind != "END" and len(words) < 2:
        raise FileFormatError(f"{where}: {words[0]} without a name. Give it one")
    if len(blocks) == MAX_JOINTS:
        raise FileFormatError(
            f"{where}: more than {MAX_JOINTS:,} joints, which no skeleton has. Check the file"
        )
    return _Block(
        place=len(blocks),
        kind=kind,
        name=f"{parent.name}_end" if parent and kind == "END" else " ".join(words[1:]),
        parent=parent.place if parent else -1,
        person=(parent or blocks[-1]).person + (parent is None) if blocks else 0,
        line=number,
    )


def _offset(words: list[str], where: str) -> tuple[float, ...]:
    try:
        offset = tuple(float(word) for word in words[1:])
    except ValueError:
        offset = ()
    if len(offset) != 3 or not all(abs(number) <= LARGEST for number in offset):
        raise FileFormatError(f"{where}: {_shown(words)}; expected OFFSET and 3 numbers. {AGAIN}")
    return offset


def _channels(words: list[str], where: str) -> tuple[str, ...]:
    channels = tuple(word.lower() for word in words[2:])
    if words[1:2] != [str(len(channels))]:
        raise FileFormatError(
            f"{where}: {_shown(words)}; expected CHANNELS, how many, and their names. {AGAIN}"
        )
    for channel in channels:
        twice = channel.endswith("position") and channels.count(channel) > 1
        if channel not in CHANNELS or twice:
            raise FileFormatError(
                f"{where}: channel {channel} is {'given twice' if twice else 'not known'}; known "
                f"are {', '.join(CHANNELS)}"
            )
    return channels


def _joints(blocks: list[_Block], path: Path, *, end_sites: bool) -> tuple[Joint, ...]:
    """The joints of these blocks, with or without the ends of limbs, their names checked."""
    kept = [block for block in blocks if end_sites or block.kind != "END"]
    places = {block.place: place for place, block in enumerate(kept)} | {-1: -1}
    lines: dict[tuple[int, str], int] = {}
    for block in kept:
        first = lines.setdefault((block.person, block.name), block.line)
        if first != block.line:
            raise FileFormatError(
                f"{path}, lines {first} and {block.line}: two joints are called {block.name}. "
                "Rename one" + (", or pass end_sites=False" if block.kind == "END" else "")
            )
    return tuple(
        Joint(
            name=block.name,
            parent=places[block.parent],
            person=block.person,
            offset=block.offset or (),
            channels=block.channels or (),
        )
        for block in kept
    )


def _shown(words: list[str]) -> str:
    return repr(" ".join(words)[:60])
