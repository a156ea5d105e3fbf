import numpy as np
import pytest
import torch
from torch.nn import functional

from histvq.nn.graph import adjacency, permuted
from histvq.nn.multistage import MultiStageGCN, MultiStageTCN
from histvq.nn.tcn import reach_frames, widest_dilation
from histvq.supervised.graphs import GRAPHS
from oracles.msgcn import logits_by_loop

pytestmark = pytest.mark.usefixtures("one_thread")

N_JOINTS, N_CHANNELS, N_CLASSES, N_LAYERS = 4, 2, 3, 3
PATH = adjacency([(0, 1), (1, 2), (2, 3)], n_joints=N_JOINTS, centres=[0])
KINDS = ["tcn", "tcn-normed", "gcn"]


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def made(kind, *, graph=PATH, n_layers=N_LAYERS, dropout=0.0):
    """A tiny network of two stages, no weight or statistic of which is 0 or 1, to evaluate."""
    sizes = {"n_classes": N_CLASSES, "n_maps": 4, "n_layers": n_layers, "n_stages": 2}
    if kind == "gcn":
        network = MultiStageGCN(adjacency=graph, n_channels=N_CHANNELS, **sizes)
    else:
        network = MultiStageTCN(
            n_joints=N_JOINTS,
            n_channels=N_CHANNELS,
            dropout=dropout,
            input_norm=kind == "tcn-normed",
            **sizes,
        )
    generator = torch.Generator().manual_seed(5)
    network.double().eval()
    for name, value in network.state_dict().items():
        if value.is_floating_point() and not name.endswith("adjacency"):
            value.copy_(torch.rand(value.shape, generator=generator) * 1.6 - 0.8)
        if name.endswith(("running_var", "edges")):
            value.add_(1)
    return network


def recording(n_frames, *, missing=False):
    """Skeleton, 0 where not real, and what is real."""
    real = torch.ones(N_JOINTS, n_frames, dtype=torch.bool)
    if missing:
        real[1, 2:5] = False
        real[:, 7] = False
    return drawn(N_JOINTS, n_frames, N_CHANNELS, seed=n_frames) * real.unsqueeze(-1), real


def laid_out(pieces, *, gap):
    """Recordings end to end, `gap` masked frames after each."""
    nothing = torch.zeros(N_JOINTS, gap, N_CHANNELS, dtype=torch.float64)
    skeletons = [part for skeleton, _ in pieces for part in (skeleton, nothing)]
    real = [part for _, real in pieces for part in (real, nothing[..., 0].bool())]
    return torch.cat(skeletons, dim=1), torch.cat(real, dim=1)


# Joints, of 6 channels each, and classes of the published networks.
SIZES = {"hugadb": (6, 12), "lara": (19, 8), "pku-mmd": (25, 52)}


def n_parameters(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


@pytest.mark.parametrize(
    ("name", "one", "four"),
    [("hugadb", 168_268, 668_464), ("lara", 173_000, 671_648), ("pku-mmd", 178_164, 693_840)],
)
def test_a_tcn_has_as_many_parameters_as_published(name, one, four):
    n_joints, n_classes = SIZES[name]
    for n_stages, expected in ((1, one), (4, four)):
        for input_norm in (False, True):
            network = MultiStageTCN(
                n_joints=n_joints,
                n_channels=6,
                n_classes=n_classes,
                n_maps=64,
                n_layers=10,
                n_stages=n_stages,
                dropout=0.5,
                input_norm=input_norm,
            )
            assert n_parameters(network) == expected + input_norm * 2 * n_joints * 6


@pytest.mark.parametrize(
    ("name", "one", "four"),
    [
        ("hugadb-msgcn", 253_260, 632_496),
        ("hugadb", 253_260, 632_496),
        ("lara-msgcn", 262_906, 640_594),
        ("lara", 262_906, 640_594),
        ("pku-mmd", 273_758, 668_474),
    ],
)
def test_a_gcn_has_as_many_parameters_as_published(name, one, four):
    n_joints, n_classes = SIZES[name.removesuffix("-msgcn")]
    graph = GRAPHS[name]
    assert len(graph.joint_names) == n_joints
    for n_stages, expected in ((1, one), (4, four)):
        network = MultiStageGCN(
            adjacency=adjacency(graph.edges, n_joints=n_joints, centres=graph.centres),
            n_channels=6,
            n_classes=n_classes,
            n_maps=64,
            n_layers=10,
            n_stages=n_stages,
        )
        assert n_parameters(network) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_frames", [1, 2, 7, 40])
def test_every_stage_says_something_of_every_frame(kind, n_frames):
    network = made(kind, n_layers=5)  # the widest dilation is 16
    for training in (False, True):
        logits = network.train(training)(*recording(n_frames))
        assert logits.shape == (2, n_frames, N_CLASSES)
        assert logits.isfinite().all()


@pytest.mark.parametrize("input_norm", [False, True])
def test_a_tcn_is_made_of_conv1d(input_norm):  # another implementation
    network = made("tcn-normed" if input_norm else "tcn")
    skeleton, real = recording(21)
    x = skeleton.permute(0, 2, 1).reshape(1, N_JOINTS * N_CHANNELS, 21)  # joint by joint
    if input_norm:
        norm = network.norm.norm
        statistics = norm.running_mean, norm.running_var, norm.weight, norm.bias
        x = functional.batch_norm(x, *statistics, training=False, eps=1e-5)
    for number, (stage, found) in enumerate(
        zip(network.stages, network(skeleton, real), strict=True)
    ):
        if number:
            x = x.softmax(dim=1)
        x = functional.conv1d(x, stage.enter.weight.unsqueeze(-1), stage.enter.bias)
        for dilation, layer in zip((1, 2, 4), stage.layers, strict=True):
            weight, bias = layer.dilated.weight.squeeze(2), layer.dilated.bias
            hidden = functional.conv1d(x, weight, bias, padding=dilation, dilation=dilation).relu()
            point = layer.pointwise
            x = x + functional.conv1d(hidden, point.weight.unsqueeze(-1), point.bias)
        x = functional.conv1d(x, stage.leave.weight.unsqueeze(-1), stage.leave.bias)
        torch.testing.assert_close(found, x[0].T)


def by_published_names(network):
    """Weights of one of our graph networks by the names of the published files."""
    named = {"stream.A": network.graph.adjacency}

    def put(theirs, module):
        named.update({f"{theirs}.{name}": value for name, value in module.state_dict().items()})

    def put_dilated(theirs, convolution):
        named[f"{theirs}.weight"] = convolution.weight.detach().squeeze(2)
        named[f"{theirs}.bias"] = convolution.bias.detach()

    put("stream.data_bn", network.norm.norm)
    put("stream.conv_1x1", network.graph.enter)
    put("stream.conv_out", network.graph.leave)
    for number, layer in enumerate(network.graph.layers):
        block, spatial = f"stream.st_gcn_networks.{number}", layer.spatial
        named[f"{block}.gcn.conv.weight"] = spatial.weight.detach().flatten(0, 1)
        named[f"{block}.gcn.conv.bias"] = spatial.bias.detach().flatten()
        named[f"stream.edge_importance.{number}"] = spatial.edges.detach()
        put(f"{block}.tcn.0", layer.spatial_norm)
        put_dilated(f"{block}.tcn.2", layer.temporal.convolution)
        put(f"{block}.tcn.3", layer.temporal_norm)
    for number, stage in enumerate(network.stages):
        put(f"stages.{number}.conv_1x1", stage.enter)
        put(f"stages.{number}.conv_out", stage.leave)
        for depth, (layer, norm) in enumerate(zip(stage.layers, stage.norms, strict=True)):
            put_dilated(f"stages.{number}.layers.{depth}.conv_dilated", layer.convolution)
            put(f"stages.{number}.layers.{depth}.bn", norm)
    return named


@pytest.mark.parametrize("n_frames", [3, 21])
def test_a_gcn_is_the_published_one_joint_by_joint(n_frames):  # a slow reference
    network = made("gcn")
    skeleton, real = recording(n_frames)
    expected = logits_by_loop(by_published_names(network), skeleton.transpose(0, 1).numpy())
    torch.testing.assert_close(network(skeleton, real), torch.from_numpy(np.stack(expected)))


def test_joints_of_a_gcn_may_stand_in_another_order():
    order = [2, 0, 3, 1]
    plain, other = made("gcn"), made("gcn", graph=permuted(PATH, order))
    weights = {}
    for name, value in plain.state_dict().items():
        if name.endswith(("edges", "adjacency")):
            weights[name] = permuted(value, order)
        elif name.startswith("norm.") and value.ndim:
            weights[name] = value.unflatten(0, (N_JOINTS, N_CHANNELS))[order].flatten()
        else:
            weights[name] = value
    other.load_state_dict(weights)
    skeleton, real = recording(21, missing=True)
    expected = plain(skeleton, real)
    torch.testing.assert_close(other(skeleton[order], real[order]), expected)
    assert not torch.allclose(plain(skeleton[order], real[order]), expected, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_recording_does_not_see_its_neighbours(kind):
    network, gap = made(kind), widest_dilation(N_LAYERS)
    pieces = [recording(11, missing=True), recording(18, missing=True)]
    for order in ((0, 1), (1, 0)):
        chosen = [pieces[k] for k in order]
        together = network(*laid_out(chosen, gap=gap))
        start = 0
        for skeleton, real in chosen:
            stop = start + real.shape[1]
            alone = network(skeleton, real)
            torch.testing.assert_close(together[:, start:stop], alone, rtol=1e-9, atol=1e-9)
            assert not together[:, stop : stop + gap].any()
            start = stop + gap


@pytest.mark.parametrize("kind", KINDS)
def test_a_gap_a_frame_shorter_leaks(kind):
    network, gap = made(kind), widest_dilation(N_LAYERS) - 1
    pieces = [recording(11), recording(18)]
    together = network(*laid_out(pieces, gap=gap))
    assert not torch.allclose(together[:, :11], network(*pieces[0]), atol=1e-5)
    assert not torch.allclose(together[:, 11 + gap : -gap], network(*pieces[1]), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing_while_training(kind):
    plain, padded = made(kind).train(), made(kind).train()
    skeleton, real = recording(19, missing=True)
    expected = plain(skeleton, real)
    longer, more = laid_out([(skeleton, real)], gap=30)
    found = padded(longer, more)[:, :19]
    torch.testing.assert_close(found, expected)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(padded.state_dict()[name], value)
    weighing = drawn(*expected.shape)
    (expected * weighing).sum().backward()
    (found * weighing).sum().backward()
    for (name, one), other in zip(plain.named_parameters(), padded.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, msg=lambda text, n=name: f"{n}: {text}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_stage_teaches_every_weight_before_it(kind):
    # To evaluate: while training, the bias before a normalisation teaches nothing.
    network = made(kind)
    network(*recording(21))[-1].square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        assert weight.grad.any(), name


@pytest.mark.parametrize("kind", ["tcn", "tcn-normed"])
def test_dropout_only_while_training(kind):
    network, given = made(kind, dropout=0.5), recording(21)
    assert torch.equal(network(*given), network(*given))
    network.train()
    assert not torch.equal(network(*given), network(*given))


@pytest.mark.parametrize("kind", KINDS)
def test_an_output_depends_on_what_is_within_reach_and_no_farther(kind):
    network = made(kind)
    reach = reach_frames(N_LAYERS, n_stages=2)
    skeleton, real = recording(2 * reach + 5)
    middle = reach + 2
    # Weights above 0 and means far below, so that no ReLU is in the way of the farthest frame.
    generator = torch.Generator().manual_seed(0)
    for value in network.parameters():
        value.data.copy_(torch.rand(value.shape, generator=generator) * 0.2)
    for name, value in network.named_buffers():
        if name.endswith("running_mean"):
            value.fill_(-9)
    skeleton = skeleton.abs().requires_grad_()
    network(skeleton, real)[-1, middle, 0].backward()
    heard = skeleton.grad.abs().sum(dim=(0, 2)).nonzero().flatten().tolist()
    assert (heard[0], heard[-1]) == (middle - reach, middle + reach)
