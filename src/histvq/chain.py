"""A chain of transforms as people write it: `fill-gaps=0.25`, `centre=pelvis`, `resample=30`.

A new one is one line in `STEPS`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from histvq import transforms
from histvq.errors import ConfigError, did_you_mean
from histvq.recording import Recording
from histvq.skeletons import SKELETONS
from histvq.transforms.space import METRES

Change = Callable[[Recording], Recording]


@dataclass(frozen=True)
class Step:
    """One sort of step.

    Attributes:
        example: How it is written.
        does: What it does.
        make: From what stands after `=` to the change; raises ValueError where that makes no sense.
        by_frame: Whether it looks at one frame at a time.
    """

    example: str
    does: str
    make: Callable[[str], Change]
    by_frame: bool = False


def _resample(value: str) -> Change:
    fps = _positive(value)
    return lambda r: transforms.resample(r, fps, anti_alias=True)


def _heading(value: str) -> Change:
    words = _words(value)
    if len(words) not in (2, 3):
        raise ValueError(
            "give the left joint, the right joint and, if it is not z, the vertical axis"
        )
    left, right, up = (*words, "z")[:3]
    return lambda r: transforms.face_heading(r, left=left, right=right, up=up)


def _rename(value: str) -> Change:
    pairs = [word.partition(":") for word in _words(value)]
    if not all(colon and new for _, colon, new in pairs):
        raise ValueError("give pairs old:new")
    return lambda r: transforms.rename_joints(r, {old: new for old, _, new in pairs})


def _select(value: str) -> Change:
    names = tuple(_words(value))
    return lambda r: transforms.select_joints(r, names)


def _seconds(value: str) -> Change:
    seconds = _positive(value) if value else 0.25
    return lambda r: transforms.fill_gaps(r, max_gap_s=seconds)


def _hertz(value: str) -> Change:
    hertz = _positive(value)
    return lambda r: transforms.low_pass(r, hertz)


def _centre(value: str) -> Change:
    return (lambda r: transforms.centre_on(r, value)) if value else transforms.centre_on_root


def _unit(value: str) -> Change:
    if value not in METRES:
        raise ValueError(f"give one of {', '.join(METRES)}")
    return lambda r: transforms.to_unit(r, value)


def _mirror(value: str) -> Change:
    return lambda r: transforms.mirror(r, axis=value or "x")


def _skeleton(value: str) -> Change:
    known = SKELETONS.get(value)
    if known is None:
        raise ValueError(f"no such skeleton{did_you_mean(value, SKELETONS)}")
    return lambda r: transforms.with_skeleton(r, known)


def _plain(change: Change) -> Callable[[str], Change]:
    def make(value: str) -> Change:
        if value:
            raise ValueError("it takes nothing after its name")
        return change

    return make


STEPS = {
    "body-size": Step("body-size", "positions in body sizes", _plain(transforms.scale_to_body)),
    "centre": Step(
        "centre=pelvis", "positions relative to a joint; the root if none is named", _centre
    ),
    "fill-gaps": Step("fill-gaps=0.25", "fill gaps of up to so many seconds", _seconds),
    "heading": Step("heading=lhip,rhip,z", "turn everybody to look the same way", _heading),
    "low-pass": Step("low-pass=10", "take out what is faster than so many hertz", _hertz),
    "mirror": Step("mirror=x", "as a mirror shows it, left and right swapped", _mirror, True),
    "rename": Step("rename=LKNE:knee", "other names for joints", _rename, True),
    "resample": Step("resample=30", "another frame rate, without aliases", _resample),
    "select": Step("select=hip,knee", "these joints only, in this order", _select, True),
    "skeleton": Step(
        "skeleton=coco-17", "parents, and names, of a known skeleton", _skeleton, True
    ),
    "unit": Step("unit=m", "positions in another unit of length", _unit, True),
    "unit-variance": Step(
        "unit-variance",
        "each quantity over its deviation in the recording",
        _plain(transforms.unit_variance),
    ),
}


@dataclass(frozen=True)
class Chain:
    """Steps that are taken one after another.

    Attributes:
        steps: As written.
    """

    steps: tuple[str, ...] = ()
    changes: tuple[Change, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def of(cls, steps: Sequence[str]) -> "Chain":
        """The chain of these steps.

        Raises:
            ConfigError: If there is no such step, or what stands after `=` makes no sense.
        """
        return cls(tuple(steps), tuple(_change(step) for step in steps))

    def __call__(self, recording: Recording) -> Recording:
        """The recording after all steps."""
        for change in self.changes:
            recording = change(recording)
        return recording


def not_by_frame(steps: Sequence[str]) -> list[str]:
    """Those of these steps that look at more than one frame at a time."""
    return [step for step in steps if not STEPS[step.partition("=")[0].strip()].by_frame]


def _change(step: str) -> Change:
    name, _, value = step.partition("=")
    name = name.strip()
    if name not in STEPS:
        raise ConfigError(f"there is no transform {name!r}{did_you_mean(name, STEPS)}")
    try:
        return STEPS[name].make(value.strip())
    except ValueError as error:
        raise ConfigError(
            f"transform {step!r}: {error}; it is written as {STEPS[name].example}"
        ) from error


def _positive(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not 0 < number < float("inf"):
        raise ValueError("give a number above 0")
    return number


def _words(value: str) -> list[str]:
    words = [word.strip() for word in value.split(",")]
    if not all(words):
        raise ValueError("give names, parted by commas")
    return words
