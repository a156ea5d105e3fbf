"""Where codebooks start: on clusters of what the encoder makes of the patches before it has learned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from histvq.nn.clustering import distances_to, kmeans, nearest
from histvq.nn.consensus import consensus
from histvq.nn.sticky import sticky_kmeans, sticky_paths


@dataclass(frozen=True, eq=False)
class Start:
    """Prototypes of every level, and what is above what.

    Attributes:
        prototypes: (code, feature) of each level, the finest first.
        parents: (code,) of each level but the top: the code above.
    """

    prototypes: tuple[np.ndarray, ...]
    parents: tuple[np.ndarray, ...]


def clustered_actions(
    sequences: Sequence[Float[np.ndarray, "_ feature"]],
    n_actions: int,
    *,
    n_fine: int,
    n_starts: int,
    penalty: float,
    seed: int,
) -> Int[np.ndarray, " patch"]:
    """An action for each patch of all recordings.

    Args:
        sequences: What the encoder makes of the patches of each recording, in order.
        n_actions: K.
        n_fine: Clusters that are merged to K.
        n_starts: Runs that must agree, or starts of which the best counts.
        penalty: Of a change of action, as in `sticky_kmeans`. With 0 order in time counts for nothing,
            and actions are the consensus of runs that merge `n_fine` clusters to K; else they are the
            best of so many runs of k-means with that penalty.
        seed: Of all of it.
    """
    points = np.concatenate(sequences)
    if not penalty:
        return consensus(points, n_actions, n_fine=n_fine, n_runs=n_starts, seed=seed)
    centres, price = sticky_kmeans(
        sequences, n_actions, penalty=penalty, seed=seed, n_init=n_starts
    )
    costs = [distances_to(sequence, centres) ** 2 for sequence in sequences]
    return np.concatenate(sticky_paths(costs, price))


def start_of(
    points: Float[np.ndarray, "patch feature"],
    actions: Int[np.ndarray, " patch"],
    *,
    n_actions: int,
    alpha: int,
    n_levels: int,
    seed: int,
) -> Start:
    """Prototypes: each action in the middle of its patches, each code parted in `alpha` by k-means.

    An action that no patch has starts in the middle of everything; another code that none has, on the
    code above.

    Args:
        points: What the encoder makes of the patches.
        actions: Theirs.
        n_actions: K.
        alpha: Codes of a level for each code of the level above.
        n_levels: Levels.
        seed: Of k-means.
    """
    middle = points.mean(axis=0)
    members = [points[actions == action] for action in range(n_actions)]
    prototypes = [np.stack([m.mean(axis=0) if len(m) else middle for m in members])]
    parents: list[np.ndarray] = []
    for _ in range(n_levels - 1):
        parts = [
            kmeans(m, alpha, seed=seed) if len(m) else above[None].repeat(alpha, 0)
            for m, above in zip(members, prototypes[0], strict=True)
        ]
        below = [nearest(m, part) for m, part in zip(members, parts, strict=True)]
        members = [
            m[codes == code]
            for m, codes in zip(members, below, strict=True)
            for code in range(alpha)
        ]
        prototypes.insert(0, np.concatenate(parts))
        parents.insert(0, np.repeat(np.arange(len(parts)), alpha))
    return Start(tuple(prototypes), tuple(parents))
