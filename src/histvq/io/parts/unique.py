"""Ids that are unique over many files."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from histvq.errors import FileFormatError
from histvq.io.parts.reader import Pair


def with_unique_ids(pairs: list[Pair]) -> list[Pair]:
    """Give recordings that share an id another one each, as `unique_ids` chooses it.

    Raises:
        FileFormatError: If nothing tells them apart.
    """
    recordings = [recording for recording, _ in pairs]
    names = unique_ids([r.id for r in recordings], [r.source for r in recordings])
    return [_renamed(pair, name) for pair, name in zip(pairs, names, strict=True)]


def unique_ids(ids: Sequence[str], sources: Sequence[str | None]) -> list[str]:
    """Ids of which no two are the same, made from where files lie for those that share one.

    The first of these that tells them apart, and is no other recording's id, is taken:
    `<folder>_<id>` with the nearest folder that differs; the name of the file without its ending;
    `<folder>_<name of the file>`.

    Raises:
        FileFormatError: If none does.
    """
    sharing: dict[str, list[int]] = {}
    for place, id in enumerate(ids):
        sharing.setdefault(id, []).append(place)
    taken = {id for id, places in sharing.items() if len(places) == 1}
    names = list(ids)
    for id, places in sharing.items():
        if len(places) == 1:
            continue
        chosen = _told_apart(id, [sources[place] for place in places], taken)
        taken |= set(chosen)
        for place, name in zip(places, chosen, strict=True):
            names[place] = name
    return names


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


def _renamed(pair: Pair, id: str) -> Pair:
    recording, annotation = pair
    if id == recording.id:
        return pair
    return (
        replace(recording, id=id),
        None if annotation is None else replace(annotation, recording_id=id),
    )
