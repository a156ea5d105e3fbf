import pytest
import torch
from scipy.special import logsumexp

from histvq.nn.coherence import coherence_loss

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def own_seed():
    """The loss draws from torch's global generator; other tests should not notice."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def firsts(n_groups, seed):
    """The rows a loss draws with this seed."""
    torch.manual_seed(seed)
    return torch.randint(3, (n_groups,)).tolist()


def with_seed(embeddings, seed, *, temperature=0.1):
    torch.manual_seed(seed)
    return coherence_loss(embeddings, temperature=temperature)


def loss_by_loop(embeddings, first, *, temperature):
    """Pair by pair; the rows of a batch are numbered through, recording after recording."""
    rows = embeddings.detach().flatten(0, 1).double().numpy() / temperature
    pairs = [(rows[4 * g + r], rows[4 * g + r + 1]) for g, r in enumerate(first)]
    losses = []
    for anchor, own in pairs:
        likeness = [anchor @ other for _, other in pairs]
        losses.append(logsumexp(likeness) - anchor @ own)
    return sum(losses) / len(losses)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("shape", [(1, 4, 3), (1, 128, 5), (2, 128, 5), (3, 8, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_loss_agrees_with_the_loop(shape, temperature, seed):
    embeddings = drawn(*shape, seed=seed).sigmoid()
    found = with_seed(embeddings, seed, temperature=temperature)
    first = firsts(shape[0] * shape[1] // 4, seed)
    expected = loss_by_loop(embeddings, first, temperature=temperature)
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_loss_by_hand():
    # Two groups of four equal rows, so the draw does not matter: logits 4 and 0 before softmax, twice.
    embeddings = torch.tensor([[[2.0, 0]] * 4 + [[0.0, 2]] * 4])
    found = coherence_loss(embeddings, temperature=1.0)
    assert found.item() == pytest.approx(logsumexp([4, 0]) - 4, rel=1e-5)
    # Both are over the temperature: it counts twice.
    warmer = coherence_loss(embeddings, temperature=2.0)
    assert warmer.item() == pytest.approx(logsumexp([1, 0]) - 1, rel=1e-5)


def test_a_single_group_has_nothing_to_tell_apart():
    assert coherence_loss(drawn(1, 4, 3), temperature=0.1).item() == 0


def test_every_neighbouring_pair_of_a_group_is_drawn():
    seen = {tuple(firsts(2, seed)) for seed in range(100)}
    assert seen == {(a, b) for a in range(3) for b in range(3)}
    embeddings = drawn(1, 8, 3)
    losses = {round(with_seed(embeddings, seed).item(), 4) for seed in range(100)}
    assert len(losses) == 9


def test_gradient_reaches_the_drawn_rows():
    embeddings = drawn(2, 16, 3).requires_grad_()
    with_seed(embeddings, 5, temperature=1.0).backward()
    touched = embeddings.grad.flatten(0, 1).ne(0).any(dim=1)
    first = firsts(8, 5)
    expected = sorted(4 * g + r + side for g, r in enumerate(first) for side in (0, 1))
    assert torch.nonzero(touched).flatten().tolist() == expected


def test_a_step_down_the_gradient_lowers_the_loss():
    embeddings = drawn(1, 32, 4).requires_grad_()
    before = with_seed(embeddings, 0, temperature=1.0)
    (slope,) = torch.autograd.grad(before, embeddings)
    assert with_seed(embeddings - 0.1 * slope, 0, temperature=1.0) < before


@pytest.mark.parametrize("seed", range(5))
def test_alike_neighbours_cost_less_than_shuffled_ones(seed):
    steps = torch.linspace(0, 20, 128)
    embeddings = torch.stack([steps.sin(), steps.cos()], dim=1) + 0.05 * drawn(128, 2, seed=seed)
    shuffled = embeddings[torch.randperm(128, generator=torch.Generator().manual_seed(seed))]
    losses = [with_seed(e.unsqueeze(0), seed, temperature=0.5) for e in (embeddings, shuffled)]
    assert losses[0] < losses[1] - 0.5
