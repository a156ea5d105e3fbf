"""From scores of frames to labels of frames: the best path, under three notions of what a path may do.

Where several paths are equally good, the answer is fixed, not chance: each function says which.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

DECODERS = ("none", "transcript", "transcript_skip", "markov")
FURTHEST_BELOW = 1e6


def decode(
    scores: Float[np.ndarray, "frame action"], *, decoder: str, stay: float
) -> Int[np.ndarray, " frame"]:
    """Label the frames of one recording by their scores.

    An action that is -inf or NaN throughout is empty: no frame gets it. A frame that is NaN for all the
    others is one nothing is known of: it counts 0 for each of them, and its label is whatever the path
    says there.

    Args:
        scores: Log-scores; for the transcripts, columns stand in the order of the actions.
        decoder: `none` takes each frame's best action by itself (the first of equals); `transcript` and
            `transcript_skip` are `transcript_path` without and with `skip`, `markov` is `markov_path`.
        stay: Chance of keeping an action from one frame to the next; `markov` alone looks at it.

    Returns:
        Column of each frame's action, empty ones counted. All 0 where nothing is known of any frame.

    Raises:
        ValueError: If the decoder is unknown, every action is -inf throughout, or one score is NaN or
            infinite beside usable ones.
    """
    if decoder not in DECODERS:
        raise ValueError(f"no decoder {decoder!r}; choose one of {', '.join(DECODERS)}")
    used = np.flatnonzero((scores > -np.inf).any(axis=0))
    if not len(used):
        if not np.isnan(scores).any(axis=1).all():
            raise ValueError(
                f"all {scores.shape[1]} actions are empty (-inf throughout); give one a finite score"
            )
        return np.zeros(len(scores), dtype=int)
    usable = np.full_like(scores, -np.inf)
    usable[:, used] = scores[:, used]
    usable[np.isnan(scores[:, used]).all(axis=1)] = 0
    # Checked with the empty ones in, so that an error names the caller's column.
    kept = _usable(usable)[:, used]
    if decoder == "none":
        return used[kept.argmax(axis=1)]
    if decoder == "markov":
        return used[markov_path(kept, stay=stay)]
    return used[transcript_path(kept, skip=decoder == "transcript_skip")]


def transcript_path(
    scores: Float[np.ndarray, "frame action"], *, skip: bool = False
) -> Int[np.ndarray, " frame"]:
    """Best path that never goes back to an earlier action.

    Without `skip` every action comes exactly once, in the order of the columns, for a frame at least;
    with fewer frames than actions no such path exists, and the best one with `skip` is given instead.
    With `skip` actions may be left out, at the ends too.

    A stay costs as much as a step, so a path is known by the frames where it enters its actions. The best
    entry is a running maximum over prefix sums: a few numpy operations an action instead of one a frame.

    Of equally good paths, the one that enters its last action latest, then the one before it, and so on:
    read from the end, every frame has the lowest action it can have.

    Source: the decoding of CTE (Kukleva et al. 2019) and TOT (Kumar et al. 2022); `skip` is ours.

    Args:
        scores: Log-scores, actions in the order of the transcript; one more than 1e6 below the best of
            its frame counts as that.
        skip: Whether actions may be left out.

    Raises:
        ValueError: If there is no action, or a score is NaN or infinite (-inf may stand).
    """
    bounded = _bounded(scores)
    n_frames, n_actions = bounded.shape
    if not n_frames:
        return np.zeros(0, dtype=int)
    skip = skip or n_frames < n_actions
    frames = np.arange(n_frames, dtype=np.int32)
    # Of the best path up to a frame that ends in an action: its score, and where it came into the action.
    value = np.empty((n_actions, n_frames))
    entered = np.empty((n_actions, n_frames), dtype=np.int32)
    arriving = np.full(n_frames, -np.inf)  # of the best path up to the frame before, from below
    arriving[0] = 0
    total = np.zeros(n_frames + 1)  # of one action's scores before a frame
    for action in range(n_actions):
        np.cumsum(bounded[:, action], out=total[1:])
        gained = arriving - total[:-1]
        best = np.maximum.accumulate(gained)
        entered[action] = np.maximum.accumulate(np.where(gained == best, frames, 0))
        value[action] = best + total[1:]
        if skip:
            np.maximum(arriving[1:], value[action, :-1], out=arriving[1:])
        else:
            arriving[0] = -np.inf
            arriving[1:] = value[action, :-1]

    if skip:
        last = int(value[:, -1].argmax())
        return _trace(entered, last, lambda start, at: int(value[:at, start - 1].argmax()))
    return _trace(entered, n_actions - 1, lambda _, at: at - 1)


def markov_path(
    scores: Float[np.ndarray, "frame action"], *, stay: float
) -> Int[np.ndarray, " frame"]:
    """Most probable path of a chain that keeps its action from frame to frame with chance `stay`.

    All other actions share the rest evenly, and any may come first. Of equally good paths, read from the
    end: the lowest last action, staying rather than switching, the lowest action to have come from.

    Source: the first-order Markov model in HiST-VQ's description of Viterbi decoding (section 4), which
    gives no probabilities.

    Args:
        scores: Log-scores; one more than 1e6 below the best of its frame counts as that.
        stay: Between 0 and 1, both excluded. Below 1/K switching is favoured.

    Raises:
        ValueError: If `stay` is out of bounds, there is no action, or a score is NaN or infinite (-inf
            may stand).
    """
    if not 0 < stay < 1:
        raise ValueError(f"stay is {stay}; it is a probability and must lie between 0 and 1")
    value = _bounded(scores)
    n_frames, n_actions = value.shape
    if not n_frames or n_actions == 1:
        return np.zeros(n_frames, dtype=int)
    # Over the log-probability of a switch: a constant each frame changes no path.
    bonus = math.log(stay) - math.log((1 - stay) / (n_actions - 1))
    # The best of all actions will do where staying is favoured, for then no action switches to itself.
    others = np.maximum.reduce if bonus >= 0 else _best_of_the_others
    for before, now in pairwise(value):
        now += np.maximum(before + bonus, others(before))

    switched = value[:-1] + bonus < _best_of_the_others(value[:-1])
    entered = np.zeros((n_frames, n_actions), dtype=int)
    entered[1:] = np.where(switched, np.arange(1, n_frames)[:, None], 0)
    entered = np.maximum.accumulate(entered, axis=0)

    def previous(start: int, action: int) -> int:
        rivals = value[start - 1].copy()
        rivals[action] = -np.inf
        return int(rivals.argmax())

    return _trace(entered.T, int(value[-1].argmax()), previous)


def order_by_time(
    labels: Sequence[Int[np.ndarray, " _"]], n_actions: int
) -> tuple[Int[np.ndarray, " used"], Int[np.ndarray, " empty"]]:
    """Put actions in the order in which they tend to happen.

    The relative time of frame t among T is t/T; an action's is the mean over its frames in all
    recordings. Equal means stay in the order of their indices.

    Args:
        labels: Each frame's action, a recording after another; -1 where it is unknown. Such frames count
            in the length of their recording and nowhere else.
        n_actions: Number of actions, those that never occur included.

    Returns:
        The actions that occur, earliest first, and those that never do, by index.

    Raises:
        ValueError: If a label is neither an action nor -1.
    """
    count, total = np.zeros(n_actions, dtype=int), np.zeros(n_actions)
    for number, recording in enumerate(labels):
        wrong = recording[(recording < -1) | (recording >= n_actions)]
        if len(wrong):
            raise ValueError(
                f"recording {number} has label {wrong[0]}; labels run from 0 to {n_actions - 1}, "
                "and -1 where nothing is known"
            )
        known = recording >= 0
        time = np.arange(len(recording)) / len(recording)
        count += np.bincount(recording[known], minlength=n_actions)
        total += np.bincount(recording[known], time[known], minlength=n_actions)
    used = np.flatnonzero(count)
    # Rounded, for means equal but in their last bits are equal.
    mean = np.round(total[used] / count[used], 12)
    return used[mean.argsort(kind="stable")], np.flatnonzero(count == 0)


def _bounded(scores: np.ndarray) -> np.ndarray:
    """Scores no further below the best of their frame than sums over frames can bear."""
    scores = _usable(scores)
    best = scores.max(axis=1, keepdims=True)
    return np.maximum(scores, np.where(np.isfinite(best), best, 0) - FURTHEST_BELOW)


def _usable(scores: np.ndarray) -> np.ndarray:
    if not scores.shape[1]:
        raise ValueError("scores have no column; there must be at least one action")
    wrong = np.argwhere(np.isnan(scores) | (scores == np.inf))
    if len(wrong):
        frame, action = wrong[0]
        raise ValueError(
            f"the score of frame {frame}, action {action} is {scores[frame, action]}; a score must be "
            "finite or -inf, so mend it, or make the whole row 0 where nothing is known of the frame"
        )
    return np.asarray(scores, dtype=np.float64)


def _best_of_the_others(
    value: Float[np.ndarray, "*frame action"],
) -> Float[np.ndarray, "*frame action"]:
    """For each action the highest value among all actions but itself."""
    ascending = np.partition(value, -2)
    second, top = ascending[..., -2:-1], ascending[..., -1:]
    return np.where(value == top, second, top)


def _trace(
    entered: Int[np.ndarray, "action frame"], last: int, previous: Callable[[int, int], int]
) -> Int[np.ndarray, " frame"]:
    """Follow a path back from its last action, a segment at a time.

    Args:
        entered: Frame at which the best path that is in an action at a frame came into it.
        last: Action of the last frame.
        previous: What the path was in before it entered an action at a frame; never asked of frame 0.
    """
    path = np.empty(entered.shape[1], dtype=int)
    stop, action = len(path), last
    while True:
        start = int(entered[action, stop - 1])
        path[start:stop] = action
        if not start:
            return path
        stop, action = start, previous(start, action)
