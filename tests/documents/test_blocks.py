"""Every block of README.md and docs/ is what it says it is, and runs as it stands."""

import csv
import json
import os
import re
import shlex
import subprocess
import tomllib
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import yaml

from documents.blocks import CONTENTS, LANGUAGES, PAGES, REASONS, ROOT, RUN, blocks_of, name_of
from documents.commands import command_lines, commands, fault_of
from documents.running import run_page
from documents.worlds import make_world

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
# Pages that test_extending.py runs, and looks at what they say.
ELSEWHERE = {
    f"docs/extending/{kind}.md" for kind in ("method", "dataset", "format", "score", "export")
}
RUNNABLE = [
    page
    for page in PAGES
    if name_of(page) not in ELSEWHERE and any(block.is_run for block in blocks_of(page))
]


def _of(*languages):
    return [block for block in BLOCKS if block.language in languages]


def _faults(found):
    return "\n".join(found)


def test_every_block_says_what_it_is():
    faults = [
        f"{block.place}: {block.language or 'no language'}; one of {', '.join(LANGUAGES)}"
        for block in BLOCKS
        if block.language not in LANGUAGES and not block.language.startswith("{code-cell}")
    ]
    assert not faults, _faults(faults)


def test_contents_of_files_can_be_read():
    readers = {
        "toml": tomllib.loads,
        "yaml": yaml.safe_load,
        "json": json.loads,
        "csv": _table,
    }
    assert set(readers) == set(CONTENTS)
    faults = []
    for block in _of(*CONTENTS):
        try:
            readers[block.language](block.text)
        except Exception as error:
            faults.append(f"{block.place}: {error}")
    assert not faults, _faults(faults)


def _table(text):
    """Rows of a table, each as long as its head."""
    widths = {len(row) for row in csv.reader(text.splitlines())}
    if len(widths) != 1:
        raise ValueError(f"rows of {sorted(widths)} cells")


def test_only_what_cannot_be_run_is_not_run():
    faults = [
        f"{block.place}: {block.not_run!r}; one of {', '.join(REASONS)}"
        for block in BLOCKS
        if block.not_run is not None and (block.not_run not in REASONS or block.language not in RUN)
    ]
    assert not faults, _faults(faults)
    remarks = sum(len(re.findall(r"<!--\s*not run", page.read_text())) for page in PAGES)
    taken = sum(block.not_run is not None for block in BLOCKS)
    assert remarks == taken, "a remark `not run` must stand on the line before its block"


def test_what_is_not_run_is_bash_or_python_all_the_same():
    faults = []
    for block in _of("bash"):
        checked = subprocess.run(
            ["bash", "-n"], input=block.text, capture_output=True, text=True, timeout=60
        )
        if checked.returncode:
            faults.append(f"{block.place}: {checked.stderr.strip()}")
    for block in _of("python"):
        try:
            compile(block.text, block.place, "exec")
        except SyntaxError as error:
            faults.append(f"{block.place}: {error}")
    assert not faults, _faults(faults)


def test_the_command_line_knows_every_command():
    lines = [
        (block, words)
        for block in _of("bash", "text")
        for words in command_lines(block.text if block.language == "bash" else _typed(block.text))
    ]
    assert len(lines) > 30
    faults = [
        f"{block.place}: histvq {shlex.join(words)}: {fault}"
        for block, words in lines
        if (fault := fault_of(words)) is not None
    ]
    assert not faults, _faults(faults)


def _typed(text):
    """The commands among the lines of a block of text."""
    found = re.findall(r"^\s*\$?\s*(histvq .*)", text, flags=re.MULTILINE)
    return "\n".join(found)


def test_commands_named_in_prose_are_there():
    faults = []
    for page in PAGES:
        prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        for span in re.findall(r"`(histvq [^`]+)`", prose):
            for words in command_lines(span.replace("\n", " ").replace("...", "")):
                if (fault := fault_of(words, whole=False)) is not None:
                    faults.append(f"{name_of(page)}: {span}: {fault}")
    assert not faults, _faults(faults)


def test_scripts_of_ours_are_there_and_have_these_flags():
    faults = []
    lines = [(block, words) for block in _of("bash") for words in commands(block.text)]
    for block, words in lines:
        if words[:1] != ["python"] or not words[1].startswith("benchmarks/"):
            continue
        script = ROOT / words[1]
        sources = [place.read_text() for place in script.parent.glob("*.py")]
        if not script.is_file():
            faults.append(f"{block.place}: there is no {words[1]}")
        faults += [
            f"{block.place}: {words[1]} has no {flag}"
            for flag in words[2:]
            if flag.startswith("-") and not any(f'"{flag}"' in source for source in sources)
        ]
    assert not faults, _faults(faults)


def test_extras_named_are_there():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    faults = [
        f"{name_of(page)}: histvq[{names}]"
        for page in PAGES
        for names in re.findall(r"histvq\[([\w,]+)\]", page.read_text())
        if not set(names.split(",")) <= set(project["optional-dependencies"])
    ]
    assert not faults, _faults(faults)


def test_set_up_and_tests_are_those_of_ci():
    """Word for word, but for what keeps the log of CI short."""
    done = {line.strip() for line in _without_quiet((ROOT / ".ci" / "run").read_text())}
    said = [
        line.partition("  #")[0].rstrip()
        for block in blocks_of(ROOT / "README.md")
        if block.not_run == "run by .ci/run itself"
        for line in _without_quiet(block.text)
        if line.strip()
    ]
    assert {line.split()[0] for line in said} >= {"python3", ".venv/bin/pip", ".venv/bin/pytest"}
    assert not [line for line in said if line not in done]


def _without_quiet(text):
    return text.replace(" --quiet", "").splitlines()


@pytest.fixture(scope="module")
def outcomes(request, tmp_path_factory):
    """Page -> what will come of its blocks; as many pages are run at a time as there are cores."""
    tests = [item for item in request.session.items if item.originalname == _EVERY_PAGE]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = {}
        for page in (test.callspec.params["page"] for test in tests):
            folder = tmp_path_factory.mktemp(page.stem)
            try:
                make_world(page, folder)
                found[page] = pool.submit(run_page, blocks_of(page), folder)
            except Exception as error:
                found[page] = Future()
                found[page].set_exception(error)
        yield found
        pool.shutdown(cancel_futures=True)


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_every_block_runs(page, outcomes):
    failure = outcomes[page].result()
    assert failure is None, f"\n{failure}"


_EVERY_PAGE = test_every_block_runs.__name__
