"""What methods that embed and label single frames share: settings, fit, answers."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import PositiveFloat
from torch import Tensor, nn

from histvq.errors import ConfigError
from histvq.features import FrameScale, Series, fit_frame_scale, frame_series
from histvq.inputs import check_measured, warn_if_few
from histvq.networked import NetworkConfig, NetworkEstimator
from histvq.nn.clustering import different_points
from histvq.recording import Recording
from histvq.segments import Segmentation
from histvq.training import Watch
from histvq.transforms import frames_before_resampling

Decoder = Literal["none", "transcript", "transcript_skip", "markov"]


class FramewiseConfig(NetworkConfig, frozen=True, extra="forbid"):
    """Settings of every method that labels single frames.

    Attributes:
        input_scale: Scale of the frame vectors, see `features.frame_series`: `recording`,
            `recording_scaled`, `dataset`, `frame_l2` or `none`.
    """

    input_scale: FrameScale = "recording"


class DecodedConfig(FramewiseConfig, frozen=True, extra="forbid"):
    """Settings of methods whose frame scores can be decoded by Viterbi.

    Attributes:
        decoder: From scores to labels: `none`, the best of each frame; `transcript`, every action once,
            in the order of their mean times (what the papers' codes call Viterbi); `transcript_skip`,
            in that order, but any may be left out; `markov`, any order, changes of action penalised.
            A recording too short for a whole transcript may leave actions out.
        dwell_seconds: Of `markov`: how long an action is expected to last, from which the chance of
            staying from frame to frame follows.
    """

    decoder: Decoder = "none"
    dwell_seconds: PositiveFloat = 1.0


@dataclass(frozen=True, eq=False)
class FrameLabels:
    """A method's answer for the frames of one series.

    Attributes:
        actions: (frame,).
        subactions: (frame,), or None.
        confidence: (frame,), or None.
    """

    actions: np.ndarray
    subactions: np.ndarray | None = None
    confidence: np.ndarray | None = None


class FramewiseEstimator(NetworkEstimator):
    """Trains a network on frame vectors and labels every frame; a method says how.

    Frames in which nothing was measured are not learned from, and answered with -1.
    """

    _has_subactions: ClassVar[bool] = False

    def _n_codes(self) -> int:
        """How many codes the finest level has."""
        return int(self.config.n_actions)

    def _learn(self, series: list[Series], watch: Watch) -> nn.Module:
        """A network that has learned from these."""
        raise NotImplementedError

    def _label(self, series: Series) -> FrameLabels:
        """The labels of one series, by the trained network."""
        raise NotImplementedError

    @property
    def n_features_(self) -> int:
        """Length of a frame vector."""
        return len(self.layout_["joint_names"]) * len(self.layout_["channel_names"])

    def _suit(self, prepared: list[Recording]) -> None:
        check_measured(prepared)
        self.scale_ = fit_frame_scale(prepared, mode=self.config.input_scale)

    def _train(self, prepared: list[Recording], watch: Watch) -> nn.Module:
        series = [s for s in map(self._series, prepared) if s.known.any()]
        self._check_frames(series)
        return self._learn(series, watch).eval()

    def _check_frames(self, series: list[Series]) -> None:
        """See that there are at least as many frames as codes, and say if few of them differ."""
        n_codes = self._n_codes()
        n_known = sum(int(s.known.sum()) for s in series)
        if n_known < n_codes:
            raise ConfigError(
                f"{n_known} frames in which anything was measured, for {n_codes} codes: give more "
                "recordings, or lower n_actions"
            )
        different = series[0].values[:0]
        for one in series:
            points = np.concatenate([different, one.values[one.known]])
            different = different_points(points, at_most=n_codes)
            if len(different) == n_codes:
                return
        warn_if_few(len(different), n_codes)

    def _series(self, prepared: Recording) -> Series:
        return frame_series(prepared, mode=self.config.input_scale, scale=self.scale_)

    def _segment(self, recording: Recording) -> Segmentation:
        prepared = self._prepare(recording)
        series = self._series(prepared)
        with torch.no_grad():
            labels = self._label(series) if series.known.any() else self._nothing(series)
        latest = frames_before_resampling(
            recording.n_frames, prepared.n_frames, ratio=recording.fps / prepared.fps
        )

        def codes(values: np.ndarray) -> np.ndarray:
            return np.where(series.known, values, -1).astype(np.int32)[latest]

        return Segmentation(
            recording_id=recording.id,
            fps=recording.fps,
            actions=codes(labels.actions),
            subactions=None if labels.subactions is None else codes(labels.subactions),
            confidence=None
            if labels.confidence is None
            else np.where(series.known, labels.confidence, 0).astype(np.float32)[latest],
            person=recording.person,
        )

    def _nothing(self, series: Series) -> FrameLabels:
        """What is said of a recording in which nothing was measured."""
        unknown = np.full(len(series.values), -1)
        return FrameLabels(unknown, subactions=unknown if self._has_subactions else None)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self.config.device)


def stay_chance(dwell_seconds: float, fps: float) -> float:
    """Chance that an action goes on from one frame to the next, if it lasts so long on average."""
    return 1 - 1 / min(max(dwell_seconds * fps, 1 + 1e-6), 1e9)
