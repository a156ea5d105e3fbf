r"""Equations as MathML, which browsers show by themselves: no script, and nothing from the network.

The converter is docutils'. It knows no `\dots`, `\big` or `\textstyle` in the middle of a formula.
"""

import re
from html import escape
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

_SAME = ((r"\\dots\b", r"\\ldots"), (r"\\([bB]igg?)(?![a-zA-Z])", r"\\\1l"), (r"\\textstyle\b", ""))
_LOG = logging.getLogger(__name__)


def setup(app: Any) -> dict[str, Any]:
    """Tell Sphinx of it."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True}


def mathml(tex: str, *, as_block: bool) -> str:
    """MathML of an equation.

    Raises:
        MathError: If something in it is not known.
    """
    for theirs, known in _SAME:
        tex = re.sub(theirs, known, tex)
    return tex2mathml(tex, as_block=as_block)


def _inline(writer: Any, node: nodes.Element) -> None:
    writer.body.append(_or_as_typed(node, as_block=False))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.Element) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    if node["number"]:
        writer.body.append(f'<span class="eqno">({node["number"]})</span>')
    writer.body.append(_or_as_typed(node, as_block=True) + "</div>\n")
    raise nodes.SkipNode


def _or_as_typed(node: nodes.Element, *, as_block: bool) -> str:
    try:
        return mathml(node.astext(), as_block=as_block)
    except MathError as error:
        _LOG.warning("equation %r: %s", node.astext()[:60], error, location=node)
        return f"<code>{escape(node.astext())}</code>"
