"""Codebooks the slow way: one patch, one frame and one joint at a time, in plain float64 numpy."""

import numpy as np


def distance_by_loop(patch, real, prototype, *, distance):
    """One patch to one prototype; `real` says which joints of which frames count."""
    squares_of_frames = []
    for frame in range(len(patch)):
        squares = 0.0
        for joint in range(patch.shape[1]):
            if real[frame, joint]:
                difference = patch[frame, joint].astype(float) - prototype[frame, joint]
                squares += float(difference @ difference)
        squares_of_frames.append(squares)
    if distance == "patch":
        return float(np.sqrt(sum(squares_of_frames)))
    return float(sum(np.sqrt(squares) for squares in squares_of_frames))


def distances_by_loop(patches, real, prototypes, *, distance):
    """Every patch to every prototype."""
    return np.array(
        [
            [distance_by_loop(x, r, z, distance=distance) for z in prototypes]
            for x, r in zip(patches, real, strict=True)
        ]
    )


class LiteralCodebook:
    """Keeps the sum m and the count n of every value as they are written down, and divides at the end.

    Args:
        prototypes: (code, patch_frame, joint, latent) to start from, each standing for one patch.
        decay: beta.
    """

    def __init__(self, prototypes, *, decay):
        self.total = prototypes.astype(float).copy()
        self.count = np.ones(prototypes.shape[:3])
        self.decay = decay

    @property
    def prototypes(self):
        return self.total / self.count[..., None]

    def learn(self, patches, real, codes, weights=None):
        """n <- beta n + (1 - beta) count; m <- beta m + (1 - beta) sum, value by value."""
        weights = np.ones(len(patches)) if weights is None else weights
        total, count = np.zeros_like(self.total), np.zeros_like(self.count)
        for patch, known, code, weight in zip(patches, real, codes, weights, strict=True):
            for frame, joint in np.argwhere(known):
                total[code, frame, joint] += weight * patch[frame, joint]
                count[code, frame, joint] += weight
        self.total = self.decay * self.total + (1 - self.decay) * total
        self.count = self.decay * self.count + (1 - self.decay) * count
