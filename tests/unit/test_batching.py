import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.batching import InputScale, dealt, fit_scale, pack, pieces
from histvq.errors import ConfigError
from histvq.recording import Recording

PLAIN = InputScale(np.zeros(2, np.float32), np.ones(2, np.float32))


def recording(n_frames, *, id="r", n_joints=3, channels=("x", "y"), seed=0):
    shape = (n_frames, n_joints, len(channels))
    skeleton = np.random.default_rng(seed + n_frames).normal(size=shape)
    return Recording(id=id, skeleton=skeleton, fps=10, channel_names=channels)


# Laying end to end


def test_where_everything_goes_by_hand():
    # Patches of 4, a gap of 2: 7 frames take 12, 4 take 8, 2 take 4.
    made = [recording(n, id=f"r{n}") for n in (7, 4, 2)]
    batch = pack(made, patch_frames=4, gap=2, scale=PLAIN)
    assert batch.starts == (0, 12, 20)
    assert batch.lengths == (7, 4, 2)
    assert batch.ids == ("r7", "r4", "r2")
    assert sum(batch.lengths) == 13
    assert batch.skeleton.shape == (3, 24, 2)
    wanted = "1111111.....1111....11..".replace(".", "0")
    assert ["".join(str(int(v)) for v in row) for row in batch.real] == [wanted] * 3
    # Middles: of 7 frames, 0-4 and 4-7 (a short one); of 4, 0-4; of 2, 0-2.
    expected = [2 / 7, 5.5 / 7, 0, 0.5, 0, 0.5]
    torch.testing.assert_close(batch.patch_times, torch.tensor(expected))
    assert batch.skeleton.dtype == batch.patch_times.dtype == torch.float32


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=5), st.integers(1, 7), st.integers(0, 9))
def test_recordings_stand_whole_and_apart(lengths, patch_frames, gap):
    made = [recording(n, id=str(k), seed=k) for k, n in enumerate(lengths)]
    batch = pack(made, patch_frames=patch_frames, gap=gap, scale=PLAIN)
    n_frames = batch.real.shape[1]
    assert n_frames % patch_frames == 0
    assert len(batch.patch_times) == n_frames // patch_frames
    assert int(batch.real.sum()) == 3 * sum(lengths)
    ends = [start + n for start, n in zip(batch.starts, lengths, strict=True)]
    for source, start, end, after in zip(
        made, batch.starts, ends, (*batch.starts[1:], n_frames), strict=True
    ):
        assert start % patch_frames == 0
        assert gap <= after - end < gap + patch_frames
        found = batch.skeleton[:, start:end].transpose(0, 1).numpy()
        np.testing.assert_array_equal(found, source.skeleton)
        assert batch.real[:, start:end].all()
        assert not batch.skeleton[:, end:after].any()
        times = batch.patch_times[start // patch_frames : -(-end // patch_frames)]
        assert ((times > 0) & (times < 1)).all()
        assert (times.diff() > 0).all()


def test_a_joint_is_missing_where_any_of_its_channels_is():
    made = recording(5)
    made.skeleton[2, 1, 0] = np.nan
    made.skeleton[4] = np.nan
    batch = pack([made], patch_frames=5, gap=0, scale=PLAIN)
    expected = np.ones((3, 5), bool)
    expected[1, 2] = expected[:, 4] = False
    np.testing.assert_array_equal(batch.real, expected)
    assert batch.skeleton.isfinite().all()
    assert (batch.skeleton[~batch.real] == 0).all()


def test_the_scale_is_applied_and_masked_frames_stay_zero():
    scale = InputScale(np.array([1, 2], np.float32), np.array([10, 0.5], np.float32))
    made = recording(3)
    batch = pack([made], patch_frames=4, gap=1, scale=scale)
    expected = (made.skeleton[2, 1] - [1, 2]) / [10, 0.5]
    np.testing.assert_allclose(batch.skeleton[1, 2], expected, rtol=1e-6)
    assert (batch.skeleton[:, 3:] == 0).all()


def test_a_piece_keeps_its_time_in_the_recording():
    made = recording(10)
    batch = pack([made, made], patch_frames=4, gap=2, scale=PLAIN, spans=[(4, 10), (0, 4)])
    assert batch.lengths == (6, 4)
    assert batch.starts == (0, 8)
    np.testing.assert_array_equal(batch.skeleton[:, :6].transpose(0, 1), made.skeleton[4:])
    np.testing.assert_array_equal(batch.skeleton[:, 8:12].transpose(0, 1), made.skeleton[:4])
    torch.testing.assert_close(batch.patch_times, torch.tensor([0.6, 0.9, 0.2, 0]))


@given(st.integers(1, 100), st.integers(1, 30) | st.none())
def test_pieces_make_up_the_recording(n_frames, piece_frames):
    spans = pieces(n_frames, piece_frames)
    assert [frame for span in spans for frame in range(*span)] == list(range(n_frames))
    assert all(stop - start == (piece_frames or n_frames) for start, stop in spans[:-1])
    if piece_frames is None:
        assert spans == [(0, n_frames)]


def test_nothing_to_lay_down():
    with pytest.raises(ConfigError, match="recording 'void' has no frames; leave it out"):
        pack(
            [recording(3), recording(0, id="void")],
            patch_frames=4,
            gap=2,
            scale=PLAIN,
        )


# Scale

INERTIAL = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z", "emg")
SPREAD = np.array([1, 2, 3, 100, 200, 300, 7.0])


def inertial(seed):
    made = recording(200, channels=INERTIAL, seed=seed)
    values = made.skeleton * SPREAD + 50 * np.arange(7)
    return Recording(id=str(seed), skeleton=values, fps=10, channel_names=INERTIAL)


def test_axes_of_a_quantity_share_a_factor():
    made = [inertial(seed) for seed in range(3)]
    scale = fit_scale(made, mode="quantity")
    values = np.concatenate([r.skeleton.reshape(-1, 7) for r in made]).astype(float)
    np.testing.assert_allclose(scale.offset, values.mean(axis=0), rtol=1e-5)
    # Each quantity's spread about its axes' means, as numpy has it.
    about = values - values.mean(axis=0)
    for columns in ([0, 1, 2], [3, 4, 5], [6]):
        np.testing.assert_allclose(scale.factor[columns], np.std(about[:, columns]), rtol=1e-5)
    scaled = scale.apply(values)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-4)
    assert np.std(scaled[:, :3]) == pytest.approx(1, rel=1e-4)
    # Proportions between axes stay.
    np.testing.assert_allclose(scaled.std(axis=0)[:3] * scale.factor[0], about[:, :3].std(axis=0))


@pytest.mark.parametrize("channels", [("x", "y"), ("x", "y", "z"), ("pos_x", "pos_y", "pos_z")])
def test_positions_share_one_factor(channels):
    made = recording(50, channels=channels)
    scale = fit_scale([made], mode="quantity")
    assert len(set(scale.factor.tolist())) == 1
    about = made.skeleton - made.skeleton.mean(axis=(0, 1))
    np.testing.assert_allclose(scale.factor, np.std(about), rtol=1e-5)


def test_positions_and_confidences_do_not_share():
    made = recording(50, channels=("x", "y", "confidence"))
    made.skeleton[..., 2] *= 100
    factor = fit_scale([made], mode="quantity").factor
    assert factor[0] == factor[1]
    assert factor[2] > 50 * factor[0]


def test_missing_values_count_for_nothing():
    whole, holed = inertial(0), inertial(0)
    holed.skeleton[50:, 1] = np.nan
    kept = np.concatenate((whole.skeleton[:, [0, 2]].reshape(-1, 7), whole.skeleton[:50, 1]))
    found = fit_scale([holed], mode="quantity")
    np.testing.assert_allclose(found.offset, kept.astype(float).mean(axis=0), rtol=1e-5)
    assert found.factor[6] == pytest.approx(kept[:, 6].std(), rel=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, 0.3, 21.7, 1e6 + 0.5, 123456.7, np.nan])
def test_a_channel_that_never_changes_is_not_blown_up(value):
    made = recording(500, channels=("acc_x", "temperature"))
    made.skeleton[..., 1] = value
    scale = fit_scale([made, made, made], mode="quantity")
    assert scale.factor[1] == 1
    assert np.isfinite(scale.offset).all()


def test_as_they_are():
    made = inertial(0)
    scale = fit_scale([made], mode="none")
    np.testing.assert_array_equal(scale.apply(made.skeleton), made.skeleton)


@pytest.mark.parametrize("mode", ["quantity", "none"])
def test_undo_undoes(mode):
    made = inertial(1)
    made.skeleton[3, 1] = np.nan
    scale = fit_scale([inertial(0)], mode=mode)
    back = scale.undo(scale.apply(made.skeleton))
    np.testing.assert_allclose(back, made.skeleton, rtol=1e-5, atol=1e-3)


@given(lengths=st.lists(st.integers(1, 100), max_size=12), n=st.integers(1, 5))
def test_everything_is_dealt_once_and_about_evenly(lengths, n):
    shares = [dealt(lengths, rank=rank, n=n) for rank in range(n)]
    assert sorted(place for share in shares for place in share) == list(range(len(lengths)))
    assert all(share == sorted(share) for share in shares)
    loads = [sum(lengths[place] for place in share) for share in shares]
    # Whoever has most was the least laden when it got its last and shortest one.
    assert max(loads) - min(loads) <= max(lengths, default=0)


def test_dealt_by_hand():
    # 9, 7 and 6 go to one each, 5 to whom has 6, 2 to whom has 7.
    lengths = [2, 9, 5, 7, 6]
    assert [dealt(lengths, rank=rank, n=3) for rank in range(3)] == [[1], [0, 3], [2, 4]]


@given(data=st.data())
def test_a_share_is_that_part_of_the_whole(data):
    lengths = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))
    share = data.draw(st.lists(st.sampled_from(range(len(lengths))), unique=True).map(sorted))
    patch_frames, gap = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 3))
    made = [recording(n, seed=n + 1) for n in lengths]
    whole = pack(made, patch_frames=patch_frames, gap=gap, scale=PLAIN)
    part = pack(made, patch_frames=patch_frames, gap=gap, scale=PLAIN, share=share)
    assert (part.ids, part.lengths, part.starts) == (whole.ids, whole.lengths, whole.starts)
    assert part.places == tuple(share)
    assert whole.numbers.tolist() == list(range(len(whole.patch_times)))
    if not share:
        assert not part.real.any()
        assert part.frames == ()
        return
    assert torch.equal(part.patch_times, whole.patch_times[part.numbers])
    frames = (part.numbers[:, None] * patch_frames + torch.arange(patch_frames)).flatten()
    assert torch.equal(part.skeleton, whole.skeleton[:, frames])
    assert torch.equal(part.real, whole.real[:, frames])
    for place, (start, stop) in zip(part.places, part.frames, strict=True):
        assert frames[start] == whole.starts[place]
        assert stop - start == lengths[place]
