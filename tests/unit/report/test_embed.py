import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from histvq.recording import Recording
from histvq.report.embed import MISSING, Piece, choose_pieces, in_numbers, shapes_of


def recording(name="a", skeleton=None, *, n=600, fps=60.0, **more):
    if skeleton is None:
        skeleton = np.random.default_rng(0).normal(size=(n, 5, 3))
    return Recording(id=name, skeleton=skeleton, fps=fps, **more)


def decoded(about, numbers, n_joints):
    whole = np.frombuffer(base64.b64decode(numbers), "<i2").reshape(about["frames"], n_joints, -1)
    values = about["offset"] + np.array(about["scale"]) * whole
    return np.where(whole == MISSING, np.nan, values)


@given(
    arrays(
        np.float32, (7, 2, 3),
        elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6, width=32)),
    )
)  # fmt: skip
def test_motion_comes_back_to_a_part_of_its_range(skeleton):
    about, numbers = in_numbers(Piece(recording(skeleton=skeleton), 0, 7, 1))
    back = decoded(about, numbers, 2)
    np.testing.assert_array_equal(np.isnan(back), np.isnan(skeleton))
    flat = skeleton.reshape(-1, 3)
    known = ~np.isnan(flat)
    spans = [
        np.ptp(flat[known[:, c], c].astype(float)) if known[:, c].any() else 0 for c in range(3)
    ]
    np.testing.assert_allclose(back, skeleton, rtol=0, atol=max(spans) / 65534 * 0.51 + 1e-9)


def test_bodies_keep_their_shape():
    skeleton = np.zeros((2, 2, 3), np.float32)
    skeleton[1] = [1000, 10, 1]
    about, _ = in_numbers(Piece(recording(skeleton=skeleton), 0, 2, 1))
    assert len(set(about["scale"])) == 1


def test_every_third_position_is_held():
    one = recording(n=10)
    about, numbers = in_numbers(Piece(one, 1, 9, 3))
    assert (about["start"], about["stride"], about["frames"]) == (1, 3, 3)
    np.testing.assert_allclose(decoded(about, numbers, 5), one.skeleton[[1, 4, 7]], atol=1e-3)


def test_signals_are_means_of_what_was_measured():
    values = np.array([0, 2, np.nan, 5, np.nan, np.nan, 9], np.float32)[:, None, None]
    one = recording(skeleton=values, channel_names=("acc_x",))
    about, numbers = in_numbers(Piece(one, 0, 7, 2))
    np.testing.assert_allclose(decoded(about, numbers, 1).ravel(), [1, 5, np.nan, 9], atol=1e-3)


def test_channels_that_are_no_positions_are_left_out_beside_positions():
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    one = recording(skeleton=values, channel_names=("confidence", "X", "Y", "Z"))
    about, numbers = in_numbers(Piece(one, 0, 2, 1))
    np.testing.assert_allclose(decoded(about, numbers, 3), values[:, :, 1:], atol=1e-3)


def size_of(embedded):
    return sum(len(in_numbers(piece)[1]) for piece in embedded.pieces)


def test_with_room_all_is_held_at_thirty_a_second():
    embedded = choose_pieces([recording(fps=59.94), recording("b", fps=25)], room=1e6)
    assert [piece.stride for piece in embedded.pieces] == [2, 1]
    assert embedded.fps == pytest.approx(29.97)
    assert embedded.left_out == ()


@pytest.mark.parametrize("room", [1e3, 5e3, 2e4, 3e4, 5e4, 1e5, 1e6])
def test_the_room_is_kept_to(room):
    many = [recording(name, n=400 + 50 * k) for k, name in enumerate("abcd")]
    clips = [("d", 10, 100), ("b", 0, 50)]
    embedded = choose_pieces(many, room=room, clips=clips)
    assert size_of(embedded) <= room * 1.01  # base64 rounds up to four letters
    held = {
        p.recording.id for p in embedded.pieces if p.n_frames * p.stride >= p.recording.n_frames
    }
    assert held | set(embedded.left_out) == set("abcd")
    assert not held & set(embedded.left_out)


def test_less_room_means_fewer_frames_a_second_before_anything_is_left_out():
    whole = size_of(choose_pieces([recording()], room=1e9))
    half = choose_pieces([recording()], room=whole / 2 + 10)
    assert half.fps == pytest.approx(15)
    assert half.left_out == ()


def test_clips_are_held_before_recordings_and_six_seconds_of_each():
    one, other = recording(n=60_000), recording("b", n=600)
    embedded = choose_pieces([one, other], room=30_000, clips=[("a", 1200, 9000)])
    assert [(p.recording.id, p.start, p.stop) for p in embedded.pieces] == [
        ("b", 0, 600), ("a", 1200, 1560),
    ]  # fmt: skip
    assert embedded.left_out == ("a",)


def test_no_recordings_no_motion():
    embedded = choose_pieces([], room=1e6, clips=[("a", 0, 5)])
    assert (embedded.pieces, embedded.fps, embedded.left_out) == ((), None, ())


def test_alike_bodies_are_told_once():
    pieces = choose_pieces(
        [recording("a"), recording("b"), recording("c", joint_names=tuple("vwxyz"))], room=1e6
    ).pieces
    shapes, places = shapes_of(pieces)
    assert len(shapes) == 2
    assert places == {"a": 0, "b": 0, "c": 1}


def held_at_once(piece):
    """What is held of a piece, where the whole of it is at hand."""
    values = piece.recording.skeleton[piece.start : piece.stop].astype(float)
    if "x" in piece.recording.channel_names:
        return values[:: piece.stride]
    parts = [values[k : k + piece.stride] for k in range(0, len(values), piece.stride)]
    counts = [(~np.isnan(part)).sum(axis=0) for part in parts]
    sums = [np.nansum(part, axis=0) for part in parts]
    held = [np.where(c, s / np.maximum(c, 1), np.nan) for c, s in zip(counts, sums, strict=True)]
    return np.array(held).reshape(-1, *values.shape[1:])


@given(
    st.integers(1, 40), st.integers(0, 5), st.integers(1, 7), st.integers(0, 9),
    st.sampled_from([("x", "y", "z"), ("acc_x", "acc_y", "acc_z")]),
)  # fmt: skip
def test_numbers_do_not_mind_blocks(n_frames, start, stride, seed, channels):
    random = np.random.default_rng(seed)
    values = random.normal(size=(start + n_frames + 3, 2, 3)).astype(np.float32)
    values[random.random(values.shape) < 0.3] = np.nan
    piece = Piece(
        recording(skeleton=values, channel_names=channels), start, start + n_frames, stride
    )
    whole = in_numbers(piece)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("histvq.report.embed._FRAMES_A_BLOCK", 3)
        assert in_numbers(piece) == whole
    expected = held_at_once(piece)
    atol = np.nanmax(np.abs(expected), initial=0) / 32767 + 1e-9
    np.testing.assert_allclose(decoded(*whole, 2), expected, rtol=0, atol=atol)
