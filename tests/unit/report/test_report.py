import base64
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from histvq.annotation import Annotation
from histvq.errors import DataWarning, HistvqError
from histvq.recording import Recording
from histvq.report import read_frames, write_report
from histvq.report.naming import Named, Names
from histvq.segments import Segmentation
from oracles.exported import answer

BAD = "<script>alert(1)</script>"


class FakeScores:
    matched = {0: f"{BAD} walk"}  # noqa: RUF012

    def __str__(self):
        return f"MoF 48.2 & global matching {BAD}"


class Page(HTMLParser):
    """Tags, addresses, scripts and text of a page, as a browser would take them."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.addresses, self.words, self.scripts = [], [], [], {}
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag == "script":
            self.scripts[dict(attrs).get("id", "program")] = ""

    def handle_endtag(self, tag):
        self.tags.append(f"/{tag}")

    def handle_data(self, data):
        if self.tags[-1:] == ["script"]:
            self.scripts[list(self.scripts)[-1]] += data
        elif self.tags[-1:] != ["style"]:
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
    assert list(page.scripts) == ["report-data", "program"]
    assert json.loads(page.scripts["report-data"])["recordings"][0]["id"] == BAD
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
    assert all(address.startswith("#") for address in addresses)
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
    assert list(page.scripts) == ["report-data", "program"]
    assert "true action" not in page.text
    assert f"{BAD} walk 16.0 s" in page.text
    assert "sit 4.0 s" in page.text


def test_browsers_run_the_program_and_nothing_else(tmp_path, answers):
    html = write_report(tmp_path, answers)["report"].read_text(encoding="utf-8")
    program = Page(html).scripts["program"]
    digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "default-src 'none'" in html
    assert not re.search("</script|<!--", program, flags=re.IGNORECASE)


def motion(name, n=100, **more):
    skeleton = np.random.default_rng(0).normal(size=(n, 4, 3))
    return Recording(id=name, skeleton=skeleton, fps=10, **more)


def data_of(paths):
    return json.loads(Page(paths["report"].read_text("utf-8")).scripts["report-data"])


def test_motion_is_inside_and_it_is_said_how(tmp_path, answers):
    paths = write_report(tmp_path, answers, recordings=[motion("b"), motion("stranger")])
    page = Page(paths["report"].read_text("utf-8"))
    assert list(page.scripts) == ["report-data", "program", "motion-0"]
    (piece,) = data_of(paths)["pieces"]
    assert (piece["recording"], piece["start"], piece["stride"], piece["frames"]) == (1, 0, 1, 100)
    assert len(base64.b64decode(page.scripts["motion-0"])) == 100 * 4 * 3 * 2
    assert "motion is held at up to 10 frames a second" in page.text


def test_motion_out_of_step_is_left_out_and_said(tmp_path, answers):
    paths = write_report(tmp_path, answers, recordings=[motion("b", n=99)])
    assert data_of(paths)["pieces"] == []
    assert "99 frames of motion, 100 of labels" in Page(paths["report"].read_text("utf-8")).text


def test_the_budget_is_kept_to(tmp_path, answers):
    many = [
        replace(answers[1], recording_id=f"r{k}", actions=np.arange(3000) // 100 % 2)
        for k in range(9)
    ]
    recordings = [motion(answer.recording_id, n=3000) for answer in many]
    path = write_report(tmp_path, many, recordings=recordings, budget_mb=0.8)["report"]
    assert 0.2e6 < path.stat().st_size < 0.8e6
    said = Page(path.read_text("utf-8")).text
    assert "keeps to 0.8 MB" in said
    assert "of 9 recordings, for which there was no room" in said


def test_groups_are_compared_and_found_by(tmp_path, answers):
    import pandas as pd

    groups = pd.DataFrame({"drug": [BAD, "no"]}, index=[BAD, "b"])
    paths = write_report(tmp_path, answers, groups=groups)
    assert "By drug Usage" in Page(paths["report"].read_text("utf-8")).text
    assert [r["extras"] for r in data_of(paths)["recordings"]] == [{"drug": BAD}, {"drug": "no"}]


def test_truth_is_held_against_what_was_found(tmp_path):
    from histvq.evaluation import evaluate

    answer = Segmentation(recording_id="a", fps=10.0, actions=np.repeat([0, 1, 0], 40))
    truth = Annotation(
        recording_id="a", labels=np.repeat([1, 0, 1], 40), actions=("walk", "sit"), fps=10.0
    )
    scores = evaluate([answer], [truth])
    page = Page(
        write_report(tmp_path, [answer], annotations=[truth], scores=scores)["report"].read_text(
            "utf-8"
        )
    )
    assert "Against the truth" in page.text
    assert "outlined the true ones (3), filled those found (3)" in page.text
    assert "a: MoF 100.0" in page.text
    assert "Confusion after matching" in page.text
    assert "canvas" in page.tags


def test_what_a_person_called_and_coloured_stands_in_the_page_and_the_pictures(tmp_path, answers):
    names = Names({0: Named("rest", "#123456"), 1: Named("rest")}, {})
    paths = write_report(tmp_path, answers, names=names)
    (action,) = data_of(paths)["actions"]
    assert (action["name"], action["colour"], action["ink"]) == ("rest", "#123456", "#ffffff")
    assert "#123456" in (paths["timelines"] / "timelines-01.svg").read_text("utf-8")
    assert "1 action in 2 recordings" in Page(paths["report"].read_text("utf-8")).text


def test_a_truth_of_other_recordings_is_no_reason_to_fail(tmp_path, answers):
    stranger = Annotation(recording_id="x", labels=np.zeros(3, int), actions=("go",), fps=10.0)
    page = Page(
        write_report(tmp_path, answers, annotations=[stranger])["report"].read_text("utf-8")
    )
    assert "Against the truth" not in page.text


def test_thousands_of_long_warnings_leave_less_room_for_motion(tmp_path):
    skeleton = np.random.default_rng(0).normal(size=(1000, 20, 3))
    made = [
        (
            Segmentation(recording_id=str(k), fps=10.0, actions=np.arange(1000) // 500),
            Recording(id=str(k), skeleton=skeleton, fps=10.0),
        )
        for k in range(20)
    ]
    answers, recordings = zip(*made, strict=True)
    said = [f"recording {k}: " + "something <odd> " * 20 for k in range(3000)]
    path = write_report(
        tmp_path, answers, recordings=recordings, warnings=said, budget_mb=2.5
    )["report"]  # fmt: skip
    assert 2_000_000 < path.stat().st_size <= 2_500_000


def test_what_cannot_be_drawn_costs_itself(tmp_path, monkeypatch):
    """Labels and tables are there, and the page, which says what is not."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    found = answer([0, 0, 1, 1])
    with pytest.warns(
        DataWarning, match=r"timelines: not drawn \(ModuleNotFoundError: .*matplotlib"
    ):
        paths = write_report(tmp_path, [found])
    assert read_frames(paths["frames"])[0].actions.tolist() == [0, 0, 1, 1]
    assert "not drawn" in paths["report"].read_text(encoding="utf-8")
    assert not [*tmp_path.glob("timelines/*")]


def test_labels_stay_where_the_page_cannot_be_made(tmp_path, monkeypatch):
    write_report(tmp_path, [answer([1, 1, 1, 1])])
    page = (tmp_path / "report.html").read_bytes()
    monkeypatch.setattr("histvq.report.page", lambda *_, **__: 1 / 0)
    words = r"report.html is not written \(ZeroDivisionError: .*; mend that, then histvq report "
    with pytest.raises(HistvqError, match=words):
        write_report(tmp_path, [answer([0, 0, 1, 1])])
    assert read_frames(tmp_path / "frames.csv")[0].actions.tolist() == [0, 0, 1, 1]
    assert (tmp_path / "report.html").read_bytes() == page


def test_an_earlier_report_s_pictures_stay_until_there_are_others(tmp_path, monkeypatch):
    write_report(tmp_path, [answer([0, 1]), answer([0, 1], id="other")])
    before = {file.name: file.read_bytes() for file in (tmp_path / "timelines").iterdir()}
    monkeypatch.setattr("histvq.report.timeline.svg_of", lambda figure: 1 / 0)
    with pytest.warns(DataWarning, match="not drawn"):
        write_report(tmp_path, [answer([1, 1])])
    assert {file.name: file.read_bytes() for file in (tmp_path / "timelines").iterdir()} == before
