"""Results as the tables of a markdown page."""

import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

Result = dict[str, Any]
GIGA, MEGA = 1e9, 1e6


def page(results: Sequence[Result], *, device: str, command: str) -> str:
    """Everything measured, a section a part."""
    blocks = [f"# Speed on {machine(device)}", f"    {command}"]
    for part, title in (("train", "Training"), ("predict", "Prediction")):
        if found := [result for result in results if result["part"] == part]:
            blocks += [f"## {title}", *(block for result in found for block in compared(result))]
    if found := [result for result in results if result["part"] == "growth"]:
        blocks += ["## Growth", *growth(found)]
    if found := [result for result in results if result["part"] == "long"]:
        blocks += ["## Hours long", *long(found)]
    return "\n\n".join(blocks) + "\n"


def compared(result: Result) -> list[str]:
    """Versions side by side: frames a second, how many times the first, share of the limit, memory."""
    first, *_ = names = list(result["runs"][0])
    head = ("version", "real frames/s", f"times {first}", "of float32 limit", "peak MB")
    title = f"{result['shape']}, batch of {result['batch_size']}, {threads(result['threads'])}"
    rows = [_version(result, name, first) for name in names]
    return [f"### {title}", _note(result), markdown(head, rows)]


def _version(result: Result, name: str, first: str) -> tuple[str, ...]:
    runs = result["runs"]
    speeds = [speed(run[name]) for run in runs]
    ratios = [speed(run[name]) / speed(run[first]) for run in runs]
    share = statistics.median(speeds) * result["flop_per_frame"] / result["limits"]["float32"]
    return (
        name,
        median_and_range(speeds, ",.0f"),
        "1" if name == first else median_and_range(ratios, ".1f"),
        f"{share:.0%}",
        median_and_range([run[name]["peak"] / MEGA for run in runs], ",.0f"),
    )


def _note(result: Result) -> str:
    """What the figures rest on."""
    runs, sizes, limits = result["runs"], result["sizes"], result["limits"]
    flop, published = result["flop_per_frame"], result["paper_batch_size"]
    rates = ", ".join(f"{rate / GIGA:,.0f} GFLOP/s in {kind}" for kind, rate in limits.items())
    idle = statistics.median(run[name]["imported"] for run in runs for name in run)
    lines = [
        f"{sizes['n_joints']} joints x {sizes['n_channels']} channels, {sizes['n_maps']} maps, "
        f"{result['padding']:.0%} of the batch padding when padded; runs in turn: {len(runs)}.",
        f"{flop / MEGA:.1f} MFLOP a real frame; a large matrix product: {rates}, so "
        f"{limits['float32'] / flop:,.0f} frames/s at most in float32.",
        f"Of the memory, {idle / MEGA:,.0f} MB stand there once everything is imported.",
    ]
    if result["batch_size"] < published:
        lines.append(f"The paper's batch of {published} has no room here when padded.")
    return "\n".join(lines)


def growth(results: Sequence[Result]) -> list[str]:
    """A row a size and work: seconds and memory at each value, and the exponents."""
    rows = [
        (
            result["title"],
            " / ".join(f"{value:,}" for value in result["values"]),
            what,
            " / ".join(f"{point['seconds']:.2f}" for point in points),
            f"{result['exponents'][what]['seconds']:.2f}",
            " / ".join(f"{point['bytes'] / MEGA:,.0f}" for point in points),
            f"{result['exponents'][what]['bytes']:.2f}",
        )
        for result in results
        for what, points in result["points"].items()
    ]
    head = ("size", "values", "work", "seconds", "exponent", "MB beyond the import", "exponent")
    note = (
        f"An epoch of training (batches of 4, answers included) and a prediction of all, "
        f"default settings, {threads(results[0]['threads'])}. Exponent e: cost grows as size^e."
    )
    return [note, markdown(head, rows)]


def long(results: Sequence[Result]) -> list[str]:
    """A row a length."""
    rows = [
        (
            f"{result['hours']:g}",
            f"{result['frames']:,}",
            f"{result['seconds'][0]:.1f}",
            f"{speed(result):,.0f}",
            f"{result['peak'] / MEGA:,.0f}",
            f"{result['anonymous'] / MEGA:,.0f}",
            f"{result['imported'] / MEGA:,.0f}",
        )
        for result in results
    ]
    head = ("hours", "frames", "seconds", "frames/s", "peak MB", "of it not the file", "idle MB")
    note = (
        f"22 joints x 3 channels at 60 Hz, mapped from a .npy file, default settings, "
        f"{threads(results[0]['threads'])}. Peak counts what is mapped of the file, which the system "
        "takes back when it needs room; idle is the process before it begins."
    )
    return [note, markdown(head, rows)]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table, all but the first column to the right."""
    rule = ("---", *("---:" for _ in head[1:]))
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def speed(run: Result) -> float:
    """Real frames a second: median over the batches of one run."""
    return run["frames"] / statistics.median(run["seconds"])


def median_and_range(values: Sequence[float], form: str) -> str:
    """The median, and the range in brackets where there are several values."""
    middle = f"{statistics.median(values):{form}}"
    if len(values) < 2:
        return middle
    return f"{middle} ({min(values):{form}}-{max(values):{form}})"


def threads(n: int) -> str:
    return "1 thread" if n == 1 else f"{n} threads"


def machine(device: str) -> str:
    """What it was measured on, in a few words."""
    versions = f"PyTorch {torch.__version__}"
    if device != "cpu":
        return f"{torch.cuda.get_device_name()}, {versions}"
    return f"{_processor()}, {os.cpu_count()} cores, {versions}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
