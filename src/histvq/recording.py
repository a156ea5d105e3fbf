"""Motion of one file, without labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from histvq.blocks import first_infinite
from histvq.errors import FileFormatError


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """What one file holds: motion, and what the file says of it. Never labels.

    Methods see recordings only, so none can peek at what people do in them.

    Attributes:
        id: Name, unique within a run; stands in every table. Writers of one file a recording
            refuse ids that are no safe file names.
        skeleton: float32 (frame, joint, channel). NaN where nothing was measured.
        fps: Frames a second; need not be whole.
        joint_names: One name a joint; joints of inertial data are the sensors.
        channel_names: One name a channel, as `x`, `y`, `z` or `acc_x`, `gyro_z`.
        parents: Index of each joint's parent, -1 at a root; None where unknown.
        joint_persons: Index of the person each joint belongs to (several people in one file);
            None for one person. Distances are taken within a person.
        unit: Unit of the positions (`mm`, `cm`, `m`, `px`), of another sort (`counts`), or
            `unknown`.
        person: Who is being recorded, where known.
        metadata: Anything else the file says.
        source: File it came from.
        history: What was done to the data since, in order.
    """

    id: str
    skeleton: np.ndarray
    fps: float
    joint_names: tuple[str, ...] = ()
    channel_names: tuple[str, ...] = ()
    parents: tuple[int, ...] | None = None
    joint_persons: tuple[int, ...] | None = None
    unit: str = "unknown"
    person: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    source: str | None = None
    history: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        skeleton = np.asarray(self.skeleton)
        if skeleton.ndim != 3 or 0 in skeleton.shape[1:]:
            raise FileFormatError(
                f"recording {self.id!r}: an array of shape {skeleton.shape}; expected three axes "
                "(frame, joint, channel), as array[:, :, None] makes of (frame, joint)"
            )
        fps = _number(self.fps)
        if not (np.isfinite(fps) and fps > 0):
            shown = repr(self.fps) if isinstance(self.fps, str) else self.fps
            raise FileFormatError(
                f"recording {self.id!r}: fps is {shown}; give the frames a second as a number, as "
                "fps=60"
            )
        set_ = object.__setattr__
        skeleton = skeleton.astype(np.float32, copy=False)
        if (place := first_infinite(skeleton)) is not None:
            frame, joint, channel = place
            raise FileFormatError(
                f"recording {self.id!r}: infinite value at frame {frame}, joint {joint}, channel "
                f"{channel}; missing values are NaN"
            )
        set_(self, "skeleton", skeleton)
        set_(self, "fps", fps)
        n_joints, n_channels = skeleton.shape[1:]
        set_(self, "joint_names", self.joint_names or tuple(f"joint{j}" for j in range(n_joints)))
        set_(self, "channel_names", self.channel_names or _channel_names(n_channels))
        for name, expected in (
            ("joint_names", n_joints),
            ("channel_names", n_channels),
            ("parents", n_joints),
            ("joint_persons", n_joints),
        ):
            value = getattr(self, name)
            if value is not None and len(value) != expected:
                raise FileFormatError(
                    f"recording {self.id!r}: {len(value)} {name} for {expected} "
                    f"{'channels' if name == 'channel_names' else 'joints'}"
                )

        if self.parents is not None:
            _check_parents(self.id, self.parents)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.skeleton)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_frames / self.fps

    def noted(self, note: str, **changes: object) -> "Recording":
        """A copy with these changes, and a note of them in its history."""
        return replace(self, history=(*self.history, note), **changes)  # type: ignore[arg-type]


def quantity_of(channel: str) -> str:
    """What a channel measures, without its axis: `acc` of `acc_x`, `position` of `x`."""
    stem, _, axis = channel.rpartition("_")
    if axis in ("x", "y", "z"):
        return stem or "position"
    return channel


def _number(value: object) -> float:
    """A number as float; NaN for what is none, text included."""
    if isinstance(value, str | bytes):
        return float("nan")
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _check_parents(id: str, parents: tuple[int, ...]) -> None:
    """Raise unless every joint leads up to a root: whoever follows a loop never comes back."""
    for joint in range(len(parents)):
        at, steps = joint, 0
        while at != -1:
            if not 0 <= at < len(parents) or steps == len(parents):
                raise FileFormatError(
                    f"recording {id!r}: parents {list(parents)} lead nowhere from joint {joint}; "
                    "each must be the index of another joint, or -1 at a root, without loops"
                )
            at, steps = parents[at], steps + 1


def _channel_names(n_channels: int) -> tuple[str, ...]:
    """`x`, `y`, `z` for two or three channels, numbered names for others."""
    if n_channels in (2, 3):
        return ("x", "y", "z")[:n_channels]
    return tuple(f"channel{c}" for c in range(n_channels))
