import pytest
import torch
from torch.nn import functional

from histvq.nn.encoder_decoder import EncoderDecoderTCN, WideLayer, reach_frames, widest_reach

pytestmark = pytest.mark.usefixtures("one_thread")

N_JOINTS, N_CHANNELS, N_CLASSES = 2, 3, 4


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def made(*, widths=(6, 5), kernel_frames=5, dropout=0.3, input_norm=True):
    """A tiny network, no weight or statistic of which is 0 or 1, to evaluate."""
    network = EncoderDecoderTCN(
        n_joints=N_JOINTS,
        n_channels=N_CHANNELS,
        n_classes=N_CLASSES,
        widths=widths,
        kernel_frames=kernel_frames,
        dropout=dropout,
        input_norm=input_norm,
    )
    generator = torch.Generator().manual_seed(5)
    network.double().eval()
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape, generator=generator) - 0.5)
        if name.endswith("running_var"):
            value.add_(1)
    return network


def recording(n_frames, *, missing=False):
    """Skeleton, 0 where not real, and what is real."""
    real = torch.ones(N_JOINTS, n_frames, dtype=torch.bool)
    if missing:
        real[1, 2:5] = False
        real[:, 8:10] = False
    return drawn(N_JOINTS, n_frames, N_CHANNELS, seed=n_frames) * real.unsqueeze(-1), real


def laid_out(pieces, *, gap, step):
    """Recordings end to end, at least `gap` masked frames after each; each begins at a whole step."""
    rooms = [-(-(real.shape[1] + gap) // step) * step for _, real in pieces]
    skeleton = torch.zeros(N_JOINTS, sum(rooms), N_CHANNELS, dtype=torch.float64)
    known = torch.zeros(N_JOINTS, sum(rooms), dtype=torch.bool)
    starts = [sum(rooms[:number]) for number in range(len(rooms))]
    for (values, real), start in zip(pieces, starts, strict=True):
        skeleton[:, start : start + real.shape[1]] = values
        known[:, start : start + real.shape[1]] = real
    owner = torch.arange(len(rooms)).repeat_interleave(torch.tensor(rooms))
    return (skeleton, known, owner), starts


def logits_alone(network, piece, *, step):
    """The recording by itself, as long as it must be and no longer."""
    given, _ = laid_out([piece], gap=0, step=step)
    return network(*given)[:, : piece[1].shape[1]]


@pytest.mark.parametrize(
    ("n_joints", "n_classes", "expected"), [(6, 12, 596_300), (19, 8, 720_840), (25, 52, 781_300)]
)
def test_it_has_as_many_parameters_as_published(n_joints, n_classes, expected):
    for input_norm in (False, True):
        network = EncoderDecoderTCN(
            n_joints=n_joints,
            n_channels=6,
            n_classes=n_classes,
            widths=(64, 96),
            kernel_frames=25,
            dropout=0.3,
            input_norm=input_norm,
        )
        found = sum(p.numel() for p in network.parameters() if p.requires_grad)
        assert found == expected + input_norm * 2 * n_joints * 6


def wide_layer_by_conv1d(layer, x):
    """Convolution as long as its input, ReLU, and the channel norm as printed."""
    size = layer.convolution.kernel_size[0]
    before = (size - 1) // 2
    padded = functional.pad(x, (before, size - 1 - before))
    h = functional.conv1d(padded, layer.convolution.weight, layer.convolution.bias).relu()
    return h / (h.abs().max(dim=1, keepdim=True).values + 1e-5)


@pytest.mark.parametrize("kernel_frames", [1, 4, 5, 25])
@pytest.mark.parametrize("input_norm", [False, True])
@pytest.mark.parametrize("n_frames", [4, 20])
def test_it_is_made_of_conv1d(kernel_frames, input_norm, n_frames):  # another implementation
    network = made(kernel_frames=kernel_frames, input_norm=input_norm)
    skeleton, real = recording(n_frames)
    x = skeleton.permute(0, 2, 1).reshape(1, N_JOINTS * N_CHANNELS, n_frames)  # joint by joint
    if input_norm:
        norm = network.norm.norm
        statistics = norm.running_mean, norm.running_var, norm.weight, norm.bias
        x = functional.batch_norm(x, *statistics, training=False, eps=1e-5)
    for layer in network.encoder:
        x = wide_layer_by_conv1d(layer, x)
        x = torch.maximum(x[..., ::2], x[..., 1::2])
    assert x.shape[2] == n_frames // 4
    for layer in network.decoder:
        x = torch.stack((x, x), dim=3).flatten(2)  # each frame twice
        x = wide_layer_by_conv1d(layer, x)
    expected = functional.conv1d(x, network.leave.weight.unsqueeze(-1), network.leave.bias)
    found = network(skeleton, real, torch.zeros(n_frames, dtype=torch.int64))
    torch.testing.assert_close(found[0], expected[0].T)


def test_every_frame_is_divided_by_its_largest_value():  # by hand
    layer = WideLayer(3, 3, kernel_frames=1, dropout=0.3).double().eval()
    with torch.no_grad():
        layer.convolution.weight.copy_(torch.eye(3).unsqueeze(-1))
        layer.convolution.bias.zero_()
    frames = torch.tensor([[2.0, -3.0, 4.0], [-1, -2, -3], [0, 0.5, 0.1], [9, 9, 9]]).double()
    real = torch.tensor([True, True, True, False])
    found = layer(frames.T, real, torch.zeros(4, dtype=torch.int64))
    expected = [[2 / 4.00001, 0, 4 / 4.00001], [0, 0, 0], [0, 0.5 / 0.50001, 0.1 / 0.50001]]
    expected = torch.tensor([*expected, [0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(found.T, expected)


SIZES = [((6, 5), 4), ((6, 5), 5), ((6, 5), 8), ((6, 5), 9), ((6, 5, 7), 3), ((6,), 7)]


@pytest.mark.parametrize(("widths", "kernel_frames"), SIZES)
@pytest.mark.parametrize("input_norm", [False, True])
@pytest.mark.parametrize("lengths", [(24, 16), (13, 11), (10, 23, 1), (17, 14, 19)])
def test_a_recording_does_not_see_its_neighbours(widths, kernel_frames, input_norm, lengths):
    network = made(widths=widths, kernel_frames=kernel_frames, input_norm=input_norm)
    step = 2 ** len(widths)
    pieces = [recording(n_frames, missing=n_frames > 10) for n_frames in lengths]
    given, starts = laid_out(pieces, gap=widest_reach(len(widths), kernel_frames), step=step)
    together = network(*given)
    assert not together[0, ~given[1].any(dim=0)].any()
    for piece, start in zip(pieces, starts, strict=True):
        found = together[:, start : start + piece[1].shape[1]]
        expected = logits_alone(network, piece, step=step)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("kernel_frames", "length", "gap"), [(9, 20, 4), (9, 13, 7), (8, 20, 4)])
def test_a_shorter_gap_leaks(kernel_frames, length, gap):
    network = made(kernel_frames=kernel_frames)
    assert gap < widest_reach(2, kernel_frames)
    pieces = [recording(length), recording(16)]
    given, starts = laid_out(pieces, gap=gap, step=4)
    assert starts[1] == length + gap
    together = network(*given)
    found = [together[:, s : s + n] for s, n in zip(starts, (length, 16), strict=True)]
    alone = [logits_alone(network, piece, step=4) for piece in pieces]
    assert any(
        not torch.allclose(one, other, atol=1e-5) for one, other in zip(found, alone, strict=True)
    )


@pytest.mark.parametrize("training", [False, True])
def test_masked_frames_are_zero_before_and_after_every_layer(training):
    # 13 frames: at every level the last real frame shares its pooled one with a masked frame.
    network = made(kernel_frames=4).train(training)
    given, _ = laid_out([recording(13, missing=True), recording(7)], gap=6, step=4)
    seen = []
    for layer in (*network.encoder, *network.decoder):
        layer.register_forward_hook(lambda module, given, output: seen.append((given, output)))
    network(*given)
    assert len(seen) == 4
    for (series, known, _), output in seen:
        assert not known.all()
        assert not series[:, ~known].any()
        assert not output[:, ~known].any()
        assert output[:, known].any()


def test_what_stands_in_masked_frames_does_not_matter_after_a_norm():
    network = made()
    (skeleton, real, owner), _ = laid_out([recording(13, missing=True)], gap=6, step=4)
    other = torch.where(real.unsqueeze(-1), skeleton, 1e3)
    assert torch.equal(network(skeleton, real, owner), network(other, real, owner))


def test_padding_changes_nothing_while_training():
    plain, padded = (made(dropout=0.0).train() for _ in range(2))
    piece = recording(18, missing=True)
    expected = logits_alone(plain, piece, step=4)
    given, _ = laid_out([piece], gap=30, step=4)
    found = padded(*given)[:, :18]
    torch.testing.assert_close(found, expected)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(padded.state_dict()[name], value)
    weighing = drawn(*expected.shape)
    (expected * weighing).sum().backward()
    (found * weighing).sum().backward()
    for one, other in zip(plain.parameters(), padded.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad)


def test_every_weight_learns():
    network = made()
    skeleton, real = recording(20)
    network(skeleton, real, torch.zeros(20, dtype=torch.int64)).square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        assert weight.grad.any(), name


def dropped(layer_output, owner):
    """Which (recording, channel) are 0 throughout; the others must be positive throughout."""
    rows = []
    for number in range(int(owner.max()) + 1):
        mine = layer_output[:, owner == number]
        nowhere, everywhere = (mine == 0).all(dim=1), (mine > 0).all(dim=1)
        assert (nowhere | everywhere).all()
        rows.append(nowhere)
    return torch.stack(rows)


def test_dropout_takes_whole_channels_of_a_recording():
    owner = torch.arange(40).repeat_interleave(3)
    layer = WideLayer(6, 50, kernel_frames=5, dropout=0.3).double()
    torch.nn.init.constant_(layer.convolution.bias, 100)  # so that ReLU makes no zeros
    series, real = drawn(6, 120), torch.ones(120, dtype=torch.bool)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = dropped(layer.train()(series, real, owner), owner)
    assert len(found.unique(dim=0)) == 40
    assert len(found.unique(dim=1).T) == 50
    deviation = (0.3 * 0.7 / found.numel()) ** 0.5  # of a binomial share
    assert abs(found.double().mean() - 0.3) < 5 * deviation
    assert not dropped(layer.eval()(series, real, owner), owner).any()
    layer.dropout = 0.0
    assert not dropped(layer.train()(series, real, owner), owner).any()


def test_dropout_knows_the_recordings_at_every_level():
    network = made(widths=(30, 40)).train()
    pieces = [recording(n_frames) for n_frames in (16, 12, 20)]
    given, _ = laid_out(pieces, gap=0, step=4)
    seen = []
    for layer in (*network.encoder, *network.decoder):
        torch.nn.init.constant_(layer.convolution.bias, 1000)
        layer.register_forward_hook(lambda module, arguments, output: seen.append(output))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network(*given)
    assert [tuple(output.shape) for output in seen] == [(30, 48), (40, 24), (40, 24), (30, 48)]
    for output in seen:
        owner = given[2][:: 48 // output.shape[1]]
        found = dropped(output, owner)
        assert len(found.unique(dim=0)) == 3
        assert found.any(dim=1).all()
        assert not found.all(dim=1).any()


@pytest.mark.parametrize(
    ("n_levels", "kernel_frames", "expected"), [(1, 3, 2), (2, 3, 4), (2, 25, 26), (3, 4, 12)]
)
def test_the_reach_is_half_a_kernel_at_the_slowest_level_and_a_frame(
    n_levels, kernel_frames, expected
):
    assert widest_reach(n_levels, kernel_frames) == expected


@pytest.mark.parametrize(("widths", "kernel_frames"), [((6,), 4), ((6, 5), 5), ((4, 4, 4), 3)])
def test_nothing_beyond_reach_changes_an_output(widths, kernel_frames):
    network = made(widths=widths, kernel_frames=kernel_frames)
    reach = reach_frames(len(widths), kernel_frames)
    step = 2 ** len(widths)
    n_frames = -(-(3 * reach) // step) * step
    skeleton, real = recording(n_frames)
    owner = torch.zeros(n_frames, dtype=torch.long)
    middle = n_frames // 2
    with torch.no_grad():
        before = network(skeleton, real, owner)[0, middle]
        near = skeleton.clone()
        near[:, middle + 1] += 100
        assert not torch.equal(before, network(near, real, owner)[0, middle])
        far = skeleton.clone()
        far[:, : middle - reach] += 100
        far[:, middle + reach + 1 :] += 100
        torch.testing.assert_close(before, network(far, real, owner)[0, middle], rtol=0, atol=1e-12)
