"""What there is at paths and addresses, by names alone."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from histvq.errors import FileFormatError
from histvq.io.parts.finding import Entry, Place, Readers, places
from histvq.remote import Address, is_remote, listed

# An ending that so few files of a folder have is that of files they share, as a skeleton.
FEW = 8
# Of these every file of a folder is a frame.
FRAMES = "_keypoints.json"


def all_places(
    files: Iterable[str | Path], readers: Readers, *, format: str | None
) -> Iterator[Place]:
    """What is at each of these; nothing is opened.

    A folder at an address is not asked whether it is a recording as a whole.
    """
    for file in files:
        if is_remote(file):
            yield _at(Address(file), format)
        else:
            yield from places(file, readers, format=format)


def _at(address: Address, format: str | None) -> Place:
    try:
        found = sorted(listed(str(address)), key=lambda one: one.split("/"))
    except (FileFormatError, OSError) as error:
        return Place(address, (), faults={address: str(error)})
    along = _along(found)
    if found == [str(address)]:
        around = _along(_siblings(str(address)))
        return Place(address, (Entry(found[0], named=True, along=around.get(found[0], ())),))
    entries = tuple(Entry(one, insisted=format, along=along[one]) for one in found)
    return Place(address, entries, is_folder=True)


def _siblings(address: str) -> list[str]:
    try:
        return listed(address.rpartition("/")[0])
    except (FileFormatError, OSError):
        return [address]


def _along(files: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What is brought along with each file, for its reader may need it: see `_wanted_with`."""
    folders: dict[str, list[str]] = defaultdict(list)
    for file in files:
        folders[file.rpartition("/")[0]].append(file)
    found: dict[str, tuple[str, ...]] = {}
    for folder, inside in folders.items():
        endings = Counter(PurePosixPath(file).suffix for file in inside)
        common = [file for file in inside if endings[PurePosixPath(file).suffix] <= FEW]
        alike: dict[str, list[str]] = defaultdict(list)
        for file in inside:
            alike[_begin(file)].append(file)
        labels = _labels_of(folder, folders)
        for file in inside:
            with_it = [*alike[_begin(file)], *common, *labels.get(_begin(file), ())]
            found[file] = tuple(one for one in dict.fromkeys(with_it) if one != file)
    return found


def _begin(file: str) -> str:
    """What the names of a recording and its labels have in common; of OpenPose, of all its frames."""
    name = file.rpartition("/")[2]
    if name.endswith(FRAMES):
        return name.removesuffix(FRAMES).rstrip("0123456789")
    return name.partition(".")[0].removesuffix("_labels")


def _labels_of(folder: str, folders: dict[str, list[str]]) -> dict[str, list[str]]:
    """Of the layout with `features`, `groundTruth` and `mapping`: what lies beside."""
    root, _, name = folder.rpartition("/")
    if name != "features":
        return {}
    labels: dict[str, list[str]] = defaultdict(list)
    mapping = folders.get(f"{root}/mapping", [])
    for file in folders.get(f"{root}/groundTruth", []):
        labels[_begin(file)] += [file, *mapping]
    return labels
