"""How docstrings become pages, where napoleon does not know what ours mean."""

import inspect
import re
from typing import Any

from histvq.segmenter import Estimator

LEARNED = "Learned state"
_AFTER_FIT = re.compile(r"^Attributes, after `fit`.*:$")


def setup(app: Any) -> dict[str, Any]:
    """Tell Sphinx of it; before napoleon, which comes at 500."""
    app.connect("autodoc-process-docstring", _docstring, priority=400)
    app.connect("autodoc-process-signature", _signature)
    return {"parallel_read_safe": True}


def _docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = [_AFTER_FIT.sub(f"{LEARNED}:", line) for line in lines]
    if _is_method(obj) and "Parameters:" in lines:
        start = lines.index("Parameters:")
        lines[start:] = [
            f"Settings: :ref:`the table of {obj.method_name} <settings-{obj.method_name}>`."
        ]


def _signature(
    app: Any,
    what: str,
    name: str,
    obj: Any,
    options: Any,
    signature: str | None,
    returns: str | None,
) -> tuple[str, str | None] | None:
    """Of a method, whose settings fill a table of their own: those only that have no default."""
    if signature is None:
        return None
    if not _is_method(obj):
        # What stands for a default made anew each time is no Python.
        return signature.replace("<factory>", "..."), returns
    needed = [name for name, info in obj.Config.model_fields.items() if info.is_required()]
    return f"(*, {', '.join([*needed, '**settings'])})", returns


def _is_method(obj: Any) -> bool:
    return inspect.isclass(obj) and issubclass(obj, Estimator) and hasattr(obj, "method_name")
