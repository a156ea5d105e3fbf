import warnings
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.errors import ConfigError, DataWarning
from histvq.inputs import checked
from histvq.majority import odd_ones
from histvq.recording import Recording
from histvq.transforms import select_joints


def recording(id, joints, unit="mm", channels="xyz", value=0.0):
    return Recording(
        id=id,
        skeleton=np.full((3, len(joints), len(channels)), value),
        fps=1,
        unit=unit,
        joint_names=tuple(joints),
        channel_names=tuple(channels),
    )


def fits(recordings):
    """Whether a method takes them together."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            return bool(checked(recordings))
        except ConfigError:
            return False


def test_the_others_are_told_how_they_differ():
    recordings = [
        recording("names", "abcz"),
        *(recording(f"good{n}", "abcd") for n in range(4)),
        recording("turned", "dcba", unit="m"),
        recording("lacking", "abc"),
        recording("more", "abcdefghi"),
        recording("flat", "abcd", channels="xy"),
        recording("pixels", "abcd", unit="px"),
        *(recording(f"fine{n}", "abcd") for n in range(5)),
        recording("spike", "abcd", value=1e13),
    ]
    odd = odd_ones(recordings)
    assert [recordings[place].id for place in odd] == ["names", "more", "flat", "pixels", "spike"]
    for words, known in zip(
        odd.values(),
        (
            "'names' does not fit the others: joint names differ (missing d; not expected z)",
            "'more' has 9 joints, most others have 4 at most",
            "'flat' does not fit the others: channel names differ (missing z",
            "'pixels' does not fit the others: unit differ (px instead of mm)",
            "'spike': 1e+13 at frame 0, a, x: no measured value is so large",
        ),
        strict=True,
    ):
        assert known in words
    assert fits([one for place, one in enumerate(recordings) if place not in odd])


@pytest.mark.parametrize("n_odd", [1, 2, 3])
def test_fewer_than_two_thirds_decide_nothing(n_odd):
    recordings = [recording(f"good{n}", "abc") for n in range(3)]
    recordings += [recording(f"odd{n}", "xyz") for n in range(n_odd)]
    if n_odd == 1:  # three of four
        assert list(odd_ones(recordings)) == [3]
    else:
        with pytest.raises(ConfigError, match="does not fit the others"):
            odd_ones(recordings)


def test_what_is_done_before_may_fail_for_one():
    recordings = [recording(f"r{n}", "abc") for n in range(3)] + [recording("odd", "xyz")]
    odd = odd_ones(recordings, lambda one: select_joints(one, ("a", "c")))
    assert list(odd) == [3]
    assert "'odd' has no joint a, c" in odd[3]

    def too_much(one):
        raise MemoryError

    with pytest.raises(ConfigError, match="'r0': too little memory to change it"):
        odd_ones(recordings, too_much)


LAYOUTS = st.builds(
    recording,
    st.just("r"),
    st.sampled_from(["abcd", "dcba", "abc", "ab", "abcdefghi", "abcx", "wxyz"]),
    st.sampled_from(["mm", "m", "px"]),
    st.sampled_from(["xyz", "zyx", "xy"]),
)


@given(st.lists(LAYOUTS, min_size=1, max_size=6))
def test_as_many_are_kept_as_any_choice_that_fits_has(recordings):  # brute force
    recordings = [replace(one, id=f"r{n}") for n, one in enumerate(recordings)]
    n = len(recordings)
    most = max(k for k in range(1, n + 1) if any(map(fits, combinations(recordings, k))))
    try:
        odd = odd_ones(recordings)
    except ConfigError:
        assert 3 * most < 2 * n
        return
    kept = [one for place, one in enumerate(recordings) if place not in odd]
    assert fits(kept)
    assert len(kept) == most
