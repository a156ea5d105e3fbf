import pytest
import torch

from histvq.nn.gcn import (
    DilatedConvolution,
    GraphConvolution,
    GraphLayer,
    GraphStage,
    RefinementStage,
)
from histvq.nn.graph import adjacency, permuted

pytestmark = pytest.mark.usefixtures("one_thread")

N_JOINTS, N_MAPS = 4, 5
STAR = adjacency([(1, 0), (0, 2), (3, 0)], n_joints=N_JOINTS, centres=[1]).double()


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def stirred(module, seed=0):
    """Weights, edges and statistics of which none is 0 or 1, in double precision, to evaluate."""
    generator = torch.Generator().manual_seed(seed)
    module.double().eval()
    for name, value in module.state_dict().items():
        if value.is_floating_point() and not name.endswith("adjacency"):
            value.copy_(torch.rand(value.shape, generator=generator) - 0.5)
        if name.endswith(("running_var", "edges")):
            value.add_(1)
    return module


def gappy(*shape, seed=0):
    """Joints and frames that are real, most of them; two frames have no joint at all."""
    real = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.8
    real[:, 4:6] = False
    return real


def stage(n_layers=3, graph=STAR, seed=0):
    return stirred(GraphStage(3, 2, adjacency=graph, n_maps=N_MAPS, n_layers=n_layers), seed)


def test_a_graph_convolution_is_the_sum_over_parts_and_sources():  # the formula, number by number
    graph = drawn(2, N_JOINTS, N_JOINTS)  # not symmetric
    layer = stirred(GraphConvolution(3, N_MAPS, n_parts=2, n_joints=N_JOINTS))
    series = drawn(N_JOINTS, 6, 3, seed=1)
    expected = torch.zeros(N_JOINTS, 6, N_MAPS, dtype=torch.float64)
    for part in range(2):
        for source in range(N_JOINTS):
            for joint in range(N_JOINTS):
                heard = graph[part, source, joint] * layer.edges[part, source, joint]
                for frame in range(6):
                    share = layer.weight[part] @ series[source, frame] + layer.bias[part]
                    expected[joint, frame] += share * heard
    torch.testing.assert_close(layer(series, graph), expected)


@pytest.mark.parametrize("dilation", [1, 2, 4, 16])
def test_a_dilated_convolution_is_a_sum_of_shifted_series(dilation):
    layer = stirred(DilatedConvolution(N_MAPS, dilation=dilation))
    series = drawn(N_JOINTS, 9, N_MAPS)
    weight = layer.convolution.weight[:, :, 0]
    nothing = torch.zeros(N_JOINTS, dilation, N_MAPS, dtype=torch.float64)
    wide = torch.cat((nothing, series, nothing), dim=1)
    expected = layer.convolution.bias + sum(
        wide[:, tap * dilation : tap * dilation + 9] @ weight[:, :, tap].T for tap in range(3)
    )
    torch.testing.assert_close(layer(series), expected)


def layer_with_input(seed=0):
    layer = GraphLayer(N_MAPS, n_parts=3, n_joints=N_JOINTS, dilation=2)
    real = gappy(N_JOINTS, 20).unsqueeze(-1)
    return stirred(layer, seed), drawn(N_JOINTS, 20, N_MAPS) * real, real


def test_the_relu_of_a_graph_layer_comes_before_the_sum():
    layer, series, real = layer_with_input()
    found = layer(series, real, STAR)
    assert (found < 0).any()
    added = found - series
    assert (added >= 0).all()
    assert 0.1 < (added[real.squeeze(-1)] == 0).double().mean() < 0.9
    assert (found[~real.squeeze(-1)] == 0).all()


@pytest.mark.parametrize("training", [False, True])
def test_frames_without_a_joint_are_zero_whatever_stands_there(training):
    real = gappy(N_JOINTS, 20)
    series = drawn(N_JOINTS, 20, 3) * real.unsqueeze(-1)
    other = torch.where(real.unsqueeze(-1), series, 1e3)
    found, again = (stage().train(training)(x, real) for x in (series, other))
    assert not found[0, 4:6].any()
    assert found[0, real.any(dim=0)].all()
    torch.testing.assert_close(again, found)


@pytest.mark.parametrize("training", [False, True])
def test_a_refinement_is_zero_where_not_real_whatever_stands_there(training):
    real = gappy(1, 20).unsqueeze(-1)
    series = drawn(1, 20, 3) * real
    refinement = stirred(RefinementStage(3, n_maps=N_MAPS, n_layers=3)).train(training)
    found = refinement(series, real)
    again = refinement(torch.where(real, series, 1e3), real)
    assert not found[~real.squeeze(-1)].any()
    assert found[real.squeeze(-1)].all()
    torch.testing.assert_close(again, found)


@pytest.mark.parametrize("training", [False, True])
def test_joints_may_stand_in_another_order(training):
    order = [2, 0, 3, 1]
    plain, other = stage(), stage(graph=permuted(STAR, order))
    weights = {
        name: permuted(value, order) if name.endswith(("edges", "adjacency")) else value
        for name, value in plain.state_dict().items()
    }
    other.load_state_dict(weights)
    real = gappy(N_JOINTS, 20)
    series = drawn(N_JOINTS, 20, 3) * real.unsqueeze(-1)
    expected = plain.train(training)(series, real)
    torch.testing.assert_close(other.train(training)(series[order], real[order]), expected)
    assert not torch.allclose(plain(series[order], real[order]), expected, rtol=1e-3)


def test_a_stage_without_layers_is_a_mean_over_the_joints_that_are_real():  # by hand
    plain = stage(n_layers=0)
    real = gappy(N_JOINTS, 12)
    series = drawn(N_JOINTS, 12, 3) * real.unsqueeze(-1)
    found = plain(series, real)
    for frame in range(12):
        there = series[real[:, frame], frame]
        if len(there):
            mean = (there @ plain.enter.weight.T + plain.enter.bias).mean(dim=0)
            expected = plain.leave.weight @ mean + plain.leave.bias
            torch.testing.assert_close(found[0, frame], expected)
        else:
            assert not found[0, frame].any()


@pytest.mark.parametrize("training", [False, True])
def test_a_joint_that_is_never_real_has_no_say_in_the_mean(training):
    # It is joined to nobody: a neighbour would hear the bias of its share.
    alone = torch.nn.functional.pad(STAR, (0, 1, 0, 1))
    alone[0, N_JOINTS, N_JOINTS] = 1
    plain, more = stage(), stage(graph=alone, seed=1)
    weights = plain.state_dict()
    for name, value in more.state_dict().items():
        if name.endswith("edges"):
            value[:, :N_JOINTS, :N_JOINTS] = weights[name]
        elif not name.endswith("adjacency"):
            value.copy_(weights[name])
    real = gappy(N_JOINTS, 20)
    series = drawn(N_JOINTS, 20, 3) * real.unsqueeze(-1)
    none, nothing = torch.zeros(1, 20, dtype=torch.bool), torch.zeros(1, 20, 3).double()
    found = more.train(training)(torch.cat((series, nothing)), torch.cat((real, none)))
    torch.testing.assert_close(found, plain.train(training)(series, real))
    for name, value in plain.state_dict().items():
        if "running" in name:
            torch.testing.assert_close(more.state_dict()[name], value)
