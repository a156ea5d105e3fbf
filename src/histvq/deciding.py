"""From distances to answers along a recording: a price on changes, and how sure each patch is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from histvq.chunks import PatchCodes
from histvq.nn.confidence import certainty, rank_within_action, steps_of, usual_distance
from histvq.nn.sticky import sticky_paths


@dataclass(frozen=True, eq=False)
class Decision:
    """How patches of one recording are answered.

    Attributes:
        price: Of a change of action, in squared distance: `sticky_paths`; 0: every patch by itself.
        usual: Usual distance of a patch to its code, see `nn.confidence`.
        steps: (action, step): quantiles of how certain the training data's patches are.
    """

    price: float
    usual: float
    steps: np.ndarray

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All of it, to be saved."""
        return {
            "price": np.array([self.price]),
            "usual": np.array([self.usual]),
            "steps": self.steps,
        }

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray]) -> "Decision":
        """The decision whose `arrays` these are."""
        return cls(float(arrays["price"][0]), float(arrays["usual"][0]), arrays["steps"])

    def __call__(
        self, distances: np.ndarray, occupied: np.ndarray, parents: np.ndarray
    ) -> PatchCodes:
        """Codes of the patches of a recording, and how each patch's certainty ranks among its action's.

        Args:
            distances: (patch, code), to the codes of the finest level.
            occupied: (patch,): in which patches anything was measured. Order goes on over the others.
            parents: (code,): the action of each code.
        """
        codes = PatchCodes(*(np.zeros(len(distances), kind) for kind in (np.int32, np.int32, "f4")))
        if not occupied.any():
            return codes.where(occupied)
        known = distances[occupied]
        actions = decided(known, parents, price=self.price)
        sure = certainty(known, parents, actions=actions, usual=self.usual)
        own = np.where(parents == actions[:, None], known, np.inf)
        codes.actions[occupied] = actions
        codes.subactions[occupied] = own.argmin(axis=1)
        codes.confidence[occupied] = rank_within_action(sure, actions, self.steps)
        return codes.where(occupied)


def fit_decision(
    distances: Sequence[np.ndarray], parents: np.ndarray, *, stay: float, n_actions: int
) -> Decision:
    """The decision that suits these training data.

    Args:
        distances: (patch, code) of each recording's patches in which anything was measured.
        parents: (code,): the action of each code.
        stay: Price of a change, in patches at their usual squared distance.
        n_actions: K.
    """
    usual = usual_distance(np.concatenate(distances))
    price = stay * usual**2
    actions = [decided(d, parents, price=price) for d in distances]
    sure = [
        certainty(d, parents, actions=a, usual=usual)
        for d, a in zip(distances, actions, strict=True)
    ]
    steps = steps_of(np.concatenate(sure), np.concatenate(actions), n_actions=n_actions)
    return Decision(price, usual, steps)


def decided(distances: np.ndarray, parents: np.ndarray, *, price: float) -> np.ndarray:
    """Action of each patch, (patch,): that of its nearest code, or, at a price, of the best path."""
    if not price:
        return np.asarray(parents[distances.argmin(axis=1)])
    n_actions = int(parents.max()) + 1
    costs = np.full((len(distances), n_actions), np.inf)
    for action in np.unique(parents):
        costs[:, action] = distances[:, parents == action].min(axis=1) ** 2
    return sticky_paths([costs], price)[0]
