"""Answers to export, of every awkward sort, and what reading them back must give."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from histvq.annotation import Annotation
from histvq.recording import Recording
from histvq.segments import Segmentation

RATES = [0.5, 1.0, 25.0, 29.97, 30000 / 1001, 59.94, 60.0, 120.0, 240.0, 999.0, 1000.0]
# Ids that are no names for files, or differ by too little; and names of actions.
UNSAFE = [
    "<script>alert(1)</script>", "a/b\\c", "CON", "con.txt", "Walk", "walk", "walk.", "  walk", "",
    "x" * 300, "line\nend\ttab", 'a"b\'c&d', "é", "e\u0301", "🏃", "a:b", "..", "nul\x00",
]  # fmt: skip


def answer(
    actions: Sequence[int],
    *,
    id: str = "walk1",
    fps: float = 10.0,
    subactions: Sequence[int] | None = None,
    confidence: Sequence[float] | None = None,
    names: dict[int, str] | None = None,
    person: str | None = None,
) -> Segmentation:
    return Segmentation(
        recording_id=id,
        fps=fps,
        actions=np.array(actions, np.int32),
        subactions=None if subactions is None else np.array(subactions, np.int32),
        confidence=None if confidence is None else np.array(confidence, np.float32),
        names=names or {},
        person=person,
    )


def recording_of(answer: Segmentation) -> Recording:
    nothing = np.zeros((answer.n_frames, 1, 1), np.float32)
    return Recording(id=answer.recording_id, skeleton=nothing, fps=answer.fps)


def recordings_of(answers: Sequence[Segmentation]) -> list[Recording]:
    return [recording_of(answer) for answer in answers]


@st.composite
def label_runs(draw: st.DrawFn, n_codes: int = 4) -> list[int]:
    """Labels in runs, short ones among them, and frames of which nothing is known."""
    runs = draw(
        st.lists(
            st.tuples(st.integers(-1, n_codes - 1), st.integers(1, 40)), min_size=1, max_size=12
        )
    )
    return [code for code, length in runs for _ in range(length)]


@st.composite
def answers(draw: st.DrawFn) -> list[Segmentation]:
    """A run: several recordings at rates of their own."""
    found = []
    for place in range(draw(st.integers(1, 3))):
        actions = draw(label_runs())
        n = len(actions)
        fine = draw(st.none() | st.lists(st.integers(-1, 6), min_size=n, max_size=n))
        rate = draw(st.sampled_from(RATES) | st.floats(0.1, 1000))
        found.append(answer(actions, id=f"r{place}", fps=rate, subactions=fine))
    return found


def labelled(answers: Sequence[Segmentation]) -> bool:
    """Whether there is anything to read back."""
    found = [answer.labels(level) for answer in answers for level in ("action", "subaction")]
    return any((labels >= 0).any() for labels in found if labels is not None)


def assert_same(answers: Sequence[Segmentation], back: Sequence[Annotation | None]) -> None:
    """Reading back gave each frame its label: where there are actions, these, else subactions."""
    level = "action" if any((a.actions >= 0).any() for a in answers) else "subaction"
    for one, other in zip(answers, back, strict=True):
        labels = one.labels(level)
        labels = np.full(one.n_frames, -1) if labels is None else labels
        if other is None:
            assert (labels == -1).all()
            continue
        assert other.recording_id == one.recording_id
        assert other.fps == one.fps
        said = [None if label < 0 else other.actions[label] for label in other.labels]
        assert said == [None if code < 0 else one.name_of(code, level) for code in labels.tolist()]
