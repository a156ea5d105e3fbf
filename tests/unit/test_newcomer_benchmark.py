"""What benchmarks/newcomer reads out of pages, and what it writes; nothing is timed here."""

from pathlib import Path

import pytest

from benchmarks.newcomer import __main__ as newcomer
from benchmarks.newcomer import pages
from benchmarks.newcomer.somebody import Newcomer, Step

ROOT = Path(__file__).resolve().parents[2]
PAGE = """# Title

## Start

Words, and `code`.

<!-- not run: run by .ci/run itself -->
```bash
python3 -m venv .venv     # a folder
.venv/bin/tool get '.[dev]' --name "a#b"
```

```text
tool nothing
```

```bash
.venv/bin/tool show \\
    --all   # everything
# a remark

.venv/bin/pytest -m "not slow"
```

### Lower

```bash
tool lower
```

## Start again

```bash
tool later
```
"""


def test_commands_of_a_section_are_read_as_typed():
    assert pages.commands(pages.section(PAGE, "Start")) == [
        "python3 -m venv .venv",
        ".venv/bin/tool get '.[dev]' --name \"a#b\"",
        ".venv/bin/tool show --all",
        '.venv/bin/pytest -m "not slow"',
        "tool lower",
    ]
    assert pages.commands(pages.section(PAGE, "Start again")) == ["tool later"]


def test_commands_that_test_are_kept_apart():
    to_report, to_tests = newcomer.first_report(PAGE)
    assert to_report[-1] == "tool lower"
    assert to_tests == ['.venv/bin/pytest -m "not slow"']


def test_a_heading_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no heading 'Begin'"):
        pages.section(PAGE, "Begin")


def test_remarks_before_blocks_say_what_to_do_with_them():
    page = (
        "<!-- file: pack/mine.py -->\n```python\nx = 1\n```\n\n"
        "<!-- not run: needs a GPU -->\n```bash\ntool\n```\n\n```python\nprint(1)\n```\n"
    )
    written, left, run = pages.blocks(page)
    assert (written.file, written.text, written.not_run) == ("pack/mine.py", "x = 1\n", False)
    assert (left.file, left.not_run) == (None, True)
    assert (run.language, run.file, run.not_run) == ("python", None, False)


def test_readme_has_what_a_newcomer_types():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    to_report, to_tests = newcomer.first_report(readme)
    assert [one.split()[0] for one in to_report] == ["python3", ".venv/bin/pip", ".venv/bin/histvq"]
    assert len(to_tests) == 1
    own = pages.commands(pages.section(readme, newcomer.OWN_DATA))
    assert any(one.startswith("histvq run my_recordings/ ") for one in own)


def test_following_a_page_stops_at_the_first_fault(tmp_path):
    page = (
        "<!-- file: mine.py -->\n```python\nx = 20\n```\n\n```python\nfrom mine import x\n```\n\n"
        "```python\nprint(x + 1)\n```\n\n```bash\ntest -f mine.py\n```\n"
    )
    steps = Newcomer(tmp_path).follows(page, tmp_path)
    assert [one.command for one in steps] == [
        "Python, block 2",
        "Python, block 3",
        "test -f mine.py",
    ]
    with pytest.raises(SystemExit, match="ended with 1: false"):
        list(Newcomer(tmp_path).follows("```bash\nfalse\n```\n", tmp_path))


def test_the_page_adds_up_and_names_every_step():
    steps = [
        Step(command="one", seconds=1.25),
        Step(command="two | three", seconds=2.5),
    ]
    found = newcomer.summary({"report": steps}, cores=2, commit="abc")
    assert found["paths"]["report"]["seconds"] == 3.8
    assert found["paths"]["report"]["commands"] == 2
    page = newcomer.as_page(found)
    assert "2 cores" in page
    assert "| fresh clone to the demo's report | 2 | 4 |" in page
    assert "| `two \\| three` | 2.5 |" in page
