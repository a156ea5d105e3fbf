"""A method and the transforms its recordings go through first, saved and loaded as one."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, overload

import numpy as np

from histvq.annotation import Annotation
from histvq.chain import Chain
from histvq.errors import FileFormatError
from histvq.modelfile import FILES, TRANSFORMS
from histvq.reading import read_json
from histvq.recording import Recording
from histvq.segmenter import ProgressCallback, Segmenter
from histvq.segments import Segmentation
from histvq.transforms import frames_before_resampling, labels_after_resampling
from histvq.writing import together, write_text

MOST_STEPS = 100


class Prepared:
    """A method that sees recordings only after a chain of transforms.

    Labels come back for the frames of the recordings as they were. Whatever else is asked of it, the
    method answers.
    """

    def __init__(self, method: Any, chain: Chain) -> None:
        self.method = method
        self.chain = chain

    def __getattr__(self, name: str) -> Any:
        if name in ("method", "chain"):  # while it is being copied
            raise AttributeError(name)
        return getattr(self.method, name)

    def fit(
        self,
        recordings: Sequence[Recording],
        *annotations: Sequence[Annotation | None],
        progress: ProgressCallback | None = None,
        **more: Any,
    ) -> Self:
        """Learn from the transformed recordings, and from labels in step with them if given."""
        made = [self.chain(recording) for recording in recordings]
        labels = [_in_step(given, recordings, made) for given in annotations]
        self.method.fit(made, *labels, progress=progress, **more)
        return self

    @overload
    def predict(self, recordings: Recording) -> Segmentation: ...
    @overload
    def predict(self, recordings: Sequence[Recording]) -> list[Segmentation]: ...
    def predict(
        self, recordings: Recording | Sequence[Recording]
    ) -> Segmentation | list[Segmentation]:
        """Answers for every frame of the recordings as they were."""
        if isinstance(recordings, Recording):
            return self.predict([recordings])[0]
        made = [self.chain(recording) for recording in recordings]
        answers = self.method.predict(made)
        return [
            _as_it_was(answer, before, after)
            for answer, before, after in zip(answers, recordings, made, strict=True)
        ]

    def fit_predict(
        self, recordings: Sequence[Recording], *, progress: ProgressCallback | None = None
    ) -> list[Segmentation]:
        """`fit`, then `predict` on the same recordings."""
        return self.fit(recordings, progress=progress).predict(list(recordings))

    def save(self, path: str | Path) -> None:
        """Write the method, and the chain beside it."""
        text = json.dumps({"transforms": list(self.chain.steps)}, indent=2) + "\n"
        with together(path, FILES) as place:
            self.method.save(place)
            write_text(place / TRANSFORMS, text)

    @classmethod
    def load(cls, path: str | Path, *, device: str | None = None) -> Self:
        """Not here: a chain is loaded with its method, by `histvq.load_model`."""
        raise NotImplementedError("use histvq.load_model(path)")


def read_chain(path: str | Path) -> Chain:
    """The chain saved beside a method; an empty one where there is none.

    Raises:
        FileFormatError: If the file is damaged.
    """
    place = Path(path) / TRANSFORMS
    if not place.is_file():
        return Chain()
    try:
        steps = read_json(place)["transforms"]
        if not isinstance(steps, list) or len(steps) > MOST_STEPS:
            raise ValueError(f"transforms: expected a list of at most {MOST_STEPS}")
        return Chain.of([str(step) for step in steps])
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(f"{place}: not a chain of transforms ({error})") from error


def _in_step(
    annotations: Sequence[Annotation | None],
    before: Sequence[Recording],
    after: Sequence[Recording],
) -> list[Annotation | None]:
    """Annotations with the labels of the transformed recordings' frames."""
    made = {old.id: (old, new) for old, new in zip(before, after, strict=True)}
    changed: list[Annotation | None] = []
    for annotation in annotations:
        if annotation is None or annotation.recording_id not in made:
            changed.append(annotation)
            continue
        old, new = made[annotation.recording_id]
        fits = annotation.n_frames == old.n_frames and old.fps != new.fps
        labels = (
            labels_after_resampling(annotation.labels, new.n_frames, ratio=old.fps / new.fps)
            if fits
            else annotation.labels
        )
        changed.append(replace(annotation, labels=labels, fps=new.fps if fits else annotation.fps))
    return changed


def _as_it_was(answer: Segmentation, before: Recording, after: Recording) -> Segmentation:
    """The answer for the frames of the recording before it was transformed."""
    if before.n_frames == after.n_frames and before.fps == after.fps:
        return answer
    latest = frames_before_resampling(before.n_frames, after.n_frames, ratio=before.fps / after.fps)

    def taken(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[latest]

    return replace(
        answer,
        fps=before.fps,
        actions=answer.actions[latest],
        subactions=taken(answer.subactions),
        confidence=taken(answer.confidence),
    )


def inner(method: Any) -> Any:
    """The method itself, without the transforms before it."""
    return method.method if isinstance(method, Prepared) else method


def prepared(method: Segmenter, steps: Sequence[str]) -> Any:
    """The method behind these transforms; as it is, if there are none."""
    return Prepared(method, Chain.of(steps)) if steps else method
