"""HiST-VQ written plainly, as one would from the paper: what ours is timed against and held against.

A batch is padded to its longest recording, every joint is a row of it, and autograd goes through
everything: joint distances of all V x V pairs, distances to prototypes one code after another. No tricks,
and nothing of ours imported. Source: HiST-VQ sections 3 and 4; where the paper is silent, the readings
are those that `histvq.methods.histvq` and `histvq.nn.codebook` give in their docstrings.

Axes: N sequences, T frames (a multiple of P), V joints, C channels, D latent, M patches, K codes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Sizes:
    """Sizes of the network, named as the settings of `histvq.HiSTVQ`, and its loss weights."""

    n_joints: int
    n_channels: int
    patch_frames: int
    n_actions: int = 10
    alpha: int = 2
    n_maps: int = 128
    n_layers: int = 3
    n_latent: int = 16
    temporal_hidden: int = 128
    dropout: float = 0.5
    ema_decay: float = 0.5
    min_usage_patches: float = 3.0
    min_usage_prototypes: float = 1.0
    dead_batches: int = 3
    lambda_commit: float = 1.0
    lambda_spat: float = 0.001
    lambda_temp: float = 0.2


class Layer(nn.Module):
    def __init__(self, n_maps: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.dilated = nn.Conv1d(n_maps, n_maps, 3, padding=dilation, dilation=dilation)
        self.pointwise = nn.Conv1d(n_maps, n_maps, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, series: Tensor, mask: Tensor) -> Tensor:
        hidden = torch.relu(self.dilated(series))
        return (series + self.dropout(self.pointwise(hidden))) * mask


class Stage(nn.Module):
    def __init__(self, n_in: int, n_out: int, sizes: Sizes) -> None:
        super().__init__()
        self.enter = nn.Conv1d(n_in, sizes.n_maps, 1)
        self.layers = nn.ModuleList(
            Layer(sizes.n_maps, 2**layer, sizes.dropout) for layer in range(sizes.n_layers)
        )
        self.leave = nn.Conv1d(sizes.n_maps, n_out, 1)

    def forward(self, series: Tensor, mask: Tensor) -> Tensor:
        hidden = self.enter(series) * mask
        for layer in self.layers:
            hidden = layer(hidden, mask)
        return self.leave(hidden) * mask


class TCN(nn.Module):
    """Two stages, the same weights for every joint."""

    def __init__(self, n_in: int, n_out: int, sizes: Sizes) -> None:
        super().__init__()
        half = sizes.n_latent // 2
        self.stages = nn.ModuleList([Stage(n_in, half, sizes), Stage(half, n_out, sizes)])

    def forward(self, series: Tensor, real: Tensor) -> Tensor:
        """(N, T, V, in) and its mask (N, T, V) -> (N, T, V, out)."""
        n, t, v, c = series.shape
        rows = series.permute(0, 2, 3, 1).reshape(n * v, c, t)
        mask = real.permute(0, 2, 1).reshape(n * v, 1, t).to(series.dtype)
        for stage in self.stages:
            rows = stage(rows, mask)
        return rows.reshape(n, v, -1, t).permute(0, 3, 1, 2)


class Codebook(nn.Module):
    """Running counts and running sums of the items given to each code."""

    def __init__(self, prototypes: Tensor, *, decay: float, min_usage: float, dead: int) -> None:
        super().__init__()
        self.decay, self.min_usage, self.dead_batches = decay, min_usage, dead
        self.register_buffer("total", prototypes.clone())
        self.register_buffer("mass", torch.ones(prototypes.shape[:-1]))
        self.register_buffer("seen", torch.zeros(prototypes.shape[:-1], dtype=torch.bool))
        self.register_buffer("usage", torch.ones(len(prototypes)))
        self.register_buffer("idle", torch.zeros(len(prototypes), dtype=torch.long))

    @property
    def prototypes(self) -> Tensor:
        return self.total / self.mass.unsqueeze(-1)

    @property
    def shown(self) -> Tensor:
        """Where anything was ever learned; all of a code that never learned."""
        return self.seen | ~self.seen.flatten(1).any(dim=1)[:, None, None]

    @torch.no_grad()
    def assign(self, items: Tensor, real: Tensor) -> Tensor:
        """The nearest code of each item (eq. 1), over the real part of the item."""
        distances = [
            ((items - z) * real[..., None]).flatten(1).norm(dim=1) for z in self.prototypes
        ]
        return torch.stack(distances, dim=1).argmin(dim=1)

    @torch.no_grad()
    def learn(
        self, items: Tensor, real: Tensor, codes: Tensor, times: Tensor, luck: torch.Generator
    ) -> None:
        """Eqs. (3)-(4) with running sums, each item counted so many times; then revive the dead."""
        for code in range(len(self.usage)):
            mine = codes == code
            weight = times[mine, None, None] * real[mine]
            count, total = weight.sum(dim=0), (items[mine] * weight[..., None]).sum(dim=0)
            self.mass[code].lerp_(count, 1 - self.decay)
            self.total[code].lerp_(total, 1 - self.decay)
            self.usage[code].lerp_(times[mine].sum(), 1 - self.decay)
            self.seen[code] |= count > 0
        self.idle = torch.where(self.usage < self.min_usage, self.idle + 1, 0)
        dead = torch.nonzero(self.idle >= self.dead_batches).flatten()
        dead = dead[self.idle[dead].argsort(descending=True, stable=True)]
        dead = dead[: int((times > 0).sum())]
        if not len(dead):
            return
        drawn = torch.multinomial(times.cpu(), len(dead), generator=luck).to(items.device)
        known = real[drawn]
        prototypes = torch.where(known[..., None], items[drawn], self.prototypes[dead])
        self.total[dead] = prototypes * self.min_usage
        self.mass[dead] = self.min_usage
        self.seen[dead] |= known
        self.usage[dead] = self.min_usage
        self.idle[dead] = 0


@dataclass(frozen=True)
class Rebuilt:
    """What the network makes of a padded batch.

    Attributes:
        levels: The encoder's patches and what each codebook made of them, (patch, P, V, D) each.
        mask: (patch, P, V).
        occupied: (N, M), which patches of the batch they are.
        skeleton: (N, T, V, C) rebuilt.
        times: (patch,) guessed.
        actions: (N, T), -1 where nothing is real.
    """

    levels: tuple[Tensor, Tensor, Tensor]
    mask: Tensor
    occupied: Tensor
    skeleton: Tensor
    times: Tensor
    actions: Tensor


class PlainHiSTVQ(nn.Module):
    """Encoder, two codebooks, and the decoders of the skeleton and of the patches' times."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.encoder = TCN(sizes.n_channels, sizes.n_latent, sizes)
        self.spatial_decoder = TCN(sizes.n_latent, sizes.n_channels, sizes)
        n_in = sizes.patch_frames * sizes.n_joints * sizes.n_latent
        hidden = sizes.temporal_hidden
        self.temporal_decoder = nn.Sequential(
            *(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()),
            nn.Linear(hidden, 1),
        )

        def draw(n_codes: int, min_usage: float) -> Codebook:
            shape = (n_codes, sizes.patch_frames, sizes.n_joints, sizes.n_latent)
            start, decay, dead = torch.randn(shape), sizes.ema_decay, sizes.dead_batches
            return Codebook(start, decay=decay, min_usage=min_usage, dead=dead)

        self.subactions = draw(sizes.n_actions * sizes.alpha, sizes.min_usage_patches)
        self.actions = draw(sizes.n_actions, sizes.min_usage_prototypes)

    def encode(self, skeleton: Tensor, real: Tensor) -> Tensor:
        """Latents (N, T, V, D) of a padded batch (N, T, V, C)."""
        return self.encoder(skeleton, real)

    def codes(self, latents: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Action and subaction of each frame, (N, T); -1 where nothing is real."""
        patches, mask, occupied = self._patches(latents, real)
        subactions = self.subactions.assign(patches, mask)
        parents = self.actions.assign(self.subactions.prototypes, self.subactions.shown)
        return self._by_frame(parents[subactions], occupied), self._by_frame(subactions, occupied)

    def forward(
        self, skeleton: Tensor, real: Tensor, luck: torch.Generator | None = None
    ) -> Rebuilt:
        """Both halves; in training mode the codebooks learn on the way."""
        patches, mask, occupied = self._patches(self.encode(skeleton, real), real)
        codes = self.subactions.assign(patches, mask)
        if self.training:
            once = torch.ones(len(patches), device=patches.device)
            self.subactions.learn(patches, mask, codes, once, luck)
        prototypes, shown = self.subactions.prototypes, self.subactions.shown
        parents = self.actions.assign(prototypes, shown)
        if self.training:
            used = torch.bincount(codes, minlength=len(prototypes)).to(patches.dtype)
            self.actions.learn(prototypes, shown, parents, used, luck)
        first = _through(patches, prototypes[codes] * mask[..., None])
        second = _through(first, self.actions.prototypes[parents[codes]] * mask[..., None])
        laid_out = second.new_zeros(*occupied.shape, *second.shape[1:])
        laid_out = laid_out.index_put((occupied,), second).flatten(1, 2)
        return Rebuilt(
            levels=(patches, first, second),
            mask=mask,
            occupied=occupied,
            skeleton=self.spatial_decoder(laid_out, real),
            times=self.temporal_decoder(first.flatten(1)).squeeze(1),
            actions=self._by_frame(parents[codes], occupied),
        )

    def losses(
        self, skeleton: Tensor, real: Tensor, times: Tensor, luck: torch.Generator
    ) -> dict[str, Tensor]:
        """Eqs. (5)-(9) of a padded batch, `times` (N, M)."""
        sizes, rebuilt = self.sizes, self(skeleton, real, luck)
        patches, first, second = rebuilt.levels
        losses = {
            "commit_1": sizes.lambda_commit * _commitment(patches, first, rebuilt.mask),
            "commit_2": sizes.lambda_commit * _commitment(first, second, rebuilt.mask),
            "spatial": sizes.lambda_spat * _joint_distance(rebuilt.skeleton, skeleton, real),
            "temporal": sizes.lambda_temp
            * (rebuilt.times - times[rebuilt.occupied]).square().mean(),
        }
        return {**losses, "total": torch.stack(list(losses.values())).sum()}

    def _by_frame(self, codes: Tensor, occupied: Tensor) -> Tensor:
        laid_out = torch.full_like(occupied, -1, dtype=torch.long)
        laid_out[occupied] = codes
        return laid_out.repeat_interleave(self.sizes.patch_frames, dim=1)

    def _patches(self, latents: Tensor, real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Patches with anything real in them, their masks, and which of the (N, M) they are."""
        p = self.sizes.patch_frames
        patches, mask = latents.unflatten(1, (-1, p)), real.unflatten(1, (-1, p))
        occupied = mask.flatten(2).any(dim=2)
        return patches[occupied], mask[occupied], occupied


def _through(values: Tensor, quantised: Tensor) -> Tensor:
    """The quantised values forward, the identity backward."""
    return values + (quantised - values).detach()


def _commitment(values: Tensor, quantised: Tensor, mask: Tensor) -> Tensor:
    error = (values - quantised.detach()).square() * mask[..., None]
    return error.sum() / (mask.sum() * values.shape[-1])


def _joint_distance(rebuilt: Tensor, skeleton: Tensor, real: Tensor) -> Tensor:
    """Mean over real frames and ordered pairs of joints (eq. 7, plain distances)."""

    def distances(series: Tensor) -> Tensor:
        return torch.linalg.vector_norm(series[:, :, :, None] - series[:, :, None], dim=-1)

    both = real[:, :, :, None] & real[:, :, None]
    return ((distances(rebuilt) - distances(skeleton)).square() * both).sum() / both.sum()


def pad(skeletons: list[Tensor], patch_frames: int) -> tuple[Tensor, Tensor, Tensor]:
    """A batch of recordings (frame, joint, channel), each padded to whole patches of the longest.

    Returns:
        Skeleton (N, T, V, C), 0 where NaN or padding; its mask (N, T, V); the middle of every patch as a
        share of its recording (N, M).
    """
    lengths = torch.tensor([len(skeleton) for skeleton in skeletons])
    n_patches = -(-int(lengths.max()) // patch_frames)
    shape = (len(skeletons), n_patches * patch_frames, *skeletons[0].shape[1:])
    batch, real = torch.zeros(shape), torch.zeros(shape[:-1], dtype=torch.bool)
    for row, skeleton in enumerate(skeletons):
        known = ~skeleton.isnan().any(dim=-1)
        batch[row, : len(skeleton)] = skeleton.nan_to_num() * known[..., None]
        real[row, : len(skeleton)] = known
    start = torch.arange(n_patches)[None] * patch_frames
    stop = torch.minimum(start + patch_frames, lengths[:, None])
    return batch, real, (start + stop) / 2 / lengths[:, None]
