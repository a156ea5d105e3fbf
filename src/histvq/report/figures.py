"""Figures for papers and talks: SVG and PNG, with the numbers behind each as CSV."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError, did_you_mean
from histvq.metrics.answers import in_step
from histvq.metrics.pairs import LabelPairs
from histvq.report import charts
from histvq.report.analysis import segment_lengths, transitions
from histvq.report.frames import check_in_step, truth_by_recording
from histvq.report.key import Key, make_key
from histvq.report.svg import svg_of, written_as_text
from histvq.report.tables import TIME_DECIMALS, usage_table
from histvq.report.timeline import draw_timelines
from histvq.segments import LEVELS, Segmentation, to_segments
from histvq.writing import remove, together, write_bytes, write_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    Drawn = tuple[str, Figure, pd.DataFrame]

STRIPS = 6  # recordings drawn where none is named
MOST_STRIPS = 24
A_PAGE = 12
# What an earlier run with a truth, or with more strips, wrote and this one may not.
_MAY_BE_LEFT = ("confusion.*", "lengths.*", "strips-[0-9]*.*")
DPI = 200


def write_figures(
    folder: str | Path,
    answers: Sequence[Segmentation],
    annotations: Sequence[Annotation] | None = None,
    *,
    matched: Mapping[int, str] | None = None,
    colours: Mapping[int, str] | None = None,
    recordings: Sequence[str] = (),
) -> list[Path]:
    """Write every figure there are numbers for, as `NAME.svg`, `NAME.png` and `NAME.csv`.

    `usage`: share of time by action. `durations`: how long segments of each action are. `transitions`:
    what follows what. `strips`: some recordings in time. With a truth also `lengths`: found and true
    segment lengths, in the bins of the score JSD (the paper's figure 3); `confusion`; and the truth
    above the strips (its figure 4).

    Colours and hatches are those of the report.

    Args:
        folder: Made if it is not there; figures of an earlier run in it are replaced.
        answers: What was found.
        annotations: Truth, for any of the recordings.
        matched: Action code -> name of the true action it was matched with.
        colours: Action code -> `#rrggbb`, where a person chose one.
        recordings: Ids of those to draw as strips; the first six where none is named.

    Returns:
        The files, in order of name.

    Raises:
        ConfigError: If no frame has an answer, or there is no such recording.
        ValueError: If an annotation has not as many frames as its answer.
    """
    if not any((answer.actions >= 0).any() for answer in answers):
        raise ConfigError("no frame of these answers has an action: nothing to draw")
    annotations = in_step(answers, annotations or ())
    known = truth_by_recording(annotations)
    for answer in answers:
        if answer.recording_id in known:
            check_in_step(answer, known[answer.recording_id])
    chosen = _chosen(answers, recordings)
    folder = Path(folder)
    key = make_key(answers, known, matched or {}, colours)
    with together(folder) as place, written_as_text():
        drawn = chain(
            _figures(answers, known, key, matched or {}),
            _strips(answers, chosen, known, matched, colours),
        )
        names = sorted(name for parts in drawn for name in _save(place, *parts))
    for old in [file for pattern in _MAY_BE_LEFT for file in folder.glob(pattern)]:
        if old.name not in names:
            remove(old)
    return [folder / name for name in names]


def durations_table(answers: Sequence[Segmentation], names: Mapping[int, str]) -> "pd.DataFrame":
    """Segments of each action by length: `action, name, from_s, to_s, segments`.

    Bins end at 1, 2, 5, 10 and so on, upper ends left out, from the shortest segment of all to the
    longest.
    """
    import pandas as pd

    lengths: dict[int, list[float]] = {code: [] for code in sorted(names)}
    for answer in answers:
        for start, stop, label in to_segments(answer.actions):
            if label >= 0:
                # Rounded, for 0.1 s times 20 must not miss the bin that begins at 2 s.
                lengths[label].append(round((stop - start) / answer.fps, TIME_DECIMALS))
    edges = _edges([length for these in lengths.values() for length in these])
    # np.histogram would take the upper end of the last bin in.
    counts = {
        code: np.bincount(np.searchsorted(edges, these, "right") - 1, minlength=len(edges) - 1)
        for code, these in lengths.items()
    }
    rows = [
        (code, names[code], low, high, int(count))
        for code, these in counts.items()
        for low, high, count in zip(edges[:-1], edges[1:], these, strict=True)
    ]
    return pd.DataFrame(rows, columns=["action", "name", "from_s", "to_s", "segments"])


def _edges(lengths: Sequence[float]) -> list[float]:
    """1, 2, 5 times powers of ten around these numbers."""
    low, high = min(lengths), max(lengths)
    powers = range(int(np.floor(np.log10(low))), int(np.floor(np.log10(high))) + 2)
    # By way of text: 5 * 10.0 ** -3 is not the number 0.005.
    steps = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    first = max(place for place, step in enumerate(steps) if step <= low)
    last = min(place for place, step in enumerate(steps) if step > high)
    return steps[first : last + 1]


def confusion_table(
    answers: Sequence[Segmentation],
    known: Mapping[str, Annotation],
    key: Key,
    matched: Mapping[int, str],
) -> "pd.DataFrame":
    """Labelled frames by true action and found one: `true, action, name, matched, frames, share`.

    Found actions stand in the order of the true ones they were matched with, those without a
    counterpart after them, and -1, frames without an answer, last. `share` is of the true action.
    """  # fmt: skip
    import pandas as pd

    pairs = _pairs(answers, known)
    order = {name: place for place, name in enumerate(key.actions)}
    codes = sorted(key.names, key=lambda code: (order.get(matched.get(code, ""), len(order)), code))
    rows = []
    for place, true in enumerate(key.actions):
        found = pairs.matched[pairs.true == place]
        if not len(found):
            continue
        for code in [*codes, -1]:
            frames = int((found == code).sum())
            name = key.names.get(code, "no answer")
            rows.append((true, code, name, matched.get(code, ""), frames, frames / len(found)))
    return pd.DataFrame(rows, columns=["true", "action", "name", "matched", "frames", "share"])


def strips_table(
    answers: Sequence[Segmentation], known: Mapping[str, Annotation]
) -> "pd.DataFrame":
    """Segments as they are drawn: `recording, strip, start_s, stop_s, label, name`.

    Strips are `true`, `action` and `subaction`.
    """
    import pandas as pd

    rows = [
        (
            answer.recording_id, strip, round(start / answer.fps, TIME_DECIMALS),
            round(stop / answer.fps, TIME_DECIMALS), label, name_of(label),
        )
        for answer in answers
        for strip, labels, name_of in _levels(answer, known.get(answer.recording_id))
        for start, stop, label in to_segments(labels)
        if label >= 0
    ]  # fmt: skip
    columns = ["recording", "strip", "start_s", "stop_s", "label", "name"]
    return pd.DataFrame(rows, columns=columns)


def _levels(
    answer: Segmentation, truth: Annotation | None
) -> Iterator[tuple[str, np.ndarray, Callable[[int], str]]]:
    """What is drawn of a recording, from above: which, its labels, and what these are called."""
    if truth is not None:
        yield "true", truth.labels, truth.actions.__getitem__
    for level in LEVELS:
        labels = answer.labels(level)
        if labels is not None:
            yield level, labels, partial(answer.name_of, level=level)


def _figures(
    answers: Sequence[Segmentation],
    known: Mapping[str, Annotation],
    key: Key,
    matched: Mapping[int, str],
) -> "Iterator[Drawn]":
    """Name, figure and table of each but the strips."""
    usage = usage_table(answers).drop(columns="flag")
    usage["name"] = usage["action"].map(key.names)
    yield "usage", charts.bars(usage, key.looks), usage
    durations = durations_table(answers, key.names)
    yield "durations", charts.histograms(durations, key.looks), durations
    yield _transitions(answers, key)
    if not any((truth.labels >= 0).any() for truth in known.values()):
        return
    lengths = segment_lengths(answers, list(known.values()))
    rates = {answer.fps for answer in answers if answer.recording_id in known}
    drawn = charts.length_bars(lengths, fps=rates.pop() if len(rates) == 1 else None)
    yield "lengths", drawn, lengths
    confusion = confusion_table(answers, known, key, matched)
    shares = confusion.pivot_table("share", "true", "action", sort=False)
    columns = confusion.drop_duplicates("action")["name"].tolist()
    drawn = charts.matrix(
        shares.to_numpy(), list(shares.index), columns, down="true action", across="found action"
    )
    yield "confusion", drawn, confusion


def _strips(
    answers: Sequence[Segmentation],
    chosen: Sequence[Segmentation],
    known: Mapping[str, Annotation],
    matched: Mapping[int, str] | None,
    colours: Mapping[int, str] | None,
) -> "Iterator[Drawn]":
    """Likewise the recordings in time, a page for every twelve."""
    # The others are not drawn, but colours go by all recordings.
    others = [answer for answer in answers if answer not in chosen]
    pages = draw_timelines(
        [*chosen, *others], list(known.values()), matched,
        colours=colours, per_page=A_PAGE, max_recordings=len(chosen),
    )  # fmt: skip
    for number, page in enumerate(pages):
        name = f"strips-{number + 1}" if number else "strips"
        yield name, page, strips_table(chosen[A_PAGE * number : A_PAGE * (number + 1)], known)


def _transitions(answers: Sequence[Segmentation], key: Key) -> "Drawn":
    table = transitions(answers)
    codes = sorted(key.names)
    wide = table.pivot_table("share", "action", "next").reindex(index=codes, columns=codes)
    shares = wide.fillna(0).to_numpy(dtype=float, copy=True)
    np.fill_diagonal(shares, np.nan)  # a segment ends where another action begins
    names = [key.names[code] for code in codes]
    table = table.assign(
        name=table["action"].map(key.names), next_name=table["next"].map(key.names)
    )
    return "transitions", charts.matrix(shares, names, names, down="action", across="next"), table


def _chosen(answers: Sequence[Segmentation], ids: Sequence[str]) -> list[Segmentation]:
    if not ids:
        return list(answers[:STRIPS])
    if len(ids) > MOST_STRIPS:
        raise ConfigError(f"{len(ids)} recordings to draw as strips; name {MOST_STRIPS} at most")
    by_id = {answer.recording_id: answer for answer in answers}
    for name in ids:
        if name not in by_id:
            raise ConfigError(f"no recording {name!r} in this run{did_you_mean(name, by_id)}")
    return [by_id[name] for name in dict.fromkeys(ids)]


def _pairs(answers: Sequence[Segmentation], known: Mapping[str, Annotation]) -> LabelPairs:
    both = [answer for answer in answers if answer.recording_id in known]
    return LabelPairs.build(
        [answer.actions for answer in both], [known[answer.recording_id].labels for answer in both]
    )


def _save(folder: Path, name: str, figure: "Figure", table: "pd.DataFrame") -> list[str]:
    """Write the figure twice, and its table; names of the files."""
    svg, png = svg_of(figure), io.BytesIO()
    figure.set_layout_engine("none")  # as it is: settling it takes long, and both are to look alike
    figure.savefig(png, format="png", dpi=DPI)
    numbers = table.round(6).to_csv(index=False, lineterminator="\n")
    written = [
        write_text(folder / f"{name}.svg", svg),
        write_bytes(folder / f"{name}.png", png.getvalue()),
        write_text(folder / f"{name}.csv", numbers),
    ]
    return [file.name for file in written]
