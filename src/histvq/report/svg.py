"""Figures as SVG: text stays text, and the same figure gives the same file every time."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What XML cannot hold, though names may.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@contextmanager
def written_as_text() -> Iterator[None]:
    """Draw and save within: text stands in the SVG as it is, and a fixed salt makes its names."""
    import matplotlib

    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "histvq", "text.parse_math": False}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes in the PNG, rightly in the SVG.
        warnings.filterwarnings("ignore", message="Glyph")
        yield


def svg_of(figure: "Figure") -> str:
    """The figure's SVG; a replacement character stands for each that XML cannot hold."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return _NOT_IN_XML.sub("\ufffd", buffer.getvalue())
