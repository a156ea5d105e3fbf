"""ELAN: one `.eaf` a recording, with a tier of actions and one of subactions.

**Source**: ELAN Annotation Format 3.0, http://www.mpi.nl/tools/elan/EAFv3.0.xsd, and its guide,
"EAF Annotation Format (ELAN 5 and later)" of the Max Planck Institute for Psycholinguistics.

Both tiers are independent, aligned with time by themselves: subactions may cross a border of actions,
or lie where no action is, and neither is possible in a tier that divides another. So either can be
corrected without the other following. Every annotation has its own two time slots, as ELAN writes them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as ET

from histvq.export.parts.export import Export
from histvq.export.parts.media import Media, mime_type, relative
from histvq.export.parts.pieces import Piece, level_names, milliseconds, one_file_each, pieces
from histvq.io.labels.elan import RECORDING, TIERS
from histvq.io.parts.safe_names import plain, quoted
from histvq.recording import Recording
from histvq.segments import Segmentation, segment_name
from histvq.writing import write_bytes

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
# ELAN wants a language with every word of a vocabulary; this one says that none is meant.
LANGUAGE = {
    "LANG_ID": "und",
    "LANG_DEF": "http://cdb.iso.org/lg/CDB-00130975-001",
    "LANG_LABEL": "undetermined (und)",
}
Names = Mapping[str, Mapping[int, str]]  # by level, code -> name


def write_elan(
    folder: str | Path,
    answers: Sequence[Segmentation],
    *,
    recordings: Sequence[Recording] = (),
    media: Media | None = None,
) -> Path:
    """Write one `.eaf` a recording, and `recordings.csv` that says which file is whose.

    The vocabulary of every file holds all names of the run, so that corrections can pick any.

    Units: whole milliseconds, the nearest; up to 1000 frames a second these lead back to the frame.
    """
    folder = Path(folder)
    names = level_names(answers)
    with one_file_each(folder, answers, ".eaf") as files:
        for answer, (file,) in files:
            document = _document(answer, names, (media or {}).get(answer.recording_id, ()), folder)
            ET.indent(document)
            write_bytes(file, ET.tostring(document, encoding="UTF-8", xml_declaration=True))
    return folder


EXPORT = Export(description="ELAN annotation files", place="elan", write=write_elan)


def _document(
    answer: Segmentation, names: Names, media: Sequence[Path], folder: Path
) -> ET.Element:
    """The elements in the order the schema wants."""
    root = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "histvq",
            "DATE": datetime.now().astimezone().isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": SCHEMA,
        },
    )
    ET.SubElement(root, "LICENSE", LICENSE_URL="")
    found = {level: pieces(answer, level) for level in names}
    _add_header(root, answer, media, folder, n_annotations=sum(map(len, found.values())))
    _add_tiers(root, answer, found, names)
    for level in found:
        ET.SubElement(
            root,
            "LINGUISTIC_TYPE",
            LINGUISTIC_TYPE_ID=TIERS[level],
            TIME_ALIGNABLE="true",
            GRAPHIC_REFERENCES="false",
            CONTROLLED_VOCABULARY_REF=TIERS[level],
        )
    ET.SubElement(root, "LANGUAGE", LANGUAGE)
    for level in found:
        _add_vocabulary(root, level, names[level])
    return root


def _add_header(
    root: ET.Element, answer: Segmentation, media: Sequence[Path], folder: Path, n_annotations: int
) -> None:
    header = ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    for path in media:
        way = quote(relative(path, folder))
        ET.SubElement(
            header,
            "MEDIA_DESCRIPTOR",
            MEDIA_URL=path.resolve().as_uri(),
            RELATIVE_MEDIA_URL=way if way.startswith("/") else f"./{way}",
            MIME_TYPE=mime_type(path),
        )
    # ELAN numbers new annotations on from here.
    for name, value in (
        (RECORDING, quoted(answer.recording_id)),
        ("lastUsedAnnotationId", str(n_annotations)),
    ):
        ET.SubElement(header, "PROPERTY", NAME=name).text = value


def _add_tiers(
    root: ET.Element, answer: Segmentation, found: Mapping[str, Sequence[Piece]], names: Names
) -> None:
    order = ET.SubElement(root, "TIME_ORDER")
    at = milliseconds(answer)
    slots: list[tuple[int, str]] = []
    number = 0
    for level, parts in found.items():
        participant = {"PARTICIPANT": plain(answer.person)} if answer.person else {}
        tier = ET.SubElement(
            root,
            "TIER",
            {"TIER_ID": TIERS[level], "LINGUISTIC_TYPE_REF": TIERS[level], **participant},
        )
        for piece in parts:
            number += 1
            ends = {at[piece.start]: f"ts{2 * number - 1}", at[piece.stop]: f"ts{2 * number}"}
            slots += ends.items()
            annotation = ET.SubElement(
                ET.SubElement(tier, "ANNOTATION"),
                "ALIGNABLE_ANNOTATION",
                ANNOTATION_ID=f"a{number}",
                CVE_REF=_entry(level, piece.code),
                TIME_SLOT_REF1=ends[at[piece.start]],
                TIME_SLOT_REF2=ends[at[piece.stop]],
            )
            ET.SubElement(annotation, "ANNOTATION_VALUE").text = names[level][piece.code]
    for time, slot in sorted(slots, key=lambda one: one[0]):
        ET.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(time))


def _add_vocabulary(root: ET.Element, level: str, names: Mapping[int, str]) -> None:
    vocabulary = ET.SubElement(root, "CONTROLLED_VOCABULARY", CV_ID=TIERS[level])
    for code, name in names.items():
        entry = ET.SubElement(vocabulary, "CV_ENTRY_ML", CVE_ID=_entry(level, code))
        word = ET.SubElement(
            entry, "CVE_VALUE", LANG_REF=LANGUAGE["LANG_ID"], DESCRIPTION=segment_name(level, code)
        )
        word.text = name


def _entry(level: str, code: int) -> str:
    return f"{level}-{code}"
