import torch

from histvq.nn import tiles
from histvq.nn.parts import Part, by_part, gradients_by_part
from histvq.nn.tcn import TCN
from histvq.nn.tiles import in_tiles, loss_in_tiles, usual_length
from histvq.nn.timestamps import TemporalDecoder

V, C, OUT = 3, 2, 4
# Three recordings, and masked frames between them.
SPANS = ((0, 50), (58, 61), (70, 190))
N_FRAMES = 200


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def network_of(dropout=0.0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TCN((C, 3, OUT), n_maps=5, n_layers=2, dropout=dropout).train()


def laid_out(spans=SPANS, n_frames=N_FRAMES):
    real = torch.zeros(V, n_frames, dtype=torch.bool)
    for start, stop in spans:
        real[:, start:stop] = drawn(V, stop - start, seed=start) > -1.5
    return drawn(V, n_frames, C) * real.unsqueeze(-1), real


def parts_of(spans, *, lucky=False):
    return [
        Part(slice(*span), torch.Generator().manual_seed(span[0]) if lucky else None)
        for span in spans
    ]


def squares(out, _):
    return out.square().sum()


def worked(network, series, real, parts):
    """Output, loss and the gradients that each part leaves."""
    series = series.clone().requires_grad_()
    with gradients_by_part() as found:
        output = in_tiles(network, series, real, parts)
        loss = loss_in_tiles(network, series, real, squares, parts)
        (output.square().sum() + 2 * loss).backward()
    weights = list(network.parameters())
    assert all(weight.grad is None and weight in found for weight in weights)
    return output.detach(), loss.detach(), series.grad, [found[weight] for weight in weights]


def test_a_part_alone_gives_the_same_bits(monkeypatch):
    monkeypatch.setattr(tiles, "CPU_ROWS", V * 40)  # several tiles a recording
    for dropout in (0.0, 0.5):
        network = network_of(dropout)
        series, real = laid_out()
        together = worked(network, series, real, parts_of(SPANS, lucky=True))
        for number, (start, stop) in enumerate(SPANS):
            own = series[:, start:stop], real[:, start:stop]
            # Its luck is its own: the same wherever it lies.
            part = Part(slice(0, stop - start), torch.Generator().manual_seed(start))
            alone = worked(network, *own, [part])
            assert torch.equal(together[0][:, start:stop], alone[0])
            assert torch.equal(together[2][:, start:stop], alone[2])
            for of_all, of_one in zip(together[3], alone[3], strict=True):
                # Two gradients each, of the output and of the loss, in whatever order they came.
                mine = [of_all[number], of_all[len(SPANS) + number]]
                assert {tuple(g.flatten().tolist()) for g in mine} == {
                    tuple(g.flatten().tolist()) for g in of_one
                }


def test_parts_together_are_the_whole(monkeypatch):
    monkeypatch.setattr(tiles, "CPU_ROWS", V * 40)
    network = network_of()
    series, real = laid_out()
    output, loss, slope, shares = worked(network, series, real, parts_of(SPANS))
    series = series.clone().requires_grad_()
    whole = network(series, real)
    total = whole.square().sum()
    wanted = torch.autograd.grad(3 * total, [series, *network.parameters()])
    torch.testing.assert_close(output, whole.detach())
    torch.testing.assert_close(loss, total.detach())
    for found, expected in zip([slope, *(sum(s) for s in shares)], wanted, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_no_part_at_all():
    network = network_of()
    series, real = torch.zeros(V, 8, C), torch.zeros(V, 8, dtype=torch.bool)
    output, loss, slope, shares = worked(network, series, real, [])
    assert output.shape == (V, 8, OUT)
    assert not output.any()
    assert not loss
    assert not slope.any()
    assert shares == [[]] * len(shares)


def test_rows_part_by_part():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        decoder = TemporalDecoder(12, hidden=7)
    rows = drawn(9, 2, 3, 2)
    parts = (slice(0, 4), slice(4, 4), slice(4, 9))
    weights = list(decoder.parameters())
    given = rows.clone().requires_grad_()
    expected = torch.autograd.grad(decoder(given).square().sum(), [given, *weights])
    added = by_part(decoder, given, parts)
    torch.testing.assert_close(added, decoder(rows))
    found = torch.autograd.grad(added.square().sum(), [given, *weights])
    torch.testing.assert_close(found, expected)
    with gradients_by_part() as shares:
        by_part(decoder, given, parts).square().sum().backward()
    for weight, whole in zip(weights, expected[1:], strict=True):
        assert len(shares[weight]) == len(parts)
        torch.testing.assert_close(sum(shares[weight]), whole)
        assert weight.grad is None


def test_few_lengths_and_little_padding():
    lengths = {usual_length(n) for n in range(1, 5000)}
    assert len(lengths) < 50
    assert all(0 <= usual_length(n) - n < max(1, n / 4) for n in range(1, 5000))
    assert all(usual_length(n) == n for n in lengths)
