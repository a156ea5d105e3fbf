"""Every page can be reached; every relative link leads to a file, and a place in it, that is there."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from docs._ext.contents import SECTIONS, SHOWN, below, name_in
from docs._ext.links import from_root, is_elsewhere, links, mended

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))
TEXTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted(DOCS.rglob("*.md")),
]


def test_every_page_is_led_to_from_one_other_page():
    led_to = Counter(name_in(entry) for page in PAGES for entry in below(page, PAGES))
    assert {page: led_to[page] for page in PAGES if page != "index"} == dict.fromkeys(
        (page for page in PAGES if page != "index"), 1
    )
    reached, waiting = set(), ["index"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        waiting += [name_in(entry) for entry in below(page, PAGES) if name_in(entry) not in reached]
    assert reached == set(PAGES)


def test_every_page_that_is_named_is_there():
    named = {
        name_in(entry) for entries in SECTIONS.values() for entry in entries if "*" not in entry
    }
    assert named | set(SECTIONS) | set(SHOWN) <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_says_itself_what_is_below_it(page):
    assert "{toctree}" not in (DOCS / f"{page}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path):
    broken = [to for to in links(text_of(path)) if not leads_somewhere(path, to)]
    assert not broken, f"{path.name}: {', '.join(broken)}"


def leads_somewhere(path: Path, to: str) -> bool:
    if is_elsewhere(to) and not to.startswith("#"):
        return True
    name, _, place = to.partition("#")
    there = (path.parent / name).resolve() if name else path
    if not there.is_relative_to(ROOT) or not there.exists():
        return False
    return not place or there.suffix != ".md" or place in places(there)


def text_of(path: Path) -> str:
    """What a reader sees: with the parts that are made when the site is built."""
    text = path.read_text(encoding="utf-8")
    if "<!-- made here:" in text:
        from docs._ext.pages import filled

        return filled(text)
    return text


@cache
def places(path: Path) -> set[str]:
    """The places in a Markdown file that a link can name, as GitHub names them."""
    text = re.sub(r"^(`{3,}|~{3,}).*?^\1[`~]*$", "", text_of(path), flags=re.MULTILINE | re.DOTALL)
    found: Counter[str] = Counter()
    names = set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))
    for heading in re.findall(r"^#{1,6} +(.+?)(?: +#+)?$", text, re.MULTILINE):
        name = slug(heading)
        names.add(f"{name}-{found[name]}" if found[name] else name)
        found[name] += 1
    return names


def slug(heading: str) -> str:
    words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def test_places_are_named_as_github_names_them(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# What `inspect` says\n## Edit, F1@50: how far off?\n## Twice\n## Twice\n```text\n# no\n```\n"
    )
    assert places(page) == {"what-inspect-says", "edit-f150-how-far-off", "twice", "twice-1"}


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    readme = ROOT / "README.md"
    assert leads_somewhere(readme, "docs/report.md")
    assert leads_somewhere(readme, "docs/own-files.md#formats")
    assert leads_somewhere(readme, "https://example.org/nothing")
    assert not leads_somewhere(readme, "docs/no-such-page.md")
    assert not leads_somewhere(readme, "docs/own-files.md#no-such-place")
    assert not leads_somewhere(readme, "#no-such-place")
    assert not leads_somewhere(readme, "../elsewhere.md")


TEXT = """See [the report](report.md#keys), ![a picture](../out.png),
[results](../benchmarks/x.md#top), [`study.py`](../benchmarks/study.py),
[the folder](../benchmarks), [Changes](../CHANGELOG.md#0-1) and
[the paper](https://arxiv.org/abs/2604.15196); not `[code](../benchmarks/x.md)`.

```bash
echo "[code](../benchmarks/x.md)"
```

After it [results](../benchmarks/x.md).
"""


def test_links_out_of_the_docs_lead_to_downloads_pages_or_nothing(tmp_path):
    docs = tmp_path / "docs"
    (tmp_path / "benchmarks").mkdir()
    docs.mkdir()
    for name in ("benchmarks/x.md", "benchmarks/study.py", "CHANGELOG.md"):
        (tmp_path / name).touch()
    shown_at = {tmp_path / "CHANGELOG.md": "/changelog.md"}
    assert mended(TEXT, folder=docs, docs=docs, shown_at=shown_at) == (
        """See [the report](report.md#keys), ![a picture](../out.png),
[results](<path:../benchmarks/x.md>), [`study.py`](<path:../benchmarks/study.py>),
the folder, [Changes](/changelog.md#0-1) and
[the paper](https://arxiv.org/abs/2604.15196); not `[code](../benchmarks/x.md)`.

```bash
echo "[code](../benchmarks/x.md)"
```

After it [results](<path:../benchmarks/x.md>).
"""
    )


def test_links_of_a_file_in_the_root_are_moved_into_the_docs():
    text = "[a](docs/a.md#b) [c](benchmarks/c.md) [d](#d) [e](https://e.org) `[f](docs/f.md)`"
    assert from_root(text, docs="docs") == (
        "[a](a.md#b) [c](../benchmarks/c.md) [d](#d) [e](https://e.org) `[f](docs/f.md)`"
    )


def test_links_are_those_a_reader_can_follow():
    assert list(
        links("[a](b.md) `[c](d.md)` ![e](f.png)\n\n~~~text\n[g](h.md)\n~~~\n[i `j`](k.md)")
    ) == [
        "b.md",
        "f.png",
        "k.md",
    ]


def test_entries_come_once_and_in_their_order(monkeypatch):
    monkeypatch.setitem(SECTIONS, "book/index", ("Last year <book/2025>", "book/*", "elsewhere"))
    pages = ["book/2027", "book/index", "book/2026", "book/2025", "elsewhere", "index"]
    found = below("book/index", pages)
    assert found == ["Last year <book/2025>", "book/2026", "book/2027", "elsewhere"]
    assert [name_in(entry) for entry in found] == [
        "book/2025",
        "book/2026",
        "book/2027",
        "elsewhere",
    ]
    assert below("elsewhere", pages) == []
