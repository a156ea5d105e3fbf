"""Strips in time: what people did, and below it what was found."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
from histvq.writing import remove, together, write_bytes, write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.path import Path as Path_

_Corners = list[tuple[float, float]]
_Place = tuple[float, float]  # bottom and height of a strip
PAGE_WIDTH_IN = 11.0
ROW_IN = 0.95  # one recording with its title and axis
LABEL_PT = 7.5
# A letter of DejaVu Sans is about 0.56 em wide.
_LETTER_IN = 0.56 * LABEL_PT / 72
_LEFT_IN, _RIGHT_IN = 0.95, 0.2
_STRIPS_IN = ROW_IN - 0.44
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

    Pages of an earlier run in the folder are removed, once all of this one's are drawn.
    """
    folder = Path(folder)
    figures = draw_timelines(
        answers,
        annotations,
        matched,
        colours=colours,
        per_page=per_page,
        max_recordings=max_recordings,
    )
    names: list[str] = []
    with together(folder) as place, written_as_text():
        for number, figure in enumerate(figures, start=1):
            name = f"timelines-{number:02d}"
            write_bytes(place / f"{name}.png", _png_of(figure))
            write_text(place / f"{name}.svg", svg_of(figure))
            names += [f"{name}.png", f"{name}.svg"]
    for old in (*folder.glob("timelines-[0-9]*.png"), *folder.glob("timelines-[0-9]*.svg")):
        if old.name not in names:
            remove(old)  # of an earlier, longer run
    return [folder / name for name in names]


def _png_of(figure: "Figure") -> bytes:
    drawn = io.BytesIO()
    # Level 3 packs a third faster than the usual 6, into files a twentieth larger.
    figure.savefig(drawn, format="png", dpi=120, pil_kwargs={"compress_level": 3})
    return drawn.getvalue()


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
    marks = _Marks()
    for row, (answer, length) in enumerate(zip(answers, lengths, strict=True)):
        bottom = height - 0.1 - ROW_IN * (row + 1) + 0.24
        truth = known.get(answer.recording_id)
        _strips(marks, answer, truth, key, bottom=bottom, span_s=common or length)
    marks.put_on(figure)
    _legend(figure, entries, columns=columns, top=legend_in / height)
    if note:
        figure.text(0.5, 0.08 / height, note, ha="center", va="bottom", fontsize=9, style="italic")
    return figure


@dataclass
class _Marks:
    """What stands on a page, in inches from its lower left corner.

    matplotlib takes long over every axes and every artist, so a page has no axes, one path for all blocks
    of a look, and one for all lines of a colour.
    """

    # By (hatch, colour) and by colour; each block or line is a list of corners.
    blocks: dict[tuple[str, str], list[_Corners]] = field(default_factory=dict)
    lines: dict[str, list[_Corners]] = field(default_factory=dict)
    texts: list[tuple[float, float, str, dict[str, Any]]] = field(default_factory=list)

    def block(self, left: float, right: float, bottom: float, top: float, look: Look) -> None:
        corners = [(left, bottom), (left, top), (right, top), (right, bottom), (left, bottom)]
        self.blocks.setdefault((look.hatch, look.colour), []).append(corners)

    def line(self, start: tuple[float, float], stop: tuple[float, float], ink: str) -> None:
        self.lines.setdefault(ink, []).append([start, stop])

    def text(self, x: float, y: float, words: str, **style: Any) -> None:
        self.texts.append((x, y, words, style))

    def put_on(self, figure: "Figure") -> None:
        from matplotlib.patches import PathPatch

        inches = figure.dpi_scale_trans
        for (hatch, colour), blocks in self.blocks.items():
            figure.add_artist(
                PathPatch(
                    _path(blocks), facecolor=colour, hatch=hatch or None, linewidth=0,
                    edgecolor="#00000055", antialiased=False, snap=True, transform=inches,
                )
            )  # fmt: skip
        for ink, lines in self.lines.items():
            figure.add_artist(
                PathPatch(
                    _path(lines), fill=False, edgecolor=ink, linewidth=0.8, snap=True, zorder=2,
                    transform=inches,
                )
            )  # fmt: skip
        for x, y, words, style in self.texts:
            figure.text(x, y, words, parse_math=False, transform=inches, **style)


def _path(shapes: Sequence[_Corners]) -> "Path_":
    """Polylines, all of as many corners, as one path; closed where they end as they begin."""
    from matplotlib.path import Path as Path_

    corners = np.array(shapes)
    n_shapes, n_corners, _ = corners.shape
    last = Path_.CLOSEPOLY if n_corners > 2 else Path_.LINETO
    codes = [Path_.MOVETO, *[Path_.LINETO] * (n_corners - 2), last]
    path = Path_(corners.reshape(-1, 2), np.tile(codes, n_shapes))
    path.should_simplify = False
    return path


@dataclass(frozen=True)
class _Scale:
    """Where a row's times (s) and heights (as of `_TRUTH`) lie on the page, in inches."""

    bottom: float
    span_s: float
    low: float
    high: float

    def x(self, time_s: float) -> float:
        return _LEFT_IN + time_s / self.span_s * (PAGE_WIDTH_IN - _LEFT_IN - _RIGHT_IN)

    def y(self, height: float) -> float:
        return self.bottom + (height - self.low) / (self.high - self.low) * _STRIPS_IN


def _strips(
    marks: _Marks,
    answer: Segmentation,
    truth: Annotation | None,
    key: Key,
    *,
    bottom: float,
    span_s: float,
) -> None:
    """One recording: up to three strips, a title, an axis in seconds."""
    scale = _Scale(
        bottom,
        span_s,
        low=_FOUND[0] if answer.subactions is None else _FINE[0],
        high=sum(_FOUND if truth is None else _TRUTH),
    )
    strips: list[tuple[str, _Place, np.ndarray, Mapping[int, Look], Mapping[int, str]]] = []
    if truth is not None:
        true_names = dict(enumerate(key.actions))
        strips.append(("true", _TRUTH, truth.labels, key.truth_looks, true_names))
    strips.append(("found", _FOUND, answer.actions, key.looks, key.short_names))
    if answer.subactions is not None:
        fine_looks = {code: Look(colour, "", "") for code, colour in key.fine_colours.items()}
        strips.append(("subactions", _FINE, answer.subactions, fine_looks, {}))
    for title, place, labels, looks, names in strips:
        _strip(marks, scale, labels, answer.fps, place, looks, names)
        marks.text(
            _LEFT_IN - 3 / 72, scale.y(place[0] + place[1] / 2), title,
            ha="right", va="center_baseline", fontsize=8,
        )  # fmt: skip
    _time_axis(marks, scale)
    over = scale.y(scale.high) + 3 / 72
    marks.text(_LEFT_IN, over, answer.recording_id, fontsize=9, fontweight="bold")
    if answer.person:
        marks.text(scale.x(span_s), over, answer.person, ha="right", fontsize=9, color="#555555")


def _time_axis(marks: _Marks, scale: _Scale) -> None:
    from matplotlib.ticker import MaxNLocator

    marks.line((scale.x(0), scale.bottom), (scale.x(scale.span_s), scale.bottom), "#888888")
    # As matplotlib's own axes choose their ticks; these may end beyond the axis.
    locator = MaxNLocator(nbins=9, steps=[1, 2, 2.5, 5, 10])
    for time in np.asarray(locator.tick_values(0, scale.span_s)).tolist():
        if time > scale.span_s * (1 + 1e-9):
            break
        x = scale.x(time)
        marks.line((x, scale.bottom), (x, scale.bottom - 2.5 / 72), "#000000")
        marks.text(x, scale.bottom - 4 / 72, f"{time:g} s", ha="center", va="top", fontsize=7)


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
    marks: _Marks,
    scale: _Scale,
    labels: np.ndarray,
    fps: float,
    place: _Place,
    looks: Mapping[int, Look],
    names: Mapping[int, str],
) -> None:
    """The segments of one level as coloured blocks, with their names where they fit."""
    bottom, top = scale.y(place[0]), scale.y(sum(place))
    for start, stop, label in seen(labels):
        left, right = scale.x(start / fps), scale.x(stop / fps)
        look = looks.get(label, look_of(-1))
        marks.block(left, right, bottom, top, look)
        room = (right - left) / _LETTER_IN
        # "action 7", or 7 alone where there is no room for more.
        choices = (names.get(label, ""), names.get(label, "").removeprefix("action "))
        name = next((choice for choice in choices if len(choice) + 1 <= room), "")
        if label >= 0 and name:
            marks.text(
                (left + right) / 2, bottom + 0.47 * (top - bottom), name,
                ha="center", va="center", fontsize=LABEL_PT, color=look.ink,
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
