"""A measured figure, and how it may be written."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from histvq.errors import ConfigError, did_you_mean

_NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")


@dataclass(frozen=True)
class Figure:
    """What a key gives.

    Attributes:
        text: As it is written if nothing else is asked for.
        mean: The number that it is about; None where it is no number.
        sd: Standard deviation over runs; None where there is one run, or it is not known.
        runs: The number of every run, where they are kept.
    """

    text: str
    mean: float | None = None
    sd: float | None = None
    runs: tuple[float, ...] = ()


def of_runs(runs: Sequence[float]) -> Figure:
    """Mean (standard deviation, n - 1) of runs; the mean alone of one run."""
    mean = float(np.mean(runs))
    if len(runs) == 1:
        return Figure(f"{mean:.1f}", mean, None, tuple(runs))
    sd = float(np.std(runs, ddof=1))
    return Figure(f"{mean:.1f} ({sd:.1f})", mean, sd, tuple(runs))


def of_text(text: str) -> Figure:
    """A cell as it stands: `72.7 (2.5)`, `-21.1*`, `36,066 (30,372-45,065)`, or words."""
    numbers = _NUMBER.findall(text)
    if not numbers or not _NUMBER.match(text.lstrip("*")):
        return Figure(text)
    spread = re.search(r"\(([\d.]+)\)", text)
    sd = float(spread[1]) if spread else None
    return Figure(text, float(numbers[0].replace(",", "")), sd)


def minus(one: Figure, other: Figure) -> Figure:
    """Difference of two means, with its sign."""
    if one.mean is None or other.mean is None:
        raise ConfigError(f"no difference of {one.text!r} and {other.text!r}: not numbers")
    return of_number(one.mean - other.mean, sign="+")


def of_number(number: float, *, sign: str = "") -> Figure:
    """A number with one decimal."""
    return Figure(f"{number:{sign}.1f}", number)


def _unsigned(figure: Figure) -> Figure:
    mean = None if figure.mean is None else abs(figure.mean)
    return Figure(figure.text.lstrip("+-").rstrip("*"), mean)


def _whole(figure: Figure) -> Figure:
    sign = "+" if figure.text.startswith("+") else ""
    return Figure(f"{figure.mean:{sign},.0f}", figure.mean)


def _among(figure: Figure, choose: Callable[[Sequence[float]], float]) -> Figure:
    if not figure.runs:
        raise ConfigError("its runs are not kept one by one")
    return of_number(choose(figure.runs))


def _sd(figure: Figure) -> Figure:
    if figure.sd is None:
        raise ConfigError("it has no standard deviation")
    return of_number(figure.sd)


def _mean(figure: Figure) -> Figure:
    """As it is written, without its deviation, range or star."""
    return Figure(figure.text.split(" (")[0].rstrip("*"), figure.mean)


WAYS: dict[str, Callable[[Figure], Figure]] = {
    "mean": _mean,
    "sd": _sd,
    "n": lambda figure: Figure(str(len(figure.runs)), len(figure.runs)),
    "min": lambda figure: _among(figure, min),
    "max": lambda figure: _among(figure, max),
    "runs": lambda figure: Figure(", ".join(f"{run:.1f}" for run in figure.runs)),
    "whole": _whole,
    "unsigned": _unsigned,
}


def ways_of(key: str) -> tuple[str, list[str]]:
    """A key without the words at its end that say how it is written, and these words in order."""
    ways: list[str] = []
    while (dot := key.rfind(".")) > 0 and key[dot + 1 :] in WAYS:
        ways.insert(0, key[dot + 1 :])
        key = key[:dot]
    return key, ways


def written(figure: Figure, ways: Sequence[str]) -> Figure:
    """The figure, written in these ways one after another.

    Raises:
        ConfigError: If it is no number, or has not what is asked for.
    """
    for way in ways:
        if figure.mean is None:
            raise ConfigError(f"{figure.text!r} is no number, so there is no .{way} of it")
        figure = WAYS[way](figure)
    return figure


def pick(name: str, known: Sequence[str], what: str) -> str:
    """The name, if it is known.

    Raises:
        ConfigError: If not; with what may have been meant.
    """
    if name not in known:
        raise ConfigError(f"no {what} is called {name!r}{did_you_mean(name, known)}")
    return name
