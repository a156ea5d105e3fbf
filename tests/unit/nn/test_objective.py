import pytest
import torch

from histvq.nn.autoencoder import HierarchicalAutoencoder
from histvq.nn.codebook import Codebook
from histvq.nn.objective import objective

JOINTS, FRAMES, CHANNELS, PATCH, LATENT = 3, 12, 2, 4, 4


@pytest.fixture(scope="module")
def terms():
    luck = torch.Generator().manual_seed(0)
    books = [
        Codebook(
            torch.randn(size, PATCH, JOINTS, LATENT, generator=luck),
            decay=0.5, min_usage=0.0, dead_batches=1, distance="patch",
        )
        for size in (4, 2)
    ]  # fmt: skip
    network = HierarchicalAutoencoder(
        n_joints=JOINTS, n_channels=CHANNELS, patch_frames=PATCH, n_latent=LATENT, n_maps=4,
        n_layers=2, dropout=0.0, codebooks=books, spatial_input="action",
        temporal_input="subaction", temporal_hidden=4,
    ).eval()  # fmt: skip
    skeleton = torch.randn(JOINTS, FRAMES, CHANNELS, generator=luck)
    real = torch.ones(JOINTS, FRAMES, dtype=torch.bool)
    decoded = network(skeleton, real)

    def of(**weights):
        settings = {"lambda_commit": 1.0, "lambda_spat": 1.0, "lambda_temp": 1.0, **weights}
        return objective(
            decoded, skeleton, real, torch.tensor([0.2, 0.5, 0.8]),
            spatial_decoder=network.spatial_decoder,
            persons=None, commitment="mean", joint_distance="plain", **settings,
        )  # fmt: skip

    return of


def test_the_total_is_the_sum_of_the_terms(terms):
    losses = terms(lambda_commit=0.5, lambda_spat=2.0, lambda_temp=3.0)
    total = losses.pop("total")
    assert losses.keys() == {"commit_1", "commit_2", "spatial", "temporal"}
    assert total.item() == pytest.approx(sum(loss.item() for loss in losses.values()))


@pytest.mark.parametrize(
    ("weight", "names"),
    [
        ("lambda_commit", {"commit_1", "commit_2"}),
        ("lambda_spat", {"spatial"}),
        ("lambda_temp", {"temporal"}),
    ],
)
def test_a_weight_multiplies_its_own_terms_and_no_others(terms, weight, names):
    plain, heavy = terms(), terms(**{weight: 5.0})
    for name in plain.keys() - {"total"}:
        factor = 5 if name in names else 1
        assert heavy[name].item() == pytest.approx(factor * plain[name].item())


def test_a_decoder_of_no_weight_is_left_out(terms):
    assert terms(lambda_spat=0.0, lambda_temp=0.0).keys() == {"commit_1", "commit_2", "total"}
