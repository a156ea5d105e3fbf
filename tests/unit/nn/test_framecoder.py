import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from histvq.nn.framecoder import FrameAutoencoder, FrameCodes, commitment_loss

pytestmark = pytest.mark.usefixtures("one_thread")

N_FEATURES, N_MAPS = 5, 4


def luck(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=luck(seed))


def network_of(*, n_codes=(6, 3), min_usage=(0.0, 0.0), n_stages=2, n_layers=3, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return FrameAutoencoder(
            N_FEATURES,
            n_maps=N_MAPS,
            n_stages=n_stages,
            n_layers=n_layers,
            n_codes=n_codes,
            decay=0.8,
            min_usage=min_usage,
        )


def everywhere(frames):
    return torch.ones(len(frames), dtype=torch.bool)


def some_real(n_frames, seed=5):
    return torch.rand(n_frames, generator=luck(seed)) > 0.4


def state_of(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(state, other):
    return {name for name in state if torch.equal(state[name], other[name])}


def cosine(x, w):
    return x @ w / (np.linalg.norm(x) * np.linalg.norm(w))


def codes_by_loop(encoded, fine, top):
    """Each frame's code at both levels, and that code's vector, on plain numbers."""
    subactions = [int(np.argmax([cosine(x, w) for w in fine])) for x in encoded]
    actions = [int(np.argmax([cosine(fine[z], w) for w in top])) for z in subactions]
    return subactions, actions


def codebooks_of(network):
    return [codebook.codes.double().numpy() for codebook in network.codebooks]


# Encoder and decoder, channels first, as the literature writes them


def stage_by_conv1d(stage, series, real, *, leaves):
    series = F.conv1d(series, stage.enter.weight[:, :, None], stage.enter.bias) * real
    for place, layer in enumerate(stage.layers):
        hidden = F.conv1d(
            series,
            layer.dilated.weight[:, :, 0],
            layer.dilated.bias,
            padding="same",
            dilation=2**place,
        )
        hidden = F.conv1d(hidden.relu(), layer.pointwise.weight[:, :, None], layer.pointwise.bias)
        series = (series + hidden) * real
    if leaves:
        series = F.conv1d(series, stage.leave.weight[:, :, None], stage.leave.bias) * real
    return series


@pytest.mark.parametrize("n_stages", [1, 2, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_encoder_and_decoder_by_conv1d(n_stages, masked):
    network = network_of(n_stages=n_stages).double()
    frames, values = drawn(40, N_FEATURES).double(), drawn(40, N_MAPS, seed=1).double()
    real = some_real(40) if masked else everywhere(frames)
    encoded, decoded = frames.T[None], values.T[None]
    for place, (down, up) in enumerate(zip(network.encoder, network.decoder, strict=True)):
        encoded = stage_by_conv1d(down, encoded, real, leaves=False)
        decoded = stage_by_conv1d(up, decoded, real, leaves=place == n_stages - 1)
    torch.testing.assert_close(network.encode(frames, real), encoded[0].T)
    torch.testing.assert_close(network.decode(values, real), decoded[0].T)
    assert network.decode(values, real).shape == (40, N_FEATURES)


# Quantisation


@pytest.mark.parametrize("seed", range(3))
def test_codes_are_the_codebooks_one_after_the_other(seed):
    network = network_of(seed=seed).eval()
    encoded = drawn(50, N_MAPS, seed=seed)
    found = network.quantise(encoded, everywhere(encoded))
    fine, top = codebooks_of(network)
    subactions, actions = codes_by_loop(encoded.double().numpy(), fine, top)
    assert found.codes[0].tolist() == subactions
    assert found.codes[1].tolist() == actions
    np.testing.assert_allclose(found.values[0], fine[subactions], atol=1e-6)
    np.testing.assert_allclose(found.values[1], top[actions], atol=1e-6)
    assert torch.equal(found.encoded, encoded)


def test_a_step_of_training_is_the_codebooks_step_one_after_the_other():
    network = network_of(min_usage=(4.0, 4.0)).train()
    first, second = copy.deepcopy(list(network.codebooks))
    encoded = drawn(30, N_MAPS)
    found = network.quantise(encoded, everywhere(encoded), generator=luck(3))
    generator = luck(3)
    below, subactions = first(encoded, generator=generator)
    # The level above learns from the codes as they are after the step below.
    above, actions = second(below, generator=generator)
    assert torch.equal(found.codes[0], subactions)
    assert torch.equal(found.codes[1], actions)
    torch.testing.assert_close(found.values[0], below)
    torch.testing.assert_close(found.values[1], above)
    for codebook, expected in zip(network.codebooks, (first, second), strict=True):
        torch.testing.assert_close(codebook.codes, expected.codes)
        torch.testing.assert_close(codebook.usage, expected.usage)


@pytest.mark.parametrize("garbage", [0.0, 1e6])
@pytest.mark.parametrize("training", [True, False])
def test_masked_frames_change_nothing_about_the_real_ones(training, garbage):
    real = some_real(40)
    encoded = torch.where(real[:, None], drawn(40, N_MAPS), garbage)
    networks = [network_of(min_usage=(3.0, 1.0)).train(training) for _ in range(2)]
    found = networks[0].quantise(encoded, real, generator=luck())
    expected = networks[1].quantise(encoded[real], everywhere(encoded[real]), generator=luck())
    for level in (0, 1):
        assert torch.equal(found.codes[level][real], expected.codes[level])
        assert torch.equal(found.values[level][real], expected.values[level])
        assert (found.codes[level][~real] == -1).all()
        assert (found.values[level][~real] == 0).all()
    states = [state_of(network) for network in networks]
    assert same(*states) == set(states[0])


def test_the_whole_way_sees_nothing_of_masked_frames():
    network, real = network_of().eval(), some_real(40)
    answers = []
    for garbage in (0.0, 1e6):
        frames = torch.where(real[:, None], drawn(40, N_FEATURES), garbage)
        quantised = network.quantise(network.encode(frames, real), real)
        decoded = network.decode(quantised.values[-1], real)
        assert (quantised.encoded[~real] == 0).all()
        assert (decoded[~real] == 0).all()
        answers.append((*quantised.codes, decoded, network.scores(quantised, real)[real]))
    for one, other in zip(*answers, strict=True):
        assert torch.equal(one, other)


def test_only_training_moves_the_codebooks():
    network = network_of(min_usage=(3.0, 1.0)).eval()
    before = state_of(network)
    frames = drawn(30, N_FEATURES)
    network.quantise(network.encode(frames, everywhere(frames)), everywhere(frames))
    assert same(state_of(network), before) == set(before)
    network.train().quantise(
        network.encode(frames, everywhere(frames)), everywhere(frames), generator=luck()
    )
    moved = set(before) - same(state_of(network), before)
    assert moved == {"fine.codes", "fine.usage", "top.codes", "top.usage"}


# Gradients


def test_the_decoders_gradient_goes_straight_through_both_levels():
    network, real = network_of().eval(), some_real(30)
    encoded = drawn(30, N_MAPS).requires_grad_()
    quantised = network.quantise(encoded, real)
    aim = drawn(30, N_FEATURES, seed=1)
    (network.decode(quantised.values[-1], real) * aim).sum().backward()
    top = quantised.values[-1].detach().requires_grad_()
    (network.decode(top, real) * aim).sum().backward()
    torch.testing.assert_close(encoded.grad[real], top.grad[real])
    assert (encoded.grad[real] != 0).any()
    assert (encoded.grad[~real] == 0).all()


def test_commitment_alone_reaches_the_encoder_through_both_levels():
    network, real = network_of().eval(), some_real(30)
    encoded = drawn(30, N_MAPS).requires_grad_()
    quantised = network.quantise(encoded, real)
    commitment_loss(quantised, network.codebooks, real).backward()
    lower, upper = (values.detach() for values in quantised.values)
    # Of a mean of squares over so many values, the upper's as if the lower level were not there.
    n_values = int(real.sum()) * N_MAPS
    expected = 2 * ((encoded.detach() - lower) + (lower - upper)) / n_values
    torch.testing.assert_close(encoded.grad[real], expected[real])
    assert (encoded.grad[~real] == 0).all()
    assert not any(codebook.codes.requires_grad for codebook in network.codebooks)


@pytest.mark.parametrize("training", [True, False])
def test_both_losses_teach_the_encoder_but_only_one_the_decoder(training):
    network = network_of(min_usage=(3.0, 1.0)).train(training)
    frames = drawn(30, N_FEATURES)
    real = everywhere(frames)
    quantised = network.quantise(network.encode(frames, real), real, generator=luck())
    commitment_loss(quantised, network.codebooks, real).backward(retain_graph=True)
    assert all(parameter.grad.any() for parameter in network.encoder.parameters())
    assert all(parameter.grad is None for parameter in network.decoder.parameters())
    network.zero_grad()
    F.mse_loss(network.decode(quantised.values[-1], real), frames).backward()
    assert all(parameter.grad.any() for parameter in network.parameters())


# Losses and scores, one frame at a time


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_commitment_agrees_with_the_loop(seed, training):
    network = network_of(min_usage=(3.0, 1.0), seed=seed).train(training)
    encoded, real = 2 * drawn(40, N_MAPS, seed=seed), some_real(40, seed=seed)
    quantised = network.quantise(encoded, real, generator=luck())
    found = commitment_loss(quantised, network.codebooks, real)
    fine, top = codebooks_of(network)  # as they are after the step
    squares = []
    for t in torch.nonzero(real).flatten().tolist():
        z, q = (int(codes[t]) for codes in quantised.codes)
        squares.append((encoded[t].double().numpy() - fine[z]) ** 2)
        squares.append((fine[z] - top[q]) ** 2)
    # The mean over frames and maps of one level, and of the other, added up.
    assert found.item() == pytest.approx(2 * np.mean(squares), rel=1e-4)


def scores_by_loop(quantised, fine, top, real):
    """D[t, k] = cos2[t, k] + mean of cos1[t, v] over the subactions v that have action k here."""
    frames = torch.nonzero(real).flatten().tolist()
    subactions, actions = (codes.tolist() for codes in quantised.codes)
    encoded = quantised.encoded.detach().double().numpy()
    scores = np.zeros((len(frames), len(top)))
    for place, t in enumerate(frames):
        for k in range(len(top)):
            scores[place, k] = cosine(fine[subactions[t]], top[k])
            mine = {subactions[u] for u in frames if actions[u] == k}
            if mine:
                scores[place, k] += np.mean([cosine(encoded[t], fine[v]) for v in mine])
    return scores


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("n_codes", [(6, 3), (4, 8)])
@pytest.mark.parametrize("seed", range(2))
def test_scores_agree_with_the_double_loop(seed, n_codes, masked):
    network = network_of(n_codes=n_codes, seed=seed).eval()
    encoded = drawn(25, N_MAPS, seed=seed)
    real = some_real(25) if masked else everywhere(encoded)
    quantised = network.quantise(encoded, real)
    expected = scores_by_loop(quantised, *codebooks_of(network), real)
    np.testing.assert_allclose(network.scores(quantised, real)[real], expected, atol=1e-5)
    if n_codes == (4, 8):
        assert len(set(quantised.codes[1][real].tolist())) < 8  # some action has no subaction


def test_scores_by_hand():
    # Subactions along x, y and -x; the actions along x and y have the first and the second. The third
    # has action y too, as it is at right angles to it and opposite to the other. Nobody has action -y.
    network = network_of(n_codes=(3, 3)).eval()
    for codebook, codes in zip(
        network.codebooks, ([[2, 0], [0, 5], [-1, 0]], [[1, 0], [0, 3], [0, -1]]), strict=True
    ):
        codebook.codes = F.pad(torch.tensor(codes).float(), (0, 2))
    encoded = F.pad(torch.tensor([[3.0, 4], [4, 3], [-1, 0]]), (0, 2))
    quantised = network.quantise(encoded, everywhere(encoded))
    assert [codes.tolist() for codes in quantised.codes] == [[1, 0, 2], [1, 0, 1]]
    # Frame (3, 4), of the second subaction: action x: 0 + 0.6; y: 1 + (0.8 - 0.6) / 2; -y: -1.
    expected = [[0.6, 1.1, -1], [1 + 0.8, (0.6 - 0.8) / 2, 0], [-1 - 1, 0 + 1 / 2, 0]]
    found = network.scores(quantised, everywhere(encoded))
    torch.testing.assert_close(found, torch.tensor(expected), atol=1e-6, rtol=1e-5)


def test_scores_pass_no_gradient_on():
    network = network_of().eval()
    encoded = drawn(10, N_MAPS).requires_grad_()
    quantised = network.quantise(encoded, everywhere(encoded))
    assert isinstance(quantised, FrameCodes)
    assert not network.scores(quantised, everywhere(encoded)).requires_grad
