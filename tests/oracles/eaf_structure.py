"""What the schema of ELAN's files asks of ours, written down anew as plain checks.

**Source**: http://www.mpi.nl/tools/elan/EAFv3.0.xsd (December 2016). The schema has no licence that would
let us keep a copy; `$HISTVQ_EAF_XSD` may name one, which `test_elan` then validates against.
"""

import re
from datetime import datetime
from xml.etree.ElementTree import Element

ORDER = [
    "LICENSE", "HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LOCALE", "LANGUAGE", "CONSTRAINT",
    "CONTROLLED_VOCABULARY", "LEXICON_REF", "REF_LINK_SET", "EXTERNAL_REF",
]  # fmt: skip
# Element -> attributes it must have, attributes it may have, elements it may hold in this order.
ELEMENTS = {
    "ANNOTATION_DOCUMENT": ("DATE AUTHOR VERSION", "FORMAT", ORDER),
    "LICENSE": ("", "LICENSE_URL", []),
    "HEADER": (
        "", "MEDIA_FILE TIME_UNITS", ["MEDIA_DESCRIPTOR", "LINKED_FILE_DESCRIPTOR", "PROPERTY"],
    ),
    "MEDIA_DESCRIPTOR": (
        "MEDIA_URL MIME_TYPE", "RELATIVE_MEDIA_URL TIME_ORIGIN EXTRACTED_FROM", [],
    ),
    "PROPERTY": ("", "NAME", []),
    "TIME_ORDER": ("", "", ["TIME_SLOT"]),
    "TIME_SLOT": ("TIME_SLOT_ID", "TIME_VALUE", []),
    "TIER": (
        "TIER_ID LINGUISTIC_TYPE_REF",
        "PARTICIPANT ANNOTATOR DEFAULT_LOCALE PARENT_REF EXT_REF LANG_REF",
        ["ANNOTATION"],
    ),
    "ANNOTATION": ("", "", ["ALIGNABLE_ANNOTATION"]),
    "ALIGNABLE_ANNOTATION": (
        "ANNOTATION_ID TIME_SLOT_REF1 TIME_SLOT_REF2", "SVG_REF EXT_REF LANG_REF CVE_REF",
        ["ANNOTATION_VALUE"],
    ),
    "ANNOTATION_VALUE": ("", "", []),
    "LINGUISTIC_TYPE": (
        "LINGUISTIC_TYPE_ID",
        "TIME_ALIGNABLE CONSTRAINTS GRAPHIC_REFERENCES CONTROLLED_VOCABULARY_REF EXT_REF LEXICON_REF",
        [],
    ),
    "LANGUAGE": ("LANG_ID", "LANG_DEF LANG_LABEL", []),
    "CONTROLLED_VOCABULARY": ("CV_ID", "EXT_REF", ["DESCRIPTION", "CV_ENTRY_ML"]),
    "CV_ENTRY_ML": ("CVE_ID", "EXT_REF", ["CVE_VALUE"]),
    "CVE_VALUE": ("LANG_REF", "DESCRIPTION", []),
}  # fmt: skip
# An element's attribute, and the element's attribute that it must be one of.
REFERENCES = [
    ("TIER", "LINGUISTIC_TYPE_REF", "LINGUISTIC_TYPE", "LINGUISTIC_TYPE_ID"),
    ("LINGUISTIC_TYPE", "CONTROLLED_VOCABULARY_REF", "CONTROLLED_VOCABULARY", "CV_ID"),
    ("ALIGNABLE_ANNOTATION", "TIME_SLOT_REF1", "TIME_SLOT", "TIME_SLOT_ID"),
    ("ALIGNABLE_ANNOTATION", "TIME_SLOT_REF2", "TIME_SLOT", "TIME_SLOT_ID"),
    ("ALIGNABLE_ANNOTATION", "CVE_REF", "CV_ENTRY_ML", "CVE_ID"),
    ("CVE_VALUE", "LANG_REF", "LANGUAGE", "LANG_ID"),
]
# Of type xsd:ID: names without a colon, that no two elements of a document share.
IDS = [
    ("TIME_SLOT", "TIME_SLOT_ID"),
    ("ALIGNABLE_ANNOTATION", "ANNOTATION_ID"),
    ("LANGUAGE", "LANG_ID"),
]
UNIQUE = [
    ("TIER", "TIER_ID"),
    ("LINGUISTIC_TYPE", "LINGUISTIC_TYPE_ID"),
    ("CONTROLLED_VOCABULARY", "CV_ID"),
]


def faults(root: Element) -> list[str]:
    """Where a document departs from the schema."""
    found = [] if root.tag == "ANNOTATION_DOCUMENT" else [f"root is {root.tag}"]
    for element in root.iter():
        found += _element_faults(element)
    for tag, attribute, other, id in REFERENCES:
        known = {e.get(id) for e in root.iter(other)}
        found += [
            f"{tag} {attribute} {e.get(attribute)!r} leads nowhere"
            for e in root.iter(tag)
            if e.get(attribute) is not None and e.get(attribute) not in known
        ]
    ids = [e.get(attribute) or "" for tag, attribute in IDS for e in root.iter(tag)]
    found += [f"{id!r} is no name" for id in ids if not re.fullmatch(r"[A-Za-z_][\w.-]*", id)]
    for values in [ids, *([e.get(a) for e in root.iter(t)] for t, a in UNIQUE)]:
        found += [f"{v!r} stands twice" for v in set(values) if values.count(v) > 1]
    datetime.fromisoformat(root.get("DATE") or "")
    return found


def _element_faults(element: Element) -> list[str]:
    if element.tag not in ELEMENTS:
        return [f"{element.tag} is not known"]
    must, may, inside = ELEMENTS[element.tag]
    given = {name for name in element.attrib if not name.startswith("{")}
    found = [f"{element.tag} without {name}" for name in set(must.split()) - given]
    found += [f"{element.tag} with {name}" for name in given - {*must.split(), *may.split()}]
    tags = [child.tag for child in element]
    found += [f"{tag} in {element.tag}" for tag in tags if tag not in inside]
    places = [inside.index(tag) for tag in tags if tag in inside]
    if places != sorted(places):
        found.append(f"{element.tag}: out of order: {tags}")
    if element.tag == "TIME_SLOT" and not re.fullmatch(r"\d+", element.get("TIME_VALUE") or "0"):
        found.append(f"time {element.get('TIME_VALUE')!r}")
    return found
