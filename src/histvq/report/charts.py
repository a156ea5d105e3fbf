"""Charts of a run, each drawn from the table written beside it; readable in print and without colour."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from histvq.report.palette import Look, look_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_EDGE = "#00000055"
_GREY, _BLUE = "#9a9a9a", "#0072b2"
_MOST_WRITTEN = 16  # rows of a matrix; in larger ones numbers would be too small to read
_LONGEST_NAME = 40  # letters
_LETTER_IN = 0.075


def bars(usage: "pd.DataFrame", looks: Mapping[int, Look]) -> "Figure":
    """A bar an action: its share of all labelled time, with its seconds and segments written on."""
    names = _short(usage["name"])
    figure = _figure(5 + _room_for(names), 0.8 + 0.28 * len(usage))
    axes = figure.add_subplot()
    for row, (action, share) in enumerate(zip(usage["action"], usage["share"], strict=True)):
        look = looks.get(action, look_of(-1))
        axes.barh(
            row, 100 * share, 0.75, facecolor=look.colour, hatch=look.hatch or None, edgecolor=_EDGE
        )
    written = [
        f" {seconds:,.4g} s in {count}"
        for seconds, count in zip(usage["total_s"], usage["n_segments"], strict=True)
    ]
    for row, (share, text) in enumerate(zip(usage["share"], written, strict=True)):
        axes.text(100 * share, row, text, va="center", fontsize=8)
    axes.set_yticks(range(len(usage)), names)
    axes.set_ylim(len(usage) - 0.4, -0.6)
    axes.set_xlim(0, 128 * usage["share"].max())
    axes.set_xlabel("share of labelled time (%); seconds in so many segments")
    _plain(axes)
    return figure


def histograms(durations: "pd.DataFrame", looks: Mapping[int, Look]) -> "Figure":
    """A histogram an action, all on one logarithmic scale of seconds."""
    actions = list(dict.fromkeys(durations["action"]))
    columns = min(4, len(actions))
    rows = -(-len(actions) // columns)
    width, height = 2.3 * columns + 0.7, 1.45 * rows + 0.5
    figure = _figure(width, height)
    # By hand: to settle the layout of 60 axes takes matplotlib ten seconds.
    figure.set_layout_engine("none")
    place = {"left": 0.7 / width, "bottom": 0.6 / height, "right": 1 - 0.1 / width}
    grid = figure.subplots(
        rows, columns, sharex=True, squeeze=False,
        gridspec_kw={**place, "top": 1 - 0.25 / height, "wspace": 0.3, "hspace": 0.55},
    )  # fmt: skip
    for axes in grid.flat[len(actions) :]:
        axes.set_visible(False)
    for axes, action in zip(grid.flat, actions, strict=False):
        part = durations[durations["action"] == action]
        look = looks.get(action, look_of(-1))
        low, high = part["from_s"].to_numpy(), part["to_s"].to_numpy()
        axes.bar(
            low, part["segments"], high - low, align="edge", facecolor=look.colour,
            hatch=look.hatch or None, edgecolor=_EDGE,
        )  # fmt: skip
        edges = [*low, high[-1]]
        axes.set_xscale("log")
        axes.set_xticks(edges[:: -(-len(edges) // 6)])
        axes.set_xticks([], minor=True)
        axes.set_title(_short([part["name"].iloc[0]])[0], fontsize=8, loc="left", pad=3)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.locator_params(axis="y", integer=True, nbins=3)
        axes.tick_params(labelsize=7, labelbottom=True)
        _plain(axes)
    figure.supxlabel("length of a segment (s)", fontsize=8, y=0.12 / height, va="bottom")
    figure.supylabel("segments", fontsize=8, x=0.1 / width, ha="left")
    return figure


def matrix(
    shares: np.ndarray, rows: Sequence[str], columns: Sequence[str], *, down: str, across: str
) -> "Figure":
    """Shares in percent of each row, darker for more; written in where there is room.

    Args:
        shares: (row, column) in [0, 1]; NaN cells stay empty.
        rows: Names.
        columns: Names.
        down: What rows are.
        across: What columns are.
    """
    cell = 0.42 if len(columns) <= _MOST_WRITTEN else 0.2
    rows, columns = _short(rows), _short(columns)
    figure = _figure(cell * len(columns) + _room_for(rows), cell * len(rows) + _room_for(columns))
    axes = figure.add_subplot()
    axes.imshow(np.ma.masked_invalid(shares), cmap="Greys", vmin=0, vmax=1)
    axes.set_xticks(range(len(columns)), columns, rotation=90)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#dddddd", linewidth=0.5)
    axes.tick_params(which="both", length=0, labelsize=8 if cell > 0.3 else 6)
    axes.set_xlabel(across)
    axes.set_ylabel(down)
    if len(columns) <= _MOST_WRITTEN:
        for (row, column), share in np.ndenumerate(shares):
            if share > 0:
                axes.text(
                    column, row, f"{100 * share:.0f}" if share >= 0.005 else "<1", ha="center",
                    va="center", fontsize=7, color="white" if share > 0.55 else "black",
                )  # fmt: skip
    return figure


def length_bars(lengths: "pd.DataFrame", *, fps: float | None) -> "Figure":
    """Segments by length, found in front of true ones, as figure 3 of the HiST-VQ paper.

    Args:
        lengths: As written: `start_frame`, `stop_frame`, `true`, `found`.
        fps: To write seconds beside the frames, where all recordings have one rate.
    """
    figure = _figure(6.5, 3.2)
    axes = figure.add_subplot()
    shown = lengths.iloc[: _bins_to_show(lengths)]
    left = shown["start_frame"].to_numpy()
    width = float((shown["stop_frame"] - shown["start_frame"]).iloc[0])
    for name, shift, colour, hatch in (("true", 0.06, _GREY, None), ("found", 0.5, _BLUE, "///")):
        axes.bar(
            left + shift * width, shown[name], 0.44 * width, align="edge", facecolor=colour, hatch=hatch,
            edgecolor=_EDGE, label=f"{name} ({int(lengths[name].sum())} segments)",
        )  # fmt: skip
    left_out = int(lengths.iloc[len(shown) :][["true", "found"]].to_numpy().sum())
    note = f"; {left_out} longer ones not shown" if left_out else ""
    axes.set_xlabel(f"length of a segment (frames{note})")
    axes.set_ylabel("segments")
    axes.locator_params(axis="y", integer=True)
    axes.legend(frameon=False, fontsize=8)
    if fps is not None:
        convert: Any = (lambda frames: frames / fps, lambda seconds: seconds * fps)
        above = axes.secondary_xaxis("top", functions=convert)
        above.set_xlabel("seconds", fontsize=8)
        above.tick_params(labelsize=7)
    _plain(axes, top=fps is not None)
    return figure


def _bins_to_show(lengths: "pd.DataFrame") -> int:
    """So many that of 200 segments one is longer, and at most 60, whatever the longest is."""
    counts = np.cumsum(lengths[["true", "found"]].to_numpy().sum(axis=1))
    reached = int(np.searchsorted(counts, 0.995 * counts[-1])) + 1
    return min(reached, 60, len(lengths))


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor="white", layout="constrained")


def _room_for(names: Sequence[str]) -> float:
    """Inches that these take beside a chart, with a title."""
    return 0.9 + _LETTER_IN * max(map(len, names))


def _plain(axes: "Axes", *, top: bool = False) -> None:
    for side in ("right",) if top else ("top", "right"):
        axes.spines[side].set_visible(False)


def _short(names: "Sequence[str] | pd.Series") -> list[str]:
    """Names on one line, long ones cut."""
    lines = [" ".join(str(name).split()) for name in names]
    return [
        line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 3]}..." for line in lines
    ]
