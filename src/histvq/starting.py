"""Putting a network's codebooks on clusters of what its encoder gives before it has learned."""

from collections.abc import Iterable

import numpy as np
import torch

from histvq.batching import Batch
from histvq.nn.autoencoder import HierarchicalAutoencoder
from histvq.nn.starting import clustered_actions, start_of

# Each clustering to start from makes so many clusters an action before it merges them.
CLUSTERS_AN_ACTION = 6


def start_on_clusters(
    network: HierarchicalAutoencoder,
    batches: Iterable[Batch],
    *,
    alpha: int,
    n_starts: int,
    penalty: float,
    seed: int,
) -> None:
    """Put the codebooks on clusters of the patches of these batches; say what is above what.

    Args:
        network: Not trained yet.
        batches: All of the training data, in order.
        alpha: Codes of a level for each code of the level above.
        n_starts: How many clusterings are made.
        penalty: Of a change of action, in patches (see `nn.starting.clustered_actions`).
        seed: Of the clusterings.
    """
    training = network.training
    network.eval()
    found = [encoded_sequences(network, batch) for batch in batches]
    network.train(training)
    sequences = [sequence for of_batch in found for sequence in of_batch]
    points = np.concatenate(sequences)
    shapes = network.quantiser.shapes
    n_finest, n_actions = shapes[0][0], shapes[-1][0]
    actions = clustered_actions(
        sequences,
        n_actions,
        n_fine=CLUSTERS_AN_ACTION * n_actions,
        n_starts=n_starts,
        penalty=penalty,
        seed=seed,
    )
    start = start_of(
        points, actions, n_actions=n_actions, alpha=alpha, n_levels=len(shapes), seed=seed
    )
    network.quantiser.start_at(
        [
            torch.from_numpy(values).float().view(shape)
            for values, shape in zip(start.prototypes, shapes, strict=True)
        ],
        [torch.from_numpy(codes) for codes in start.parents],
        usage=len(points) / len(found) / n_finest,
    )


@torch.no_grad()
def encoded_sequences(network: HierarchicalAutoencoder, batch: Batch) -> list[np.ndarray]:
    """Encoder output for the patches of each recording of a batch in which anything was measured.

    (patch, feature) in float64; what is missing of a patch is 0.
    """
    encoded = network.encode(batch.skeleton, batch.real)
    patches = (encoded.patches * encoded.real.unsqueeze(-1)).flatten(1).double().cpu().numpy()
    first = np.flatnonzero(encoded.occupied.cpu().numpy()) * network.patch_frames
    owner = np.searchsorted(batch.starts, first, "right")
    return np.split(patches, np.flatnonzero(np.diff(owner)) + 1)
