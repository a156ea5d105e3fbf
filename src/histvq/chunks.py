"""Codes of patches, chunk by chunk: every chunk of a model has one shape, however frames arrive.

A chunk is so many whole patches, and on either side as many frames as the encoder looks at. Chunk k of
every recording begins at the same patch, and what is not there (before the beginning, after the end, not
come yet) is masked. So the encoder does the same sums, in the same order, for a frame that has all it
looks at, whether the recording came whole, bit by bit, or as the beginning of a longer one: to the last
bit. Memory does not grow with length.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from histvq.batching import InputScale
from histvq.nn.autoencoder import HierarchicalAutoencoder
from histvq.nn.patches import mask_to_patches, to_patches
from histvq.nn.threads import one_thread_each

# Joints times frames of a chunk. Convolutions are several times faster while a layer's activations fit
# the processor's cache.
CHUNK_ROWS = 8192


@dataclass(frozen=True)
class PatchCodes:
    """Codes of one recording's patches; -1 where nothing was measured."""

    actions: np.ndarray
    subactions: np.ndarray
    confidence: np.ndarray

    def __len__(self) -> int:
        return len(self.actions)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Those of patches one part after another."""
        return cls(
            np.concatenate([np.zeros(0, np.int32), *(part.actions for part in parts)]),
            np.concatenate([np.zeros(0, np.int32), *(part.subactions for part in parts)]),
            np.concatenate([np.zeros(0, np.float32), *(part.confidence for part in parts)]),
        )

    def where(self, known: np.ndarray) -> "PatchCodes":
        """The same where anything was measured, (patch,), and unknown elsewhere."""
        return PatchCodes(
            np.where(known, self.actions, np.int32(-1)),
            np.where(known, self.subactions, np.int32(-1)),
            np.where(known, self.confidence, np.float32(0)),
        )

    def part(self, start: int, stop: int) -> "PatchCodes":
        """Those of patches from `start` on, before `stop`."""
        return PatchCodes(
            self.actions[start:stop], self.subactions[start:stop], self.confidence[start:stop]
        )


@dataclass(frozen=True)
class ChunkShape:
    """What all chunks of a model have in common.

    Attributes:
        n_joints: V.
        n_channels: C.
        patch_frames: P.
        n_patches: Of a chunk.
        reach: Frames of context before the first patch, and after the last.
    """

    n_joints: int
    n_channels: int
    patch_frames: int
    n_patches: int
    reach: int

    @classmethod
    def of(cls, *, n_joints: int, n_channels: int, patch_frames: int, reach: int) -> Self:
        """About `CHUNK_ROWS` joints times frames, one patch at least, and no more context than frames.

        It must depend on the model alone: labels would otherwise depend on more than that.
        """
        n_frames = max(CHUNK_ROWS / n_joints, 2 * reach)
        n_patches = max(1, round(n_frames / patch_frames))
        return cls(n_joints, n_channels, patch_frames, n_patches, reach)

    @property
    def core_frames(self) -> int:
        """Frames of its patches."""
        return self.n_patches * self.patch_frames

    @property
    def n_frames(self) -> int:
        """Frames with the context."""
        return self.core_frames + 2 * self.reach


def nearest_codes(
    distances: Float[Tensor, "patch code"], parents: Int[Tensor, " code"]
) -> PatchCodes:
    """Codes of patches so far from each prototype of the finest level.

    The confidence is 1 - d / d', where d is the distance to the nearest subaction and d' that to the
    nearest one of another action.
    """
    nearest, subactions = distances.min(dim=1)
    actions = parents[subactions]
    others = distances.masked_fill(parents == actions.unsqueeze(1), torch.inf).amin(dim=1)
    margin = 1 - nearest / others.clamp(min=torch.finfo(others.dtype).tiny)
    return PatchCodes(
        actions.cpu().numpy().astype(np.int32),
        subactions.cpu().numpy().astype(np.int32),
        margin.cpu().numpy().astype(np.float32),
    )


class ChunkCoder:
    """Codes of a chunk's patches: encoder and codebooks only, no decoder.

    Args:
        network: As it is now: the parents of its codes are found once.
        shape: Of the chunks.
        scale: Applied to the values.
        device: Where the network is.
    """

    def __init__(
        self,
        network: HierarchicalAutoencoder,
        *,
        shape: ChunkShape,
        scale: InputScale,
        device: str | torch.device,
    ) -> None:
        self.network = network
        self.shape = shape
        self.scale = scale
        self.device = device
        self.parents = network.quantiser.actions()

    def __call__(self, skeleton: Tensor, real: Tensor) -> PatchCodes:
        """Codes of all patches of a chunk.

        Args:
            skeleton: (joint, frame, channel), 0 where not real.
            real: (joint, frame).
        """
        distances, occupied = self.distances(skeleton, real)
        return nearest_codes(distances, self.parents).where(occupied.cpu().numpy())

    @torch.no_grad()
    def distances(self, skeleton: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """How far each patch of a chunk is from each code of the finest level.

        Returns:
            (patch, code), and (patch,): in which patches anything was measured.
        """
        shape, network = self.shape, self.network
        core = slice(shape.reach, shape.reach + shape.core_frames)
        latents = network.encoder(skeleton.to(self.device), real.to(self.device))[:, core]
        mask = mask_to_patches(real[:, core], shape.patch_frames).to(self.device)
        compared = torch.ones_like(mask) if network.whole_patches else mask
        # Of empty patches too: a product of fewer rows may be summed in another order.
        distances = network.quantiser.distances(to_patches(latents, shape.patch_frames), compared)
        return distances, mask.flatten(1).any(dim=1)


class ChunkBuffer:
    """The frames of one chunk after another, filled in as they come.

    Args:
        shape: Of the chunks.
        scale: Applied to the values.
    """

    def __init__(self, shape: ChunkShape, scale: InputScale) -> None:
        self.shape = shape
        self.scale = scale
        # Allocated by torch: products may round otherwise where memory is aligned otherwise.
        self.skeleton = torch.zeros(shape.n_joints, shape.n_frames, shape.n_channels)
        self.real = torch.zeros(shape.n_joints, shape.n_frames, dtype=torch.bool)
        self._filled = shape.reach  # before the beginning there is nothing

    @property
    def is_full(self) -> bool:
        """Whether all there is to see has come."""
        return self._filled == self.shape.n_frames

    @property
    def n_ready(self) -> int:
        """Of how many patches all that the encoder looks at has come."""
        return max(self._filled - 2 * self.shape.reach, 0) // self.shape.patch_frames

    @property
    def n_begun(self) -> int:
        """Of how many patches anything has come."""
        n_frames = self._filled - self.shape.reach
        return min(-(-n_frames // self.shape.patch_frames), self.shape.n_patches)

    def fill(self, frames: np.ndarray) -> np.ndarray:
        """Take as many of the frames as there is room for; the others."""
        taken = frames[: self.shape.n_frames - self._filled]
        values = self.scale.apply(taken).transpose(1, 0, 2)
        known = ~np.isnan(values).any(axis=2)
        place = slice(self._filled, self._filled + len(taken))
        self.skeleton.numpy()[:, place] = np.where(known[:, :, None], values, 0)
        self.real.numpy()[:, place] = known
        self._filled += len(taken)
        return frames[len(taken) :]

    def advance(self) -> None:
        """Go on to the next chunk, which begins where the patches of this one end."""
        core = self.shape.core_frames
        for buffer in (self.skeleton, self.real):
            kept = buffer[:, core:].clone()
            buffer.zero_()
            buffer[:, : kept.shape[1]] = kept
        self._filled = max(self._filled - core, 0)


Chunk = tuple[Tensor, Tensor, int]


def chunks_of(
    blocks: Iterable[np.ndarray], shape: ChunkShape, scale: InputScale
) -> Iterator[Chunk]:
    """Every chunk of a recording whose frames come in these blocks.

    Yields its skeleton and where it is real, as `ChunkCoder` takes them, and how many of its patches
    hold any frame.
    """
    buffer = ChunkBuffer(shape, scale)

    def made() -> Chunk:
        return buffer.skeleton.clone(), buffer.real.clone(), buffer.n_begun

    for block in blocks:
        while len(block):
            block = buffer.fill(block)
            if buffer.is_full:
                yield made()
                buffer.advance()
    while buffer.n_begun > 0:
        yield made()
        buffer.advance()


class PatchStream:
    """Codes of the patches of one recording whose frames come bit by bit.

    A patch's code is given as soon as all that the encoder looks at has come, for which its chunk is
    computed as often as patches of it get ready.

    Args:
        coder: Of the model.
    """

    def __init__(self, coder: ChunkCoder) -> None:
        self.coder = coder
        self._buffer = ChunkBuffer(coder.shape, coder.scale)
        self._given = 0  # patches of this chunk

    def push(self, frames: np.ndarray) -> PatchCodes:
        """Take more frames, (frame, joint, channel); the codes of the next patches that are ready."""
        found = []
        while len(frames):
            frames = self._buffer.fill(frames)
            if self._buffer.is_full:
                found.append(self._next(self.coder.shape.n_patches))
                self._advance()
        found.append(self._next(self._buffer.n_ready))
        return PatchCodes.joined(found)

    def finish(self) -> PatchCodes:
        """The codes of all patches left, the last one as short as it is."""
        found = []
        while self._buffer.n_begun > 0:
            found.append(self._next(self._buffer.n_begun))
            self._advance()
        return PatchCodes.joined(found)

    def _next(self, stop: int) -> PatchCodes:
        """Codes of this chunk's patches before `stop` that were not given yet."""
        if stop <= self._given:
            return PatchCodes.joined([])
        with one_thread_each():  # as everywhere: a sum shared among threads may round otherwise
            codes = self.coder(self._buffer.skeleton, self._buffer.real).part(self._given, stop)
        self._given = stop
        return codes

    def _advance(self) -> None:
        self._buffer.advance()
        self._given = 0
