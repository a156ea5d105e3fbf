"""Small recordings and answers, easy and hard."""

from dataclasses import replace

import numpy as np

from histvq.recording import Recording
from histvq.segments import Segmentation

FPS = 10.0


def posing(n_frames: int, *, id: str, seed: int) -> Recording:
    """Three joints that stand in one of four postures for two seconds at a time."""
    rng = np.random.default_rng(seed)
    postures = np.random.default_rng(0).normal(size=(4, 3, 3))
    at = np.repeat(rng.integers(0, 4, size=-(-n_frames // 20)), 20)[:n_frames]
    skeleton = postures[at] + 0.1 * rng.normal(size=(n_frames, 3, 3))
    return Recording(
        id=id, skeleton=skeleton, fps=FPS, joint_names=("hip", "hand", "foot"), parents=(-1, 0, 0)
    )


def easy() -> list[Recording]:
    """Recordings of several lengths: the last of less than a second."""
    lengths = (120, 120, 100, 87, 4)
    return [posing(n, id=f"r{place}", seed=place) for place, n in enumerate(lengths)]


def hard() -> dict[str, Recording]:
    """Recordings that real files bring, by what is hard about them."""
    whole = posing(60, id="hard", seed=9)
    gap, joint = whole.skeleton.copy(), whole.skeleton.copy()
    gap[20:30] = np.nan
    joint[:, 1] = np.nan
    return {
        "one frame": posing(1, id="hard", seed=9),
        "two frames": posing(2, id="hard", seed=9),
        "a minute and a half": posing(900, id="hard", seed=9),
        "three times the frame rate": replace(
            whole, skeleton=np.repeat(whole.skeleton, 3, axis=0), fps=3 * FPS
        ),
        "a gap of a second": replace(whole, skeleton=gap),
        "a joint that was never measured": replace(whole, skeleton=joint),
        "a body that never moves": replace(whole, skeleton=np.full_like(whole.skeleton, 7)),
    }


def nothing_measured(n_frames: int = 25) -> Recording:
    """A recording in which nothing was measured."""
    return replace(posing(n_frames, id="empty", seed=0), skeleton=np.full((n_frames, 3, 3), np.nan))


# Ids and names that no file, and not every other program, can hold as they are.
UNSAFE = ("a/b", "..", "a:b", "CON", "ü", "b c", "x" * 300, "A", "a", 'say "no", <b>')


def answers() -> dict[str, list[Segmentation]]:
    """Answers of a run, by what is special about it."""
    usual = _answer(
        [0, 0, 1, 1, -1],
        subactions=np.array([0, 1, 2, 2, -1]),
        confidence=np.full(5, 0.5),
        person="Ada",
        names={0: "walk"},
    )
    return {
        "an ordinary run": [usual],
        "one level": [_answer([0, 0, 1])],
        "nothing known": [_answer([-1, -1])],
        "one frame": [_answer([0])],
        "a recording without frames": [_answer([]), _answer([0], id="other")],
        "sixty actions": [_answer(np.arange(60).repeat(3))],
        "unsafe ids": [_answer([0, 1], id=id, person=id) for id in UNSAFE],
        "unsafe names": [_answer([*range(len(UNSAFE))], names=dict(enumerate(UNSAFE)))],
    }


def _answer(labels: object, *, id: str = "r", **more: object) -> Segmentation:
    actions = np.asarray(labels, dtype=int)
    return Segmentation(recording_id=id, fps=FPS, actions=actions, **more)  # type: ignore[arg-type]
