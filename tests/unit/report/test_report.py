import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from histvq.annotation import Annotation
from histvq.report import write_report
from histvq.segments import Segmentation

BAD = "<script>alert(1)</script>"


class FakeScores:
    matched = {0: f"{BAD} walk"}  # noqa: RUF012

    def __str__(self):
        return f"MoF 48.2 & global matching {BAD}"


class Page(HTMLParser):
    """Tags, addresses and text of a page, as a browser would take them."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.addresses, self.words = [], [], []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def answers():
    rows = {BAD: [0] * 60 + [1] * 40, "b": [0] * 100}
    return [
        Segmentation(recording_id=name, fps=10.0, actions=np.array(row), person=f"{BAD}{name}")
        for name, row in rows.items()
    ]


def test_everything_is_written_and_listed(tmp_path, answers):
    paths = write_report(tmp_path / "report", answers)
    assert set(paths) == {"segments", "frames", "usage", "timelines", "report"}
    assert all(path.exists() for path in paths.values())
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "frames.csv", "report.html", "segments.csv", "timelines", "usage.csv",
    ]  # fmt: skip


def test_the_page_says_it_all_and_what_users_wrote_stays_text(tmp_path, answers):
    names = tuple(FakeScores.matched.values())
    labels = np.zeros(100, dtype=int)
    truth = Annotation(recording_id="b", labels=labels, actions=names, fps=10.0)
    paths = write_report(
        tmp_path, answers, annotations=[truth], scores=FakeScores(), warnings=[f"odd {BAD}"],
        skipped=[("c.bvh", f"no frames {BAD}")], settings={"n_actions": 2, BAD: BAD},
    )  # fmt: skip
    page = Page(paths["report"].read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert f"MoF 48.2 & global matching {BAD}" in page.text
    assert f"odd {BAD}" in page.text
    assert f"c.bvh: no frames {BAD}" in page.text
    assert f"only in recording {BAD}" in page.text
    assert "n_actions 2" in page.text
    assert "2 actions in 2 recordings of 2 people, 0.3 minutes" in page.text


def test_the_page_needs_nothing_from_outside(tmp_path, answers):
    paths = write_report(tmp_path, answers)
    html = paths["report"].read_text(encoding="utf-8")
    addresses = Page(html).addresses
    assert addresses
    assert all(address.startswith("data:image/svg+xml;base64,") for address in addresses)
    assert "http" not in html.replace("http-equiv", "")


def test_a_second_report_replaces_the_first(tmp_path, answers):
    many = [replace(answers[1], recording_id=f"r{k}") for k in range(13)]
    write_report(tmp_path, many)
    paths = write_report(tmp_path, answers[1:])
    assert "r12" not in paths["frames"].read_text(encoding="utf-8")
    assert sorted(path.name for path in paths["timelines"].iterdir()) == [
        "timelines-01.png", "timelines-01.svg",
    ]  # fmt: skip
    assert not list(tmp_path.glob(".*"))


def test_importing_reports_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys, histvq.report; "
        "assert 'matplotlib' not in sys.modules; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_stand_once_in_the_table_of_actions(tmp_path, answers):
    named = [replace(answer, names={0: f"{BAD} walk", 1: "sit"}) for answer in answers]
    page = Page(write_report(tmp_path, named, scores=FakeScores())["report"].read_text("utf-8"))
    assert "script" not in page.tags
    assert "true action" not in page.text
    assert f"{BAD} walk 16.0 s" in page.text
    assert "sit 4.0 s" in page.text
