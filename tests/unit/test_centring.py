import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.recording import Recording
from histvq.transforms import centre_on_root, root_centring


def people(n_frames, seed, share):
    """Two people of two joints, in two dimensions, roots often missing."""
    rng = np.random.default_rng(seed)
    skeleton = rng.standard_normal((n_frames, 4, 2)).astype(np.float32)
    skeleton[rng.random((n_frames, 4, 2)) < share] = np.nan
    return Recording(
        id="r", skeleton=skeleton, fps=1, parents=(-1, 0, 3, -1), joint_persons=(0, 0, 1, 1)
    )


def by_definition(recording):
    """Frame by frame, axis by axis."""
    centred = recording.skeleton.astype(np.float64)
    for joints, root in (((0, 1), 0), ((2, 3), 3)):
        for axis in range(2):
            values = recording.skeleton[:, root, axis].astype(np.float64)
            known = np.flatnonzero(~np.isnan(values))
            for frame in range(recording.n_frames):
                if not len(known):
                    there = recording.skeleton[frame, joints, axis]
                    there = there[~np.isnan(there)]
                    place = there.mean() if len(there) else 0
                else:
                    before, after = known[known <= frame], known[known >= frame]
                    a = before[-1] if len(before) else after[0]
                    b = after[0] if len(after) else before[-1]
                    along = 0 if a == b else (frame - a) / (b - a)
                    place = values[a] + along * (values[b] - values[a])
                centred[frame, joints, axis] -= place
    return centred


@settings(max_examples=80)
@given(
    n_frames=st.integers(0, 25),
    seed=st.integers(0, 9),
    share=st.sampled_from([0, 0.3, 0.8, 0.95]),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
)
def test_block_by_block_is_the_whole_to_the_bit(n_frames, seed, share, sizes):
    recording = people(n_frames, seed, share)
    whole = centre_on_root(recording).skeleton
    np.testing.assert_allclose(whole, by_definition(recording), atol=1e-5)
    centring, found, given = root_centring(recording), [], 0
    while given < n_frames:
        for size in sizes:
            block = recording.skeleton[given : given + size].copy()
            found.append(centring.push(block))
            block[:] = 9
            given += len(block)
    found.append(centring.finish())
    np.testing.assert_array_equal(np.concatenate(found), whole)


@pytest.mark.parametrize("gap", [0, 3])
def test_frames_wait_only_while_the_root_is_missing(gap):
    skeleton = np.ones((10, 4, 2), np.float32)
    skeleton[2 : 2 + gap, 3] = np.nan
    recording = Recording(
        id="r", skeleton=skeleton, fps=1, parents=(-1, 0, 3, -1), joint_persons=(0, 0, 1, 1)
    )
    centring = root_centring(recording)
    given = [len(centring.push(skeleton[k : k + 1])) for k in range(10)]
    assert given == [1, 1, *[0] * gap, 1 + gap, *[1] * (7 - gap)]
