"""How codes look and what they are called, the same on every page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from histvq.annotation import Annotation
from histvq.report.frames import truth_by_recording
from histvq.report.laid import firsts_of, groups, run_starts
from histvq.report.palette import Look, look_of, mixed, painted
from histvq.segments import Segmentation, names_of, segment_name


@dataclass(frozen=True)
class Key:
    """What every page has in common: how codes look and what they are called."""

    actions: tuple[str, ...]
    truth_looks: Mapping[int, Look]
    looks: Mapping[int, Look]
    names: Mapping[int, str]
    short_names: Mapping[int, str]
    fine_colours: Mapping[int, str]


def code_looks(
    answers: Sequence[Segmentation],
    annotations: Iterable[Annotation] | None = None,
    matched: Mapping[int, str] | None = None,
    colours: Mapping[int, str] | None = None,
) -> dict[int, Look]:
    """How each action code is drawn by `draw_timelines` with the same arguments."""
    known = truth_by_recording(annotations or ())
    return dict(make_key(answers, known, matched or {}, colours or {}).looks)


def make_key(
    answers: Sequence[Segmentation],
    known: Mapping[str, Annotation],
    matched: Mapping[int, str],
    colours: Mapping[int, str] | None = None,
) -> Key:
    """Settle colours and names for all recordings at once, so that they agree everywhere.

    `colours` (code -> `#rrggbb`) are those a person chose; they win.
    """
    actions = next((truth.actions for truth in known.values()), ())
    # True actions nobody has a truth for (matched elsewhere) get colours after the known ones.
    names = list(dict.fromkeys([*actions, *matched.values()]))
    codes_found = [code for code in _codes(answers) if code >= 0]
    if matched:
        spare = [code for code in codes_found if code not in matched]
        places = {code: names.index(matched[code]) for code in codes_found if code in matched}
        places |= {code: len(names) + rank for rank, code in enumerate(spare)}
        first_true = 0
    else:
        # Nothing says which code means which true action, so they share no colour.
        places = {code: code for code in codes_found}
        first_true = max(codes_found, default=-1) + 1
    looks = {code: look_of(place) for code, place in places.items()}
    looks |= {code: painted(looks[code], c) for code, c in (colours or {}).items() if code in looks}
    own = names_of(answers)
    return Key(
        actions=tuple(actions),
        truth_looks={index: look_of(first_true + index) for index in range(len(actions))},
        looks=looks,
        names={code: _name(code, matched, own) for code in codes_found},
        short_names={
            code: own.get(code) or matched.get(code, segment_name("action", code))
            for code in codes_found
        },
        fine_colours=_fine_colours(answers, looks),
    )


def _codes(answers: Sequence[Segmentation]) -> list[int]:
    """All codes of actions there are, in order."""
    found: set[int] = set()
    for group in groups(answers):
        actions = np.concatenate([answer.actions for answer in group])
        found.update(np.unique(actions[run_starts([actions], firsts_of(group))]).tolist())
    return sorted(found)


def _name(code: int, matched: Mapping[int, str], own: Mapping[int, str]) -> str:
    if code in own:
        return own[code]
    name = segment_name("action", code)
    if not matched:
        return name
    return f"{matched[code]} ({name})" if code in matched else f"{name} (no counterpart)"


def _fine_colours(answers: Sequence[Segmentation], looks: Mapping[int, Look]) -> dict[int, str]:
    """Subactions in tints of the action they lie in most: from the darkest to the lightest."""
    with_fine = [answer for answer in answers if answer.subactions is not None]
    shared = np.concatenate([np.empty((0, 3), dtype=int), *map(_shared, groups(with_fine))])
    both, place = np.unique(shared[:, :2], axis=0, return_inverse=True)
    counts = np.bincount(place.ravel(), weights=shared[:, 2], minlength=len(both))
    order = np.argsort(counts, kind="stable")
    parent = {int(fine): int(action) for fine, action in both[order] if fine >= 0 <= action}
    colours = {}
    for action in sorted(set(parent.values())):
        children = sorted(fine for fine, of in parent.items() if of == action)
        for fine, shade in zip(children, np.linspace(-0.25, 0.55, len(children)), strict=True):
            colours[fine] = mixed(looks[action].colour, float(shade))
    return colours


def _shared(group: Sequence[Segmentation]) -> np.ndarray:
    """Stretches of one subaction within one action, as rows of subaction, action, frames.

    There are few of them where there are many frames, all of which it would take long to sort.
    """
    fine = np.concatenate([answer.subactions for answer in group])  # type: ignore[misc]
    actions = np.concatenate([answer.actions for answer in group])
    starts = run_starts([fine, actions], firsts_of(group))
    lengths = np.diff(starts, append=len(actions))
    return np.stack([fine[starts], actions[starts], lengths], axis=1).astype(int)


def legend_entries(key: Key, has_truth: bool) -> list[tuple[str, Look]]:
    """Names and looks to explain: what was found, then true actions drawn otherwise."""
    entries = [(key.names[code], look) for code, look in key.looks.items()]
    if has_truth:
        found = {look for _, look in entries}
        entries += [
            (f"{name} (true)", key.truth_looks[index])
            for index, name in enumerate(key.actions)
            if key.truth_looks[index] not in found
        ]
    return [*entries, ("no data", look_of(-1))]
