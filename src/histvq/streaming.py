"""Labels while the frames come: the same, to the last bit, that `predict` gives the whole recording."""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from histvq.blocks import first_infinite
from histvq.chain import Chain, not_by_frame
from histvq.chunks import PatchCodes
from histvq.errors import ConfigError, DataWarning
from histvq.inputs import alike
from histvq.methods import METHODS
from histvq.patchwise import PatchwiseEstimator
from histvq.prepared import Prepared, inner
from histvq.recording import Recording
from histvq.registry import resolve
from histvq.report.names import Names, renamed
from histvq.segmenter import Segmenter
from histvq.segments import Segmentation
from histvq.transforms import root_centring

NAME = "stream"


@dataclass(frozen=True)
class PatchAnswer:
    """What a model says of one patch.

    Attributes:
        patch: Its number, from 0.
        start_frame: Its first frame, counted from the stream's first.
        stop_frame: The frame after its last.
        start_s: When it begins, in seconds.
        stop_s: When it ends.
        action: Code of the action; -1 where nothing was measured.
        subaction: Likewise of the finest level; None for methods of one level.
        confidence: As in `Segmentation`.
        name: What the action is called; empty where there is none.
    """

    patch: int
    start_frame: int
    stop_frame: int
    start_s: float
    stop_s: float
    action: int
    subaction: int | None
    confidence: float
    name: str


class StreamingSegmenter:
    """Answers patch by patch while frames come, in time and memory that do not grow.

    The labels are those of `predict` for all frames together. One thing makes answers wait longer than
    `delay_s`: where a model takes positions relative to the root, frames whose root is missing wait
    until it is seen again, for the line between the two places needs both.

    Args:
        model: Fitted; of a method with patches, behind transforms that look at one frame at a time.
        fps: Frames a second; those of `like`, or the model's own, if None.
        like: A recording, without frames if you like, with the joints, channels, unit and parents of
            what will come; None: those the model takes.
        names: What a person calls the actions (`histvq.report.names.read_names`).

    Raises:
        ConfigError: If this model cannot answer before all frames are there, or the frames are not what
            it takes.
    """

    def __init__(
        self,
        model: Segmenter,
        *,
        fps: float | None = None,
        like: Recording | None = None,
        names: Names | None = None,
    ) -> None:
        self._method = streaming_method(model)
        self._chain = model.chain if isinstance(model, Prepared) else Chain()
        if self._chain.steps and like is None:
            raise ConfigError(
                f"the model changes recordings first ({', '.join(self._chain.steps)}), so what it takes "
                "is not what will come: pass like=, a recording with its joints, channels and unit "
                "(--unit, --option joint_names=)"
            )
        own = taken_by(self._method)
        like = own if like is None else like
        if fps is None:
            fps = own_rate(self._method) if like is own else like.fps
        self.like = replace(like, id=NAME, fps=fps, skeleton=like.skeleton[:0])
        self.fps = self.like.fps
        self._names = names or Names()
        self._step = _step(self.fps, self._method)
        taken = alike(self._chain(self.like), self._method.layout_)
        self._as_it_is = not self._chain.steps and (
            (like.joint_names, like.channel_names, like.unit)
            == (own.joint_names, own.channel_names, own.unit)
        )
        if self._method.centred_ and taken.parents is None:
            raise ConfigError(
                "the model takes positions relative to the root, but parents are not known, so there is "
                "no root: pass like=, a recording with its parents (--option parents=[-1,0,1])"
            )
        self._centring = root_centring(taken) if self._method.centred_ else None
        self._stream = self._method.patch_stream()
        self._n_frames = 0
        self._n_answered = 0
        self._finished = False

    @property
    def delay_s(self) -> float:
        """How long after a frame its label is known at the latest, in seconds.

        A patch's label is known `reach_s` after its end, and its first frame came a patch before.
        """
        return self._patch_frames / self.fps + self.reach_s

    @property
    def reach_s(self) -> float:
        """How far the network looks beyond a patch, in seconds."""
        return self._stream.coder.shape.reach * self._step / self.fps

    def push(self, frames: np.ndarray) -> list[PatchAnswer]:
        """Take the next frames.

        Args:
            frames: (frame, joint, channel) or (frame, joint * channel), any number of them, NaN where
                nothing was measured.

        Returns:
            The answers that are ready now, often none.

        Raises:
            ConfigError: If they are no such numbers, or infinite; none of these frames is taken then.
        """
        if self._finished:
            raise ConfigError("this stream is finished; make another StreamingSegmenter")
        values = self._laid_out(frames)
        first = -self._n_frames % self._step
        self._n_frames += len(values)
        values = self._as_taken(values)[first :: self._step]
        if self._centring is not None:
            values = self._centring.push(values)
        return self._answers(self._stream.push(values))

    def finish(self) -> list[PatchAnswer]:
        """The answers left, once all frames have come."""
        if self._finished:
            return []
        self._finished = True
        left = [] if self._centring is None else [self._stream.push(self._centring.finish())]
        return self._answers(PatchCodes.joined([*left, self._stream.finish()]))

    @property
    def _patch_frames(self) -> int:
        """Frames of a patch, as they come."""
        return self._method.patch_frames_ * self._step

    def _laid_out(self, frames: np.ndarray) -> np.ndarray:
        """Frames as float32 (frame, joint, channel)."""
        shape = self.like.skeleton.shape[1:]
        try:
            with np.errstate(over="ignore"):
                values = np.asarray(frames).astype(np.float32, copy=False)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"frames are no numbers ({error})") from error
        if values.ndim == 2 and values.shape[1] == shape[0] * shape[1]:
            values = values.reshape(len(values), *shape)
        if values.shape[1:] != shape or values.ndim != 3:
            raise ConfigError(
                f"frames of shape {values.shape}; expected (frame, {shape[0]}, {shape[1]}), or "
                f"(frame, {shape[0] * shape[1]}): {self.columns_said()}"
            )
        if (place := first_infinite(values)) is not None:
            frame, joint, channel = place
            raise ConfigError(
                f"infinite value at frame {self._n_frames + frame}, "
                f"{self.like.joint_names[joint]} {self.like.channel_names[channel]}; missing values "
                "are NaN"
            )
        return values

    def columns_said(self) -> str:
        """How many numbers make a frame, and which come first."""
        columns = self.columns()
        more = " ..." if len(columns) > 4 else ""
        return f"{len(columns)} numbers a frame, in the order {', '.join(columns[:4])}{more}"

    def columns(self) -> list[str]:
        """What the numbers of a frame are, `<joint>_<channel>`, in order."""
        return [f"{j}_{c}" for j in self.like.joint_names for c in self.like.channel_names]

    def _as_taken(self, values: np.ndarray) -> np.ndarray:
        """The same frames as the model takes them."""
        if self._as_it_is or not len(values):
            return values
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # told when the stream was made
            recording = self._chain(replace(self.like, skeleton=values))
            return alike(recording, self._method.layout_).skeleton

    def _answers(self, codes: PatchCodes) -> list[PatchAnswer]:
        """The codes of the next patches as answers."""
        if not len(codes):
            return []
        several = self._method.n_levels_ > 1
        said = Segmentation(
            recording_id=NAME,
            fps=self.fps,
            actions=codes.actions,
            subactions=codes.subactions if several else None,
        )
        [said] = renamed([said], self._names)
        answers = []
        for place, (action, confidence) in enumerate(
            zip(said.actions.tolist(), codes.confidence.tolist(), strict=True)
        ):
            patch = self._n_answered + place
            start = patch * self._patch_frames
            stop = min(start + self._patch_frames, self._n_frames)
            answers.append(
                PatchAnswer(
                    patch=patch,
                    start_frame=start,
                    stop_frame=stop,
                    start_s=start / self.fps,
                    stop_s=stop / self.fps,
                    action=action,
                    subaction=None if said.subactions is None else int(said.subactions[place]),
                    confidence=confidence,
                    name=said.name_of(action) if action >= 0 else "",
                )
            )
        self._n_answered += len(answers)
        return answers


def streaming_method(model: Any) -> PatchwiseEstimator:
    """The method behind a model.

    Raises:
        ConfigError: If it, or a transform before it, needs all frames.
    """
    method = inner(model)
    if not isinstance(method, PatchwiseEstimator):
        able = [
            name
            for name in METHODS
            if issubclass(resolve(name, METHODS, kind="method"), PatchwiseEstimator)
        ]
        raise ConfigError(
            f"{method.method_name} answers only once all frames are there; methods that stream are "
            f"{', '.join(able)}"
        )
    if method.front_end_ is not None or method.decision_ is not None:
        raise ConfigError(
            "this model looks at windows and whole recordings before it answers, so it cannot stream; "
            "fit one that takes motion and answers patch by patch, as HiSTVQ does without a preset "
            "(histvq fit --method histvq)"
        )
    if held := not_by_frame(model.chain.steps if isinstance(model, Prepared) else ()):
        raise ConfigError(
            f"transform {', '.join(held)} needs frames that have not come yet, so this model cannot "
            "stream; fit one without it"
        )
    return method


def own_rate(method: PatchwiseEstimator) -> float:
    """The rate frames come at where nobody says it.

    Raises:
        ConfigError: If they may come at several.
    """
    if method.config.fps is not None:
        raise ConfigError(
            "this model takes frames as they come at a rate of its own, so say how many come a second: "
            f"fps= (--fps), {method.fps_:g} or a whole multiple of that"
        )
    return method.fps_


def taken_by(method: PatchwiseEstimator) -> Recording:
    """A recording without frames, as the method takes them."""
    layout = method.layout_
    shape = (0, len(layout["joint_names"]), len(layout["channel_names"]))
    return Recording(
        id=NAME,
        skeleton=np.zeros(shape, np.float32),
        fps=method.fps_,
        joint_names=tuple(layout["joint_names"]),
        channel_names=tuple(layout["channel_names"]),
        joint_persons=layout["joint_persons"] and tuple(layout["joint_persons"]),
        unit=layout["unit"],
    )


def _step(fps: float, method: PatchwiseEstimator) -> int:
    """Every how many-th frame the network takes."""
    ratio = fps / method.fps_
    step = round(ratio)
    strides = method.config.fps is not None
    if step >= 1 and abs(ratio - step) < 1e-6 * ratio and (strides or ratio <= 1 + 1e-9):
        return step
    also = " or a whole multiple of that" if strides else ""
    why = "" if strides else " (from other rates this model filters, and that needs all frames)"
    raise ConfigError(
        f"{fps:g} frames a second; a stream must come at the model's {method.fps_:g}{also}{why}. Send "
        "it so, or predict the recording once it is there"
    )
