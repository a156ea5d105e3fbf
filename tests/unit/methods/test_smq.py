import numpy as np
import pytest

from histvq.batching import fit_scale, pack
from histvq.errors import ConfigError
from histvq.methods.smq import SMQ, padding_share
from histvq.models import make_method
from histvq.presets import load_preset
from histvq.recording import Recording

pytestmark = pytest.mark.usefixtures("one_thread")

QUIRKS = {
    "distance": "frame", "revival": "representative", "min_usage": 2, "fixed_luck": True,
    "short_patches": "zeros", "rec_mean": "padded",
}  # fmt: skip
TINY = {
    "n_actions": 2, "n_maps": 4, "n_latent": 4, "epochs": 1, "min_steps": 0, "batch_size": 8,
    "piece_seconds": 0, "random_state": 0,
}  # fmt: skip


def recording(n_frames, seed=0, *, id="r"):
    skeleton = np.random.default_rng(seed).normal(size=(n_frames, 3, 3))
    return Recording(id=id, skeleton=skeleton, fps=10)


def test_the_share_of_padding_by_hand():
    # Padded to 40 frames each, 40 + 10 + 30 of 120 are real.
    batch = pack(
        [recording(n) for n in (40, 10, 30)],
        patch_frames=10, gap=4, scale=fit_scale([recording(5)], mode="none"),
    )  # fmt: skip
    assert padding_share(batch) == pytest.approx(80 / 120)


def test_padding_dilutes_the_reconstruction_loss_only():
    recordings = [recording(40, id="a"), recording(10, 1, id="b")]

    def losses(mean):
        return SMQ(**TINY, rec_mean=mean).fit(recordings).history_[0]

    real, padded = losses("real"), losses("padded")
    assert padded["spatial"] == pytest.approx(real["spatial"] * 50 / 80, rel=1e-5)
    assert padded["commit_1"] == real["commit_1"]
    assert "temporal" not in real


def test_zeros_past_the_end_take_part_only_if_asked():
    # Two prototypes that differ past the recording's end only: 0 there, and 9 there.
    short = recording(4)
    for choice in ("zeros", "masked"):
        model = SMQ(**TINY, short_patches=choice).fit([recording(40, id="a"), short])
        encoded = model.network_.encode(*_batch(model, short))
        book = model.network_.quantiser.codebooks[0]
        patch = encoded.patches[0]
        book.prototypes[0] = patch
        book.prototypes[1] = patch
        book.prototypes[1][4:] = 9
        distances = model.network_.quantiser.distances(encoded.patches, encoded.compared)[0]
        assert (distances[0] == distances[1]) == (choice == "masked")


def _batch(model, one):
    batch = pack([one], patch_frames=model.patch_frames_, gap=4, scale=model.scale_)
    return batch.skeleton, batch.real


def test_one_level_and_no_subactions():
    model = SMQ(**TINY, **QUIRKS).fit([recording(60, id="a"), recording(35, 1, id="b")])
    answer = model.predict(recording(35, 1, id="b"))
    assert answer.subactions is None
    assert model.network_.temporal_decoder is None
    assert len(model.network_.quantiser.codebooks) == 1
    assert len(np.unique(answer.actions[:10])) == 1  # borders lie at whole patches


def test_half_a_patch_cannot_be_averaged():
    with pytest.raises(ConfigError, match=r"min_usage=2.5 patches cannot be averaged"):
        SMQ(n_actions=2, revival="representative", min_usage=2.5).config  # noqa: B018


def test_the_clean_presets_differ_in_the_quirks_alone():
    for dirty, clean in (
        ("paper-smq-hugadb", "smq-clean-hugadb"),
        ("smq-hugadb-fast", "smq-clean-hugadb-fast"),
    ):
        one, other = (load_preset(name).method.model_extra for name in (dirty, clean))
        assert {k for k in one if one[k] != other[k]} == {*QUIRKS, "dead_batches"}


def test_the_published_settings():
    config = make_method("smq", preset="paper-smq-hugadb").config
    assert (config.n_maps, config.n_layers, config.n_latent, config.dropout) == (128, 3, 16, 0.5)
    assert (config.ema_decay, config.min_usage, config.epochs) == (0.5, 10, 10)
    assert (config.learning_rate, config.batch_size) == (5e-4, 8)
    assert (config.lambda_commit, config.lambda_rec) == (1.0, 0.001)
