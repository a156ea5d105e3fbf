"""Window statistics and k-means: the simplest thing that works, and the yardstick for all the rest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, PositiveFloat, PositiveInt

from histvq.inputs import (
    centred,
    check_enough,
    checked,
    layout_of,
    seed_of,
    warn_if_few,
)
from histvq.nn.clustering import by_use, different_points, distances_to, kmeans, merged, nearest
from histvq.recording import Recording
from histvq.saving import LabelFreeEstimator
from histvq.segmenter import ActionCount, ProgressCallback
from histvq.segments import Segmentation
from histvq.windowing import known_mean
from histvq.windows import (
    WindowStatistics,
    features_of,
    means_by_person,
    scale_of,
    sizes_of,
    stillness,
    window_statistics,
)


class WindowKMeansConfig(BaseModel, frozen=True, extra="forbid"):
    """Settings of window k-means.

    Attributes:
        n_actions: K, how many actions to find; `auto`: as many as `histvq.choosing` suggests.
        alpha: Subactions an action: alpha * K k-means clusters are merged to K by Ward linkage of their
            centres. With 1 there is one level.
        patch_seconds: Time from window to window, the shortest thing told apart.
        window_seconds: Length of a window, around the middle of the patch. None: twice `patch_seconds`.
        centre: Positions relative to the root joint. `auto`: where there are x, y, z channels and the
            root is known.
        own_mean: Whose mean is taken off the statistics: each `person`'s (how the sensors sit, how the
            body is built), each `recording`'s, or `none`. People whose name is not known count as one.
        n_init: Starts of k-means, the best of which is taken.
        random_state: Seed; None draws one.
    """

    n_actions: ActionCount
    alpha: PositiveInt = 2
    patch_seconds: PositiveFloat = 1.0
    window_seconds: PositiveFloat | None = None
    centre: bool | Literal["auto"] = "auto"
    own_mean: Literal["person", "recording", "none"] = "person"
    n_init: PositiveInt = 10
    random_state: int | None = None


class WindowKMeans(LabelFreeEstimator):
    """Clusters the mean and the logarithm of the spread of every joint in a window around each patch.

    A patch in whose window nothing was measured is answered with -1; a statistic that is missing counts
    as its mean. `confidence` is 1 - d / d', where d is the distance to the nearest subaction and d' that
    to the nearest one of another action. Runs on the CPU, without torch.

    Source: ours; no paper lists it. The two levels are HiST-VQ's idea, with Ward's merging in place of
    the second quantiser.

    Attributes, after `fit`:
        centres_: (subaction, feature), scaled.
        parents_: (subaction,): the action of each subaction.
        still_: (spread,): added to each spread before the logarithm.
        persons_: Whose means are known; the one without a name stands for all whose name is not.
        means_: (person, feature): what is taken off for each of `persons_`.
        factor_: (feature,): what the rest is divided by.
        seed_: The seed used.
    """

    Config = WindowKMeansConfig
    method_name = "window-kmeans"

    centres_: np.ndarray
    parents_: np.ndarray
    still_: np.ndarray
    persons_: list[str]
    means_: np.ndarray
    factor_: np.ndarray
    seed_: int
    layout_: dict[str, Any]
    centred_: bool

    _saved = ("seed", "layout", "centred", "persons")
    _learned = "centres_"
    _arrays = ("centres", "parents", "still", "means", "factor")

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
            progress: Never called: it takes seconds.
            checkpoint: Nor anything kept while it goes on.

        Raises:
            ConfigError: If the recordings do not fit together or hold too little for the settings.
        """
        self._settle_actions(recordings)
        config: WindowKMeansConfig = self.config
        recordings = checked(recordings)
        self.layout_ = layout_of(recordings[0])
        self.centred_ = centred(recordings, config.centre)
        statistics = [self._statistics(recording) for recording in recordings]
        check_enough(
            recordings,
            n_codes=config.alpha * config.n_actions,
            n_patches=sum(len(s.means) for s in statistics),
            patch_seconds=config.patch_seconds,
        )
        self.seed_ = seed_of(config.random_state)
        self._learn_scale(recordings, statistics)
        pairs = zip(recordings, statistics, strict=True)
        points = [self._points(recording, s) for recording, s in pairs]
        self._learn_codes(np.concatenate([p[known] for p, known in points]))
        return self

    def _learn_scale(self, recordings: list[Recording], statistics: list[WindowStatistics]) -> None:
        """How still is still, what is usual of each person, and how much the rest varies."""
        self.still_ = stillness(statistics)
        features = [features_of(s, self.still_) for s in statistics]
        means = means_by_person(features, [self._whose(recording) for recording in recordings])
        self.persons_, self.means_ = list(means), np.array(list(means.values()))
        pairs = zip(recordings, features, strict=True)
        rest = [f - self._own_mean(recording, f) for recording, f in pairs]
        self.factor_ = scale_of(rest, sizes_of(features))

    def _learn_codes(self, points: np.ndarray) -> None:
        """Subactions by k-means, actions by merging them, both numbered by use."""
        config: WindowKMeansConfig = self.config
        n_codes = config.alpha * config.n_actions
        warn_if_few(len(different_points(points, at_most=n_codes)), n_codes)
        centres = kmeans(points, n_codes, seed=self.seed_, n_init=config.n_init)
        codes = nearest(points, centres)
        order = by_use(codes, n_codes)
        self.centres_ = centres[order]
        groups = merged(self.centres_, config.n_actions)
        counts = np.bincount(codes, minlength=n_codes)[order]
        use = np.bincount(groups, weights=counts, minlength=config.n_actions)
        self.parents_ = np.argsort(np.argsort(-use, kind="stable"))[groups]

    def _segment(self, recording: Recording) -> Segmentation:
        statistics = self._statistics(recording)
        points, known = self._points(recording, statistics)
        distances = distances_to(points, self.centres_)
        subactions = distances.argmin(axis=1)
        actions = self.parents_[subactions]
        others = np.where(self.parents_ == actions[:, None], np.inf, distances).min(axis=1)
        margin = 1 - distances.min(axis=1) / np.maximum(others, np.finfo(float).tiny)
        patches = statistics.patches
        return Segmentation(
            recording_id=recording.id,
            fps=recording.fps,
            actions=np.where(known, actions, -1).astype(np.int32)[patches],
            subactions=np.where(known, subactions, -1).astype(np.int32)[patches]
            if self.config.alpha > 1
            else None,
            confidence=np.where(known, margin, 0).astype(np.float32)[patches],
            person=recording.person,
        )

    def _restore(self, tensors: dict[str, np.ndarray], *, device: str | None) -> None:
        super()._restore(tensors, device=device)
        n_codes, n_features = self.centres_.shape
        for name, shape in (
            ("parents", (n_codes,)),
            ("factor", (n_features,)),
            ("means", (len(self.persons_), n_features)),
        ):
            if (found := tensors[name].shape) != shape:
                raise ValueError(f"{name} has the shape {found}, expected {shape}")

    # From recordings to points

    def _statistics(self, recording: Recording) -> WindowStatistics:
        config: WindowKMeansConfig = self.config
        return window_statistics(
            recording,
            patch_seconds=config.patch_seconds,
            window_seconds=config.window_seconds or 2 * config.patch_seconds,
            to_root=self.centred_,
        )

    def _points(
        self, recording: Recording, statistics: WindowStatistics
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points (patch, feature) for k-means, and in which patches anything was measured."""
        features = features_of(statistics, self.still_)
        known = ~np.isnan(features).all(axis=1)
        scaled = (features - self._own_mean(recording, features)) / self.factor_
        return np.nan_to_num(scaled), known

    def _whose(self, recording: Recording) -> str:
        """Name under which a recording's mean is kept."""
        return (recording.person or "") if self.config.own_mean == "person" else ""

    def _own_mean(self, recording: Recording, features: np.ndarray) -> np.ndarray:
        """What is usual of whoever is being recorded; of people in general, where they are new.

        Not of the one recording there is of somebody new: it is too little to tell who moves from what
        is being done. Left out one by one, HuGaDB's 18 people score MoF 47 that way, and 65 this way.
        """
        if self.config.own_mean == "recording":
            return known_mean(features)
        whose = self._whose(recording)
        if whose in self.persons_:
            return self.means_[self.persons_.index(whose)]
        return known_mean(self.means_)
