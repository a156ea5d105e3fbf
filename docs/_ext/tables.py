"""Tables of what comes with the package, as Markdown, from the package itself."""

from collections.abc import Iterable

from histvq.chain import STEPS
from histvq.models import ALL_METHODS
from histvq.presets import load_preset, preset_names


def presets() -> str:
    """A section a method: its presets, for which dataset, and what for."""
    found = {name: load_preset(name) for name in preset_names()}
    parts = []
    for method in ALL_METHODS:
        rows = [
            (f"`{name}`", ", ".join(preset.datasets) or "any", preset.scale, preset.description)
            for name, preset in found.items()
            if preset.method.name == method
        ]
        if rows:
            parts.append(f"## `{method}`\n\n{table(('preset', 'dataset', 'size', 'what'), rows)}")
    return "\n\n".join(parts)


def steps() -> str:
    """The steps of `--transform`."""
    return table(("step", "what"), [(f"`{step.example}`", step.does) for step in STEPS.values()])


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
