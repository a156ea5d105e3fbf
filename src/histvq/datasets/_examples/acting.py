"""Made-up people going through scripts of chosen actions: what all examples show, each in its own way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from histvq.annotation import Annotation
from histvq.datasets._moves import ACTIONS
from histvq.datasets.synthetic import Act, Style, act, draw_script, draw_style, positions_of
from histvq.segments import to_labels

# How far posture, tempo and reach of these people lie apart, as a share of what those of the demo do: it
# holds a method to a task, an example shows one a way.
VARIETY = 0.4
BOUT_S = (4.0, 7.0, 14.0)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What somebody is to do in one recording.

    Attributes:
        id: Of the recording.
        person: Who.
        deck: Name of an action -> how many times it comes before all come again.
        seconds: How long it takes.
        fps: Frames a second.
    """

    id: str
    person: str
    deck: Mapping[str, int]
    seconds: float
    fps: float


@dataclass(frozen=True, kw_only=True)
class Performance:
    """A part as somebody played it.

    Attributes:
        part: What was to be done.
        style: How the person is built and moves.
        act: What the body did.
        annotation: What was done when.
        rng: For the chance in how it is measured.
    """

    part: Part
    style: Style
    act: Act
    annotation: Annotation
    rng: np.random.Generator

    @cached_property
    def positions(self) -> np.ndarray:
        """(frame, joint, 3) in mm: x forward, y left, z up."""
        return positions_of(self.act, self.style)


def performed(
    parts: Sequence[Part], *, seed: int, called: Mapping[str, str] | None = None
) -> Iterator[Performance]:
    """Each part played by its person, who keeps build and style from part to part.

    Args:
        parts: In order.
        seed: The only source of chance.
        called: Action -> what labels call it; its own name otherwise.
    """
    called = called or {}
    used = tuple(dict.fromkeys(name for part in parts for name in part.deck))
    actions = tuple(called.get(name, name) for name in used)
    people = list(dict.fromkeys(part.person for part in parts))
    for number, part in enumerate(parts):
        whose = np.random.default_rng([seed, 0, people.index(part.person)])
        rng = np.random.default_rng([seed, 1, number])
        style = draw_milder_style(whose)
        deck = [ACTIONS.index(name) for name, times in part.deck.items() for _ in range(times)]
        n_frames = round(part.seconds * part.fps)
        script = draw_script(rng, n_frames, fps=part.fps, deck=deck, bout_s=BOUT_S)
        labels = to_labels([(a, b, used.index(ACTIONS[code])) for a, b, code in script])
        yield Performance(
            part=part,
            style=style,
            act=act(script, style, rng, fps=part.fps),
            annotation=Annotation(
                recording_id=part.id, labels=labels, actions=actions, fps=part.fps
            ),
            rng=rng,
        )


def draw_milder_style(rng: np.random.Generator) -> Style:
    """A person who differs from others in build as those of the demo do, but less in how they move."""
    style = draw_style(rng)
    return replace(
        style,
        posture={name: VARIETY * degrees for name, degrees in style.posture.items()},
        tempo=1 + VARIETY * (style.tempo - 1),
        reach=1 + VARIETY * (style.reach - 1),
    )
