"""What an ELAN file says, read from beginning to end without building a tree of it.

**Source**: ELAN Annotation Format 3.0, http://www.mpi.nl/tools/elan/EAFv3.0.xsd; and of 2.7, where a
word of a vocabulary is a `CV_ENTRY`.

XML can name other files to be fetched, and entities that grow into each other without end. Both need a
document type declaration, which no ELAN file has: one that has is refused.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from histvq.errors import FileFormatError

MENDED = "open it in ELAN and save it again"
DEPTH = 32  # ELAN's have six


class Aligned(NamedTuple):
    """An annotation with times: the names of its two slots."""

    id: str
    start: str
    stop: str
    value: str


@dataclass
class Tier:
    """A tier and its annotations; `n_references` have no times of their own."""

    name: str
    type: str
    annotations: list[Aligned] = field(default_factory=list)
    n_references: int = 0


@dataclass
class Document:
    """An ELAN file.

    Attributes:
        units: Of time.
        properties: Of the header.
        slots: Time slot -> what it says of the time; None where nothing.
        tiers: In order.
        vocabulary_of: Linguistic type -> its vocabulary.
        words: Vocabulary -> its words; none where it lies in another file.
    """

    units: str = "milliseconds"
    properties: dict[str, str] = field(default_factory=dict)
    slots: dict[str, str | None] = field(default_factory=dict)
    tiers: list[Tier] = field(default_factory=list)
    vocabulary_of: dict[str, str] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)

    def words_of(self, tier: Tier) -> list[str]:
        """What annotations of a tier may say; empty where anything."""
        return self.words.get(self.vocabulary_of.get(tier.type, ""), [])


def read_eaf(path: Path) -> Document:
    """Read an ELAN file.

    Raises:
        FileFormatError: If it is none, or damaged.
    """
    parser = expat.ParserCreate()
    told = _Told(path)
    parser.StartDoctypeDeclHandler = told.doctype
    parser.StartElementHandler = told.start
    parser.EndElementHandler = told.end
    parser.CharacterDataHandler = told.text
    parser.buffer_text = True
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except FileFormatError:
        raise
    except (expat.ExpatError, ValueError, LookupError) as error:
        # The last two stand for encodings that expat cannot have, or nobody knows.
        raise FileFormatError(
            f"{path}, line {parser.CurrentLineNumber}: no whole XML ({error}). It may be cut short: "
            f"{MENDED}"
        ) from error
    except FileNotFoundError as error:
        raise FileFormatError(f"{path}: there is no such file") from error
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error})") from error
    return told.document


class _Told:
    """Takes in a document, element by element."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.document = Document()
        self.depth = 0
        self.pieces: list[str] | None = None  # of the text being collected
        self.attributes: dict[str, str] = {}  # of the last annotation or property begun
        self.vocabulary: list[str] = []

    def doctype(self, *_: object) -> None:
        raise FileFormatError(
            f"{self.path}: declares a document type, which no ELAN file does; for safety such a file is "
            f"not read. To trust it, {MENDED}"
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEPTH:
            raise FileFormatError(f"{self.path}: elements within elements, {DEPTH} deep; {MENDED}")
        if self.depth == 1 and tag != "ANNOTATION_DOCUMENT":
            raise FileFormatError(
                f"{self.path}: begins with <{tag}>; an ELAN file begins with <ANNOTATION_DOCUMENT>"
            )
        if take := getattr(self, f"_{tag.lower()}", None):
            take(attributes)

    def text(self, data: str) -> None:
        if self.pieces is not None:
            self.pieces.append(data)

    def end(self, tag: str) -> None:
        self.depth -= 1
        if tag not in ("ANNOTATION_VALUE", "PROPERTY", "CVE_VALUE", "CV_ENTRY"):
            return
        text = "".join(self.pieces or ()).strip()
        self.pieces = None
        if tag == "PROPERTY":
            self.document.properties[self.attributes.get("NAME", "")] = text
        elif tag != "ANNOTATION_VALUE":
            self.vocabulary.append(text)
        elif "TIME_SLOT_REF1" in self.attributes and self.document.tiers:
            id, start, stop = (
                self.attributes.get(key, "")
                for key in ("ANNOTATION_ID", "TIME_SLOT_REF1", "TIME_SLOT_REF2")
            )
            self.document.tiers[-1].annotations.append(Aligned(id, start, stop, text))

    def _header(self, attributes: dict[str, str]) -> None:
        self.document.units = attributes.get("TIME_UNITS", self.document.units)

    def _property(self, attributes: dict[str, str]) -> None:
        self.attributes, self.pieces = attributes, []

    def _time_slot(self, attributes: dict[str, str]) -> None:
        self.document.slots[attributes.get("TIME_SLOT_ID", "")] = attributes.get("TIME_VALUE")

    def _tier(self, attributes: dict[str, str]) -> None:
        name, kind = attributes.get("TIER_ID", ""), attributes.get("LINGUISTIC_TYPE_REF", "")
        self.document.tiers.append(Tier(name, kind))

    def _alignable_annotation(self, attributes: dict[str, str]) -> None:
        self.attributes = attributes

    def _ref_annotation(self, attributes: dict[str, str]) -> None:
        self.attributes = attributes
        if self.document.tiers:
            self.document.tiers[-1].n_references += 1

    def _annotation_value(self, attributes: dict[str, str]) -> None:
        self.pieces = []

    def _linguistic_type(self, attributes: dict[str, str]) -> None:
        name = attributes.get("LINGUISTIC_TYPE_ID", "")
        self.document.vocabulary_of[name] = attributes.get("CONTROLLED_VOCABULARY_REF", "")

    def _controlled_vocabulary(self, attributes: dict[str, str]) -> None:
        self.vocabulary = self.document.words.setdefault(attributes.get("CV_ID", ""), [])

    def _cve_value(self, attributes: dict[str, str]) -> None:
        self.pieces = []

    def _cv_entry(self, attributes: dict[str, str]) -> None:
        self.pieces = []
