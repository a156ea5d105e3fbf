"""One HTML file that opens anywhere: no network, no script, pictures inside."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from histvq.report.palette import Look
from histvq.segments import Segmentation, names_of

if TYPE_CHECKING:
    import pandas as pd

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 72rem;
  margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
.lead { color: #555; margin-top: .2rem; }
table { border-collapse: collapse; font-size: .92rem; }
th, td { padding: .3rem .8rem .3rem 0; text-align: right; border-bottom: 1px solid #e4e4e4; }
th:first-child, td:first-child, td.text,
  .matched th:nth-child(2), .matched td:nth-child(2), .usage td:last-child { text-align: left; }
thead th { border-bottom: 2px solid #999; vertical-align: bottom; }
.chip { display: inline-block; width: .9em; height: .9em; border-radius: 2px; margin-right: .5em;
  vertical-align: -.08em; }
.warning { background: #fff4d6; border-left: 4px solid #e69f00; padding: .5rem .9rem; }
pre { background: #f5f5f5; padding: .8rem 1rem; overflow-x: auto; font-size: .88rem; }
img { width: 100%; height: auto; display: block; margin-bottom: 1rem; }
"""


def page(
    answers: Sequence[Segmentation],
    usage: "pd.DataFrame",
    *,
    looks: Mapping[int, Look],
    pictures: Sequence[Path],
    scores: object | None,
    warnings: Iterable[object],
    skipped: Iterable[object],
    settings: Mapping[str, object] | None,
) -> str:
    """The report as HTML. Whatever comes from users or files is escaped.

    Args:
        answers: What was found.
        usage: Its `usage_table`.
        looks: How each action is drawn in the pictures.
        pictures: SVG files to put in.
        scores: Printed as `str` gives it; its `protocol`, if it has one, is listed below.
        warnings: One paragraph each.
        skipped: What was left out, one line each: a text, or a pair of file and reason.
        settings: What the method was asked to do.
    """
    # Who knows what its actions are called needs no column that says it once more.
    matched = {} if names_of(answers) else getattr(scores, "matched", None) or {}
    parts = [
        _summary(answers, len(usage)),
        _list("Warnings", warnings, css="warning"),
        _section("Scores", _scored(scores)) if scores is not None else "",
        _section("Actions", _usage(usage, matched, looks)) if len(usage) else "",
        _section("Timelines", "".join(map(_picture, pictures))) if pictures else "",
        _list("Skipped files", skipped),
        _section("Settings", _settings(settings)) if settings else "",
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>histvq report</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def _summary(answers: Sequence[Segmentation], n_actions: int) -> str:
    minutes = sum(answer.n_frames / answer.fps for answer in answers) / 60
    people = {answer.person for answer in answers} - {None}
    who = f" of {len(people)} {'person' if len(people) == 1 else 'people'}" if people else ""
    return (
        "<h1>What was found</h1>\n"
        f'<p class="lead">{n_actions} action{"" if n_actions == 1 else "s"} in {len(answers)} '
        f"recording{'' if len(answers) == 1 else 's'}{who}, {minutes:.1f} minutes in all. "
        "Every segment is in <code>segments.csv</code>, every frame in <code>frames.csv</code>.</p>"
    )


def _section(title: str, body: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{body}"


def _pre(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def _scored(scores: object) -> str:
    protocol: Mapping[str, object] = getattr(scores, "protocol", None) or {}
    lines = "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in protocol.items())
    how = f"<details><summary>How they were computed</summary>{_pre(lines)}</details>"
    return _pre(str(scores)) + (how if protocol else "")


def _list(title: str, items: Iterable[object], *, css: str = "") -> str:
    texts = (": ".join(map(str, i)) if isinstance(i, tuple) else str(i) for i in items)
    lines = [f"<li>{escape(text)}</li>" for text in texts]
    if not lines:
        return ""
    return _section(title, f'<div class="{css}"><ul>{"".join(lines)}</ul></div>')


def _usage(usage: "pd.DataFrame", matched: Mapping[int, str], looks: Mapping[int, Look]) -> str:
    heads = ["action", *(["true action"] if matched else []), "total", "share", "segments"]
    heads += ["median length", "recordings", "people", ""]
    rows = []
    for row in usage.to_dict("records"):
        cells = [_chip(looks[int(row["action"])].colour) + escape(str(row["name"]))]
        if matched:
            cells.append(escape(matched.get(int(row["action"]), "no counterpart")))
        cells += [
            f"{row['total_s']:.1f} s", f"{row['share']:.1%}", f"{row['n_segments']}",
            f"{row['median_s']:.2f} s", f"{row['n_recordings']}", f"{row['n_people'] or ''}",
        ]  # fmt: skip
        flag = f'<strong class="warning">{escape(str(row["flag"]))}</strong>' if row["flag"] else ""
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in [*cells, flag]) + "</tr>")
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    css = "usage matched" if matched else "usage"
    return (
        f'<table class="{css}"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def _chip(colour: str) -> str:
    return f'<span class="chip" style="background:{escape(colour)}"></span>'


def _picture(path: Path) -> str:
    # As an image, not inline: ids inside two SVGs cannot clash, and nothing in one can run.
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img alt="{escape(path.stem)}" src="data:image/svg+xml;base64,{data}">'


def _settings(settings: Mapping[str, object]) -> str:
    rows = "".join(
        f"<tr><td>{escape(str(name))}</td><td class='text'>{escape(str(value))}</td></tr>"
        for name, value in settings.items()
    )
    return f"<table><tbody>{rows}</tbody></table>"
