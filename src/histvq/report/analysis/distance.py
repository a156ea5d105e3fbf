"""How far actions lie from one another, and how well their segments hold together."""

from collections.abc import Sequence

import numpy as np

# Segments compared with one another at most; of more, so many of each action are drawn by chance.
MOST_COMPARED = 4000
_ROWS = 512


def distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Root mean square difference over the features that both know; NaN where they share none.

    Units: standard deviations of a feature, however many are known.
    """
    known, known_there = ~np.isnan(points), ~np.isnan(others)
    x, y = np.where(known, points, 0.0), np.where(known_there, others, 0.0)
    here, there = known.astype(float), known_there.astype(float)
    sizes = x**2 @ there.T + here @ (y**2).T
    squares = sizes - 2 * x @ y.T
    squares[squares < 1e-12 * sizes] = 0  # rounding, which a root would make 1e-6 of
    with np.errstate(invalid="ignore"):
        return np.sqrt(squares / (here @ there.T))


def middles(
    points: np.ndarray, actions: np.ndarray, seconds: np.ndarray, *, codes: Sequence[int]
) -> np.ndarray:
    """Mean point of each action's time, (action, feature): a segment counts by its length."""
    weights = np.where(np.isnan(points), 0.0, seconds[:, None])
    member = (actions == np.array(codes, dtype=int)[:, None]).astype(float)
    with np.errstate(invalid="ignore"):
        return (member @ (weights * np.nan_to_num(points))) / (member @ weights)


def nearest_others(centres: np.ndarray) -> list[int | None]:
    """Place of the nearest other middle for each of them; None where there is none to be measured."""
    apart = distances(centres, centres)
    np.fill_diagonal(apart, np.nan)
    known = ~np.isnan(apart)
    return [
        int(np.nanargmin(row)) if some else None
        for row, some in zip(apart, known.any(axis=1), strict=True)
    ]


def own_and_other(
    points: np.ndarray, centres: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each point to its own action's middle, and to the nearest of another's; NaN: unknown.

    Args:
        points: (span, feature).
        centres: (action, feature).
        own: Place of each point's own action among the centres.
    """
    away = distances(points, centres)
    rows = np.arange(len(points))
    mine = away[rows, own]
    away[rows, own] = np.nan
    other = np.fmin.reduce(away, axis=1, initial=np.nan)
    return mine, other


def mean_silhouettes(
    points: np.ndarray, actions: np.ndarray, *, codes: Sequence[int], seed: int = 0
) -> list[float | None]:
    """Mean silhouette of each action's points: from -1, nearer to others, to 1, far from all others.

    Of a point it is (b - a) / max(a, b): a is its mean distance to the others of its action, b that
    to the points of the nearest other action. None for an action that has fewer than two points, or
    where there is no other.

    Source: P. Rousseeuw, Journal of Computational and Applied Mathematics 20, 1987. An action of one
    point has 0 there, as if it lay on a border.

    Args:
        points: (span, feature); those that know nothing are left out.
        actions: Code of each point.
        codes: Whose silhouettes are asked for.
        seed: Of the draw where there are more than 4,000 points. Each action gets an equal part; mean
            distances within an action stay what they are, up to chance.
    """
    some = np.flatnonzero(~np.isnan(points).all(axis=1)) if points.shape[1] else np.empty(0, int)
    some = _drawn(some, actions, np.random.default_rng(seed))
    points, actions = points[some], actions[some]
    values = _silhouettes(points, actions, codes)
    found: list[float | None] = []
    for code in codes:
        mine = values[actions == code]
        mine = mine[~np.isnan(mine)]
        found.append(float(mine.mean()) if len(mine) else None)
    return found


def _drawn(some: np.ndarray, actions: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    if len(some) <= MOST_COMPARED:
        return some
    shuffled = generator.permutation(some)
    present = np.unique(actions[some])
    share = max(MOST_COMPARED // len(present), 2)
    return np.concatenate([shuffled[actions[shuffled] == code][:share] for code in present])


def _silhouettes(points: np.ndarray, actions: np.ndarray, codes: Sequence[int]) -> np.ndarray:
    """Silhouette of each point, NaN where it has none; some rows at a time, to spare memory."""
    member = (actions[:, None] == np.array(codes, dtype=int)).astype(float)
    values = np.full(len(points), np.nan)
    for start in range(0, len(points), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(points)))
        away = distances(points[rows], points)
        away[np.arange(len(rows)), rows] = np.nan
        known = ~np.isnan(away)
        with np.errstate(invalid="ignore"):
            mean = (np.nan_to_num(away) @ member) / (known @ member)
            own = member[rows] > 0
            a = np.where(own, mean, np.nan)
            a = np.fmin.reduce(a, axis=1, initial=np.nan)
            b = np.fmin.reduce(np.where(own, np.nan, mean), axis=1, initial=np.nan)
            largest = np.maximum(a, b)
            values[rows] = np.where(largest > 0, (b - a) / largest, largest)
    return values
