"""What methods with a trained network share: how a fit begins, and how the network is kept."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import BaseModel, PositiveFloat
from torch import Tensor, nn

from histvq.batching import InputScale
from histvq.devices import deterministic, device_called, device_or_cpu
from histvq.errors import ConfigError
from histvq.inputs import centred, checked, layout_of, seed_of
from histvq.nn.blas import one_blas_thread
from histvq.nn.peers import peers
from histvq.nn.threads import one_thread_each, side_by_side
from histvq.nn.weightless import check_shapes
from histvq.recording import Recording
from histvq.resuming import (
    Belonging,
    Checkpoint,
    belonging,
    differences,
    done_by_first,
    told_by_all,
)
from histvq.saving import LabelFreeEstimator, SavedEstimator
from histvq.segmenter import ActionCount, Progress, ProgressCallback
from histvq.segments import Segmentation
from histvq.training import Watch
from histvq.transforms import centre_on_root, resample


class TrainingConfig(BaseModel, frozen=True, extra="forbid"):
    """Settings of every method with a network.

    Attributes:
        fps: Rate the network works at; recordings of another are resampled, and labels given for their
            original frames. A rate given here takes frames as they come, as the benchmarks do; None is
            the recordings' own rate (the lowest of them), the others brought to it without aliases.
        centre: Positions relative to the root joint. `auto`: where there are x, y, z channels and the
            root is known.
        random_state: Seed; None draws one.
        device: `cpu`, `cuda`, ...
    """

    fps: PositiveFloat | None = None
    centre: bool | Literal["auto"] = "auto"
    random_state: int | None = None
    device: str = "cpu"


class _Asked(BaseModel, frozen=True, extra="forbid"):
    """What is asked of a method that is given no labels.

    Attributes:
        n_actions: K, how many actions to find; `auto`: as many as `histvq.choosing` suggests.
    """

    n_actions: ActionCount


class NetworkConfig(TrainingConfig, _Asked, frozen=True, extra="forbid"):
    """Settings of every method with a network that learns without labels."""


class TrainedNetwork(SavedEstimator):
    """A network trained on prepared recordings; a method says which, and how.

    Attributes, after `fit`:
        network_: The trained network.
        scale_: Offset and factor of each input channel.
        fps_: Rate the network works at.
        seed_: The seed used.
        history_: Losses and what was measured beside them, an entry an epoch.
        layout_: What recordings must have in common with the training data.
        centred_: Whether positions are taken relative to the root.
    """

    network_: Any
    scale_: InputScale
    fps_: float
    seed_: int
    history_: list[dict[str, float]]
    layout_: dict[str, Any]
    centred_: bool

    _saved: ClassVar[tuple[str, ...]] = ("fps", "seed", "layout", "centred", "history")
    _learned = "network_"
    # Whether processes can learn from a share of a batch each.
    _shares_batches: ClassVar[bool] = False

    # What a method says of itself

    def _build(self, generator: torch.Generator) -> nn.Module:
        """A network with weights from torch's global generator, and whatever else from this one."""
        raise NotImplementedError

    def _fit(
        self,
        recordings: Sequence[Recording],
        train: Callable[[list[Recording], Watch], nn.Module],
        *,
        labels: Sequence[np.ndarray] = (),
        progress: ProgressCallback | None,
        checkpoint: str | Path | None,
    ) -> Self:
        """Check and prepare the recordings, and keep the network that `train` makes of them."""
        # A fit that fails must not leave the network of an earlier one behind.
        self.__dict__.pop("network_", None)
        self._check_shared()
        config: TrainingConfig = self.config
        recordings = checked(recordings)
        device = device_called(config.device)
        self.layout_ = layout_of(recordings[0])
        self.centred_ = centred(recordings, config.centre)
        self.fps_ = config.fps or min(recording.fps for recording in recordings)
        prepared = self._prepare_all(recordings)
        kept = self._checkpoint(checkpoint, recordings, labels)
        # Initial weights and dropout draw from torch's global generator: lent to this fit, then put back.
        devices = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), deterministic(), one_blas_thread():
            torch.manual_seed(self.seed_)
            self.network_ = train(prepared, Watch(progress, kept))
        return self

    def _checkpoint(
        self,
        place: str | Path | None,
        recordings: Sequence[Recording],
        labels: Sequence[np.ndarray],
    ) -> Checkpoint | None:
        """Where the training is kept, if it is, and by which process; also the seed."""
        config: TrainingConfig = self.config
        belongs: Belonging | None = None
        if place is not None or peers().n > 1:
            settings, actions = config.model_dump(mode="json"), getattr(self, "actions_", ())
            belongs = belonging(
                self.method_name, settings, recordings, labels=labels, actions=actions
            )
            _check_alike(belongs)
        kept: Checkpoint | None = None

        def seed() -> int:
            nonlocal kept
            drawn = seed_of(config.random_state)
            if place is None or belongs is None:
                return drawn
            kept = Checkpoint(Path(place), belongs, seed=drawn)
            return kept.seed

        self.seed_ = done_by_first(seed)
        return kept

    def _check_shared(self) -> None:
        """Raise ConfigError if there are several processes, and nothing to share out among them."""
        if peers().n > 1 and not self._shares_batches:
            raise ConfigError(
                f"{self.method_name} cannot be trained by {peers().n} processes together: run it in one. "
                "Many fits side by side go over histvq reproduce --jobs or --cluster"
            )

    def _take(self, weights: dict[str, Tensor]) -> None:
        """Learn nothing: take weights from elsewhere, by our names.

        Raises:
            ConfigError: If they do not fit the network that the settings make.
        """
        network = self._build(torch.Generator().manual_seed(0))
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise ConfigError(f"the weights do not fit this network: {error}") from error
        self.network_ = network.eval()

    def _keep(self, history: Sequence[Progress]) -> None:
        """Note what a training measured."""
        self.history_ = [{"epoch": p.epoch + 1, **p.losses, **p.scores} for p in history]

    def _prepare_all(self, recordings: Sequence[Recording]) -> list[Recording]:
        """The training data as the network takes them."""
        return [self._prepare(recording) for recording in recordings]

    def _prepare(self, recording: Recording) -> Recording:
        prepared = self._at_own_rate(recording)
        return centre_on_root(prepared) if self.centred_ else prepared

    def _at_own_rate(self, recording: Recording) -> Recording:
        return resample(recording, self.fps_, anti_alias=self.config.fps is None)

    def _segment_all(self, recordings: Sequence[Recording]) -> Iterable[Segmentation]:
        # Each on a thread of its own: an answer must not depend on how many threads there are.
        with one_thread_each(), one_blas_thread():
            device = torch.device(self.config.device)
            yield from side_by_side(self._segment, recordings, device=device)

    def _tensors(self) -> dict[str, np.ndarray]:
        weights = self.network_.state_dict()
        return {
            **super()._tensors(),
            "scale.offset": self.scale_.offset,
            "scale.factor": self.scale_.factor,
            **{f"network.{name}": value.cpu().numpy() for name, value in weights.items()},
        }

    def _restore(self, tensors: dict[str, np.ndarray], *, device: str | None) -> None:
        super()._restore(tensors, device=device)
        self.scale_ = InputScale(tensors["scale.offset"], tensors["scale.factor"])
        weights = {
            name.removeprefix("network."): torch.from_numpy(value)
            for name, value in tensors.items()
            if name.startswith("network.")
        }
        check_shapes(self._build, weights)
        network = self._build(torch.Generator())
        network.load_state_dict(weights)
        self.set_params(device=device or device_or_cpu(self.config.device))
        self.network_ = network.to(device_called(self.config.device)).eval()

    @property
    def n_iter_(self) -> int:
        """Epochs trained."""
        self._require_fitted("history_")
        return len(self.history_)


def _check_alike(belongs: Belonging) -> None:
    """Raise ConfigError unless all processes were given the same to learn from."""
    first, *others = told_by_all(belongs.plain)
    for rank, other in enumerate(others, start=1):
        if found := differences(Belonging.of(first), Belonging.of(other)):
            raise ConfigError(
                f"process {rank} was given something else than process 0: {'; '.join(found)}. All of "
                "them must read the same files with the same settings"
            )


class NetworkEstimator(TrainedNetwork, LabelFreeEstimator):
    """Trains a network on recordings alone; a method says how."""

    def _suit(self, prepared: list[Recording]) -> None:
        """See that the recordings suffice, and take their measure (`scale_`)."""
        raise NotImplementedError

    def _train(self, prepared: list[Recording], watch: Watch) -> nn.Module:
        """A network that has learned, in evaluation mode."""
        raise NotImplementedError

    def fit(
        self,
        recordings: Sequence[Recording],
        *,
        progress: ProgressCallback | None = None,
        checkpoint: str | Path | None = None,
    ) -> Self:
        """Learn the actions of these recordings.

        Args:
            recordings: With the same joints, channels and unit; lengths and rates may differ.
            progress: Told after every batch.
            checkpoint: A file to keep the training in while it goes on. If it is there already, the
                training goes on from it, and learns to the last bit what it would have without a stop.

        Raises:
            ConfigError: If the recordings do not fit together or hold too little for the settings, or the
                checkpoint belongs to other settings or recordings.
            FileFormatError: If the checkpoint is damaged.
            TrainingError: If a loss is not a finite number.
            Stopped: On Ctrl-C or SIGTERM, with a checkpoint: once the training is kept.
        """

        def train(prepared: list[Recording], watch: Watch) -> nn.Module:
            self._suit(prepared)
            # Operations are small here, or cut into tiles: more threads an operation bring nothing but
            # other roundings.
            with one_thread_each():
                return self._train(prepared, watch)

        self._settle_actions(recordings)
        return self._fit(recordings, train, progress=progress, checkpoint=checkpoint)
