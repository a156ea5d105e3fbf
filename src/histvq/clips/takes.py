"""Which takes to cut: of each action the most typical, the least, and some by chance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Protocol

from histvq.segments import Segmentation

KINDS = ("typical", "borderline", "random")


@dataclass(frozen=True, kw_only=True)
class Take:
    """One stretch of a recording in which an action goes on.

    Attributes:
        action: Its code.
        name: What it is called.
        recording_id: The recording it is in.
        start: Its first frame.
        stop: The frame after its last.
        kind: Why it was chosen: `typical`, `borderline` or `random`.
        fps: Frames a second.
    """

    action: int
    name: str
    recording_id: str
    start: int
    stop: int
    kind: str
    fps: float

    @property
    def start_s(self) -> float:
        """Where it begins, in seconds."""
        return self.start / self.fps

    @property
    def stop_s(self) -> float:
        """Where it ends, in seconds."""
        return self.stop / self.fps


class ClipLike(Protocol):
    """A stretch of a recording, as the cards of the report choose them."""

    @property
    def recording_id(self) -> str: ...  # noqa: D102
    @property
    def start(self) -> int: ...  # noqa: D102
    @property
    def stop(self) -> int: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102


class CardLike(Protocol):
    """What is chosen of one action."""

    @property
    def action(self) -> int: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def clips(self) -> Sequence[ClipLike]: ...  # noqa: D102


def takes_of(
    cards: Iterable[CardLike], answers: Iterable[Segmentation], *, per_action: int
) -> list[Take]:
    """So many takes of each action: kinds by turns, none a second time.

    Args:
        cards: One an action, each with at least so many clips of a kind where there are any.
        answers: Those the cards are of.
        per_action: Takes of an action; fewer where it has fewer.
    """
    rates = {answer.recording_id: answer.fps for answer in answers}
    return [
        Take(
            action=card.action,
            name=card.name,
            recording_id=clip.recording_id,
            start=clip.start,
            stop=clip.stop,
            kind=clip.kind,
            fps=rates[clip.recording_id],
        )
        for card in cards
        for clip in _by_turns(card.clips)[:per_action]
    ]


def _by_turns(clips: Sequence[ClipLike]) -> list[ClipLike]:
    """The first of each kind, then the second, and so on; of equal stretches the first alone."""
    kinds = dict.fromkeys([*KINDS, *(clip.kind for clip in clips)])
    queues = [[clip for clip in clips if clip.kind == kind] for kind in kinds]
    once: dict[tuple[str, int, int], ClipLike] = {}
    for clip in chain.from_iterable(zip_longest(*queues)):
        if clip is not None:
            once.setdefault((clip.recording_id, clip.start, clip.stop), clip)
    return list(once.values())
