import numpy as np
import pytest
import torch
from scipy.special import expit
from torch import nn

from histvq.nn.embedding import (
    PrototypeScores,
    SigmoidEmbedding,
    TimeRegression,
    UnitEmbedding,
    small,
)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def own_seed():
    """Modules draw from torch's global generator; other tests should not notice."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def with_large_weights(module):
    """At their small start every sigmoid is a half, and no mistake would show."""
    with torch.no_grad():
        for place, parameter in enumerate(module.parameters()):
            parameter.copy_(drawn(*parameter.shape, seed=place))
    return module


def weights_of(module):
    return {name: value.double().numpy() for name, value in module.state_dict().items()}


def linear(weights, name, x):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def embedding_in_numpy(weights, x, prefix=""):
    hidden = expit(linear(weights, f"{prefix}enter", x))
    return linear(weights, f"{prefix}leave", hidden)


# Forward, written out


def test_sigmoid_embedding_in_numpy():
    module, x = with_large_weights(SigmoidEmbedding(5, 7, 3)), drawn(2, 11, 5)
    expected = embedding_in_numpy(weights_of(module), x.numpy())
    found = module(x).detach()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert (found.abs() > 1).any()  # no sigmoid at the end


def test_time_regression_in_numpy():
    module, x = with_large_weights(TimeRegression(5, 3)), drawn(11, 5)
    weights = weights_of(module)
    assert weights["embedding.enter.weight"].shape == (6, 5)  # twice the embedding
    hidden = expit(embedding_in_numpy(weights, x.numpy(), "embedding."))
    expected = hidden @ weights["time.weight"][0] + weights["time.bias"][0]
    np.testing.assert_allclose(module(x).detach(), expected, rtol=1e-4, atol=1e-5)


def test_prototype_scores_in_numpy():
    module, x = with_large_weights(PrototypeScores(5, 3, 4)), drawn(2, 11, 5)
    weights = weights_of(module)
    assert set(weights) == {
        *(
            f"embedding.{layer}.{kind}"
            for layer in ("enter", "leave")
            for kind in ("weight", "bias")
        ),
        "prototypes.weight",
    }
    embedded = expit(embedding_in_numpy(weights, x.numpy(), "embedding."))
    np.testing.assert_allclose(module.embed(x).detach(), embedded, rtol=1e-4, atol=1e-5)
    expected = embedded @ weights["prototypes.weight"].T
    np.testing.assert_allclose(module(x).detach(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("hidden", [(), (7,), (7, 6)])
def test_unit_embedding_in_numpy(hidden):
    module, x = with_large_weights(UnitEmbedding((5, *hidden, 3), 4)), drawn(2, 11, 5)
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    assert len(layers) == len(hidden) + 1
    expected = x.numpy()
    for place, layer in enumerate(layers):
        if place:
            expected = np.maximum(expected, 0)
        expected = expected @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    expected = expected / np.linalg.norm(expected, axis=-1, keepdims=True)
    found = module(x).detach()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert (found < 0).any()  # no ReLU at the end


# Where weights start


@pytest.mark.parametrize(
    "module",
    [
        lambda: SigmoidEmbedding(60, 80, 70),
        lambda: TimeRegression(60, 2000),
        lambda: PrototypeScores(60, 100, 50),
        lambda: small(nn.Linear(60, 80)),
        lambda: small(nn.Linear(60, 80, bias=False)),
    ],
)
def test_weights_start_small_and_biases_at_0(module):
    for name, value in module().named_parameters():
        if name.endswith("bias"):
            assert (value == 0).all(), name
        else:
            # At least 2000 numbers: five standard errors of a standard deviation are 8 percent.
            assert value.std().item() == pytest.approx(0.01, rel=0.08), name
            assert abs(value.mean().item()) < 0.001, name
            assert value.abs().max() < 0.06, name


def test_the_seed_decides_the_start():
    starts = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        starts.append(nn.utils.parameters_to_vector(UnitEmbedding((5, 4, 3), 2).parameters()))
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])


# Prototypes


def test_actions_numbered_anew_permute_the_scores():
    module, x = with_large_weights(PrototypeScores(5, 3, 4)), drawn(11, 5)
    before, embedded = module(x).detach(), module.embed(x).detach()
    module.reorder([2, 0, 3, 1])
    torch.testing.assert_close(module(x), before[:, [2, 0, 3, 1]])
    assert torch.equal(module.embed(x), embedded)
    assert module.prototypes.weight.requires_grad


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_unit_embeddings_have_unit_length(size):
    module = UnitEmbedding((5, 8, 3), 4)
    lengths = module(size * drawn(2, 11, 5)).norm(dim=-1)
    torch.testing.assert_close(lengths, torch.ones(2, 11))


def test_prototypes_start_with_unit_length():
    lengths = UnitEmbedding((5, 8, 3), 40).prototypes.norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(40))


def test_prototypes_point_where_they_are_set():
    module = UnitEmbedding((5, 8, 2), 3)
    given = torch.tensor([[3.0, 4], [0, -7], [1e-3, 0]])
    module.set_prototypes(given)
    expected = torch.tensor([[0.6, 0.8], [0, -1], [1, 0]])
    torch.testing.assert_close(module.prototypes.detach(), expected)
    assert torch.equal(given, torch.tensor([[3.0, 4], [0, -7], [1e-3, 0]]))


def test_prototypes_still_learn_after_they_were_set():
    module = UnitEmbedding((5, 8, 3), 4)
    module.set_prototypes(drawn(4, 3))
    (module(drawn(11, 5)) @ module.prototypes.T).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name
