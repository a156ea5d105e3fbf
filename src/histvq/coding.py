"""Codes of whole recordings, by a network as it is."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from histvq.batching import Batch
from histvq.blocks import blocks
from histvq.chunks import Chunk, ChunkCoder, PatchCodes, chunks_of, nearest_codes
from histvq.deciding import Decision
from histvq.nn.autoencoder import HierarchicalAutoencoder
from histvq.nn.threads import one_thread_each, side_by_side
from histvq.recording import Recording
from histvq.transforms import blocks_centred_on_root

Result = TypeVar("Result")


@torch.no_grad()
def codes_in_training(network: HierarchicalAutoencoder, batch: Batch) -> PatchCodes:
    """Codes of all patches of a batch in which anything was measured.

    Chunks of one shape would be much larger than the few short recordings some learn from.
    """
    encoded = network.encode(batch.skeleton, batch.real)
    distances = network.quantiser.distances(encoded.patches, encoded.compared)
    return nearest_codes(distances, network.quantiser.actions())


def patch_codes(
    recordings: Iterable[Recording],
    coder: ChunkCoder,
    *,
    centred: bool = False,
    decision: Decision | None = None,
) -> list[PatchCodes]:
    """Codes of each recording's patches; chunks are worked on side by side.

    Args:
        recordings: At the network's rate.
        coder: Of the network.
        centred: Whether to take positions relative to the root first.
        decision: How to answer; None: with the nearest code.
    """
    if decision is not None:
        parents = coder.parents.cpu().numpy()
        return [
            decision(distances, occupied, parents)
            for distances, occupied in patch_distances(recordings, coder, centred=centred)
        ]

    def coded(skeleton: Tensor, real: Tensor, n_patches: int) -> PatchCodes:
        return coder(skeleton, real).part(0, n_patches)

    return [PatchCodes.joined(parts) for parts in _by_chunk(recordings, coder, coded, centred)]


def patch_distances(
    recordings: Iterable[Recording], coder: ChunkCoder, *, centred: bool = False
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Distances of each recording's patches, (patch, code), and in which anything was measured.

    Args:
        recordings: At the network's rate.
        coder: Of the network.
        centred: Whether to take positions relative to the root first.
    """

    def measured(skeleton: Tensor, real: Tensor, n_patches: int) -> tuple[np.ndarray, np.ndarray]:
        distances, occupied = coder.distances(skeleton, real)
        return distances[:n_patches].cpu().numpy(), occupied[:n_patches].cpu().numpy()

    return [
        (np.concatenate([d for d, _ in parts]), np.concatenate([o for _, o in parts]))
        for parts in _by_chunk(recordings, coder, measured, centred)
    ]


def _by_chunk(
    recordings: Iterable[Recording],
    coder: ChunkCoder,
    task: Callable[[Tensor, Tensor, int], Result],
    centred: bool,
) -> Iterator[list[Result]]:
    """The task's results of the chunks of each recording.

    The task takes a chunk's values, where they are real, and of how many patches anything is in it.
    """

    def chunks() -> Iterator[tuple[int, Chunk]]:
        for number, recording in enumerate(recordings):
            frames = blocks_centred_on_root(recording) if centred else blocks(recording.skeleton)
            for chunk in chunks_of(frames, coder.shape, coder.scale):
                yield number, chunk

    def done(item: tuple[int, Chunk]) -> tuple[int, Result]:
        number, chunk = item
        return number, task(*chunk)

    with one_thread_each():
        found = side_by_side(done, chunks(), device=torch.device(coder.device))
        for _, parts in groupby(found, key=itemgetter(0)):
            yield [part for _, part in parts]
