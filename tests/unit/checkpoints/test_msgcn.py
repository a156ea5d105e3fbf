from dataclasses import replace

import numpy as np
import pytest
import torch

import histvq
from histvq.annotation import Annotation
from histvq.checkpoints import import_checkpoint
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io.hugadb import ACTIVITIES, CHANNELS, JOINTS
from histvq.recording import Recording
from histvq.supervised.gcn import MSGCN
from histvq.supervised.graphs import GRAPHS
from histvq.transforms import relative_features
from oracles.msgcn import logits_by_loop

pytestmark = pytest.mark.usefixtures("one_thread")

# For each joint of the published HuGaDB network, its place in the files; and the other way round.
NETWORK_ORDER = [2, 1, 0, 5, 4, 3]


def published(*, joints=6, channels=6, classes=12, maps=8, layers=3, stages=3, seed=0):
    """Weights with the names and shapes of MS-GCN's published files; `channels` as the network has."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}

    def draw(*shape):
        return torch.randn(shape, generator=generator)

    def convolution(name, *shape):
        weights[f"{name}.weight"] = draw(*shape) / 4
        weights[f"{name}.bias"] = draw(shape[0]) / 4

    def norm(name, n, *, scale):
        weights[f"{name}.weight"] = 1 + draw(n) / 4
        weights[f"{name}.bias"] = draw(n) / 4
        weights[f"{name}.running_mean"] = scale * draw(n)
        weights[f"{name}.running_var"] = scale**2 * (0.5 + torch.rand(n, generator=generator))
        weights[f"{name}.num_batches_tracked"] = torch.tensor(7700)

    weights["stream.A"] = torch.rand(3, joints, joints, generator=generator) / joints
    norm("stream.data_bn", joints * channels, scale=1000.0)
    convolution("stream.conv_1x1", maps, channels, 1, 1)
    for layer in range(layers):
        block = f"stream.st_gcn_networks.{layer}"
        convolution(f"{block}.gcn.conv", 3 * maps, maps, 1, 1)
        norm(f"{block}.tcn.0", maps, scale=1.0)
        convolution(f"{block}.tcn.2", maps, maps, 3, 1)
        norm(f"{block}.tcn.3", maps, scale=1.0)
        weights[f"stream.edge_importance.{layer}"] = 1 + draw(3, joints, joints) / 4
    convolution("stream.conv_out", classes, maps, 1)
    for stage in range(stages - 1):
        convolution(f"stages.{stage}.conv_1x1", maps, classes, 1)
        for layer in range(layers):
            convolution(f"stages.{stage}.layers.{layer}.conv_dilated", maps, maps, 3)
            norm(f"stages.{stage}.layers.{layer}.bn", maps, scale=1.0)
        convolution(f"stages.{stage}.conv_out", classes, maps, 1)
    return weights


def hugadb_like(weights, n_frames, *, spread=0.5, seed=0, **changes):
    """A recording, joints as in the files, that looks like what these weights have learned."""
    mean, variance = (
        weights[f"stream.data_bn.running_{name}"].double().numpy() for name in ("mean", "var")
    )
    noise = np.random.default_rng(seed).normal(size=(n_frames, len(mean)))
    values = (mean + spread * np.sqrt(variance) * noise).reshape(n_frames, 6, 6)
    parts = {
        "id": f"r{n_frames}", "skeleton": values[:, NETWORK_ORDER], "fps": 60, "unit": "counts",
        "joint_names": JOINTS, "channel_names": CHANNELS,
    }  # fmt: skip
    return Recording(**parts | changes)


def disordered(recording):
    """The same, but each joint has the name of another."""
    return replace(recording, skeleton=recording.skeleton[:, NETWORK_ORDER])


def scaled(recording, factor):
    return replace(recording, skeleton=recording.skeleton * factor)


@torch.no_grad()
def logits(model, skeleton):
    series = torch.from_numpy(skeleton).transpose(0, 1)
    return model.network_(series, torch.ones(series.shape[:2], dtype=torch.bool)).numpy()


@pytest.mark.parametrize("n_frames", [1, 5, 90])
@pytest.mark.parametrize("sizes", [{}, {"maps": 5, "layers": 5, "stages": 1}, {"stages": 4}])
def test_logits_are_those_of_the_published_formulas(saved, sizes, n_frames):
    weights = published(**sizes)
    recording = hugadb_like(weights, n_frames)
    model = import_checkpoint("ms-gcn", saved(weights))
    expected = logits_by_loop(weights, recording.skeleton[:, [2, 1, 0, 5, 4, 3]])
    assert len(expected) == sizes.get("stages", 3)
    np.testing.assert_allclose(logits(model, recording.skeleton), expected, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(model.predict(recording).actions, expected[-1].argmax(axis=1))


@pytest.mark.real_data
def test_and_on_real_recordings(saved, hugadb_sample):
    weights = published(layers=8)
    data = histvq.load_dataset("hugadb", hugadb_sample, bad_values="keep")
    everything = np.concatenate([r.skeleton for r in data.recordings])[:, NETWORK_ORDER]
    flat = torch.from_numpy(everything.reshape(len(everything), -1).astype(np.float64))
    weights["stream.data_bn.running_mean"] = flat.mean(dim=0).float()
    weights["stream.data_bn.running_var"] = flat.var(dim=0).float()
    model = import_checkpoint("ms-gcn", saved(weights))
    recording = data.recordings[0]
    expected = logits_by_loop(weights, recording.skeleton[:, NETWORK_ORDER])
    np.testing.assert_allclose(logits(model, recording.skeleton), expected, rtol=0, atol=1e-4)
    answers = model.predict(recording).actions
    assert len(np.unique(answers)) > 1
    np.testing.assert_array_equal(answers, expected[-1].argmax(axis=1))


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")  # these are random numbers
@pytest.mark.parametrize(
    ("graph", "unit", "channel_names", "classes"),
    [
        ("lara-msgcn", "mm", ("rotation_x", "rotation_y", "rotation_z", "x", "y", "z"), 8),
        ("pku-mmd", "m", ("x", "y", "z"), 52),
    ],
)
def test_lara_and_pku_mmd_have_their_joints_in_the_weights_order(
    saved, graph, unit, channel_names, classes
):
    names = GRAPHS[graph].joint_names
    weights = published(joints=len(names), channels=6, classes=classes)
    skeleton = np.random.default_rng(0).normal(size=(40, len(names), len(channel_names)))
    recording = Recording(
        id="a", skeleton=1000 * skeleton, fps={"mm": 50, "m": 30}[unit], unit=unit,
        joint_names=names, channel_names=channel_names,
    )  # fmt: skip
    model = import_checkpoint("ms-gcn", saved(weights))
    seen = (recording if len(channel_names) == 6 else relative_features(recording)).skeleton
    expected = logits_by_loop(weights, seen)
    np.testing.assert_allclose(logits(model, seen), expected, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(model.predict(recording).actions, expected[-1].argmax(axis=1))
    assert len(model.actions_) == classes


def test_what_comes_along(saved):
    weights = published(maps=7, layers=4, stages=2)
    model = histvq.import_checkpoint("ms-gcn", saved(weights))
    assert (model.n_maps, model.n_layers, model.n_stages, model.fps_) == (7, 4, 2, 60)
    # Joint 0 of a recording is the right foot, the network's joint 2; left likewise.
    adjacency = model.network_.graph.adjacency
    np.testing.assert_array_equal(adjacency[:, 0, 3], weights["stream.A"][:, 2, 5])
    norm = model.network_.norm.norm
    np.testing.assert_array_equal(
        norm.running_mean[:6], weights["stream.data_bn.running_mean"][12:18]
    )
    assert norm.num_batches_tracked == 7700
    n_theirs = sum(value.numel() for value in weights.values())
    assert sum(value.numel() for value in model.network_.state_dict().values()) == n_theirs
    assert not model.network_.training


def test_classes_have_the_names_of_the_activities(saved):
    weights = published()
    model = import_checkpoint("ms-gcn", saved(weights))
    names = model.predict(hugadb_like(weights, 30)).names
    assert (names[1], names[8], names[9], names[11]) == (
        "walking", "standing", "bicycling", "down_by_elevator",
    )  # fmt: skip
    assert names == {0: "no activity", **dict(enumerate(ACTIVITIES[:11], start=1))}


def test_saved_and_loaded_it_answers_the_same(saved, tmp_path):
    weights = published()
    model = import_checkpoint("ms-gcn", saved(weights))
    model.save(tmp_path / "model")
    again = histvq.load_model(tmp_path / "model")
    recording = hugadb_like(weights, 100)
    answer, expected = again.predict(recording), model.predict(recording)
    np.testing.assert_array_equal(answer.actions, expected.actions)
    np.testing.assert_array_equal(answer.confidence, expected.confidence)
    assert answer.names == expected.names
    assert again.imported_


def test_a_file_of_something_else(saved, tmp_path):
    with pytest.raises(FileFormatError, match="there is no such file"):
        import_checkpoint("ms-gcn", tmp_path / "nowhere.model")
    (tmp_path / "pointer").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(FileFormatError, match="pointer to a file kept elsewhere: fetch it again"):
        import_checkpoint("ms-gcn", tmp_path / "pointer")
    whole = saved(published()).read_bytes()
    for n_bytes in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "part.model").write_bytes(whole[:n_bytes])
        with pytest.raises(FileFormatError, match=r"part\.model: .*It may be cut short"):
            import_checkpoint("ms-gcn", tmp_path / "part.model")
    with pytest.raises(
        FileFormatError, match=r"not the weights of MS-GCN: missing graph\.adj.*not expected head\."
    ):
        import_checkpoint("ms-gcn", saved({"head.weight": torch.ones(2)}))


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("stream.A", r"missing graph\.adjacency \(by our names\); not expected none"),
        ("stream.conv_out.weight", r"missing graph\.leave\.weight "),
        ("stream.data_bn.weight", r"missing norm\.norm\.weight "),
    ],
)
def test_sizes_cannot_be_told_without_these(saved, lost, words):
    weights = published()
    del weights[lost]
    with pytest.raises(FileFormatError, match=words):
        import_checkpoint("ms-gcn", saved(weights))


@pytest.mark.parametrize(
    ("lost", "ours"),
    [
        ("stages.1.layers.2.bn.running_var", r"stages\.1\.norms\.2\.running_var"),
        ("stream.st_gcn_networks.0.gcn.conv.bias", r"graph\.layers\.0\.spatial\.bias"),
    ],
)
def test_others_are_missed_by_name(saved, lost, ours):
    weights = published()
    del weights[lost]
    with pytest.raises(FileFormatError, match=rf"(?s)some.model.*do not fit.*Missing.*{ours}"):
        import_checkpoint("ms-gcn", saved(weights))


@pytest.mark.parametrize(
    "extra", ["stream.st_gcn_networks.0.residual.weight", "stages.0.layers.0.conv_1x1.weight"]
)
def test_tensors_of_another_network_are_refused(saved, extra):
    with pytest.raises(FileFormatError, match=f"missing none .*; not expected {extra}"):
        import_checkpoint("ms-gcn", saved(published() | {extra: torch.ones(8)}))


def test_other_skeletons_need_a_recording_like_theirs(saved):
    weights = published(joints=4, channels=3, classes=5)
    path = saved(weights)
    words = "4 joints with 3 channels and 5 classes, which do not say their names, unit and rate"
    with pytest.raises(ConfigError, match=words + r"\. Give a recording of that sort"):
        import_checkpoint("ms-gcn", path)
    for shape, has in {(9, 6, 6): "6 with 6", (9, 4, 2): "4 with 2", (9, 3, 3): "3 with 3"}.items():
        other = Recording(id="b", skeleton=np.zeros(shape), fps=30)
        with pytest.raises(ConfigError, match=f"4 joints with 3 channels; recording 'b' has {has}"):
            import_checkpoint("ms-gcn", path, like=other)


def test_and_with_one_they_answer_in_numbers(saved):
    weights = published(joints=4, channels=3, classes=5)
    mean = weights["stream.data_bn.running_mean"].numpy().reshape(4, 3)
    skeleton = mean + 1000 * np.random.default_rng(0).normal(size=(60, 4, 3))
    like = Recording(id="a", skeleton=skeleton, fps=30, unit="mm")
    model = import_checkpoint("ms-gcn", saved(weights), like=like)
    answer = model.predict(like)
    expected = logits_by_loop(weights, like.skeleton)  # joints are the weights' as they stand
    np.testing.assert_array_equal(answer.actions, expected[-1].argmax(axis=1))
    assert answer.names == {k: f"class {k}" for k in range(5)}
    assert (model.fps_, model.layout_["unit"]) == (30, "mm")


def test_twice_the_channels_are_displacements_and_relative_positions(saved):
    like = Recording(
        id="a", skeleton=np.random.default_rng(0).normal(size=(60, 4, 3)), fps=30, unit="m"
    )
    seen = relative_features(like).skeleton
    weights = published(joints=4, channels=6, classes=5)
    weights["stream.data_bn.running_mean"] = torch.from_numpy(seen.mean(axis=0).flatten())
    weights["stream.data_bn.running_var"] = torch.ones(24)
    model = import_checkpoint("ms-gcn", saved(weights), like=like)
    expected = logits_by_loop(weights, seen)
    np.testing.assert_array_equal(model.predict(like).actions, expected[-1].argmax(axis=1))


def test_recordings_with_other_joints_are_refused(saved):
    weights = published()
    model = import_checkpoint("ms-gcn", saved(weights))
    named = hugadb_like(weights, 30, joint_names=("ankle", *JOINTS[1:]))
    with pytest.raises(ConfigError, match=r"joint names differ .missing rf; not expected ankle"):
        model.predict(named)
    few = Recording(id="few", skeleton=named.skeleton[:, 1:], fps=60, unit="counts",
                    joint_names=JOINTS[1:], channel_names=CHANNELS)  # fmt: skip
    with pytest.warns(DataWarning, match="recording 'few' lacks joints.*throughout: rf"):
        assert model.predict(few).n_frames == 30
    metric = hugadb_like(weights, 30, unit="m/s2")
    with pytest.raises(ConfigError, match=r"unit differ .m/s2 instead of counts"):
        model.predict(metric)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stream.A", torch.ones(6, 6)),
        ("stream.conv_out.weight", torch.ones(12)),
        ("stream.data_bn.running_mean", torch.ones(35)),
        ("stream.st_gcn_networks.0.gcn.conv.bias", torch.ones(23)),
        ("stream.edge_importance.1", torch.ones(3, 5, 5)),
        ("stages.0.conv_1x1.weight", torch.ones(8, 11, 1)),
    ],
)
def test_tensors_whose_shapes_do_not_belong_together(saved, name, value):
    with pytest.raises(FileFormatError, match="not the weights of MS-GCN"):
        import_checkpoint("ms-gcn", saved(published() | {name: value}))


def test_published_weights_with_a_recording_in_any_order_of_joints(saved):
    weights = published()
    recording = hugadb_like(weights, 30)
    turned = replace(
        recording, skeleton=recording.skeleton[:, ::-1], joint_names=JOINTS[::-1], unit="lsb"
    )
    model = import_checkpoint("ms-gcn", saved(weights), like=turned)
    expected = import_checkpoint("ms-gcn", saved(weights)).predict(recording)
    answer = model.predict(turned)
    np.testing.assert_array_equal(answer.actions, expected.actions)
    assert answer.names == expected.names


@pytest.fixture
def imported(saved, monkeypatch):
    monkeypatch.setattr("histvq.supervised.gcn.ENOUGH_S", 0.0)
    weights = published()
    return weights, import_checkpoint("ms-gcn", saved(weights))


def test_recordings_as_they_should_be_are_not_warned_of(imported):
    weights, model = imported
    model.predict([hugadb_like(weights, n_frames) for n_frames in (1, 2, 40, 400)])
    motionless = hugadb_like(weights, 400, spread=0.01)
    model.predict(motionless)
    nothing = replace(motionless, skeleton=np.full_like(motionless.skeleton, np.nan))
    assert set(model.predict(nothing).actions) == {-1}


def test_joints_in_another_order_are_warned_of(imported):
    weights, model = imported
    recording = hugadb_like(weights, 400)
    words = r"correlate by -?0\.\d\d with those .* joints are in another order than their names say"
    with pytest.warns(DataWarning, match=words) as warned:
        model.predict(disordered(recording))
    assert [warning.filename for warning in warned] == [__file__]  # points at who called


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1 / 1000, r"vary 0\.0005\d* times as much, and are 0\.001 times as large"),
        (1000, r"vary 5\.?\d*e\+02 times as much, and are 1e\+03 times as large"),
    ],
)
def test_numbers_on_another_scale_are_warned_of(imported, factor, words):
    weights, model = imported
    with pytest.warns(DataWarning, match=rf"{words}.*Perhaps the numbers are scaled"):
        answer = model.predict(scaled(hugadb_like(weights, 400), factor))
    assert answer.n_frames == 400


def test_recordings_are_judged_together(imported):
    weights, model = imported
    strange = disordered(hugadb_like(weights, 10))
    with pytest.warns(DataWarning, match="another order"):
        model.predict(strange)
    model.predict([strange, hugadb_like(weights, 1000)])
    with pytest.warns(DataWarning, match="another order") as warned:
        model.predict([strange, disordered(hugadb_like(weights, 1000))])
    assert len(warned) == 1


def test_little_tells_nothing(imported, monkeypatch):
    weights, model = imported
    monkeypatch.setattr("histvq.supervised.gcn.ENOUGH_S", 300.0)
    strange = [disordered(hugadb_like(weights, 8999)), disordered(hugadb_like(weights, 9001))]
    model.predict(strange[0])
    assert model.predict([]) == []
    with pytest.warns(DataWarning, match="another order"):
        model.predict(strange)


def test_nothing_to_compare_is_no_fault(imported):
    weights, model = imported
    still = hugadb_like(weights, 40)
    model.predict(replace(still, skeleton=np.full_like(still.skeleton, 5.0)))
    model.network_.norm.norm.running_mean.zero_()
    model.predict(still)


def test_what_we_trained_ourselves_is_not_warned_of(saved, tmp_path, monkeypatch):
    monkeypatch.setattr("histvq.supervised.gcn.ENOUGH_S", 0.0)
    weights = published(maps=4, layers=2, stages=2)
    recordings = [hugadb_like(weights, 40, id=f"r{k}", seed=k) for k in range(2)]
    labels = np.repeat([0, 1], 20)
    truth = [
        Annotation(recording_id=r.id, labels=labels, actions=("a", "b"), fps=60) for r in recordings
    ]
    small = {"graph": "hugadb", "n_maps": 4, "n_layers": 2, "n_stages": 2}
    ours = MSGCN(**small, epochs=1, min_steps=1, validation=0, random_state=0)
    # Imported, then trained anew: the weights are ours from then on.
    anew = import_checkpoint("ms-gcn", saved(weights))
    anew.set_params(**ours.get_params())
    for model in (ours, anew):
        model.fit(recordings, truth)
        model.save(tmp_path / "model")
        for fitted in (model, histvq.load_model(tmp_path / "model")):
            fitted.predict(scaled(disordered(recordings[0]), 1000))
