"""Figures of README and docs are read from the results files, none is typed."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from benchmarks.accuracy.pages import SCORES
from benchmarks.book.__main__ import main
from benchmarks.book.filling import MARKED, blank, pages_of, without_code
from benchmarks.book.keys import DATASETS, Results
from benchmarks.book.markdown import tables_of

ROOT = Path(__file__).parents[2]
MADE = ROOT / "docs" / "results"  # whole pages made by `python -m benchmarks.book`
PAGES = [page for page in pages_of(ROOT) if not page.is_relative_to(MADE)]
NO_FIGURES = tomllib.loads(Path(__file__).with_name("no_figures.toml").read_text(encoding="utf-8"))

# What is no prose: comments, addresses, names of papers, versions, formulas.
ELSEWHERE = (
    r"<!--.*?-->",
    r"\]\([^)]*\)|https?://\S+",
    r"arXiv[: ][\d.]+|Python \d\.\d+",
    r"\$\$.*?\$\$|\$[^$\n]+\$",
)
# What looks measured: a mean with its deviation, a number from 1 on with decimals, a share or a size.
# Numbers below 1 are settings nearly always, whole ones without a unit are counts.
LOOKS_MEASURED = re.compile(
    r"(?<![\w.,/@-])(?:"
    r"\d[\d,]*\.\d+ \(\d"
    r"|[1-9][\d,]*\.\d+(?![\d.]|-\w)"
    r"|\d[\d,.]* ?%"
    r"|\d[\d,.]* ?(?:per cent|[KMG]i?B|kB|ms|points?)\b)"
)


def looks_measured(text: str) -> list[str]:
    """Lines of a page with something that looks like a score, a time or a size outside markers."""
    text = MARKED.sub(blank, without_code(text))
    for pattern in ELSEWHERE:
        text = re.sub(pattern, blank, text, flags=re.DOTALL)
    return [
        f"line {text.count(chr(10), 0, found.start()) + 1}: {found[0]!r}"
        for found in LOOKS_MEASURED.finditer(text)
    ]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_no_figure_is_stale(capsys):
    try:
        main(["--check"])
    except SystemExit as stopped:
        pytest.fail(f"{capsys.readouterr().out}\n{stopped}")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_figure_is_typed(page):
    text = page.read_text(encoding="utf-8")
    for words in NO_FIGURES.get(name_of(page), {}):
        text = text.replace(words, re.sub(r"[^\n]", " ", words))
    found = looks_measured(text)
    assert not found, (
        f"{name_of(page)}: mark what was measured (benchmarks/book/README.md), or say in "
        f"tests/documents/no_figures.toml why it is no figure: {'; '.join(found)}"
    )


def test_what_is_said_to_be_no_figure_is_still_there_and_would_be_found():
    for name, words_and_reasons in NO_FIGURES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        for words, reason in words_and_reasons.items():
            assert words in text, f"{name} no longer says {words!r}"
            assert looks_measured(words), f"{name}: {words!r} needs no entry"
            assert len(reason) > 10


@pytest.mark.parametrize(
    "text",
    [
        "72.6 (0.4)",
        "it takes 2.8 s",
        "MoF 41.46",
        "90 % of frames",
        "1,126 MB",
        "0.9 (0.1)",
        "4 ms",
    ],
)
def test_what_looks_measured_is_found_outside_markers_only(text):
    assert looks_measured(f"so {text} it is")
    assert not looks_measured(
        f"so <!--=a.b-->{text}<!--/--> and `{text}` and\n```text\n{text}\n```"
    )
    assert not looks_measured("Python 3.11.7, arXiv:2604.15196, 364 recordings, 0.05, n-1.5-x")


def test_figures_are_those_of_the_tables_beside_the_files():
    """Each as in the page that `histvq reproduce` wrote, but for rounding twice there or here."""
    results, compared = Results(ROOT / "benchmarks"), 0
    called = {dataset: name for name, dataset in DATASETS.items()}
    for file in (ROOT / "benchmarks" / "accuracy" / "results").glob("table*-fast.json"):
        table = json.loads(file.read_text(encoding="utf-8"))
        page = tables_of(file.with_suffix(".md"))[0]
        shown = {cells[0]: cells for cells in page.rows if cells[1] == "ours"}
        for row in filter(lambda row: row["runs"], table["rows"]):
            for score in filter(lambda score: SCORES[score] in page.columns, SCORES):
                cell = shown[row["label"]][page.columns.index(SCORES[score])]
                key = f"{called[table['dataset']]}.{table['table']}.{row['name']}.{score}"
                numbers = re.findall(r"[\d.]+", results.figure(key).text)
                theirs = re.findall(r"[\d.]+", cell)
                assert len(numbers) == len(theirs), key
                for ours, printed in zip(numbers, theirs, strict=True):
                    assert abs(float(ours) - float(printed)) < 0.11, key
                compared += 1
    assert compared > 100
