"""Audacity: label tracks as text, one file a recording and level.

**Source**: Audacity manual, "Importing and Exporting Labels": start and end in seconds and the label,
parted by tabs, one a line.
"""

from collections.abc import Sequence
from pathlib import Path

from histvq.export.parts.export import Export
from histvq.export.parts.media import Media
from histvq.export.parts.pieces import level_names, one_file_each, pieces
from histvq.recording import Recording
from histvq.segments import Segmentation
from histvq.writing import write_text


def write_audacity(
    folder: str | Path,
    answers: Sequence[Segmentation],
    *,
    recordings: Sequence[Recording] = (),
    media: Media | None = None,
) -> Path:
    """Write `<recording>.actions.txt`, and `.subactions.txt` for methods that have them.

    Units: seconds, to a microsecond.
    """
    folder = Path(folder)
    names = level_names(answers)
    endings = [f".{level}s.txt" for level in names]
    with one_file_each(folder, answers, *endings) as each:
        for answer, files in each:
            for (level, called), file in zip(names.items(), files, strict=True):
                lines = [
                    f"{p.start / answer.fps:.6f}\t{p.stop / answer.fps:.6f}\t{called[p.code]}\n"
                    for p in pieces(answer, level)
                ]
                write_text(file, "".join(lines))
    return folder


EXPORT = Export(description="Audacity label tracks", place="audacity", write=write_audacity)
