import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq import chunks
from histvq.batching import InputScale, pack
from histvq.chunks import ChunkCoder, ChunkShape, PatchCodes, PatchStream
from histvq.coding import patch_codes
from histvq.methods.histvq import HiSTVQ
from histvq.nn.tcn import widest_dilation
from histvq.recording import Recording

pytestmark = pytest.mark.usefixtures("one_thread")

LAYERS, PATCH = 2, 4  # six frames of context


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    method = HiSTVQ(n_actions=3, n_maps=8, n_latent=4, n_layers=LAYERS)
    method.layout_ = {"joint_names": ["a", "b", "c"], "channel_names": ["x", "y"]}
    method.patch_frames_ = PATCH
    return method._build(torch.Generator().manual_seed(0)).eval()


SCALE = InputScale(np.array([0.5, -1], np.float32), np.array([2, 3], np.float32))


def coder(network, *, rows=60):
    """Of chunks of five patches."""
    shape = ChunkShape(3, 2, PATCH, max(1, rows // (3 * PATCH)), 2 * (2**LAYERS - 1))
    return ChunkCoder(network, shape=shape, scale=SCALE, device="cpu")


def motion(n_frames, *, seed=0, gaps=0.1):
    rng = np.random.default_rng(seed)
    skeleton = rng.standard_normal((n_frames, 3, 2)).astype(np.float32) * 3
    skeleton[rng.random((n_frames, 3)) < gaps] = np.nan
    return skeleton


def recording(skeleton):
    return Recording(id="r", skeleton=skeleton, fps=4)


def assert_same_bits(one, other):
    for name in ("actions", "subactions", "confidence"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("n_frames", [1, 3, 4, 19, 20, 26, 27, 40, 103])
def test_chunks_say_what_the_whole_recording_encoded_at_once_says(network, n_frames):
    whole = pack(
        [recording(motion(n_frames))], patch_frames=PATCH, gap=widest_dilation(LAYERS), scale=SCALE
    )
    with torch.no_grad():
        encoded = network.encode(whole.skeleton, whole.real)
        distances = network.quantiser.distances(encoded.patches, encoded.compared).numpy()
    parents = network.quantiser.actions().numpy()
    codes = patch_codes([recording(motion(n_frames))], coder(network))[0]
    assert len(codes) == -(-n_frames // PATCH)
    rows = iter(distances)
    for place, known in enumerate(encoded.occupied[: len(codes)].tolist()):
        if not known:
            assert (codes.actions[place], codes.subactions[place], codes.confidence[place]) == (
                -1,
                -1,
                0,
            )
            continue
        row = next(rows)
        nearest = row.argmin()
        assert codes.subactions[place] == nearest
        assert codes.actions[place] == parents[nearest]
        rivals = row[parents != parents[nearest]]
        margin = 1 - row[nearest] / rivals.min() if len(rivals) else 1
        assert codes.confidence[place] == pytest.approx(margin, abs=1e-5)


@settings(max_examples=60)
@given(
    n_frames=st.integers(1, 90),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=8),
    seed=st.integers(0, 5),
)
def test_every_way_of_arriving_gives_the_same_bits(network, n_frames, sizes, seed):
    skeleton = motion(n_frames, seed=seed)
    whole = patch_codes([recording(skeleton)], coder(network))[0]
    stream = PatchStream(coder(network))
    found, given = [], 0
    while given < n_frames:
        for size in [*sizes, 1]:
            block = skeleton[given : given + size].copy()
            found.append(stream.push(block))
            block[:] = np.nan  # whose it is may do with it what they like
            given += len(block)
            # All whose field is complete, and no other.
            assert sum(map(len, found)) == max(0, (given - coder(network).shape.reach) // PATCH)
    assert_same_bits(PatchCodes.joined([*found, stream.finish()]), whole)


@settings(max_examples=30)
@given(n_frames=st.integers(1, 80), more=st.integers(0, 60))
def test_what_comes_later_changes_no_bit_of_patches_that_do_not_see_it(network, n_frames, more):
    skeleton = motion(n_frames + more, gaps=0)
    short, long = (
        patch_codes([recording(s)], coder(network))[0] for s in (skeleton[:n_frames], skeleton)
    )
    seen = max(0, (n_frames - coder(network).shape.reach) // PATCH)
    assert_same_bits(short.part(0, seen), long.part(0, seen))


def test_a_chunk_has_about_so_many_rows_and_a_patch_at_least(monkeypatch):
    def shape(n_joints, patch_frames, reach=14):
        return ChunkShape.of(
            n_joints=n_joints, n_channels=3, patch_frames=patch_frames, reach=reach
        )

    assert shape(6, 30).n_patches == 46  # 8280 rows
    assert shape(22, 60).n_patches == 6  # 7920
    assert shape(25, 500).n_patches == 1
    assert shape(6, 30).n_frames == 46 * 30 + 2 * 14
    assert shape(25, 30, reach=2 * 511).core_frames >= 2 * 511 - 15  # no more context than frames
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 6 * 30)
    assert shape(6, 30).n_patches == 1
