"""Try every K, and say which the data speak for."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from histvq.choosing.choice import Choice, suggestion
from histvq.choosing.criteria import merge_heights, without_structure
from histvq.choosing.points import Points, points_of
from histvq.choosing.reasons import criteria_of
from histvq.choosing.trials import MethodTrials, Pairs, Trials, WindowTrials
from histvq.errors import ConfigError
from histvq.nn.clustering import different_points
from histvq.recording import Recording
from histvq.segmenter import AUTO, Segmenter

SETTINGS = ("alpha", "patch_seconds", "window_seconds", "centre", "own_mean")


def settings_of(config: Any) -> dict[str, Any]:
    """What of a method's settings says how `choose_k` is to look at recordings."""
    found = {name: getattr(config, name) for name in SETTINGS if hasattr(config, name)}
    # Lengths that a method tells from the data itself are left to `choose_k`'s own.
    return {name: value for name, value in found.items() if name == "centre" or value != AUTO}


def choose_k(
    recordings: Sequence[Recording],
    *,
    k_min: int = 2,
    k_max: int = 20,
    alpha: int = 2,
    patch_seconds: float = 1.0,
    window_seconds: float | None = None,
    centre: bool | Literal["auto"] = "auto",
    own_mean: str = "person",
    make: Callable[[int, int], Segmenter] | None = None,
    repeats: int = 8,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Choice:
    """Suggest how many actions there are, from recordings alone.

    For each K, clusters are found in random halves of the data and from several seeds, and compared on
    all of the data; what clusters leave of the variance, and how subactions merge, is looked at beside.
    See `docs/choose-k.md`.

    Args:
        recordings: With the same joints, channels and unit.
        k_min: Fewest actions to try, at least 2.
        k_max: Most actions to try; fewer where the data are too few.
        alpha: Subactions an action.
        patch_seconds: Time between the windows whose statistics are clustered.
        window_seconds: Length of a window; None: twice as much.
        centre: Positions relative to the root joint; `auto`: where it is known.
        own_mean: Whose mean is taken off the statistics: `person`, `recording` or `none`.
        make: A method, not fitted yet, to find so many actions from this seed; None clusters the
            statistics of windows. What to expect of data without structure comes from those always.
        repeats: Halvings, and pairs of seeds; at least 2.
        seed: Of all that is random.
        progress: Told how many of the K are done, and of how many.

    Raises:
        ConfigError: If the bounds make no sense, or the recordings do not fit together or are too few.
    """
    if not 2 <= k_min <= k_max:
        raise ConfigError(
            f"k_min={k_min}, k_max={k_max}: from 2 actions on, and no fewer at most than at least"
        )
    if repeats < 2:
        raise ConfigError(f"repeats={repeats}: fewer than 2 have no spread; give 2 or more")
    points = points_of(
        recordings,
        patch_seconds=patch_seconds,
        window_seconds=window_seconds,
        centre=centre,
        own_mean=own_mean,
    )
    rng = np.random.default_rng(seed)
    halves = [halved(points.groups, rng) for _ in range(repeats)]
    ks = range(k_min, _most(points, halves, k_min=k_min, k_max=k_max, alpha=alpha) + 1)
    trials: Trials = (
        MethodTrials(points, make) if make else WindowTrials(points.values, points.groups, alpha)
    )
    shapeless = [
        WindowTrials(without_structure(points.values, rng), points.groups, alpha)
        for _ in range(repeats)
    ]
    rows: list[dict[str, float]] = []
    for k in ks:
        pairs = Pairs.of(trials, shapeless, halves, k, seed=seed)
        rows.append({"k": k, **pairs.measured(points.values)})
        if progress:
            progress(len(rows), len(ks))
    # The tree of the K last tried: it has the most branches.
    trees = [labels.subactions for pair in pairs.seeds for labels in pair]
    heights = np.mean([merge_heights(points.values, tree, ks) for tree in trees], axis=0)
    table = tuple({**row, "merge_height": float(h)} for row, h in zip(rows, heights, strict=True))
    criteria = criteria_of(table, halved_by=points.halved_by)
    return Choice(suggestion(criteria, ks), criteria, table, points.halved_by)


def halved(groups: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The groups that occur in two halves, at random; of an odd number the second has one more."""
    shuffled = rng.permutation(np.unique(groups))
    return shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]


def _most(
    points: Points,
    halves: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    k_min: int,
    k_max: int,
    alpha: int,
) -> int:
    """The most actions that every half has enough different points for.

    Raises:
        ConfigError: If it has not even enough for the fewest.
    """
    n_different = min(
        len(different_points(points.values[np.isin(points.groups, half)], at_most=alpha * k_max))
        for both in halves
        for half in both
    )
    if n_different // alpha < k_min:
        raise ConfigError(
            f"{n_different} different windows in half of the data, for {k_min} actions of {alpha} "
            "subactions: too few to tell how many actions there are. Give more recordings, shorten "
            "patch_seconds, or say how many there are (n_actions, -k)"
        )
    return min(k_max, n_different // alpha)
