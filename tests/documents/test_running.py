"""The runner itself: what it takes for a block, and what it makes of one that fails."""

import contextlib
import os
import subprocess
import sys
import time

import pytest

from documents.blocks import blocks_of
from documents.commands import command_lines, fault_of
from documents.processes import running_with
from documents.running import run_page

PAGE = """\
---
kernelspec: python3
---
# A page

```python
from pathlib import Path

value = 3
Path("made.txt").write_text("one")
```

1. Then

   ```bash
   grep one made.txt   # a comment
   echo two >> made.txt
   ```

<!-- not run: needs the internet -->
```bash
exit 7
```

<!-- file: deep/settings.yaml -->
```yaml
a: 1
```

````{note}
```python
assert Path("made.txt").read_text() == "onetwo\\n" and value == 3
assert Path("deep/settings.yaml").read_text() == "a: 1\\n"
```
````

    indented
"""


@pytest.fixture
def page(tmp_path):
    """Writes a page and runs it; gives the failure, if there is one."""

    def run(text, **given):
        place = tmp_path / "page.md"
        place.write_text(text)
        folder = tmp_path / "folder"
        folder.mkdir()
        return run_page(blocks_of(place), folder, **given)

    return run


def test_blocks_with_their_lines_and_remarks(tmp_path):
    (tmp_path / "page.md").write_text(PAGE)
    found = [(b.line, b.language, b.not_run, b.file) for b in blocks_of(tmp_path / "page.md")]
    assert found == [
        (6, "python", None, None),
        (15, "bash", None, None),
        (21, "bash", "needs the internet", None),
        (26, "yaml", None, "deep/settings.yaml"),
        (31, "python", None, None),
        (37, "indented", None, None),
    ]


def test_blocks_run_in_order_in_one_folder_and_one_namespace(page):
    assert page(PAGE) is None


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("bash", "echo early\nfalse\necho late", "early"),
        ("bash", "false | cat", "[1]"),
        ("bash", "echo $NO_SUCH_NAME", "NO_SUCH_NAME: unbound variable"),
        ("python", "x = 1\nassert x == 2, f'x is {x}'", "AssertionError: x is 1"),
        ("python", "x = 1\nassert x == 2", 'page.md", line 7, in <module>\n    assert x == 2'),
        ("python", "raise SystemExit", "ended by itself"),
    ],
)
def test_a_block_that_fails_is_named_and_shown(page, language, text, said):
    failure = page(f"```bash\necho not this\n```\n\n```{language}\n{text}\n```\n")
    assert failure.block.line == 5
    shown = str(failure)
    assert f"page.md:5 ({language})" in shown
    assert text.splitlines()[0] in shown
    assert said in failure.said
    assert "late" not in failure.said
    assert "not this" not in failure.said


def test_what_takes_too_long_is_stopped(page):
    failure = page("```bash\nsleep 1000\n```\n", limit_s=3)
    assert "not done after 3 s" in failure.said


def test_nothing_is_left_running(page, tmp_path):
    """Neither what is in the background nor what has left for a session of its own."""
    assert (
        page("```bash\nsleep 1000 &\nsetsid sleep 1000 &\nenv | grep HISTVQ_PAGE > mark\n```\n")
        is None
    )
    _, _, mark = (tmp_path / "folder" / "mark").read_text().strip().partition("=")
    assert _soon(lambda: not running_with(mark))


def test_nothing_goes_on_when_the_tests_are_killed(tmp_path):
    code = (
        "from pathlib import Path; from documents.blocks import blocks_of\n"
        "from documents.running import run_page\n"
        f"run_page(blocks_of(Path({str(tmp_path / 'page.md')!r})), Path({str(tmp_path)!r}))"
    )
    (tmp_path / "page.md").write_text("```bash\nenv | grep HISTVQ_PAGE > mark\nsleep 1000\n```\n")
    places = os.pathsep.join(sys.path)
    with subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": places}
    ) as tests:
        mark = _soon(lambda: (tmp_path / "mark").read_text().strip().partition("=")[2])
        assert running_with(mark)
        tests.kill()
    assert _soon(lambda: not running_with(mark))


def _soon(look, *, within_s=60):
    """What is found once there is something."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if found := look():
                return found
        time.sleep(0.05)
    raise AssertionError("it does not come")


def test_commands_are_found_however_they_are_started():
    text = (
        "histvq inspect a/ --fps 30 > out.txt 2>&1   # histvq comment\n"
        ".venv/bin/histvq demo && cat x | histvq predict m - --stream\n"
        "A=1 torchrun --nproc-per-node 2 -m histvq fit a \\\n    -k 8\n"
        "cat <<'END' > f\nhistvq nonsense\nEND\n"
        "ls histvq src/histvq\n"
        'python -c "print(1)\nprint(2)"; histvq data list\n'
    )
    assert list(command_lines(text)) == [
        ["inspect", "a/", "--fps", "30"],
        ["demo"],
        ["predict", "m", "-", "--stream"],
        ["fit", "a", "-k", "8"],
        ["data", "list"],
    ]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("run a -k 8 -o b", None),
        ("data list", None),
        ("--help", None),
        ("run --help", None),
        ("rum a -k 8", "there is no command 'rum'"),
        ("data fetch hugadb", "there is no command 'fetch'"),
        ("run a --clusters 8", "No such option"),
        ("run a -k none", "neither a number"),
        ("predict", "Missing argument"),
    ],
)
def test_what_the_command_line_would_say(words, fault):
    found = fault_of(words.split())
    assert found is None if fault is None else fault in found
