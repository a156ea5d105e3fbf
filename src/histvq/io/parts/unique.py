"""Ids that are unique over many files."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from histvq.errors import FileFormatError
from histvq.io.parts.reader import Pair


def with_unique_ids(pairs: list[Pair]) -> list[Pair]:
    """Give recordings that share an id another one each, from where their files lie.

    The first of these that tells them apart, and is no other recording's id, is taken:
    `<folder>_<id>` with the nearest folder that differs; the name of the file without its ending;
    `<folder>_<name of the file>`.

    Raises:
        FileFormatError: If none does.
    """
    counts = Counter(recording.id for recording, _ in pairs)
    taken = {id for id, count in counts.items() if count == 1}
    names: dict[int, str] = {}
    for id in (id for id, count in counts.items() if count > 1):
        places = [place for place, (recording, _) in enumerate(pairs) if recording.id == id]
        chosen = _told_apart(id, [pairs[place][0].source for place in places], taken)
        taken |= set(chosen)
        names |= dict(zip(places, chosen, strict=True))
    return [_renamed(pair, names.get(place)) for place, pair in enumerate(pairs)]


def _told_apart(id: str, sources: list[str | None], taken: set[str]) -> list[str]:
    files = [Path(source) for source in sources if source is not None]
    if len(files) == len(sources):
        for names in _candidates(id, files):
            if len(set(names)) == len(names) and not taken & set(names):
                return names
    raise FileFormatError(
        f"recording id {id!r} is held by {' and '.join(map(str, sources[:10]))}: rename one of the "
        "files, or leave one out"
    )


def _candidates(id: str, files: list[Path]) -> Iterator[list[str]]:
    """Ids to try for the recordings of these files, one list after another."""
    stems = [Path(file.name.removesuffix(".xz")).stem for file in files]
    folders = [
        [parent.name for parent in parents]
        for parents in zip(*(file.parents for file in files), strict=False)
    ]
    folders = [names for names in folders if all(names)]
    for names in folders:
        yield [f"{name}_{id}" for name in names]
    yield stems
    for names in folders:
        yield [f"{name}_{stem}" for name, stem in zip(names, stems, strict=True)]


def _renamed(pair: Pair, id: str | None) -> Pair:
    recording, annotation = pair
    if id is None:
        return pair
    return (
        replace(recording, id=id),
        None if annotation is None else replace(annotation, recording_id=id),
    )
