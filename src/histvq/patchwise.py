"""What methods that encode and quantise patches share: settings, fit, predict, save and load."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, overload

import torch
from pydantic import BaseModel, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor

from histvq.answering import Kept, PatchCodes, number_by_use, patch_codes
from histvq.batching import Batch, InputScale, fit_scale, pack, pieces, shuffled_batches
from histvq.errors import FileFormatError
from histvq.inputs import (
    centred,
    check_enough,
    check_layout,
    checked,
    layout_of,
    listed,
    measured,
)
from histvq.modelfile import read_description, read_tensors, write_model
from histvq.nn.autoencoder import Decoded, HierarchicalAutoencoder
from histvq.nn.tcn import widest_dilation
from histvq.recording import Recording
from histvq.segmenter import Estimator, ProgressCallback
from histvq.segments import Segmentation
from histvq.training import deterministic, device_called, device_or_cpu, seed_of, train
from histvq.transforms import centre_on_root, frames_before_resampling, resample


class PatchwiseConfig(BaseModel, frozen=True, extra="forbid"):
    """Settings of every method that encodes patches and quantises them.

    Attributes:
        n_actions: K, how many actions to find.
        patch_seconds: Length of a patch, the shortest thing told apart; the papers use 1 s.
        fps: Rate the network works at; recordings of another are resampled, and labels given for their
            original frames. None: the recordings' own rate (the lowest of them).
        input_scale: `quantity` makes the input unit-free (see `batching.fit_scale`); `none` feeds the
            numbers as they are, as the published runs did.
        centre: Positions relative to the root joint. `auto`: where there are x, y, z channels and the
            root is known.
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
        random_state: Seed; None draws one.
        device: `cpu`, `cuda`, ...
    """

    n_actions: PositiveInt
    patch_seconds: PositiveFloat = 1.0
    fps: PositiveFloat | None = None
    input_scale: Literal["quantity", "none"] = "quantity"
    centre: bool | Literal["auto"] = "auto"
    n_maps: PositiveInt = 16
    n_layers: PositiveInt = 3
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
    random_state: int | None = None
    device: str = "cpu"


class PatchwiseEstimator(Estimator):
    """Fits a network to patches and answers with their codes; a method says which network and loss.

    Attributes, after `fit`:
        network_: The trained network.
        scale_: Offset and factor of each input channel.
        fps_: Rate the network works at.
        patch_frames_: Frames of a patch at that rate.
        seed_: The seed used.
        history_: Losses and label-free measurements, an entry an epoch.
        kept_epoch_: Epoch whose network was kept, from 1.
        centred_: Whether positions are taken relative to the root.
        n_iter_: Epochs trained.
    """

    method_name: ClassVar[str]

    network_: HierarchicalAutoencoder
    scale_: InputScale
    fps_: float
    patch_frames_: int
    seed_: int
    history_: list[dict[str, float]]
    kept_epoch_: int
    layout_: dict[str, Any]
    centred_: bool

    _saved = ("fps", "patch_frames", "seed", "layout", "centred", "history", "kept_epoch")

    # What a method says of itself

    def _n_codes(self) -> int:
        """How many codes the finest level has."""
        raise NotImplementedError

    def _build(self, generator: torch.Generator) -> HierarchicalAutoencoder:
        """A network with weights from torch's global generator and codebooks drawn at random."""
        raise NotImplementedError

    def _losses(self, decoded: Decoded, batch: Batch) -> dict[str, Tensor]:
        """Every loss term of a batch, and their `total`."""
        raise NotImplementedError

    # Fitting

    def fit(
        self, recordings: Sequence[Recording], *, progress: ProgressCallback | None = None
    ) -> Self:
        """Learn the actions of these recordings.

        Args:
            recordings: With the same joints, channels and unit; lengths and rates may differ.
            progress: Told after every batch.

        Raises:
            ConfigError: If the recordings do not fit together or hold too little for the settings.
            TrainingError: If a loss is not a finite number.
        """
        # A fit that fails must not leave the network of an earlier one behind.
        self.__dict__.pop("network_", None)
        config: PatchwiseConfig = self.config
        recordings = checked(recordings)
        device = device_called(config.device)
        self.layout_ = layout_of(recordings[0])
        self.centred_ = centred(recordings, config.centre)
        self.fps_ = config.fps or min(recording.fps for recording in recordings)
        self.patch_frames_ = max(1, round(config.patch_seconds * self.fps_))
        prepared = [self._prepare(recording) for recording in recordings]
        check_enough(
            prepared,
            n_codes=self._n_codes(),
            patch_frames=self.patch_frames_,
        )
        self.scale_ = fit_scale(prepared, mode=config.input_scale)
        self.seed_ = seed_of(config.random_state)
        # Initial weights and dropout draw from torch's global generator: lent to this fit, then put back.
        devices = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), deterministic():
            torch.manual_seed(self.seed_)
            self.network_ = self._train(prepared, progress)
        return self

    def _train(
        self, prepared: list[Recording], progress: ProgressCallback | None
    ) -> HierarchicalAutoencoder:
        config: PatchwiseConfig = self.config
        generator = torch.Generator().manual_seed(self.seed_)
        network = self._build(generator)
        network.to(config.device).train()
        kept = Kept(steadiest=config.keep == "steadiest")
        spans = [
            (recording, span)
            for recording in prepared
            for span in pieces(recording.n_frames, self._piece_frames())
            if measured(recording.skeleton[slice(*span)])
        ]
        n_batches = -(-len(spans) // config.batch_size)

        def epoch_batches() -> Iterator[Batch]:
            for places in shuffled_batches(len(spans), config.batch_size, generator=generator):
                yield self._pack([spans[place] for place in places])

        def step(batch: Batch) -> dict[str, Tensor]:
            decoded = network(batch.skeleton, batch.real, generator=generator)
            return self._losses(decoded, batch)

        def end_of_epoch(_: int) -> dict[str, float]:
            network.eval()
            answers = [self._patch_codes(recording, network) for recording in prepared]
            network.train()
            kept.offer(answers, network)
            return kept.scores

        history = train(
            epoch_batches=epoch_batches,
            n_batches=n_batches,
            step=step,
            optimizer=torch.optim.Adam(network.parameters(), lr=config.learning_rate),
            epochs=max(config.epochs, -(-config.min_steps // n_batches)),
            min_gain=config.min_gain,
            uneven=not config.piece_seconds,
            end_of_epoch=end_of_epoch,
            progress=progress,
        )
        network.load_state_dict(kept.state)
        network.eval()
        self.kept_epoch_ = kept.epoch
        self.history_ = [{"epoch": p.epoch + 1, **p.losses, **p.scores} for p in history]
        number_by_use(network.quantiser, kept.answers)
        return network

    # Answers

    @overload
    def predict(self, recordings: Recording) -> Segmentation: ...
    @overload
    def predict(self, recordings: Sequence[Recording]) -> list[Segmentation]: ...
    def predict(
        self, recordings: Recording | Sequence[Recording]
    ) -> Segmentation | list[Segmentation]:
        """One action and subaction for every frame of one recording, or of several.

        A recording's answer depends on that recording alone. A patch without any measured value gets
        -1. `confidence` is 1 - d / d', where d is the distance to the nearest subaction and d' that to
        the nearest one of another action: 0 on the border, 1 on the prototype. It is no probability.

        Raises:
            NotFittedError: Before `fit`.
            ConfigError: If joints, channels or unit differ from those of the training data.
        """
        self._require_fitted("network_")
        answers = [self._segment(recording) for recording in listed(recordings)]
        return answers[0] if isinstance(recordings, Recording) else answers

    def fit_predict(
        self, recordings: Sequence[Recording], *, progress: ProgressCallback | None = None
    ) -> list[Segmentation]:
        """`fit`, then `predict` on the same recordings."""
        return self.fit(recordings, progress=progress).predict(list(recordings))

    def _segment(self, recording: Recording) -> Segmentation:
        check_layout(recording, self.layout_)
        prepared = self._prepare(recording)
        codes = self._patch_codes(prepared, self.network_)
        latest = frames_before_resampling(
            recording.n_frames, prepared.n_frames, ratio=recording.fps / prepared.fps
        )
        patch = latest // self.patch_frames_
        return Segmentation(
            recording_id=recording.id,
            fps=recording.fps,
            actions=codes.actions[patch],
            subactions=codes.subactions[patch]
            if len(self.network_.quantiser.codebooks) > 1
            else None,
            confidence=codes.confidence[patch],
            person=recording.person,
        )

    def _patch_codes(self, prepared: Recording, network: HierarchicalAutoencoder) -> PatchCodes:
        n_patches = -(-prepared.n_frames // self.patch_frames_)
        batch = self._pack([(prepared, (0, prepared.n_frames))])
        return patch_codes(network, batch, n_patches=n_patches)

    # On disk

    def save(self, path: str | Path) -> None:
        """Write the fitted method to a folder: JSON and safetensors, no pickle."""
        self._require_fitted("network_")
        write_model(
            path,
            description={
                "method": self.method_name,
                "params": self.config.model_dump(),
                **{name: getattr(self, f"{name}_") for name in self._saved},
            },
            tensors={
                "scale.offset": self.scale_.offset,
                "scale.factor": self.scale_.factor,
                **{f"network.{k}": v.cpu().numpy() for k, v in self.network_.state_dict().items()},
            },
        )

    @classmethod
    def load(cls, path: str | Path, *, device: str | None = None) -> Self:
        """The fitted method that `save` wrote.

        Args:
            path: The folder.
            device: Where to run it; None: where it was fitted, or the CPU if that is not to be had.

        Raises:
            FileFormatError: If the folder holds no model, or a damaged one.
        """
        description, tensors = read_description(path), read_tensors(path)
        try:
            model = cls(**description["params"])
            for name in cls._saved:
                setattr(model, f"{name}_", description[name])
            model.scale_ = InputScale(tensors.pop("scale.offset"), tensors.pop("scale.factor"))
            network = model._build(torch.Generator())
            network.load_state_dict(
                {k.removeprefix("network."): torch.from_numpy(v) for k, v in tensors.items()}
            )
        except (KeyError, TypeError, RuntimeError) as error:
            raise FileFormatError(
                f"{path}: the model is incomplete or its two files do not belong together ({error}); "
                "save it again"
            ) from error
        model.set_params(device=device or device_or_cpu(model.config.device))
        model.network_ = network.to(device_called(model.config.device)).eval()
        return model

    # Preparation

    def _prepare(self, recording: Recording) -> Recording:
        prepared = resample(recording, self.fps_)
        return centre_on_root(prepared) if self.centred_ else prepared

    def _piece_frames(self) -> int | None:
        """Frames of a piece, whole patches."""
        seconds = self.config.piece_seconds
        if not seconds:
            return None
        return max(1, round(seconds * self.fps_ / self.patch_frames_)) * self.patch_frames_

    def _pack(self, spans: list[tuple[Recording, tuple[int, int]]]) -> Batch:
        config: PatchwiseConfig = self.config
        return pack(
            [recording for recording, _ in spans],
            spans=[span for _, span in spans],
            patch_frames=self.patch_frames_,
            gap=widest_dilation(config.n_layers),
            scale=self.scale_,
        ).to(config.device)

    @property
    def n_iter_(self) -> int:
        """Epochs trained."""
        self._require_fitted("history_")
        return len(self.history_)
