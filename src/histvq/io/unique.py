"""Ids that are unique over many files."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from histvq.errors import FileFormatError
from histvq.io.reader import Pair


def with_unique_ids(pairs: list[Pair]) -> list[Pair]:
    """Recordings that share an id get the name of the nearest folder that tells them apart."""
    counts = Counter(recording.id for recording, _ in pairs)
    named = [pair if counts[pair[0].id] == 1 else _renamed(pair, pairs) for pair in pairs]
    again = Counter(recording.id for recording, _ in named)
    for recording, _ in named:
        if again[recording.id] > 1:
            sources = [str(r.source) for r, _ in named if r.id == recording.id]
            raise FileFormatError(
                f"recording id {recording.id!r} is held by {' and '.join(sources[:10])}: rename "
                "one of the files, or leave one out"
            )
    return named


def _renamed(pair: Pair, pairs: list[Pair]) -> Pair:
    recording, annotation = pair
    if recording.source is None:
        return pair
    rivals = [Path(r.source).parents for r, _ in pairs if r.id == recording.id and r.source]
    mine = Path(recording.source).parents
    for depth in range(min(map(len, rivals))):
        if len({parents[depth].name for parents in rivals}) == len(rivals):
            new = f"{mine[depth].name}_{recording.id}"
            return (
                replace(recording, id=new),
                None if annotation is None else replace(annotation, recording_id=new),
            )
    return pair
