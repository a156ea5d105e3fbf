"""The first `names.yaml` of a run: a line an action, with what helps to tell it from others."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import yaml

from histvq.report.naming import UNSHOWN, Named, Names
from histvq.segments import Segmentation, names_of, segment_name, to_segments

HEAD = """\
# What the actions of this run are called. Change it, then: histvq report RUN (this folder).
#   name      3: walking
#   merge     give two actions the same name
#   colour    3: {name: walking, colour: "#0072b2"}   (the quotes must be)
# Nothing is learned anew. What stands behind a # is for you to read and counts for nothing.
"""

PLAIN = re.compile(r"[^\W\d_][\w /()-]*(?<! )")


def first_text(answers: Sequence[Segmentation], *, kept: Names, nearest: Mapping[int, int]) -> str:
    """The whole file.

    Args:
        answers: As the method gave them.
        kept: Names and colours to put in already.
        nearest: Action -> the action it is most like, to be noted.
    """
    lines = [HEAD, "actions:", *_lines(answers, "action", kept, nearest)]
    if any(answer.subactions is not None for answer in answers):
        lines += ["", "subactions:", *_lines(answers, "subaction", kept, {})]
    return "\n".join(lines) + "\n"


def _lines(
    answers: Sequence[Segmentation], level: str, kept: Names, nearest: Mapping[int, int]
) -> list[str]:
    """A line a code."""
    own, said = names_of(answers, level), kept.of(level)
    told = _remarks(answers, level)
    lines = []
    for code in sorted({*told, *own, *said}):
        named = said.get(code, Named())
        name = _scalar(named.name or own.get(code, segment_name(level, code)))
        entry = f'{{name: {name}, colour: "{named.colour}"}}' if named.colour else name
        remarks = told.get(code, ["does not occur"])
        if code in nearest:
            remarks = [*remarks, f"most like action {nearest[code]}"]
        lines.append(f"  {code}: {entry:<24}  # {', '.join(remarks)}")
    return lines


def _remarks(answers: Sequence[Segmentation], level: str) -> dict[int, list[str]]:
    """What helps to tell codes apart: how much, how often, where."""
    lengths: dict[int, list[float]] = {}
    where: Counter[int] = Counter()
    for answer in answers:
        labels = answer.labels(level)
        found = [] if labels is None else to_segments(labels)
        for start, stop, code in found:
            lengths.setdefault(code, []).append((stop - start) / answer.fps)
        where.update({code for *_, code in found})
    lengths.pop(-1, None)
    total = sum(map(sum, lengths.values()))
    parents = {} if level == "action" else _parents(answers)
    return {
        code: [
            f"{sum(lengths[code]) / total:.1%} of the time",
            f"{len(lengths[code])} segment{'' if len(lengths[code]) == 1 else 's'}",
            f"in {where[code]} of {len(answers)} recordings",
            *([f"in action {parents[code]}"] if code in parents else []),
        ]
        for code in sorted(lengths)
    }


def _parents(answers: Sequence[Segmentation]) -> dict[int, int]:
    """Subaction -> the action it lies in most."""
    pairs = [
        np.stack([answer.subactions, answer.actions], axis=1)
        for answer in answers
        if answer.subactions is not None
    ]
    both, counts = np.unique(np.concatenate(pairs), axis=0, return_counts=True)
    order = np.argsort(counts, kind="stable")
    return {int(fine): int(action) for fine, action in both[order] if action >= 0}


def _scalar(name: str) -> str:
    """A name as YAML; nothing where `read_names` would not take it."""
    if UNSHOWN.search(name):
        return ""
    if PLAIN.fullmatch(name) and name.lower() != "null":
        return name
    quoted = yaml.safe_dump(name, default_style='"', allow_unicode=True, width=float("inf"))
    return str(quoted.strip())
