import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from histvq.nn.sampling import anchored_frames, cell_frames

pytestmark = pytest.mark.usefixtures("one_thread")


def luck(seed=0):
    return torch.Generator().manual_seed(seed)


def anchored(n_frames, *, n_samples=128, reach=30, seed=0):
    frames = anchored_frames(n_frames, n_samples=n_samples, reach=reach, generator=luck(seed))
    return frames.tolist()


def cells(n_frames, *, n_samples=256, seed=0):
    return cell_frames(n_frames, n_samples=n_samples, generator=luck(seed)).tolist()


# TOT: anchors and neighbours


@given(
    st.integers(1, 5000), st.sampled_from([64, 128, 256]), st.integers(1, 60), st.integers(0, 99)
)
def test_anchored_frames_are_in_range_and_in_order(n_frames, n_samples, reach, seed):
    found = anchored(n_frames, n_samples=n_samples, reach=reach, seed=seed)
    assert len(found) == n_samples
    assert found == sorted(found)
    assert found[0] >= 0
    assert found[-1] < n_frames


@given(
    st.integers(20, 300), st.sampled_from([64, 128, 192]), st.integers(1, 19), st.integers(0, 99)
)
def test_every_part_has_its_anchors_and_neighbours_are_within_reach(length, n_samples, reach, seed):
    """Counted up to every border between parts.

    All that belongs to the parts before a border lies less than a reach beyond it, all that belongs to
    later ones no more than a reach before it.
    """
    found = anchored(32 * length, n_samples=n_samples, reach=reach, seed=seed)
    each = n_samples // 32  # anchors and as many neighbours
    for part in range(32):
        start, border = part * length, (part + 1) * length
        assert sum(frame < border - reach for frame in found) <= each * (part + 1)
        assert sum(frame < border + reach for frame in found) >= each * (part + 1)
        assert sum(start <= frame < border for frame in found) >= each // 2


def test_with_parts_of_one_frame_anchors_are_known():
    # 32 frames: two anchors on each, and two more frames at most one before it: all that is left free.
    found = anchored(32, reach=1)
    for frame in range(32):
        # Its anchors; those of its neighbours that stay, and those of the next that step back.
        assert 2 <= found.count(frame) <= 6
    assert len(found) == 128


def test_anchors_fall_anywhere_in_their_part():
    drawn = [frame for seed in range(200) for frame in anchored(320, reach=1, seed=seed)]
    counts = torch.bincount(torch.tensor(drawn), minlength=320)
    assert len(counts) == 320
    # 80 of each on average, fewer at the ends alone: where a neighbour steps back, no other comes.
    assert (counts[1:-1] > 40).all()
    assert (counts < 130).all()


def test_neighbours_are_as_often_before_as_after():
    # One part holds a thousand frames, so that a pair is told by its being close.
    gaps = []
    for seed in range(100):
        anchors = luck(seed)
        starts = torch.arange(32) * 1000
        expected = starts + torch.randint(1000, (32,), generator=anchors)
        found = anchored(32_000, n_samples=64, reach=10, seed=seed)
        rest = list(found)
        for frame in expected.tolist():
            rest.remove(frame)  # an anchor, by the same draw
        gaps += [frame - anchor for frame, anchor in zip(rest, expected.tolist(), strict=True)]
    # The first frame may be clamped; the rest lies in [-10, 10).
    gaps = torch.tensor(gaps)
    assert gaps.min() == -10
    assert gaps.max() == 9
    assert abs(gaps.double().mean() + 0.5) < 0.5


@pytest.mark.parametrize("n_frames", [1, 5, 31])
def test_a_short_recording_fills_up_with_its_last_frame(n_frames):
    found = anchored(n_frames, reach=1)
    assert set(found) == set(range(n_frames))
    # 64 anchors two by two, of which those past the end are its last.
    assert found.count(n_frames - 1) >= 64 - 2 * (n_frames - 1)


def test_the_remainder_has_no_anchors():
    # 32 parts of 10 frames in 351: nothing from 320 on but what a neighbour reaches.
    assert max(max(anchored(351, reach=5, seed=seed)) for seed in range(50)) <= 319 + 4


# ASOT: cells


@given(st.integers(1, 2000), st.integers(1, 300), st.integers(0, 99))
def test_one_frame_of_each_cell_in_order(n_frames, n_samples, seed):
    found = cells(n_frames, n_samples=n_samples, seed=seed)
    if n_frames <= n_samples:
        assert found == list(range(n_frames))
        return
    assert len(found) == n_samples
    assert found[0] >= 0
    assert found[-1] < n_frames
    for place, (frame, following) in enumerate(zip(found, [*found[1:], n_frames], strict=True)):
        assert frame < following
        # Between the cell's borders, which are whole frames: rounded down, with room for float32.
        left, right = ((n_frames - 1) * (place + side) / n_samples for side in (0, 1))
        assert int(left - 1e-3) <= frame < right + 1e-3


@pytest.mark.parametrize("n_samples", [1, 2, 3, 7, 64, 255, 256])
def test_cells_just_over_a_frame_wide_are_never_empty(n_samples):
    for n_frames in range(n_samples + 1, 3 * n_samples + 3):
        found = cells(n_frames, n_samples=n_samples)
        assert len(set(found)) == n_samples
        assert found == sorted(found)


def test_cells_by_hand():
    # Borders 0, 3, 6, 9: frame 9 is never drawn, as in the published code.
    drawn = {tuple(cells(10, n_samples=3, seed=seed)) for seed in range(300)}
    assert drawn == {(a, b, c) for a in (0, 1, 2) for b in (3, 4, 5) for c in (6, 7, 8)}


@pytest.mark.parametrize("draw", [anchored, cells])
def test_the_same_seed_draws_the_same(draw):
    assert draw(1000, seed=3) == draw(1000, seed=3)
    assert draw(1000, seed=3) != draw(1000, seed=4)
