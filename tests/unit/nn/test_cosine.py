import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from histvq.nn.cosine import CosineCodebook, cosines, direction_step

pytestmark = pytest.mark.usefixtures("one_thread")


def luck(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=luck(seed))


def codebook_of(codes, *, decay=0.8, min_usage=0.0):
    return CosineCodebook(torch.as_tensor(codes).float(), decay=decay, min_usage=min_usage)


def state_of(codebook):
    return {name: value.clone() for name, value in codebook.state_dict().items()}


def assert_same(state, other):
    assert state.keys() == other.keys()
    assert all(torch.equal(state[name], other[name]) for name in state)


def rows_among(rows, frames):
    """For each row, whether it is one of the frames to the last bit."""
    return [any(torch.equal(row, frame) for frame in frames) for row in rows]


def unit(vector):
    return vector / max(np.linalg.norm(vector), 1e-12)


def step_by_loop(codes, usage, frames, *, decay=0.8):
    """Codes, counts and each frame's code: section by section as specified, code by code."""
    nearest = [int(np.argmax([unit(x) @ unit(w) for w in codes])) for x in frames]
    moved, counted = [], []
    for code, (w, n) in enumerate(zip(codes, usage, strict=True)):
        mine = [unit(x) for x, z in zip(frames, nearest, strict=True) if z == code]
        direction = unit(sum(mine) / len(mine)) if mine else unit(w)
        moved.append(decay * w + (1 - decay) * direction)
        counted.append(decay * n + (1 - decay) * len(mine))
    return np.array(moved), np.array(counted), nearest


# Which code


def test_cosines_by_hand():
    found = cosines(torch.tensor([[3.0, 4], [-2, 0]]), torch.tensor([[9.0, 0], [0, 0.1]]))
    torch.testing.assert_close(found, torch.tensor([[0.6, 0.8], [-1.0, 0.0]]))


def test_lengths_play_no_part_in_the_choice():
    # By distance the first code would be nearer: 1 away, not 99.
    codebook = codebook_of([[1.0, 1], [100, 0]])
    assert codebook.assign(torch.tensor([[1.0, 0]])).item() == 1
    frames, sizes = drawn(30, 4), drawn(30, 1, seed=1).exp()
    codebook = codebook_of(drawn(5, 4, seed=2))
    assert torch.equal(codebook.assign(sizes * frames), codebook.assign(frames))


def test_swapped_frames_and_maps_are_caught():
    with pytest.raises(TypeCheckError):
        cosines(drawn(4, 30), drawn(5, 30)[:, :4])


# The moving average


def test_one_step_by_hand():
    # Frames (8, 6) and (0.1, 0) go to code 0: unit vectors (0.8, 0.6) and (1, 0), mean (0.9, 0.3),
    # which points along (3, 1) / sqrt(10). Code 1 has none; code 2 has (0, -5).
    codebook = codebook_of([[2.0, 0], [0, 3], [0, -1]]).train()
    frames = torch.tensor([[8.0, 6], [0.1, 0], [0, -5]])
    values, nearest = codebook(frames, generator=luck())
    root = 10**0.5
    expected = torch.tensor([[1.6 + 0.6 / root, 0.2 / root], [0, 2.6], [0, -1]])
    torch.testing.assert_close(codebook.codes, expected)
    torch.testing.assert_close(codebook.usage, torch.tensor([0.4, 0.0, 0.2]))
    assert nearest.tolist() == [0, 0, 2]
    torch.testing.assert_close(values, expected[[0, 0, 2]])
    # Then three frames for code 1, none for the others: n = 0.8 n + 0.2 b.
    codebook(torch.tensor([[0.0, 1], [0, 2], [0, 3]]), generator=luck())
    torch.testing.assert_close(codebook.usage, torch.tensor([0.32, 0.6, 0.16]))


def test_a_code_moves_a_fifth_of_the_way_to_the_mean_direction():
    codes, frames = drawn(1, 6), drawn(40, 6, seed=1) + 1
    found, _ = direction_step(
        codes, torch.zeros(1), frames, torch.zeros(40, dtype=torch.long), decay=0.8
    )
    mean = np.mean([unit(x) for x in frames.double().numpy()], axis=0)
    way = (found - codes)[0] / (torch.from_numpy(unit(mean)) - codes[0])
    torch.testing.assert_close(way, torch.full((6,), 0.2).double(), rtol=1e-4, atol=1e-4)


def test_without_frames_a_code_keeps_its_direction_and_its_length_drifts_to_1():
    codes = torch.tensor([[1.0, 0], [0, 3], [0, -0.2]])
    codebook = codebook_of(codes).train()
    for step in range(1, 31):
        codebook(torch.tensor([[7.0, 0]]), generator=luck())
        lengths = codebook.codes.norm(dim=1)
        expected = 1 + (codes.norm(dim=1) - 1) * 0.8**step
        torch.testing.assert_close(lengths, expected)
        torch.testing.assert_close(cosines(codebook.codes, codes).diagonal(), torch.ones(3))


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(3))
def test_many_steps_agree_with_the_loop(seed, decay):
    codebook = codebook_of(drawn(6, 4, seed=seed), decay=decay).train()
    codes, usage = codebook.codes.double().numpy(), np.zeros(6)
    for step in range(25):
        frames = 3 * drawn(3 + step, 4, seed=100 * seed + step) + 0.5
        values, nearest = codebook(frames, generator=luck())
        codes, usage, expected = step_by_loop(codes, usage, frames.double().numpy(), decay=decay)
        assert nearest.tolist() == expected
        np.testing.assert_allclose(codebook.codes, codes, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(codebook.usage, usage, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(values, codes[expected], rtol=1e-4, atol=1e-5)


def test_frames_and_codes_of_zeros_give_no_nan():
    codebook = codebook_of([[-2.0, 0], [0, 0], [0, 3]]).train()
    frames = torch.tensor([[0.0, 0], [1, 0], [0, 1]])
    # At right angles to everything: better than what points the other way.
    assert codebook(frames, generator=luck())[1].tolist() == [0, 1, 2]
    assert codebook.codes.isfinite().all()


# The dead


@pytest.mark.parametrize("seed", range(3))
def test_with_replacement_the_living_agree_with_the_loop(seed):
    codebook = codebook_of(drawn(8, 4, seed=seed), min_usage=2.1).train()
    generator, n_dead = luck(seed), 0
    codes, usage = codebook.codes.double().numpy(), np.zeros(8)
    for step in range(25):
        frames = 3 * drawn(40, 4, seed=100 * seed + step)
        values, nearest = codebook(frames, generator=generator)
        codes, usage, expected = step_by_loop(codes, usage, frames.double().numpy())
        assert nearest.tolist() == expected
        # No count is set anew, and a dead code is a frame as it came, not its unit vector.
        np.testing.assert_allclose(codebook.usage, usage, rtol=1e-5, atol=1e-6)
        dead = usage < 2.1
        assert all(rows_among(codebook.codes[dead], frames))
        np.testing.assert_allclose(codebook.codes[~dead], codes[~dead], rtol=1e-4, atol=1e-5)
        assert torch.equal(values, codebook.codes[nearest])
        codes = codebook.codes.double().numpy()
        n_dead += dead.sum()
    assert 8 < n_dead < 8 * 25


def test_a_code_may_be_replaced_at_several_steps_in_a_row():
    codebook = codebook_of([[1.0, 0, 0], [-1, 0, 0]], min_usage=1e6).train()
    generator = luck()
    places = []
    for step in range(5):
        frames = drawn(20, 3, seed=step)
        codebook(frames, generator=generator)
        assert all(rows_among(codebook.codes, frames))
        places.append(tuple(codebook.codes[1].tolist()))
    assert len(set(places)) == 5
    assert (codebook.usage > 0).all()


def test_only_the_dead_are_replaced():
    codebook = codebook_of([[1.0, 0], [0, 1]], min_usage=3.0).train()
    codebook.usage.fill_(10)
    frames = torch.tensor([[5.0, 0]])
    for step in range(1, 9):
        codebook(frames, generator=luck())
        # 10 * 0.8^5 = 3.3, 10 * 0.8^6 = 2.6; then it lies on the frame, and ties go to the first.
        assert (codebook.codes[1].tolist() == [5.0, 0]) == (step >= 6)
    torch.testing.assert_close(codebook.usage[1].item(), 10 * 0.8**8)


def test_index_of_before_vector_of_after():
    # Code 1 is dead and lands on the only other frame: asked again, that frame would have code 1.
    codebook = codebook_of([[1.0, 0.1], [-1, 0]], min_usage=0.1).train()
    frames = torch.tensor([[1.0, 1.0]])
    values, nearest = codebook(frames, generator=luck())
    assert nearest.tolist() == [0]
    assert torch.equal(values, codebook.codes[:1])
    torch.testing.assert_close(values, torch.tensor([[0.8 + 0.2 / 2**0.5, 0.08 + 0.2 / 2**0.5]]))
    assert codebook.codes[1].tolist() == [1, 1]
    assert codebook.assign(frames).tolist() == [1]


def test_a_frame_whose_own_code_is_dead_gets_what_replaced_it():
    codebook = codebook_of([[1.0, 0]], min_usage=5.0).train()
    values, _ = codebook(torch.tensor([[3.0, 1]]), generator=luck())
    assert values.tolist() == [[3, 1]]


@pytest.mark.parametrize(
    ("nu", "n_frames", "dead"),
    [(3, 14, True), (3, 15, False), (3, 16, False), (1, 4, True), (1, 5, False)],
)
def test_how_many_frames_keep_a_new_code_alive(nu, n_frames, dead):
    # A fifth of 15 is 3 and of 5 is 1, whatever float32 makes of a fifth.
    codebook = codebook_of([[1.0, 0.2]], min_usage=float(nu)).train()
    frames = torch.tensor([[7.0, 0]]).expand(n_frames, 2)
    codebook(frames, generator=luck())
    assert (codebook.codes.tolist() == [[7, 0]]) == dead


def test_the_same_luck_replaces_alike():
    frames, books = drawn(30, 4), []
    for seed in (1, 1, 2):
        codebook = codebook_of(drawn(8, 4, seed=1), min_usage=50.0).train()
        codebook(frames, generator=luck(seed))
        books.append(codebook.codes)
    assert torch.equal(books[0], books[1])
    assert not torch.equal(books[0], books[2])


def test_training_needs_luck():
    with pytest.raises(ValueError, match="training a codebook needs a generator"):
        codebook_of(drawn(3, 2)).train()(drawn(5, 2))


# State


def test_evaluation_changes_nothing():
    codebook = codebook_of(drawn(5, 4), min_usage=9.0).eval()
    before, frames = state_of(codebook), drawn(30, 4, seed=1)
    values, nearest = codebook(frames)
    assert_same(state_of(codebook), before)
    assert torch.equal(values, before["codes"][nearest])
    assert torch.equal(nearest, codebook.assign(frames))


def test_training_changes_no_tensor_it_was_given():
    start, frames = drawn(5, 4), drawn(30, 4, seed=1)
    codebook = CosineCodebook(start, decay=0.8, min_usage=9.0).train()
    codebook(frames, generator=luck())
    assert torch.equal(start, drawn(5, 4))
    assert torch.equal(frames, drawn(30, 4, seed=1))


@pytest.mark.parametrize("training", [True, False])
def test_no_gradient_reaches_the_codes(training):
    codebook = codebook_of(drawn(5, 4), min_usage=1.0).train(training)
    frames = drawn(30, 4, seed=1).requires_grad_()
    values, _ = codebook(frames, generator=luck())
    assert not values.requires_grad
    assert not any(tensor.requires_grad for tensor in codebook.state_dict().values())
    assert not list(codebook.parameters())


def test_codes_can_be_put_elsewhere_and_numbered_anew():
    start, there = drawn(3, 4), drawn(3, 4, seed=1)
    codebook = codebook_of(start)
    codebook.usage.copy_(torch.tensor([5.0, 6, 7]))
    codebook.start_from(there)
    assert torch.equal(start, drawn(3, 4))
    assert torch.equal(codebook.codes, there)
    codebook.reorder(torch.tensor([2, 0, 1]))
    assert torch.equal(codebook.codes, there[[2, 0, 1]])
    assert codebook.usage.tolist() == [7, 5, 6]
    assert set(codebook.state_dict()) == {"codes", "usage"}
