"""What the supervised references share: settings, fit, which epoch to keep, answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from pydantic import (
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
)
from torch import Tensor, nn

from histvq.annotation import Annotation
from histvq.batching import Batch, pack, pieces
from histvq.errors import ConfigError
from histvq.inputs import check_measured, checked, measured
from histvq.metrics import LabelPairs, edit_score, f1_score, mean_over_frames
from histvq.networked import TrainedNetwork, TrainingConfig
from histvq.nn.frame_loss import UNLABELLED, label_loss, smoothing_loss
from histvq.recording import Recording
from histvq.segmenter import ProgressCallback
from histvq.segments import Segmentation
from histvq.supervised.best_epoch import BestEpoch
from histvq.supervised.labels import by_name, paired
from histvq.supervised.splits import group_of, held_out
from histvq.training import Items, Watch, train
from histvq.transforms import (
    frames_before_resampling,
    labels_after_resampling,
    relative_features,
    resample,
)

# Frames answered at a time: a multiple of any network's `_start_at`, longer than any recording of HuGaDB.
PIECE_FRAMES = 1 << 14

Labelled = tuple[Recording, np.ndarray]


class SupervisedConfig(TrainingConfig, frozen=True, extra="forbid"):
    """Settings of every method that learns from labels; the published ones.

    Attributes:
        features: `raw`, the channels as they are, or `relative`, displacements and positions relative to
            the first joint (MS-GCN's input for PKU-MMD; `centre` then says nothing). Displacements are
            taken at the files' own rate and scaled to the network's.
        validation: Whom to hold out, to tell which epoch to keep: this share of the frames, whole people
            where they are known, or the names of the people. 0: nobody, and the last epoch is kept.
            Whoever alone does some action is not held out.
        learning_rate: Of the optimiser.
        batch_size: Recordings, or pieces of them, a batch.
        piece_seconds: Longer recordings are learned from in pieces of this length, so that a batch has
            a bounded size; 0: whole, as published.
        epochs: How many, unless `min_steps` asks for more.
        min_steps: With little data, train for more epochs, until there are this many batches.
        smoothing_weight: lambda, of the smoothing loss; 0.15 as published.
        smoothing_threshold: tau; larger changes of a log-probability cost no more than this one.
        class_weights: `none`, all frames alike, as published; `balanced`, an action's frames weigh the
            less the more of them there are.
    """

    features: Literal["raw", "relative"] = "raw"
    validation: float | tuple[str, ...] = 0.2
    learning_rate: PositiveFloat = 5e-4
    batch_size: PositiveInt = 1
    piece_seconds: NonNegativeFloat = 120.0
    epochs: PositiveInt = 50
    min_steps: NonNegativeInt = 400
    smoothing_weight: NonNegativeFloat = 0.15
    smoothing_threshold: PositiveFloat = 4.0
    class_weights: Literal["none", "balanced"] = "none"

    @field_validator("validation")
    @classmethod
    def _a_share_or_people(cls, value: float | tuple[str, ...]) -> float | tuple[str, ...]:
        if isinstance(value, float) and not 0 <= value < 1:
            raise ValueError("give a share, 0 or more and below 1, or the names of people")
        return value


@dataclass(frozen=True, eq=False)
class LabelledBatch:
    """A batch and the class of each of its frames, -1 where nobody said or nothing is."""

    batch: Batch
    targets: Tensor

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the recordings."""
        return self.batch.ids


class SupervisedEstimator(TrainedNetwork):
    """Learns to name every frame from recordings with labels; a method says with which network.

    A frame in which nothing was measured is answered with -1. `confidence` is the probability the last
    stage gives to its answer.

    Which epoch is kept: the one with the highest mean of MoF, Edit and F1@50 on the held-out people, the
    earliest of several alike; the last, if nobody was held out.

    Attributes, after `fit`:
        network_: The trained network.
        scale_: Offset and factor of each input channel.
        fps_: Rate the network works at.
        actions_: Names of the actions, in the order of their codes.
        n_recordings_: How many recordings had labels, held out or not.
        held_out_: Ids of the recordings that were held out.
        kept_epoch_: Epoch whose network was kept, from 1.
        seed_: The seed used.
        history_: Losses and scores on the held-out people, an entry an epoch.
        layout_: What recordings must have in common with the training data.
        centred_: Whether positions are taken relative to the root.
    """

    actions_: tuple[str, ...]
    n_recordings_: int
    held_out_: list[str]
    kept_epoch_: int

    _saved = (*TrainedNetwork._saved, "actions", "n_recordings", "held_out", "kept_epoch")

    # What a method says of itself

    def _suit(self, prepared: list[Recording]) -> None:
        """Take the measure of the recordings (`scale_`, and what else the network needs)."""
        raise NotImplementedError

    def _gap(self) -> int:
        """How many masked frames keep two recordings apart."""
        raise NotImplementedError

    def _reach(self) -> int:
        """How many frames before and after it an answer depends on, at most."""
        raise NotImplementedError

    def _start_at(self) -> int:
        """Recordings begin at multiples of so many frames."""
        return 1

    def _optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(network.parameters(), lr=self.config.learning_rate)

    def _logits(self, network: nn.Module, batch: Batch) -> Tensor:
        """(stage, frame, class)."""
        logits: Tensor = network(batch.skeleton, batch.real)
        return logits

    # Fitting

    def fit(
        self,
        recordings: Sequence[Recording],
        annotations: Sequence[Annotation | None],
        *,
        progress: ProgressCallback | None = None,
        checkpoint: str | Path | None = None,
    ) -> Self:
        """Learn the actions of these recordings from their labels.

        Args:
            recordings: With the same joints, channels and unit; lengths and rates may differ. Those
                without any label are left aside.
            annotations: Their labels, found by the recording's id; -1 is learned nothing from. Action
                lists may differ: names count.
            progress: Told after every batch.
            checkpoint: A file to keep the training in while it goes on. If it is there already, the
                training goes on from it, and learns to the last bit what it would have without a stop.

        Raises:
            ConfigError: If recordings, or labels and recordings, do not fit together, or nothing is
                labelled, or the checkpoint belongs to other settings, recordings or labels.
            FileFormatError: If the checkpoint is damaged.
            TrainingError: If a loss is not a finite number.
            Stopped: On Ctrl-C or SIGTERM, with a checkpoint: once the training is kept.
        """
        chosen, given = paired(checked(recordings), annotations)
        self.actions_, labels = by_name(given)
        self.n_recordings_ = len(chosen)

        def train_on(prepared: list[Recording], watch: Watch) -> nn.Module:
            check_measured(prepared)
            self._suit(prepared)
            pairs = [
                (now, labels_after_resampling(label, now.n_frames, ratio=before.fps / now.fps))
                for before, now, label in zip(chosen, prepared, labels, strict=True)
            ]
            return self._train(*self._divided(pairs), watch)

        return self._fit(chosen, train_on, labels=labels, progress=progress, checkpoint=checkpoint)

    def _divided(self, pairs: list[Labelled]) -> tuple[list[Labelled], list[Labelled]]:
        """What to learn from, and what to validate on."""
        wish = self.config.validation
        if isinstance(wish, tuple):
            people = [group_of(recording, by="person") for recording, _ in pairs]
            if absent := sorted(set(wish) - set(people)):
                raise ConfigError(
                    f"validation={list(wish)}: no labelled recording of {', '.join(absent)}; there are "
                    f"{', '.join(sorted(set(people)))}"
                )
            places = {place for place, person in enumerate(people) if person in wish}
        else:
            places = set(
                held_out(
                    [recording for recording, _ in pairs],
                    [labels for _, labels in pairs],
                    share=wish,
                    rng=np.random.default_rng(self.seed_),
                )
            )
        if len(places) == len(pairs):
            raise ConfigError("everybody is held out for validation: nobody is left to learn from")
        self.held_out_ = [pairs[place][0].id for place in sorted(places)]
        learned = [pair for place, pair in enumerate(pairs) if place not in places]
        return learned, [pairs[place] for place in sorted(places)]

    def _train(
        self,
        learned: list[Labelled],
        validated: list[Labelled],
        watch: Watch,
    ) -> nn.Module:
        config: SupervisedConfig = self.config
        generator = torch.Generator().manual_seed(self.seed_)
        network = self._build(generator).to(config.device).train()
        spans = list(self._spans(learned))
        if not spans:
            raise ConfigError(
                f"none of the {len(learned)} recordings to learn from has a frame that is both measured "
                "and labelled"
            )
        weights = self._class_weights([labels for _, labels in learned])
        best = BestEpoch(network)

        def step(batch: LabelledBatch) -> dict[str, Tensor]:
            logits = self._logits(network, batch.batch)
            named = label_loss(logits, batch.targets, class_weights=weights)
            smooth = smoothing_loss(
                logits, batch.batch.real.any(dim=0), threshold=config.smoothing_threshold
            )
            total = named + config.smoothing_weight * smooth
            return {"labels": named, "smoothing": smooth, "total": total}

        def end_of_epoch(epoch: int) -> dict[str, float]:
            if not validated:
                return {}
            network.eval()
            scores = self._validated(network, validated)
            network.train()
            best.offer(float(np.mean(list(scores.values()))), epoch)
            return scores

        history = train(
            network=network,
            items=Items.shuffled(
                spans, self._pack, batch_size=config.batch_size, generator=generator
            ),
            step=step,
            optimizer=self._optimizer(network),
            generator=generator,
            epochs=config.epochs,
            min_steps=config.min_steps,
            also={"best": best},
            end_of_epoch=end_of_epoch,
            watch=watch,
        )
        self._keep(history)
        self.kept_epoch_ = best.restore() if validated else len(history)
        return network.eval()

    def _spans(self, learned: list[Labelled]) -> Iterator[tuple[Labelled, tuple[int, int]]]:
        """The pieces to learn from: those with a frame both measured and labelled."""
        seconds = self.config.piece_seconds
        for recording, labels in learned:
            size = max(1, round(seconds * self.fps_)) if seconds else None
            for start, stop in pieces(recording.n_frames, size):
                told = bool((labels[start:stop] != UNLABELLED).any())
                if told and measured(recording.skeleton[start:stop]):
                    yield (recording, labels), (start, stop)

    def _class_weights(self, labels: list[np.ndarray]) -> Tensor | None:
        """Inversely proportional to the frames of a class, so that all classes weigh alike together."""
        if self.config.class_weights == "none":
            return None
        together = np.concatenate(labels)
        counts = np.bincount(together[together >= 0], minlength=len(self.actions_))
        share = counts.sum() / (max(1, (counts > 0).sum()) * np.maximum(counts, 1))
        return torch.tensor(np.where(counts > 0, share, 0), dtype=torch.float32).to(
            self.config.device
        )

    def _pack(self, spans: list[tuple[Labelled, tuple[int, int]]]) -> LabelledBatch:
        batch = self._packed([r for (r, _), _ in spans], spans=[span for _, span in spans])
        targets = torch.full((batch.skeleton.shape[1],), UNLABELLED, dtype=torch.int32)
        for ((_, labels), span), start in zip(spans, batch.starts, strict=True):
            piece = torch.from_numpy(np.ascontiguousarray(labels[slice(*span)]))
            targets[start : start + len(piece)] = piece
        real = batch.real.any(dim=0)
        return LabelledBatch(batch, torch.where(real, targets.to(real.device), UNLABELLED))

    def _packed(
        self, recordings: list[Recording], *, spans: list[tuple[int, int]] | None = None
    ) -> Batch:
        return pack(
            recordings,
            spans=spans,
            patch_frames=self._start_at(),
            gap=self._gap(),
            scale=self.scale_,
        ).to(self.config.device)

    def _validated(self, network: nn.Module, pairs: list[Labelled]) -> dict[str, float]:
        """Scores of the network on recordings it does not learn from, at its own rate."""
        answers = [self._frames(recording, network)[0] for recording, _ in pairs]
        both = LabelPairs.build(answers, [labels for _, labels in pairs])
        return {
            "mof": mean_over_frames(both),
            "edit": edit_score(both),
            "f1@50": f1_score(both, iou_percent=50),
        }

    # Answers

    def _prepare(self, recording: Recording) -> Recording:
        if self.config.features == "raw":
            return super()._prepare(recording)
        features = relative_features(recording, fps=self.fps_)
        return resample(features, self.fps_, anti_alias=self.config.fps is None)

    @property
    def _n_channels(self) -> int:
        """Channels of a joint as the network sees it."""
        return len(self.layout_["channel_names"]) * (1 if self.config.features == "raw" else 2)

    @torch.no_grad()
    def _frames(self, prepared: Recording, network: nn.Module) -> tuple[np.ndarray, np.ndarray]:
        """Code and its probability of each frame of a prepared recording; -1 where nothing is.

        Piece by piece, each seen with all that can change its answers, so that memory stays bounded.
        """
        codes = np.full(prepared.n_frames, -1, np.int32)
        confidence = np.zeros(prepared.n_frames, np.float32)
        reach = -(-self._reach() // self._start_at()) * self._start_at()
        for start, stop in pieces(prepared.n_frames, PIECE_FRAMES):
            first = max(0, start - reach)
            batch = self._packed([prepared], spans=[(first, min(stop + reach, prepared.n_frames))])
            seen = slice(start - first, stop - first)
            probable, actions = self._logits(network, batch)[-1, seen].softmax(dim=1).max(dim=1)
            real = batch.real.any(dim=0)[seen].cpu().numpy()
            codes[start:stop] = np.where(real, actions.cpu().numpy(), -1)
            confidence[start:stop] = np.where(real, probable.cpu().numpy(), 0)
        return codes, confidence

    def _segment(self, recording: Recording) -> Segmentation:
        prepared = self._prepare(recording)
        codes, confidence = self._frames(prepared, self.network_)
        latest = frames_before_resampling(
            recording.n_frames, prepared.n_frames, ratio=recording.fps / prepared.fps
        )
        return Segmentation(
            recording_id=recording.id,
            fps=recording.fps,
            actions=codes[latest],
            confidence=confidence[latest],
            person=recording.person,
            names=dict(enumerate(self.actions_)),
        )
