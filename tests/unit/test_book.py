"""What `python -m benchmarks.book` reads and fills in, on results files made by hand."""

import json
from pathlib import Path

import pytest

from benchmarks.book import tables
from benchmarks.book.__main__ import figures_in_pages, main
from benchmarks.book.filling import filled
from benchmarks.book.keys import Results
from histvq.errors import ConfigError

SCORES = ("mof", "edit", "f1@10", "f1@25", "f1@50", "jsd")
PAGE = """\
# Little study

| row | seeds | MoF | JSD |
| --- | --- | --- | --- |
| **best** | 2 | 93.4 (0.9) | 70.3 (5.0) |
| plain, light | 2 | 39.25 | 85.0 (10.9) |

It took 27.6 s with one worker,
and 16.4 s with two.

## Differences

| row | against | MoF |
| --- | --- | --- |
| best | plain, light | +54.2* |

## Others

| row | against | MoF |
| --- | --- | --- |
| best | plain, light | -1.5 |
"""


def row(name: str, values: list[float], *, each_jsd: float = 80.0, **paper: float) -> dict:
    runs = [{**dict.fromkeys(SCORES, value), "jsd": each_jsd} for value in values]
    return {"name": name, "label": name, "runs": runs, "paper": paper, "settings": {}}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with results and a page of it, figures alone."""
    monkeypatch.setattr("benchmarks.book.__main__.STEPS", (figures_in_pages,))
    place = tmp_path / "benchmarks" / "accuracy" / "results"
    place.mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("Read me.\n")
    rows = [
        row("histvq", [40, 43, 46], mof=48.2),
        row("smq", [46.0, 40.0], each_jsd=75.0),
        row("none", []),
        row("0.5", [10, 30]),
    ]
    table = {"rows": rows, "protocol": {"a constant answer scores": "MoF 27.7"}}
    (place / "table1-hugadb-fast.json").write_text(json.dumps(table))
    rows[0]["paper"] = {"jsd": 89.0}
    (place / "table3-hugadb-fast.json").write_text(json.dumps(table))
    study = [{"name": "best: a b", "runs": [{**dict.fromkeys(SCORES, 7.04), "seconds": 4}]}]
    (place / "ladder.json").write_text(json.dumps(study))
    (place / "little.md").write_text(PAGE)
    (place / "newcomer.json").write_text('{"s": 83.4567, "frames": 1126, "share": 41.46}')
    (place / "times.csv").write_text("what,seconds\nfit,1.25\n")
    (place / "notebook.md").write_text(PAGE)
    return tmp_path


@pytest.fixture
def results(root: Path) -> Results:
    return Results(root / "benchmarks")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("hugadb.histvq.mof", "43.0 (3.0)"),
        ("hugadb.histvq.mof.mean", "43.0"),
        ("hugadb.histvq.mof.sd", "3.0"),
        ("hugadb.histvq.mof.whole", "43"),
        ("hugadb.histvq.mof.n", "3"),
        ("hugadb.histvq.mof.min", "40.0"),
        ("hugadb.histvq.mof.runs", "40.0, 43.0, 46.0"),
        ("hugadb.table3.0.5.mof.max", "30.0"),
        ("hugadb.paper.histvq.mof", "48.2"),
        ("hugadb.paper.histvq.jsd", "89.0"),
        ("hugadb.constant", "27.7"),
        ("(hugadb.histvq.mof - hugadb.paper.histvq.mof)", "-5.2"),
        ("(hugadb.histvq.mof - hugadb.0.5.mof)", "+23.0"),
        ("(hugadb.0.5.mof - hugadb.histvq.mof).unsigned.whole", "23"),
        ("study:ladder/best: a b.edit", "7.0"),
        ("study:ladder/best: a b.seconds.whole", "4"),
        ("page:little > best, 2 > MoF", "93.4 (0.9)"),
        ("page:little > best, 2 > MoF.mean", "93.4"),
        ("page:little > best, 2 > JSD.sd", "5.0"),
        ("page:little > plain, light > MoF", "39.25"),
        ("page:little > Differences > best > MoF", "+54.2*"),
        ("page:little > Differences > row 1 > MoF.unsigned", "54.2"),
        ("page:times > fit > seconds", "1.25"),
        ("said:little > took # s with one worker, and", "27.6"),
        ("json:newcomer > s", "83.5"),
        ("json:newcomer > s.whole", "83"),
        ("json:newcomer > frames", "1,126"),
        ("json:newcomer > share", "41.46"),
        ("json:table1-hugadb-fast > rows > 1 > runs > 0 > mof", "46.0"),
    ],
)
def test_keys_that_were_looked_up_by_hand(results, key, text):
    assert results.figure(key).text == text


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("hugdb.histvq.mof", "no source is called 'hugdb'; did you mean 'hugadb'"),
        ("hugadb.hstvq.mof", "no row of table1 on hugadb is called 'hstvq'; did you mean 'histvq'"),
        ("hugadb.histvq.moff", "no score is called 'moff'; did you mean 'mof'"),
        (
            "hugadb.table9.histvq.mof",
            "no results file .* 'table9-hugadb-fast'; did you mean 'table",
        ),
        ("hugadb.none.mof", "'none' of table1 on hugadb has no runs"),
        ("hugadb.paper.smq.mof", "the paper has no mof for 'smq'"),
        ("hugadb", "write hugadb.ROW.SCORE"),
        ("stude:ladder/x.mof", "no kind of key is called 'stude'; did you mean 'study'"),
        ("study:ladder/best.mof", "no row of ladder.json is called 'best'; did you mean"),
        ("page:little > best > MoF", "3 cells are at best > MoF"),
        ("page:little > bset > MoF", "no row of little.md is called 'bset'; did you mean 'best'"),
        (
            "page:little > best, 2 > Mof",
            "no column of little.md is called 'Mof'; did you mean 'MoF'",
        ),
        ("page:little > Diferences > best > MoF", "did you mean 'Differences'"),
        ("page:notebook > best, 2 > MoF", "no results file .* is called 'notebook'"),
        ("said:little > took # s with two", "says 0 numbers"),
        ("said:little > s with", "put one #"),
        ("page:little > best, 2 > seeds.sd", "no standard deviation"),
        ("(hugadb.histvq.mof)", "a difference is written"),
    ],
)
def test_a_key_that_names_nothing_says_what_may_have_been_meant(results, key, words):
    with pytest.raises(ConfigError, match=words):
        results.figure(key)


def fill(text: str) -> str:
    return filled(
        text, name="page.md", figure=lambda key: f"[{key}]", table=lambda name: f"| {name} |"
    )


def test_only_what_stands_between_markers_changes():
    text = (
        "First <!--=a.b-->?<!--/-->, and <!--=c-->old (0.1)<!--/-->.\n\n"
        "<!--=table t-->\n| old |\n| older |\n<!--/-->\n\n`<!--=x-->1<!--/-->` stays\n"
        "```text\nso <!--=y-->2<!--/--> does this\n```\n| <!--=d-->?<!--/--> | in a cell |\n"
    )
    expected = (
        "First <!--=a.b-->[a.b]<!--/-->, and <!--=c-->[c]<!--/-->.\n\n"
        "<!--=table t-->\n| t |\n<!--/-->\n\n`<!--=x-->1<!--/-->` stays\n"
        "```text\nso <!--=y-->2<!--/--> does this\n```\n| <!--=d-->[d]<!--/--> | in a cell |\n"
    )
    assert fill(text) == expected
    assert fill(expected) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one\ntwo <!--=a-->?\n\n<!--=b", "page.md, line 2: <!--=a--> is not closed"),
        ("so <!--=a-->? and <!--=b-->?<!--/-->", "line 1: <!--=a--> is not closed"),
        ("one\n\nso <!--/-->", "page.md, line 3: <!--/--> closes nothing"),
        ("one\n<!--=a-->?<!--/--> two", "line 2: a: Markdown takes a line that begins"),
        ("- <!--=a-->?<!--/--> two", "line 1: a: Markdown takes a line that begins"),
        ("so <!--=a-->?\n<!--/-->", "on the line of its key"),
        ("so <!--=a\nb-->?<!--/-->", "written on one line"),
        ("so <!--=table a-->\n?\n<!--/-->", "on a line of their own"),
        ("<!--=table a-->?<!--/-->", "on a line of their own"),
    ],
)
def test_misplaced_markers_are_told_by_line(text, words):
    with pytest.raises(ConfigError) as raised:
        fill(text)
    assert words in str(raised.value)


def test_a_page_is_filled_and_a_stale_one_found(root, capsys):
    page = root / "docs" / "page.md"
    page.write_text("We found <!--=hugadb.histvq.mof-->44.5 (1.9)<!--/-->.\n")
    with pytest.raises(SystemExit) as stopped:
        main(["--check"], root=root)
    assert "stale" in str(stopped.value)
    said = capsys.readouterr().out
    assert "docs/page.md" in said
    assert "-We found <!--=hugadb.histvq.mof-->44.5 (1.9)<!--/-->." in said
    assert "+We found <!--=hugadb.histvq.mof-->43.0 (3.0)<!--/-->." in said
    assert "44.5" in page.read_text()  # a check writes nothing
    main([], root=root)
    assert page.read_text() == "We found <!--=hugadb.histvq.mof-->43.0 (3.0)<!--/-->.\n"
    main(["--check"], root=root)


def test_all_unknown_keys_are_told_with_page_and_line(root):
    (root / "docs" / "page.md").write_text("One\nso <!--=hugadb.hist.mof-->?<!--/-->\n")
    (root / "README.md").write_text("So <!--=hugadb.smq.f1-->?<!--/-->.\n")
    with pytest.raises(SystemExit) as stopped:
        main(["--check"], root=root)
    first, second = str(stopped.value).splitlines()
    assert first.startswith("README.md, line 1: hugadb.smq.f1: no score is called 'f1'")
    assert second.startswith("docs/page.md, line 2: hugadb.hist.mof: no row of table1")


def test_a_table_has_the_best_of_each_group_in_bold(results, monkeypatch, tmp_path):
    specs = tmp_path / "tables.toml"
    specs.write_text(
        '[t]\ncorner = "method"\nscores = ["mof", "jsd"]\nbold = true\n'
        'columns = [["paper", "so {hugadb.paper.*.mof}"]]\n'
        'rows = [["ours", "histvq", "{hugadb.histvq.mof}", "{hugadb.histvq.jsd}", ""],'
        '["theirs", "hugadb.smq", "{*.mof}", "{*.jsd}", "x"], [],'
        '["alone", "histvq", "{hugadb.*.mof.mean}", "", "{hugadb.paper.smq.mof}"]]\n'
    )
    monkeypatch.setattr(tables, "SPECS", specs)
    tables._specs.cache_clear()
    try:
        made = tables.table("t", results)
        with pytest.raises(ConfigError, match="no table is called 'tt'; did you mean 't'"):
            tables.table("tt", results)
    finally:
        tables._specs.cache_clear()
    assert made.splitlines() == [
        "| method | MoF | JSD | paper |",
        "| --- | --- | --- | --- |",
        "| ours | **43.0 (3.0)** | 80.0 (0.0) |  |",
        "| theirs | **43.0 (4.2)** | **75.0 (0.0)** | x |",
        "| alone | 43.0 |  |  |",
    ]
