"""Who is who from frame to frame, by trying every way to hand out the numbers."""

from itertools import permutations

import numpy as np


def linked_by_trying(centres: np.ndarray, frames: np.ndarray) -> list[int]:
    """Number everybody as `histvq.io.parts.keypoints.linked` says it does; ties are not looked at."""
    last: dict[int, np.ndarray] = {}  # number -> where it was last seen
    before: set[int] = set()
    numbers: list[int] = []
    for frame in sorted(set(frames.tolist())):
        people = [n for n, f in enumerate(frames) if f == frame]
        given: dict[int, int] = {}
        for group in (before, set(last) - before):
            left = [person for person in people if person not in given]
            given |= _closest(left, sorted(group), centres, last)
        for person in people:
            given.setdefault(person, max([-1, *last, *given.values()]) + 1)
        last |= {number: centres[person] for person, number in given.items()}
        before = set(given.values())
        numbers += [given[person] for person in people]
    return numbers


def _closest(people, numbers, centres, last):
    """As many as can be get a number, so that the sum of distances is the least."""
    n = min(len(people), len(numbers))
    ways = [
        dict(zip(some, order, strict=True))
        for some in permutations(people, n)
        for order in permutations(numbers, n)
    ]
    return min(
        ways,
        key=lambda way: sum(np.linalg.norm(centres[p] - last[k]) for p, k in way.items()),
    )
