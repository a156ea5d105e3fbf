import pytest
import torch
from torch.nn import functional

from histvq.nn import tiles
from histvq.nn.tcn import TCN, DilatedResidualLayer, widest_dilation
from histvq.nn.tiles import in_tiles


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def everywhere(n_joints, n_frames):
    return torch.ones(n_joints, n_frames, dtype=torch.bool)


@pytest.fixture
def tcn():
    """Two stages of three layers, in double precision so that small differences show."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TCN((3, 4, 6), n_maps=8, n_layers=3, dropout=0.5).double().eval()


def layer_by_taps(layer, series, real, *, dilation):
    """The layer's sum written out: out(t) = relu(b + sum of W_k x(t + (k - 1) dilation)), and so on."""
    weight, bias = layer.dilated.weight[:, :, 0], layer.dilated.bias
    out = torch.zeros_like(series)
    for joint in range(series.shape[0]):
        for frame in range(series.shape[1]):
            hidden = bias.clone()
            for tap in range(3):
                source = frame + (tap - 1) * dilation
                if 0 <= source < series.shape[1]:
                    hidden = hidden + weight[:, :, tap] @ series[joint, source]
            hidden = layer.pointwise.weight @ hidden.relu() + layer.pointwise.bias
            if real[joint, frame]:
                out[joint, frame] = series[joint, frame] + hidden
    return out


@pytest.mark.parametrize("dilation", [1, 2, 4])
def test_a_layer_is_the_sum_over_its_taps(dilation):
    layer = DilatedResidualLayer(5, dilation=dilation, dropout=0.5).eval()
    real = drawn(2, 9) > -1
    series = drawn(2, 9, 5, seed=1) * real.unsqueeze(-1)
    with torch.no_grad():
        expected = layer_by_taps(layer, series, real, dilation=dilation)
        torch.testing.assert_close(layer(series, real.unsqueeze(-1)), expected)


def test_the_whole_network_is_conv1d_on_every_joint(tcn):
    series = drawn(3, 20, 3).double()
    for joint, found in enumerate(tcn(series, everywhere(3, 20))):
        x = series[joint].T.unsqueeze(0)
        for stage in tcn.stages:
            x = functional.conv1d(x, stage.enter.weight.unsqueeze(-1), stage.enter.bias)
            for dilation, layer in zip((1, 2, 4), stage.layers, strict=True):
                weight = layer.dilated.weight.squeeze(2)
                hidden = functional.conv1d(
                    x, weight, layer.dilated.bias, padding=dilation, dilation=dilation
                )
                point = layer.pointwise
                x = x + functional.conv1d(hidden.relu(), point.weight.unsqueeze(-1), point.bias)
            x = functional.conv1d(x, stage.leave.weight.unsqueeze(-1), stage.leave.bias)
        torch.testing.assert_close(found, x.squeeze(0).T)


def test_a_joint_never_hears_of_another(tcn):
    series = drawn(4, 15, 3).double()
    changed = series.clone()
    changed[2] += 5
    before, after = (tcn(x, everywhere(4, 15)) for x in (series, changed))
    assert torch.equal(before[[0, 1, 3]], after[[0, 1, 3]])
    assert not torch.allclose(before[2], after[2])


def test_joints_share_their_weights(tcn):
    series = drawn(4, 15, 3).double()
    order = torch.tensor([2, 0, 3, 1])
    real = everywhere(4, 15)
    torch.testing.assert_close(tcn(series[order], real), tcn(series, real)[order])


def test_masked_frames_are_zero_after_every_layer(tcn):
    real = drawn(2, 24, seed=3) > 0
    seen = []

    def look(module, arguments, output):
        seen.append(output)

    modules = [m for stage in tcn.stages for m in (stage, *stage.layers)]
    handles = [module.register_forward_hook(look) for module in modules]
    for training in (False, True):
        tcn.train(training)(drawn(2, 24, 3).double(), real)
    for handle in handles:
        handle.remove()
    assert len(seen) == 2 * len(modules)
    for output in seen:
        assert (output[~real] == 0).all()
        assert (output[real] != 0).any()


def test_what_stands_in_masked_frames_does_not_matter(tcn):
    real = drawn(2, 24, seed=3) > 0
    series = drawn(2, 24, 3).double()
    other = torch.where(real.unsqueeze(-1), series, 1e6)
    assert torch.equal(tcn(series, real), tcn(other, real))


def lay_out(recordings, *, gap, order):
    """Recordings end to end, `gap` masked frames after each; where each one begins."""
    n_frames = sum(len(recordings[k][0]) + gap for k in order)
    series = torch.zeros(2, n_frames, 3, dtype=torch.float64)
    real = torch.zeros(2, n_frames, dtype=torch.bool)
    starts, at = {}, 0
    for k in order:
        values, known = recordings[k]
        series[:, at : at + len(values)] = values.transpose(0, 1)
        real[:, at : at + len(values)] = known.T
        starts[k] = at
        at += len(values) + gap
    return series, real, starts


@pytest.fixture
def recordings():
    """Three lengths; the last one misses some values."""
    made = [drawn(n, 2, 3, seed=n).double() for n in (7, 11, 18)]
    known = [torch.ones(len(values), 2, dtype=torch.bool) for values in made]
    known[2][4:9, 1] = False
    return list(zip(made, known, strict=True))


@pytest.mark.parametrize("gap", [4, 5, 30])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2)])
def test_packing_and_padding_change_no_real_frame(tcn, recordings, gap, order):
    series, real, starts = lay_out(recordings, gap=gap, order=order)
    together = tcn(series, real)
    for k in order:
        values, known = recordings[k]
        alone = tcn(values.transpose(0, 1), known.T)
        found = together[:, starts[k] : starts[k] + len(values)]
        torch.testing.assert_close(found, alone, rtol=1e-12, atol=1e-12)


def test_a_gap_shorter_than_the_widest_dilation_leaks(tcn, recordings):
    assert widest_dilation(3) == 4
    series, real, starts = lay_out(recordings, gap=3, order=(0, 1))
    values, known = recordings[1]
    found = tcn(series, real)[:, starts[1] :][:, : len(values)]
    assert not torch.allclose(found, tcn(values.transpose(0, 1), known.T), rtol=1e-6)


def test_a_frame_is_seen_as_far_as_the_dilations_reach(tcn):
    radius = 2 * (1 + 2 + 4)
    series = drawn(1, 61, 3).double()
    changed = series.clone()
    changed[0, 30] += 1
    real = everywhere(1, 61)
    differs = (tcn(series, real) != tcn(changed, real)).any(dim=2)[0]
    reached = torch.nonzero(differs).flatten()
    assert (reached.min(), reached.max()) == (30 - radius, 30 + radius)


def test_every_weight_and_the_input_learn(tcn):
    series = drawn(2, 20, 3).double().requires_grad_()
    tcn.train()(series, everywhere(2, 20)).square().sum().backward()
    assert (series.grad != 0).all(dim=2).any()
    for name, weight in tcn.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_dropout_only_while_training(tcn):
    series, real = drawn(2, 20, 3).double(), everywhere(2, 20)
    assert torch.equal(tcn(series, real), tcn(series, real))
    tcn.train()
    assert not torch.equal(tcn(series, real), tcn(series, real))


# A shortcut


@pytest.fixture
def shortcut():
    """As `tcn`, with as many channels out as in and two more."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = TCN((4, 4, 6), n_maps=8, n_layers=3, dropout=0.5, shortcut=True)
        return made.double().eval()


def learned(network):
    """The same with weights that do add something."""
    with torch.no_grad():
        for seed, weight in enumerate(network.stages[-1].leave.parameters()):
            weight.copy_(0.3 * drawn(*weight.shape, seed=seed))
    return network


@pytest.mark.parametrize("training", [False, True])
def test_with_a_shortcut_it_starts_as_its_input(shortcut, training):
    series, real = drawn(2, 30, 4).double(), drawn(2, 30) > -0.5
    assert not real.all()
    for mask in (real, everywhere(2, 30)):
        found = shortcut.train(training)(series, mask)
        assert torch.equal(found[..., :4][mask], series[mask])
        assert (found[..., 4:] == 0).all()
        assert (found[~mask] == 0).all()


def test_a_shortcut_adds_the_input_to_what_the_network_gives(shortcut):
    series, real = drawn(2, 30, 4).double(), drawn(2, 30) > -0.5
    network = learned(shortcut)
    found = network(series, real)
    network.shortcut = False
    added = torch.cat((series, torch.zeros(2, 30, 2)), dim=2) * real.unsqueeze(-1)
    torch.testing.assert_close(found, network(series, real) + added)
    assert (found[~real] == 0).all()


def test_a_shortcut_adds_nothing_else_to_the_weights(shortcut, tcn):
    assert shortcut.state_dict().keys() == tcn.state_dict().keys()


def test_through_a_shortcut_the_last_weights_learn_at_once_and_then_all_do(shortcut):
    series, real = drawn(2, 20, 4).double().requires_grad_(), everywhere(2, 20)
    wanted = drawn(2, 20, 6, seed=1)
    shortcut.train()
    optimizer = torch.optim.SGD(shortcut.parameters(), lr=0.1)
    for step in range(2):
        optimizer.zero_grad()
        (shortcut(series, real) - wanted).square().mean().backward()
        assert (series.grad != 0).any()
        last = shortcut.stages[-1].leave
        assert all(weight.grad.abs().sum() > 0 for weight in last.parameters())
        before_it = [w for w in shortcut.parameters() if all(w is not v for v in last.parameters())]
        assert all((weight.grad.abs().sum() > 0) == (step > 0) for weight in before_it)
        optimizer.step()


def test_a_shortcut_in_tiles_gives_the_same(shortcut, monkeypatch):
    monkeypatch.setattr(tiles, "CPU_ROWS", 64)
    network = learned(shortcut)
    series, real = drawn(2, 300, 4).double(), drawn(2, 300) > -0.5
    torch.testing.assert_close(in_tiles(network, series, real), network(series, real))
