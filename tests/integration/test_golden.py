"""Same losses and same labels as the plain version of the network, on real recordings.

Whatever is done to make training and prediction fast, this says whether they still compute the same.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

import histvq
from benchmarks.speed.plain import Codebook, PlainHiSTVQ, Sizes, pad
from histvq.recording import Recording
from histvq.segments import Segmentation

pytestmark = [pytest.mark.real_data, pytest.mark.usefixtures("one_thread")]

BATCH_SIZE = 2
N_BATCHES = (
    6  # One epoch. Rounding grows with every step, until a patch on the border goes another way.
)
SETTINGS = {
    "n_actions": 6,
    "n_maps": 16,
    "dropout": 0.0,
    "dead_batches": 2,
    "lambda_spat": 1.0,
    "lambda_temp": 0.2,
    "min_usage_patches": 3.0,
    "min_usage_prototypes": 1.0,
}


class Watched(histvq.HiSTVQ):
    """Keeps the network as it was before training, and what all luck came from."""

    def _build(self, generator):
        network = super()._build(generator)
        self.before = plain_of(self, network)
        self.luck = torch.Generator()
        self.luck.set_state(generator.get_state())
        return network


def plain_of(method: histvq.HiSTVQ, network) -> PlainHiSTVQ:
    """The plain network with the same weights and prototypes."""
    sizes = Sizes(
        n_joints=len(method.layout_["joint_names"]),
        n_channels=len(method.layout_["channel_names"]),
        patch_frames=method.patch_frames_,
        **SETTINGS,
    )
    plain = PlainHiSTVQ(sizes)
    for name in ("encoder", "spatial_decoder", "temporal_decoder"):
        theirs = list(getattr(network, name).parameters())
        for mine, its in zip(getattr(plain, name).parameters(), theirs, strict=True):
            mine.data.copy_(its.detach().reshape(mine.shape))
    for mine, its in zip(
        (plain.subactions, plain.actions), network.quantiser.codebooks, strict=True
    ):
        copy_codebook(mine, its)
    return plain


def copy_codebook(plain: Codebook, ours) -> None:
    for name in ("mass", "seen", "usage", "idle"):
        getattr(plain, name).copy_(getattr(ours, name))
    # A frame that no patch of a code shows has lost all its mass by the end of a long training.
    plain.mass.clamp_(min=1e-12)
    plain.total.copy_(ours.prototypes * plain.mass.unsqueeze(-1))


def padded(method: histvq.HiSTVQ, recordings: list[Recording]):
    scaled = [torch.from_numpy(method.scale_.apply(r.skeleton)).float() for r in recordings]
    return pad(scaled, method.patch_frames_)


@pytest.fixture(scope="module")
def recordings(hugadb_sample: Path) -> list[Recording]:
    with pytest.warns(match="line 26"):
        return histvq.load_dataset("hugadb", hugadb_sample).recordings


@pytest.fixture(scope="module")
def trained(recordings, one_thread) -> tuple[Watched, list[dict[str, float]]]:
    """Ours after a short training, and the loss terms of each of its steps."""
    means = []
    method = Watched(
        **SETTINGS,
        batch_size=BATCH_SIZE,
        piece_seconds=0,
        epochs=1,
        min_steps=0,
        learning_rate=5e-4,
        keep="last",
        random_state=0,
    )
    method.fit(recordings, progress=lambda p: p.epoch_over or means.append((p.batch, p.losses)))
    return method, losses_from_means(means)


def losses_from_means(means: list[tuple[int, dict[str, float]]]) -> list[dict[str, float]]:
    """What each step's losses were, where the means since the epoch began are told."""
    before: dict[str, float] = {}
    losses = []
    for batch, mean in means:
        before = before if batch > 1 else dict.fromkeys(mean, 0.0)
        losses.append({term: mean[term] * batch - before[term] * (batch - 1) for term in mean})
        before = mean
    return losses


@pytest.fixture(scope="module")
def trained_plainly(recordings, trained) -> tuple[PlainHiSTVQ, list[dict[str, float]]]:
    """The plain version trained from the same start by the same batches."""
    method, _ = trained
    plain, luck = method.before.train(), method.luck
    optimizer = torch.optim.Adam(plain.parameters(), lr=method.config.learning_rate)
    losses = []
    order = torch.randperm(len(recordings), generator=luck)
    for places in order.split(BATCH_SIZE):
        batch = padded(method, [recordings[place] for place in places])
        terms = plain.losses(*batch, luck)
        optimizer.zero_grad()
        terms["total"].backward()
        optimizer.step()
        losses.append({name: float(term.detach()) for name, term in terms.items()})
    return plain.eval(), losses


def test_training_takes_the_same_steps(trained, trained_plainly):
    (_, ours), (_, plain) = trained, trained_plainly
    assert len(ours) == len(plain) == N_BATCHES
    for step, (mine, its) in enumerate(zip(ours, plain, strict=True)):
        assert mine == pytest.approx(its, rel=1e-4), f"step {step}"


def test_training_ends_in_the_same_labels(recordings, trained, trained_plainly):
    """Up to the order of the codes, which ours numbers by use when training is over."""
    (method, _), (plain, _) = trained, trained_plainly
    for level, theirs in labels_of(plain, method, recordings).items():
        ours = np.concatenate([getattr(a, level) for a in method.predict(recordings)])
        pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
        assert len(pairs) == len(set(ours)) == len(set(theirs)) > 3


def test_the_same_weights_give_the_same_labels(recordings, trained):
    method, _ = trained
    plain = plain_of(method, method.network_).eval()
    answers: list[Segmentation] = method.predict(recordings)
    for level, theirs in labels_of(plain, method, recordings).items():
        np.testing.assert_array_equal(np.concatenate([getattr(a, level) for a in answers]), theirs)


def test_the_same_weights_give_the_same_latents(recordings, trained):
    """Each recording alone against all of them padded to the longest."""
    method, _ = trained
    plain = plain_of(method, method.network_).eval()
    skeleton, real, _ = padded(method, recordings)
    with torch.no_grad():
        theirs = plain.encode(skeleton, real)
        for row in range(len(recordings)):
            ours = method.network_.encoder(skeleton[row].transpose(0, 1), real[row].T)
            torch.testing.assert_close(ours.transpose(0, 1), theirs[row], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def labels_of(plain: PlainHiSTVQ, method, recordings) -> dict[str, np.ndarray]:
    """Labels of all frames, recording after recording, by level."""
    skeleton, real, _ = padded(method, recordings)
    levels = plain.codes(plain.encode(skeleton, real), real)
    return {
        name: np.concatenate([codes[row, : r.n_frames] for row, r in enumerate(recordings)])
        for name, codes in zip(("actions", "subactions"), levels, strict=True)
    }
