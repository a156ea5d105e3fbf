import numpy as np
import pytest
import torch

import histvq
from histvq.batching import fit_scale, pack
from histvq.checkpoints import import_checkpoint
from histvq.errors import ConfigError, FileFormatError
from histvq.recording import Recording
from oracles.smq import answers_by_loop

pytestmark = pytest.mark.usefixtures("one_thread")


def published(*, maps=8, channels=6, latent=4, joints=6, frames=60, codes=3, seed=0):
    """Weights with the names and shapes of SMQ's published files."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(shape, generator=generator) / 4

    weights = {}
    widths = {
        "encoder.stage1": (channels, latent // 2), "encoder.stage2": (latent // 2, latent),
        "decoder.stage1": (latent, latent // 2), "decoder.stage2": (latent // 2, channels),
    }  # fmt: skip
    for stage, (n_in, n_out) in widths.items():
        parts = {"conv_1x1": (maps, n_in, 1), "conv_out": (n_out, maps, 1)}
        for layer in range(3):
            parts[f"layers.{layer}.conv_dilated"] = (maps, maps, 3)
            parts[f"layers.{layer}.conv_1x1"] = (maps, maps, 1)
        for part, shape in parts.items():
            weights[f"{stage}.{part}.weight"] = draw(*shape)
            weights[f"{stage}.{part}.bias"] = draw(shape[0])
    weights["vq._embedding"] = draw(codes, frames, joints * latent)
    weights["vq.cluster_size"] = torch.rand(codes, 1, 1, generator=generator) + 10
    weights["vq.embed_avg"] = weights["vq._embedding"] * weights["vq.cluster_size"]
    weights["vq.initted"] = torch.ones(1)
    return weights


def hugadb_like(n_frames, seed=0):
    return Recording(
        id=f"r{n_frames}",
        skeleton=np.random.default_rng(seed).normal(size=(n_frames, 6, 6)),
        fps=60,
        joint_names=("rf", "rs", "rt", "lf", "ls", "lt"),
        channel_names=("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"),
        unit="counts",
    )


@pytest.mark.parametrize("n_frames", [20, 60, 61, 240])
def test_answers_are_those_of_the_published_formulas(saved, n_frames):
    weights = published()
    recording = hugadb_like(n_frames)
    model = import_checkpoint("smq", saved(weights))
    expected = answers_by_loop(weights, recording.skeleton)
    np.testing.assert_array_equal(model.predict(recording).actions, expected)


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_and_on_real_recordings(saved, hugadb_sample):
    weights = published(codes=5)
    data = histvq.load_dataset("hugadb", hugadb_sample)
    # Codes that tell these recordings apart: five patches of the first one.
    batch = pack(
        data.recordings[:1], patch_frames=60, gap=4, scale=fit_scale(data.recordings, mode="none")
    )
    network = import_checkpoint("smq", saved(weights)).network_
    with torch.no_grad():
        patches = network.encode(batch.skeleton, batch.real).patches
    weights["vq._embedding"] = patches[::9][:5].flatten(2).clone()
    model = import_checkpoint("smq", saved(weights))
    for recording in data.recordings[:2]:
        expected = answers_by_loop(weights, recording.skeleton)
        assert len(np.unique(expected)) > 1
        np.testing.assert_array_equal(model.predict(recording).actions, expected)


def test_what_comes_along(saved, tmp_path):
    weights = published()
    model = histvq.import_checkpoint("smq", saved(weights))
    book = model.network_.quantiser.codebooks[0]
    np.testing.assert_array_equal(book.prototypes.flatten(2), weights["vq._embedding"])
    np.testing.assert_array_equal(book.total.flatten(2), weights["vq.embed_avg"])
    np.testing.assert_array_equal(book.usage, weights["vq.cluster_size"].flatten())
    assert (model.fps_, model.patch_frames_, model.n_actions, model.n_maps) == (60, 60, 3, 8)
    model.save(tmp_path / "model")
    again = histvq.load_model(tmp_path / "model").predict(hugadb_like(100))
    np.testing.assert_array_equal(again.actions, model.predict(hugadb_like(100)).actions)


def test_other_skeletons_need_a_recording_like_theirs(saved):
    path = saved(published(channels=3, joints=4, frames=30))
    with pytest.raises(ConfigError, match="4 joints with 3 channels, which do not say their names"):
        import_checkpoint("smq", path)
    with pytest.raises(ConfigError, match="recording 'r9' has 6 with 6"):
        import_checkpoint("smq", path, like=hugadb_like(9))
    like = Recording(id="a", skeleton=np.zeros((40, 4, 3)), fps=30, unit="mm")
    model = import_checkpoint("smq", path, like=like)
    assert model.patch_seconds == 1
    assert len(model.predict(like).actions) == 40


class Dangerous:
    def __reduce__(self):
        return (pytest.fail, ("code out of the file was run",))


def test_a_file_of_something_else(saved, tmp_path):
    with pytest.raises(FileFormatError, match="there is no such file"):
        import_checkpoint("smq", tmp_path / "nowhere.model")
    (tmp_path / "pointer").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(FileFormatError, match="pointer to a file kept elsewhere: fetch it again"):
        import_checkpoint("smq", tmp_path / "pointer")
    with pytest.raises(FileFormatError, match="not a file of PyTorch weights alone"):
        import_checkpoint("smq", saved({"weights": Dangerous()}))
    with pytest.raises(FileFormatError, match="not a table of weights by name"):
        import_checkpoint("smq", saved([1, 2]))
    with pytest.raises(FileFormatError, match=r"missing vq\._embedding.*not expected head\.weight"):
        import_checkpoint("smq", saved({"head.weight": torch.ones(2)}))
    incomplete = published()
    del incomplete["decoder.stage2.conv_out.bias"]
    with pytest.raises(ConfigError, match=r"(?s)do not fit this network.*leave\.bias"):
        import_checkpoint("smq", saved(incomplete))
    with pytest.raises(ConfigError, match="no sort of checkpoint is called 'smk'"):
        import_checkpoint("smk", saved(published()))
