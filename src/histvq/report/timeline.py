"""Strips in time: what people did, and below it what was found."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.report.frames import check_in_step, truth_by_recording
from histvq.report.key import Key, legend_entries, make_key
from histvq.report.palette import Look, look_of
from histvq.report.svg import svg_of, written_as_text
from histvq.segments import Segmentation, to_segments

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAGE_WIDTH_IN = 11.0
ROW_IN = 0.95  # one recording with its title and axis
LABEL_PT = 7.5
# A letter of DejaVu Sans is about 0.56 em wide.
_LETTER_IN = 0.56 * LABEL_PT / 72
_LEFT_IN, _RIGHT_IN = 0.95, 0.2
# Segments of a strip that are drawn each by itself, more than any picture of it has columns of pixels.
MOST_BLOCKS = 2400
_TRUTH, _FOUND, _FINE = (
    (1.32, 0.6),
    (0.62, 0.6),
    (0.3, 0.22),
)  # (bottom, height) of the three strips


def draw_timelines(
    answers: Sequence[Segmentation],
    annotations: Iterable[Annotation] | None = None,
    matched: Mapping[int, str] | None = None,
    *,
    colours: Mapping[int, str] | None = None,
    per_page: int = 12,
    max_recordings: int = 48,
) -> "list[Figure]":
    """Draw a strip per recording: truth on top where there is one, actions, thin subactions below.

    Colours belong to codes and are the same on every page. With `matched` a code takes the
    colour of the true action it stands for, so that agreement is seen at once; codes without a
    counterpart take further, hatched colours. `colours` win over all of these.

    Args:
        answers: In the order to draw them.
        annotations: Truth, for any of the recordings.
        matched: Action code -> name of the true action it was matched with.
        colours: Action code -> `#rrggbb`, where a person chose one.
        per_page: Recordings in one figure.
        max_recordings: Draw so many; a note on the last page says how many were left out.

    Raises:
        ConfigError: If `per_page` or `max_recordings` is below 1.
        ValueError: If an annotation has not as many frames as its answer.
    """
    if per_page < 1 or max_recordings < 1:
        raise ConfigError(
            f"per_page {per_page}, max_recordings {max_recordings}: both must be 1 or more"
        )
    known = truth_by_recording(annotations or ())
    for answer in answers:
        if answer.recording_id in known:
            check_in_step(answer, known[answer.recording_id])
    key = make_key(answers, known, matched or {}, colours)
    drawn = answers[:max_recordings]
    note = (
        f"{len(drawn)} of {len(answers)} recordings drawn; all are in segments.csv"
        if len(drawn) < len(answers)
        else ""
    )
    pages = [drawn[start : start + per_page] for start in range(0, len(drawn), per_page)]
    return [_page(page, known, key, note=note if page is pages[-1] else "") for page in pages]


def write_timelines(
    folder: str | Path,
    answers: Sequence[Segmentation],
    annotations: Iterable[Annotation] | None = None,
    matched: Mapping[int, str] | None = None,
    *,
    colours: Mapping[int, str] | None = None,
    per_page: int = 12,
    max_recordings: int = 48,
) -> list[Path]:
    """Write `draw_timelines` as `timelines-01.png`, `timelines-01.svg` and so on; their paths.

    Pages of an earlier run in the folder are removed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    figures = draw_timelines(
        answers,
        annotations,
        matched,
        colours=colours,
        per_page=per_page,
        max_recordings=max_recordings,
    )
    for old in (*folder.glob("timelines-[0-9]*.png"), *folder.glob("timelines-[0-9]*.svg")):
        old.unlink()  # pages of an earlier, longer run
    paths = []
    with written_as_text():
        for number, figure in enumerate(figures, start=1):
            place = folder / f"timelines-{number:02d}.svg"
            figure.savefig(place.with_suffix(".png"), dpi=120)
            place.write_text(svg_of(figure), encoding="utf-8")
            paths += [place.with_suffix(".png"), place]
    return paths


def _page(
    answers: Sequence[Segmentation], known: Mapping[str, Annotation], key: Key, *, note: str
) -> "Figure":
    from matplotlib.figure import Figure

    entries = legend_entries(key, any(a.recording_id in known for a in answers))
    columns = 4
    legend_in = 0.2 * -(-len(entries) // columns) + 0.25 + (0.25 if note else 0)
    height = ROW_IN * len(answers) + legend_in + 0.1
    figure = Figure(figsize=(PAGE_WIDTH_IN, height), facecolor="white")
    lengths = [max(answer.n_frames, 1) / answer.fps for answer in answers]
    # One scale a page, so that times compare by eye, unless short recordings would vanish.
    common = max(lengths) if max(lengths) <= 4 * min(lengths) else None
    for row, (answer, length) in enumerate(zip(answers, lengths, strict=True)):
        bottom = height - 0.1 - ROW_IN * (row + 1) + 0.24
        axes = figure.add_axes(
            (
                _LEFT_IN / PAGE_WIDTH_IN,
                bottom / height,
                1 - (_LEFT_IN + _RIGHT_IN) / PAGE_WIDTH_IN,
                (ROW_IN - 0.44) / height,
            )
        )
        truth = known.get(answer.recording_id)
        _strips(axes, answer, truth, key, span_s=common or length)
    _legend(figure, entries, columns=columns, top=legend_in / height)
    if note:
        figure.text(0.5, 0.08 / height, note, ha="center", va="bottom", fontsize=9, style="italic")
    return figure


def _strips(
    axes: "Axes", answer: Segmentation, truth: Annotation | None, key: Key, *, span_s: float
) -> None:
    """One recording: up to three strips, a title, an axis in seconds."""
    ticks = {}
    letters = (PAGE_WIDTH_IN - _LEFT_IN - _RIGHT_IN) / span_s / _LETTER_IN  # a second
    if truth is not None:
        names = dict(enumerate(key.actions))
        _strip(axes, truth.labels, answer.fps, _TRUTH, key.truth_looks, names, letters)
        ticks["true"] = sum(_TRUTH) - _TRUTH[1] / 2
    _strip(axes, answer.actions, answer.fps, _FOUND, key.looks, key.short_names, letters)
    ticks["found"] = sum(_FOUND) - _FOUND[1] / 2
    if answer.subactions is not None:
        looks = {code: Look(colour, "", "") for code, colour in key.fine_colours.items()}
        _strip(axes, answer.subactions, answer.fps, _FINE, looks, {}, letters)
        ticks["subactions"] = sum(_FINE) - _FINE[1] / 2
    axes.set_xlim(0, span_s)
    axes.set_ylim(
        _FINE[0] if answer.subactions is not None else _FOUND[0],
        sum(_FOUND if truth is None else _TRUTH),
    )
    axes.set_yticks(list(ticks.values()), list(ticks), fontsize=8)
    axes.tick_params(axis="both", length=0, labelsize=8, pad=3)
    axes.tick_params(axis="x", length=2.5, labelsize=7, pad=1.5)
    axes.xaxis.set_major_formatter("{x:g} s")
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#888888")
    title: Any = {"fontsize": 9, "pad": 3, "parse_math": False}
    axes.set_title(answer.recording_id, loc="left", fontweight="bold", **title)
    axes.set_title(answer.person or "", loc="right", color="#555555", **title)


def seen(labels: np.ndarray) -> list[tuple[float, float, int]]:
    """Segments as `to_segments` gives them; of more than can be drawn apart, what is seen of them.

    That is the label in the middle of each of `MOST_BLOCKS` columns of equal width, so that every label
    keeps its share of the strip, up to chance.
    """
    segments = to_segments(labels)
    if len(segments) <= MOST_BLOCKS:
        return [*segments]
    width = len(labels) / MOST_BLOCKS
    middles = ((np.arange(MOST_BLOCKS) + 0.5) * width).astype(int)
    return [(a * width, b * width, label) for a, b, label in to_segments(labels[middles])]


def _strip(
    axes: "Axes",
    labels: np.ndarray,
    fps: float,
    place: tuple[float, float],
    looks: Mapping[int, Look],
    names: Mapping[int, str],
    letters_per_s: float,
) -> None:
    """The segments of one level as coloured blocks, with their names where they fit."""
    segments = seen(labels)
    for code in sorted({label for *_, label in segments}):
        look = looks.get(code, look_of(-1))
        blocks = [(a / fps, (b - a) / fps) for a, b, label in segments if label == code]
        axes.broken_barh(
            blocks, place, facecolor=look.colour, hatch=look.hatch or None, linewidth=0,
            edgecolor="#00000055", antialiased=False,
        )  # fmt: skip
    for start, stop, label in segments:
        room = (stop - start) / fps * letters_per_s
        # "action 7", or 7 alone where there is no room for more.
        choices = (names.get(label, ""), names.get(label, "").removeprefix("action "))
        name = next((choice for choice in choices if len(choice) + 1 <= room), "")
        if label < 0 or not name:
            continue
        axes.text(
            (start + stop) / 2 / fps, place[0] + 0.47 * place[1], name, ha="center", va="center",
            fontsize=LABEL_PT, color=looks[label].ink, parse_math=False, clip_on=True,
        )  # fmt: skip


def _legend(
    figure: "Figure", entries: Sequence[tuple[str, Look]], *, columns: int, top: float
) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=look.colour, hatch=look.hatch * 2 or None, edgecolor="#00000055", lw=0)
        for _, look in entries
    ]
    # matplotlib drops legend entries that begin with an underscore.
    names = [f" {name}" if name.startswith("_") else name for name, _ in entries]
    legend = figure.legend(
        handles, names, loc="upper center", bbox_to_anchor=(0.5, top), ncols=columns, fontsize=8,
        frameon=False, handlelength=1.6, columnspacing=2.5, borderaxespad=0.2,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
