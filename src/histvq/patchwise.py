"""What methods that encode and quantise patches share: settings, fit, predict, save and load."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor

from histvq.answering import Kept, number_by_use
from histvq.batching import Batch, dealt, fit_scale, pack, pieces
from histvq.chunks import ChunkCoder, ChunkShape, PatchCodes, PatchStream
from histvq.coding import codes_in_training, patch_codes
from histvq.collapse import warn_if_collapsed
from histvq.deciding import Decision
from histvq.inputs import check_enough, measured
from histvq.networked import NetworkConfig, NetworkEstimator
from histvq.nn.autoencoder import Decoded, HierarchicalAutoencoder
from histvq.nn.memory import less_at_once, sparing_memory
from histvq.nn.parts import Part
from histvq.nn.peers import peers
from histvq.nn.tcn import widest_dilation
from histvq.recording import Recording
from histvq.resuming import shared_out
from histvq.segments import Segmentation
from histvq.statistics import FrontEnd
from histvq.training import Items, Watch, train
from histvq.transforms import centre_on_root, frames_before_resampling

Span = tuple[Recording, tuple[int, int]]


class PatchwiseConfig(NetworkConfig, frozen=True, extra="forbid"):
    """Settings of every method that encodes patches and quantises them.

    Attributes:
        patch_seconds: Length of a patch, the shortest thing told apart; the papers use 1 s.
        input_scale: `quantity` makes the input unit-free (see `batching.fit_scale`); `none` feeds the
            numbers as they are, as the published runs did.
        n_maps: F, width of the network.
        n_layers: Residual layers a stage.
        n_latent: D, latent channels a joint.
        dropout: In every residual layer.
        ema_decay: beta.
        learning_rate: Of Adam.
        batch_size: Recordings, or pieces of them, a batch.
        piece_seconds: Longer recordings are learned from in pieces of this length, so that a batch has
            a bounded size; 0: whole, as published.
        epochs: How many at most, unless `min_steps` asks for more.
        min_gain: Stop after an epoch that lowers the training loss by less than this share of it; 0
            trains all epochs. No true label is used.
        min_steps: With little data, allow more epochs, until there are this many batches.
        keep: Which epoch's network to keep, `last` or `steadiest`: of the epochs with the most actions
            in use, the one in which the fewest patches changed their action since the epoch before.
            Codes chase a moving encoder, so labels wander; the steadiest are those that both agree on.
            No true label is used.
        precision: Of the convolutions in training. `bfloat16` is up to twice as fast where the processor
            has it, and rounds every product to three digits; three seeds of each on HuGaDB could not be
            told apart. Prediction takes float32 whatever this is.
    """

    patch_seconds: PositiveFloat = 1.0
    input_scale: Literal["quantity", "none"] = "quantity"
    n_maps: PositiveInt = 16
    n_layers: PositiveInt = Field(3, le=16)
    n_latent: PositiveInt = Field(16, multiple_of=2)
    dropout: float = Field(0.1, ge=0, lt=1)
    ema_decay: float = Field(0.5, ge=0, lt=1)
    learning_rate: PositiveFloat = 2e-3
    batch_size: PositiveInt = 4
    piece_seconds: NonNegativeFloat = 20.0
    epochs: PositiveInt = 10
    min_gain: float = Field(0.0, ge=0, lt=1)
    min_steps: NonNegativeInt = 200
    keep: Literal["last", "steadiest"] = "steadiest"
    precision: Literal["float32", "bfloat16"] = "float32"


class PatchwiseEstimator(NetworkEstimator):
    """Fits a network to patches and answers with their codes; a method says which network and loss.

    A patch without any measured value is answered with -1. `confidence` is 1 - d / d', where d is the
    distance to the nearest subaction and d' that to the nearest one of another action: 0 on the border,
    1 on the prototype. It is no probability.

    Attributes, after `fit`, beside those of `NetworkEstimator`:
        patch_frames_: Frames of a patch at the network's rate.
        front_end_: What makes recordings into what the network takes; None where it takes motion.
        decision_: How patches are answered; None: with the nearest code.
        kept_epoch_: Epoch whose network was kept, from 1.
    """

    network_: HierarchicalAutoencoder
    patch_frames_: int
    kept_epoch_: int
    front_end_: FrontEnd | None = None
    decision_: Decision | None = None

    _saved = (*NetworkEstimator._saved, "patch_frames", "kept_epoch")

    _against_collapse: ClassVar[tuple[str, ...]]
    _shares_batches = True

    # What a method says of itself

    def _n_codes(self) -> int:
        """How many codes the finest level has."""
        raise NotImplementedError

    def _build(self, generator: torch.Generator) -> HierarchicalAutoencoder:
        """A network with weights from torch's global generator and codebooks drawn at random."""
        raise NotImplementedError

    def _losses(
        self, network: HierarchicalAutoencoder, decoded: Decoded, batch: Batch
    ) -> dict[str, Tensor]:
        """Every loss term of a batch, and their `total`."""
        raise NotImplementedError

    def _start(self, network: HierarchicalAutoencoder, batches: Iterable[Batch]) -> None:
        """Put the codebooks where they are to start, if not where they were drawn."""

    def _decide(self, network: HierarchicalAutoencoder, prepared: list[Recording]) -> None:
        """Learn how to answer with the trained network, if not patch by patch with the nearest code."""

    # Fitting

    def _suit(self, prepared: list[Recording]) -> None:
        config: PatchwiseConfig = self.config
        self.patch_frames_ = max(1, round(config.patch_seconds * self.fps_))
        check_enough(
            prepared,
            n_codes=self._n_codes(),
            n_patches=sum(-(-recording.n_frames // self.patch_frames_) for recording in prepared),
            patch_seconds=self.patch_frames_ / self.fps_,
        )
        self.scale_ = fit_scale(prepared, mode=config.input_scale)

    def _train(self, prepared: list[Recording], watch: Watch) -> HierarchicalAutoencoder:
        config: PatchwiseConfig = self.config
        generator = torch.Generator().manual_seed(self.seed_)
        network = self._build(generator)
        network.to(config.device).train()
        network.set_precision(low=config.precision == "bfloat16")
        kept = Kept(steadiest=config.keep == "steadiest")
        spans = [
            (recording, span)
            for recording in prepared
            for span in pieces(recording.n_frames, self._piece_frames())
            if measured(recording.skeleton[slice(*span)])
        ]
        in_order = [
            spans[place : place + config.batch_size]
            for place in range(0, len(spans), config.batch_size)
        ]

        def step(batch: Batch) -> dict[str, Tensor]:
            parts = parts_of(batch, lucky=config.dropout > 0)
            decoded = network(
                batch.skeleton, batch.real, parts=parts, numbers=batch.numbers, generator=generator
            )
            return self._losses(network, decoded, batch)

        def end_of_epoch(_: int) -> dict[str, float]:
            network.eval()
            told = shared_out(lambda b: vars(codes_in_training(network, self._pack(b))), in_order)
            answers = [PatchCodes(**arrays) for arrays in told]
            network.train()
            kept.offer(answers, network)
            return kept.scores

        with sparing_memory():
            history = train(
                network=network,
                items=Items.shuffled(
                    spans, self._pack_share, batch_size=config.batch_size, generator=generator
                ),
                step=step,
                optimizer=torch.optim.Adam(network.parameters(), lr=config.learning_rate),
                generator=generator,
                epochs=config.epochs,
                min_steps=config.min_steps,
                min_gain=config.min_gain,
                uneven=False,  # tiles are of one size, and most of the memory is theirs
                also={"kept": kept},
                start=lambda: self._start(network, (self._pack(batch) for batch in in_order)),
                end_of_epoch=end_of_epoch,
                less_at_once=lambda: less_at_once(torch.device(config.device)),
                watch=watch,
            )
        network.load_state_dict(kept.state)
        network.eval()
        self.kept_epoch_ = kept.epoch
        self._keep(history)
        number_by_use(network.quantiser, kept.answers)
        for level in ("subactions", "actions")[len(network.quantiser.codebooks) == 1 :]:
            warn_if_collapsed(
                [getattr(answer, level) for answer in kept.answers],
                config.n_actions if level == "actions" else self._n_codes(),
                level=level,
                try_also=self._against_collapse,
            )
        self._decide(network, prepared)
        return network

    # To disk and back

    def _plain(self) -> dict[str, Any]:
        front_end = self.front_end_
        if front_end is None:
            return super()._plain()
        return {**super()._plain(), "statistics": front_end.plain}

    def _take_plain(self, description: dict[str, Any]) -> None:
        super()._take_plain(description)
        self._statistics = description.get("statistics")

    def _tensors(self) -> dict[str, np.ndarray]:
        tensors = super()._tensors()
        if self.front_end_ is not None:
            tensors |= {f"statistics.{k}": v for k, v in self.front_end_.arrays.items()}
        if self.decision_ is not None:
            tensors |= {f"decision.{k}": v for k, v in self.decision_.arrays.items()}
        return tensors

    def _restore(self, tensors: dict[str, np.ndarray], *, device: str | None) -> None:
        def under(prefix: str) -> dict[str, np.ndarray]:
            found = {k: v for k, v in tensors.items() if k.startswith(prefix)}
            return {name.removeprefix(prefix): value for name, value in found.items()}

        if self._statistics is not None:
            self.front_end_ = FrontEnd.restored(self._statistics, under("statistics."))
        if decision := under("decision."):
            self.decision_ = Decision.restored(decision)
        super()._restore(tensors, device=device)

    # Answers

    def _segment_all(self, recordings: Sequence[Recording]) -> Iterable[Segmentation]:
        lengths = []

        def resampled() -> Iterator[Recording]:
            for recording in recordings:  # one after another, as they are wanted
                made = self._at_own_rate(recording)
                lengths.append(made.n_frames)
                yield made

        def statistics(front_end: FrontEnd) -> Iterator[Recording]:
            for recording in recordings:
                made = front_end(centre_on_root(recording) if self.centred_ else recording)
                lengths.append(made.n_frames)
                yield made

        coder, front_end = self._coder(self.network_), self.front_end_
        if front_end is None:
            found = patch_codes(resampled(), coder, centred=self.centred_, decision=self.decision_)
        else:
            found = patch_codes(statistics(front_end), coder, decision=self.decision_)
        return map(self._answer, recordings, found, lengths)

    def _answer(self, recording: Recording, codes: PatchCodes, n_resampled: int) -> Segmentation:
        ratio = recording.fps / self.fps_
        if self.front_end_ is not None:
            ratio = max(ratio, 1.0)  # no patch is shorter than a frame
        latest = frames_before_resampling(recording.n_frames, n_resampled, ratio=ratio)
        patch = latest // self.patch_frames_
        return Segmentation(
            recording_id=recording.id,
            fps=recording.fps,
            actions=codes.actions[patch],
            subactions=codes.subactions[patch] if self.n_levels_ > 1 else None,
            confidence=codes.confidence[patch],
            person=recording.person,
        )

    @property
    def n_levels_(self) -> int:
        """How many levels of codes there are."""
        return len(self.network_.quantiser.codebooks)

    def patch_stream(self) -> PatchStream:
        """What gives the codes of patches while their frames come.

        Frames are (frame, joint, channel) at `fps_`, laid out as `layout_` says, and centred already if
        `centred_`.
        """
        self._require_fitted(self._learned)
        return PatchStream(self._coder(self.network_))

    def _n_channels(self) -> int:
        """How many channels a joint has in what the network takes."""
        if self.front_end_ is not None:
            return int(self.front_end_.means.shape[2])
        return len(self.layout_["channel_names"])

    def _coder(self, network: HierarchicalAutoencoder) -> ChunkCoder:
        shape = ChunkShape.of(
            n_joints=len(self.layout_["joint_names"]),
            n_channels=self._n_channels(),
            patch_frames=self.patch_frames_,
            reach=network.encoder.reach,
        )
        return ChunkCoder(network, shape=shape, scale=self.scale_, device=self.config.device)

    def _piece_frames(self) -> int | None:
        """Frames of a piece, whole patches."""
        seconds = self.config.piece_seconds
        if not seconds:
            return None
        return max(1, round(seconds * self.fps_ / self.patch_frames_)) * self.patch_frames_

    def _pack_share(self, spans: list[Span]) -> Batch:
        """The share of this process in a batch."""
        lengths = [stop - start for _, (start, stop) in spans]
        return self._pack(spans, share=dealt(lengths, rank=peers().rank, n=peers().n))

    def _pack(self, spans: list[Span], *, share: Sequence[int] | None = None) -> Batch:
        config: PatchwiseConfig = self.config
        return pack(
            [recording for recording, _ in spans],
            spans=[span for _, span in spans],
            share=share,
            patch_frames=self.patch_frames_,
            gap=widest_dilation(config.n_layers),
            scale=self.scale_,
        ).to(config.device)


def parts_of(batch: Batch, *, lucky: bool) -> list[Part]:
    """The recordings of a batch, to be worked on each by itself.

    With `lucky`, each has luck of its own, from torch's global generator, which is the same luck in
    whatever process it is.
    """
    if not lucky:
        return [Part(slice(*frames)) for frames in batch.frames]
    seeds = torch.randint(2**62, (len(batch.ids),)).tolist()
    return [
        Part(slice(*frames), torch.Generator().manual_seed(seeds[place]))
        for place, frames in zip(batch.places, batch.frames, strict=True)
    ]
