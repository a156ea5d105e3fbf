"""What fitted methods share: an answer a recording, and a folder they are saved to and loaded from."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, overload

import numpy as np

from histvq.choosing import choose_k, settings_of
from histvq.described import check_described
from histvq.errors import FileFormatError
from histvq.inputs import alike, check_frames, listed
from histvq.modelfile import read_description, read_tensors, write_model
from histvq.recording import Recording
from histvq.segmenter import AUTO, Estimator, ProgressCallback
from histvq.segments import Segmentation

# What settings, arrays and the layout of recordings can raise that are not of one model.
_DO_NOT_FIT = (
    LookupError, TypeError, RuntimeError, ValueError, ArithmeticError, AttributeError, AssertionError,
    MemoryError,
)  # fmt: skip


class SavedEstimator(Estimator):
    """Answers recording by recording, and goes to disk and back; a method says what it has learned.

    Learned plain values are named in `_saved`, learned arrays in `_arrays`. A method is fitted once it
    has the attribute `_learned`, and `layout_`, what recordings must have in common with its training
    data.
    """

    method_name: ClassVar[str]

    _saved: ClassVar[tuple[str, ...]]
    _arrays: ClassVar[tuple[str, ...]] = ()
    _learned: ClassVar[str]
    layout_: dict[str, Any]

    def _segment(self, recording: Recording) -> Segmentation:
        """The answer for one recording."""
        raise NotImplementedError

    def _segment_all(self, recordings: Sequence[Recording]) -> Iterable[Segmentation]:
        """The answers for recordings as the method takes them; one by one, if it says nothing else."""
        return map(self._segment, recordings)

    def _plain(self) -> dict[str, Any]:
        """Every learned plain value."""
        return {name: getattr(self, f"{name}_") for name in self._saved}

    def _take_plain(self, description: dict[str, Any]) -> None:
        """Take the learned plain values back."""
        for name in self._saved:
            setattr(self, f"{name}_", description[name])

    def _tensors(self) -> dict[str, np.ndarray]:
        """Every learned array."""
        return {name: getattr(self, f"{name}_") for name in self._arrays}

    def _restore(self, tensors: dict[str, np.ndarray], *, device: str | None) -> None:
        """Take the learned arrays back; parameters and `_saved` values are there already."""
        for name in self._arrays:
            setattr(self, f"{name}_", tensors[name])

    @overload
    def predict(self, recordings: Recording) -> Segmentation: ...
    @overload
    def predict(self, recordings: Sequence[Recording]) -> list[Segmentation]: ...
    def predict(
        self, recordings: Recording | Sequence[Recording]
    ) -> Segmentation | list[Segmentation]:
        """One action, and where the method has them one subaction, for every frame.

        A recording's answer depends on that recording alone. Where nothing was measured it is -1. What
        `confidence` means stands with the method.

        Args:
            recordings: One, for one answer, or several, for a list.

        Raises:
            NotFittedError: Before `fit`.
            ConfigError: If joints, channels or unit differ from those of the training data and cannot be
                brought to them (see `histvq.inputs.alike`), or a recording has no frames.
        """
        self._require_fitted(self._learned)
        wanted = []
        for recording in listed(recordings):
            check_frames(recording)
            wanted.append(alike(recording, self.layout_))
        answers = list(self._segment_all(wanted))
        return answers[0] if isinstance(recordings, Recording) else answers

    def save(self, path: str | Path) -> None:
        """Write the fitted method to a folder: JSON and safetensors, no pickle."""
        self._require_fitted(self._learned)
        description: dict[str, Any] = {
            "method": self.method_name,
            "params": self._check(self.get_params()).model_dump(),
            **self._plain(),
        }
        write_model(path, description=description, tensors=self._tensors())

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
            check_described(description)
            model = cls(**description["params"])
            model.set_params(**model.config.model_dump())  # JSON makes lists of tuples
            model._take_plain(description)
            model._restore(tensors, device=device)
            model._try_out()
        except _DO_NOT_FIT as error:
            words = " ".join(str(error).split())[:300] or type(error).__name__
            raise FileFormatError(
                f"{path}: the model is incomplete, of a much older histvq, or its two files do not "
                f"belong together ({words}); fit it anew and save it again"
            ) from error
        return model

    def _try_out(self) -> None:
        """Answer for a second in which nothing, and one in which something, was measured.

        Arrays of which no network tells the shapes, and settings at odds with them, come out here.
        """
        layout, fps = self.layout_, getattr(self, "fps_", 30.0)
        n_frames = max(2, min(round(fps), 100))
        shape = n_frames, len(layout["joint_names"]), len(layout["channel_names"])
        values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        values[n_frames // 2 :] = np.nan
        persons = layout["joint_persons"] or [0] * shape[1]
        roots = {person: persons.index(person) for person in persons}
        made_up = Recording(
            id="made up",
            skeleton=values,
            fps=fps,
            joint_names=tuple(layout["joint_names"]),
            channel_names=tuple(layout["channel_names"]),
            parents=tuple(
                -1 if roots[person] == joint else roots[person]
                for joint, person in enumerate(persons)
            ),
            joint_persons=layout["joint_persons"] and tuple(layout["joint_persons"]),
            unit=layout["unit"],
        )
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            self.predict(made_up)


class LabelFreeEstimator(SavedEstimator):
    """A method that learns from recordings alone, and so can answer for them at once.

    Attributes, after `fit`:
        n_actions_: How many actions were asked for, or found to be there where `auto` was.
    """

    n_actions_: int

    @property
    def config(self) -> Any:
        """The checked settings; once fitted, with the number of actions in place of `auto`."""
        config = super().config
        if config.n_actions == AUTO and hasattr(self, "n_actions_"):
            return config.model_copy(update={"n_actions": self.n_actions_})
        return config

    def _settle_actions(self, recordings: Sequence[Recording]) -> None:
        """Forget an earlier fit, and find out how many actions there are if nobody said."""
        for learned in (self._learned, "n_actions_"):
            self.__dict__.pop(learned, None)
        config = self.config
        self.n_actions_ = (
            choose_k(recordings, seed=config.random_state or 0, **settings_of(config)).n_actions
            if config.n_actions == AUTO
            else config.n_actions
        )

    def _plain(self) -> dict[str, Any]:
        return {"n_actions": self.config.n_actions, **super()._plain()}

    def _take_plain(self, description: dict[str, Any]) -> None:
        super()._take_plain(description)
        # Models from before there was `auto` lack it.
        wish = self.config.n_actions
        self.n_actions_ = description["n_actions"] if wish == AUTO else wish

    def fit(
        self,
        recordings: Sequence[Recording],
        *,
        progress: ProgressCallback | None = None,
        checkpoint: str | Path | None = None,
    ) -> Self:
        """Learn the actions of these recordings."""
        raise NotImplementedError

    def fit_predict(
        self, recordings: Sequence[Recording], *, progress: ProgressCallback | None = None
    ) -> list[Segmentation]:
        """`fit`, then `predict` on the same recordings."""
        return self.fit(recordings, progress=progress).predict(list(recordings))
