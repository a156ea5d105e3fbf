"""Which page leads to which: the one place where the order of the site is written down.

Pages carry no toctree of their own, so that they read well as plain Markdown too.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

# Page -> the pages below it, in order: names, `Title <name>`, or patterns for whatever else is there.
SECTIONS: dict[str, tuple[str, ...]] = {
    "index": (
        "Tutorials <tutorials/index>",
        "How-to <how-to>",
        "What can go wrong <robustness>",
        "Concepts <concepts>",
        "Methods <methods/index>",
        "Results <results/index>",
        "Extending <extending/index>",
        "Reference <reference/index>",
        "Project <project>",
    ),
    "tutorials/index": (
        "tutorials/pose-tracks",
        "tutorials/gait-and-imu",
        "tutorials/ergonomics",
        "tutorials/mocap-and-animation",
        "tutorials/vision-research",
        "tutorials/*",
    ),
    "how-to": (
        "own-files",
        "Tables and arrays <own-files-tables>",
        "choose-k",
        "report",
        "Which clips a card shows <report-clips>",
        "Names, mergers, colours <names>",
        "Clips and figures <clips>",
        "Export <export>",
        "Learn from labels <supervised>",
        "streaming",
        "ONNX <onnx>",
        "beyond-one-machine",
        "datasets",
    ),
    "robustness": ("faq",),
    "concepts": ("notation",),
    "methods/index": (
        "methods/histvq",
        "methods/best",
        "methods/smq",
        "methods/window-kmeans",
        "methods/cte",
        "methods/tot",
        "methods/asot",
        "methods/hvq",
        "methods/*",
    ),
    "results/index": (
        "results/hugadb",
        "results/cmu-exercises",
        "results/precog16",
        "results/*",
        "Accuracy <accuracy>",
        "The ablations <ablations>",
        "Other methods <baselines>",
    ),
    "extending/index": (
        "extending/method",
        "extending/dataset",
        "extending/format",
        "extending/score",
        "extending/export",
        "extending/*",
    ),
    "reference/index": (
        "reference/command-line",
        "reference/presets",
        "reference/histvq",
        "reference/methods",
        "reference/recordings",
        "reference/reading",
        "reference/transforms",
        "reference/datasets",
        "reference/scores",
        "reference/report-and-export",
        "reference/running",
        "reference/*",
    ),
    "project": ("changelog", "contributing", "releasing"),
}

# Page -> file in the root of the repository that it shows.
SHOWN = {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md"}


def below(page: str, pages: Iterable[str]) -> list[str]:
    """Entries of the toctree of one page, each once; patterns stand for the pages that are there."""
    entries: dict[str, str] = {}
    for entry in SECTIONS.get(page, ()):
        names = (
            [name for name in sorted(pages) if fnmatchcase(name, entry)]
            if "*" in entry
            else [entry]
        )
        for name in names:
            if name != page:
                entries.setdefault(name_in(name), name)
    return list(entries.values())


def name_in(entry: str) -> str:
    """The page an entry names, without the title it may give it."""
    return entry.partition("<")[2].removesuffix(">") or entry


def toctree(entries: Iterable[str]) -> str:
    """Markdown of a toctree that is not shown in the page itself."""
    lines = "\n".join(f"/{entry}" if "<" not in entry else _rooted(entry) for entry in entries)
    return f"\n\n:::{{toctree}}\n:hidden:\n\n{lines}\n:::\n" if lines else ""


def _rooted(entry: str) -> str:
    title, _, name = entry.partition("<")
    return f"{title}</{name}"
