"""How the pages are built: `sphinx-build -W --keep-going -b html docs build/docs`."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

from docs._ext.docstrings import LEARNED
from histvq import __version__

project = "histvq"
author = "The histvq developers"
copyright = "the histvq developers"
version = release = __version__
language = "en"
smartquotes_action = "D"  # dashes alone

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "docs._ext.docstrings",
    "docs._ext.equations",
    "docs._ext.pages",
]
exclude_patterns = ["_ext", "_static", "images", "**/.*"]

# Markdown: what GitHub shows as well, and equations.
myst_enable_extensions = [
    "amsmath",
    "attrs_inline",
    "colon_fence",
    "deflist",
    "dollarmath",
    "fieldlist",
]
myst_heading_anchors = 4
myst_dmath_double_inline = True

# Tutorials are run while the pages are built, with the commands of this Python: one that fails stops
# the build.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
nb_execution_mode = "force"
nb_execution_in_temp = True  # each in an empty folder of its own
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True

# Docstrings: Google style, names in single backticks.
default_role = "py:obj"
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style"), (LEARNED, "params_style")]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True}
python_maximum_signature_line_length = 88
python_trailing_comma_in_multi_line_signatures = False
add_module_names = False
toc_object_entries_show_parents = "hide"

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "histvq"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": f"histvq {version}"},
    "header_links_before_dropdown": 9,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": []}


def setup(app: Sphinx) -> None:
    """Tables as files have them: no colours, and no warning."""
    app.add_lexer("csv", TextLexer)
