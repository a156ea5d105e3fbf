import torch

from histvq.nn.timestamps import TemporalDecoder


def test_one_time_for_each_patch_from_that_patch_alone():
    decoder = TemporalDecoder(4 * 3 * 2, hidden=5)
    patches = torch.randn(6, 4, 3, 2)
    times = decoder(patches)
    assert times.shape == (6,)
    for patch, time in zip(patches, times, strict=True):
        torch.testing.assert_close(decoder(patch.unsqueeze(0)), time.unsqueeze(0))
    assert decoder(patches[:0]).shape == (0,)


def test_two_hidden_layers_by_hand():
    decoder = TemporalDecoder(1, hidden=1)
    first, _, second, _, last = decoder.layers
    with torch.no_grad():
        for layer, (weight, bias) in zip(
            (first, second, last), ((2.0, -1.0), (-3.0, 10.0), (0.5, 0.25)), strict=True
        ):
            layer.weight.fill_(weight)
            layer.bias.fill_(bias)
    found = decoder(torch.tensor([2.0, 0.0, 5.0]).reshape(3, 1, 1, 1))
    # 2 -> 3 -> relu(1) -> 0.75; 0 -> relu(-1) = 0 -> 10 -> 5.25; 5 -> 9 -> relu(-17) = 0 -> 0.25
    assert found.tolist() == [0.75, 5.25, 0.25]


def test_every_weight_learns():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        decoder = TemporalDecoder(12, hidden=8)
    patches = torch.randn(20, 2, 3, 2, generator=torch.Generator().manual_seed(0))
    patches.requires_grad_()
    decoder(patches).square().sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in decoder.parameters())
    assert patches.grad.abs().sum() > 0
