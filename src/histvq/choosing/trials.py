"""Actions found in part of the data, told of all of it: what the criteria compare."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from histvq.choosing.criteria import agreement, beyond, variance_left
from histvq.choosing.points import Points
from histvq.errors import DataWarning
from histvq.nn.clustering import kmeans, merged, nearest
from histvq.segmenter import Segmenter


@dataclass(frozen=True, eq=False)
class Labels:
    """What one fit says of every point.

    Attributes:
        actions: (point,); -1 where it says nothing.
        subactions: (point,); the actions again where there is one level.
    """

    actions: np.ndarray
    subactions: np.ndarray


class Trials(Protocol):
    """A way to find K actions in some of the groups."""

    def __call__(self, groups: np.ndarray, n_actions: int, *, seed: int) -> Labels:
        """Fit to the points of these groups, and label all points."""
        ...


@dataclass(frozen=True, eq=False)
class WindowTrials:
    """k-means of the points in one or two levels, as `WindowKMeans` finds actions.

    Attributes:
        values: (point, feature).
        groups: (point,).
        alpha: Subactions an action.
    """

    values: np.ndarray
    groups: np.ndarray
    alpha: int

    def __call__(self, groups: np.ndarray, n_actions: int, *, seed: int) -> Labels:
        """Fit to the points of these groups, and label all points."""
        points = self.values[np.isin(self.groups, groups)]
        # One start, or it would take three times as long: there are many fits to average over.
        centres = kmeans(points, self.alpha * n_actions, seed=seed)
        subactions = nearest(self.values, centres)
        return Labels(merged(centres, n_actions)[subactions], subactions)


@dataclass(frozen=True, eq=False)
class MethodTrials:
    """Any method, fitted to the recordings themselves.

    Attributes:
        points: Where its labels are asked for.
        make: The method that is to find so many actions from this seed, not fitted yet.
    """

    points: Points
    make: Callable[[int, int], Segmenter]

    def __call__(self, groups: np.ndarray, n_actions: int, *, seed: int) -> Labels:
        """Fit to the recordings of these groups, and label all points."""
        pieces = self.points.pieces
        method = self.make(n_actions, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # the same for every fit
            method.fit([piece.recording for piece in pieces if piece.group in groups])
            answers = method.predict([piece.recording for piece in pieces])
        places = list(zip(self.points.piece, self.points.frame, strict=True))

        def at(level: str) -> np.ndarray:
            return np.array([answers[piece].labels(level)[frame] for piece, frame in places])

        actions = at("action")
        fine = answers[0].subactions is not None
        return Labels(actions, at("subaction") if fine else actions)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of fits with one K, a pair a repeat; the two of a pair differ in seed.

    Attributes:
        halves: Of two halves of the data.
        expected: Of the same halves of data without structure.
        seeds: Of all data.
    """

    halves: list[tuple[Labels, Labels]]
    expected: list[tuple[Labels, Labels]]
    seeds: list[tuple[Labels, Labels]]

    @classmethod
    def of(
        cls,
        trials: Trials,
        shapeless: Sequence[Trials],
        halves: Sequence[tuple[np.ndarray, np.ndarray]],
        n_actions: int,
        *,
        seed: int,
    ) -> "Pairs":
        """Fit them.

        Args:
            trials: How actions are found in the data.
            shapeless: The same for data without structure, others for each repeat.
            halves: Groups of either half, for each repeat.
            n_actions: K.
            seed: Fits count on from here.
        """

        def pair(
            fit: Trials, parts: tuple[np.ndarray, np.ndarray], repeat: int
        ) -> tuple[Labels, Labels]:
            first = seed + 2 * repeat
            return (
                fit(parts[0], n_actions, seed=first),
                fit(parts[1], n_actions, seed=first + 1),
            )

        whole = [(np.concatenate(both),) * 2 for both in halves]
        return cls(
            halves=[pair(trials, both, r) for r, both in enumerate(halves)],
            expected=[pair(shapeless[r], both, r) for r, both in enumerate(halves)],
            seeds=[pair(trials, both, r) for r, both in enumerate(whole)],
        )

    def measured(self, values: np.ndarray) -> dict[str, float]:
        """How much they agree, and what they leave of the variance of these points."""
        halves, expected, seeds = (
            np.array([agreement(one.actions, other.actions) for one, other in pairs])
            for pairs in (self.halves, self.expected, self.seeds)
        )
        share, error = beyond(halves, expected)
        left = [variance_left(values, labels.actions) for pair in self.seeds for labels in pair]
        return {
            "halves": float(halves.mean()),
            "expected": float(expected.mean()),
            "beyond": share,
            "error": error,
            "seeds": float(seeds.mean()),
            "variance_left": float(np.mean(left)),
        }
