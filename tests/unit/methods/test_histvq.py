import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from histvq.errors import ConfigError, FileFormatError, NotFittedError
from histvq.methods.histvq import HiSTVQ
from histvq.modelfile import TENSORS
from histvq.recording import Recording

pytestmark = pytest.mark.usefixtures("one_thread")

FPS = 10
TINY = {
    "n_maps": 8, "n_latent": 4, "temporal_hidden": 8, "dropout": 0.1, "lambda_spat": 0.001,
    "learning_rate": 5e-4, "min_usage_patches": 3, "min_usage_prototypes": 1, "batch_size": 8,
    "piece_seconds": 0, "min_steps": 0, "keep": "last",
}  # fmt: skip

# Three people: standing, lying and swinging a leg, sitting and swinging it twice as fast.
POSTURES = np.array(
    [
        [[0, 0, 0], [0, 1, 0], [0, 2, 0]],
        [[0, 0, 0], [1, 0, 0], [2, 0, 0]],
        [[0, 0, 0], [0, -1, 0], [0, -1, 2]],
    ]
)


def exercises(n_recordings=6, *, seed=0, fps=FPS, **about):
    """Recordings of three motions, each twice for three to five seconds, and which one is when."""
    rng = np.random.default_rng(seed)
    recordings, truth = [], []
    for number in range(n_recordings):
        motions = rng.permutation([0, 0, 1, 1, 2, 2])
        labels = np.repeat(motions, rng.integers(3, 6, size=6) * fps)
        phase = 2 * np.pi * labels * np.arange(len(labels)) / fps
        skeleton = POSTURES[labels] + 0.05 * rng.normal(size=(len(labels), 3, 3))
        skeleton[:, 1:, 2] += 0.5 * np.sin(phase)[:, None]
        recordings.append(Recording(id=f"r{number}", skeleton=skeleton, fps=fps, **about))
        truth.append(labels)
    return recordings, truth


def part(recording, start, stop, **about):
    return Recording(
        id=f"{recording.id}[{start}:{stop}]",
        skeleton=recording.skeleton[start:stop].copy(),
        fps=recording.fps,
        **about,
    )


def tiny(**params):
    return HiSTVQ(**{"n_actions": 3, "epochs": 1, "random_state": 0, **TINY, **params})


RECORDINGS, TRUTH = exercises()


@pytest.fixture(scope="module")
def fitted():
    model = tiny(epochs=8, dropout=0.0).fit(RECORDINGS)
    # Most tests below would pass with one label for everything.
    assert len(np.unique(np.concatenate([a.actions for a in model.predict(RECORDINGS)]))) == 3
    return model


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        assert (a.recording_id, a.fps, a.person) == (b.recording_id, b.fps, b.person)
        np.testing.assert_array_equal(a.actions, b.actions)
        np.testing.assert_array_equal(a.subactions, b.subactions)
        np.testing.assert_array_equal(a.confidence, b.confidence)


# What it finds


def test_it_finds_three_easy_motions_with_no_setting_touched():
    """A constant answer scores 0, the truth 1; about one run in ten merges two motions."""
    recordings, truth = exercises(seed=1)
    scores = []
    for seed in range(3):
        answers = HiSTVQ(n_actions=3, random_state=seed).fit_predict(recordings)
        found = np.concatenate([answer.actions for answer in answers])
        scores.append(adjusted_rand_score(np.concatenate(truth), found))
    assert np.median(scores) > 0.85
    assert min(scores) > 0.3


def test_the_losses_fall():
    history = tiny(epochs=15, dropout=0.0).fit(RECORDINGS).history_
    first, last = history[0], history[-1]
    assert last["commit_1"] < 0.3 * first["commit_1"]
    for name in ("spatial", "temporal", "total"):
        assert last[name] < first[name], name
    terms = {
        "commit_1",
        "commit_2",
        "spatial",
        "temporal",
        "total",
        "changed",
        "actions_in_use",
        "epoch",
    }
    assert set(first) == terms
    parts = sum(first[name] for name in terms - {"total", "changed", "actions_in_use", "epoch"})
    assert first["total"] == pytest.approx(parts, rel=1e-5)
    assert [entry["epoch"] for entry in history] == list(range(1, 16))


# Same in, same out


def test_fit_predict_is_fit_then_predict_then_save_and_load(fitted, tmp_path):
    answers = fitted.predict(RECORDINGS)
    assert_same(tiny(epochs=8, dropout=0.0).fit_predict(RECORDINGS), answers)
    fitted.save(tmp_path / "model")
    loaded = HiSTVQ.load(tmp_path / "model")
    assert_same(loaded.predict(RECORDINGS), answers)
    assert loaded.get_params() == fitted.get_params()
    assert loaded.history_ == fitted.history_
    assert (loaded.seed_, loaded.fps_, loaded.n_iter_) == (0, FPS, 8)


SCRIPT = """
import sys
import numpy as np, torch
from histvq.methods.histvq import HiSTVQ
from histvq.recording import Recording
torch.set_num_threads(int(sys.argv[2]))
torch.manual_seed(999)
arrays = np.load(sys.argv[1] + "/in.npz")
recordings = [Recording(id=k, skeleton=arrays[k], fps=10) for k in arrays.files]
params = {params}
answers = HiSTVQ(**params).fit_predict(recordings)
np.savez(sys.argv[1] + "/out.npz", **{{a.recording_id: a.subactions for a in answers}})
"""


def test_same_seed_same_labels_in_another_process(fitted, tmp_path):
    np.savez(tmp_path / "in.npz", **{r.id: r.skeleton for r in RECORDINGS})
    script = SCRIPT.format(params=fitted.get_params())
    threads = str(torch.get_num_threads())
    subprocess.run([sys.executable, "-c", script, str(tmp_path), threads], check=True)
    found = np.load(tmp_path / "out.npz")
    for answer in fitted.predict(RECORDINGS):
        np.testing.assert_array_equal(found[answer.recording_id], answer.subactions)


def test_bfloat16_is_for_training_alone(tmp_path):
    low, high = (
        tiny(epochs=2, dropout=0.0, precision=p).fit(RECORDINGS) for p in ("bfloat16", "float32")
    )
    first = low.history_[0]
    assert first["total"] == pytest.approx(high.history_[0]["total"], rel=0.02)
    assert first["total"] != high.history_[0]["total"]
    assert {w.dtype for w in low.network_.parameters()} == {torch.float32}
    low.save(tmp_path / "model")
    loaded = HiSTVQ.load(tmp_path / "model")
    assert_same(loaded.predict(RECORDINGS), low.predict(RECORDINGS))
    # The same weights, said to be of the other precision, give the same bits.
    assert_same(loaded.set_params(precision="float32").predict(RECORDINGS), low.predict(RECORDINGS))


def test_another_seed_is_another_network(fitted):
    other = tiny(epochs=8, dropout=0.0, random_state=1).fit(RECORDINGS)
    one, two = (m.network_.quantiser.codebooks[0].prototypes for m in (fitted, other))
    assert not torch.allclose(one, two)


def test_without_a_seed_one_is_drawn_and_kept():
    model = tiny(random_state=None).fit(RECORDINGS)
    again = tiny(random_state=model.seed_).fit(RECORDINGS)
    assert_same(model.predict(RECORDINGS), again.predict(RECORDINGS))
    assert model.seed_ != tiny(random_state=None).fit(RECORDINGS).seed_


def test_fitting_again_forgets(fitted):
    model = tiny(epochs=8, dropout=0.0).fit(exercises(seed=5)[0])
    assert_same(model.fit(RECORDINGS).predict(RECORDINGS), fitted.predict(RECORDINGS))


def test_the_global_generators_are_left_alone(fitted):
    torch.manual_seed(5)
    np.random.seed(5)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    tiny().fit(RECORDINGS).predict(RECORDINGS)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)


def test_recordings_are_left_alone(fitted):
    recordings = exercises(parents=(-1, 0, 1))[0]
    kept = [recording.skeleton.copy() for recording in recordings]
    tiny().fit(recordings).predict(recordings)
    for recording, before in zip(recordings, kept, strict=True):
        np.testing.assert_array_equal(recording.skeleton, before)


def test_an_answer_depends_on_its_recording_alone(fitted):
    answers = fitted.predict(RECORDINGS)
    assert_same(fitted.predict(RECORDINGS[::-1]), answers[::-1])
    assert_same([fitted.predict(recording) for recording in RECORDINGS], answers)


def test_predicting_changes_nothing(fitted):
    before = {name: value.clone() for name, value in fitted.network_.state_dict().items()}
    fitted.predict(RECORDINGS)
    for name, value in fitted.network_.state_dict().items():
        assert torch.equal(value, before[name]), name


# One label for every frame


@pytest.mark.parametrize("n_frames", [1, 2, 9, 10, 11, 20, 29, 30, 31])
def test_any_length_gets_a_label_a_frame(fitted, n_frames):
    answer = fitted.predict(part(RECORDINGS[0], 0, n_frames))
    for labels, n_codes in ((answer.actions, 3), (answer.subactions, 6)):
        assert labels.shape == (n_frames,)
        assert ((labels >= 0) & (labels < n_codes)).all()
        # One code a patch of ten frames.
        assert all(len(set(labels[k : k + 10])) == 1 for k in range(0, n_frames, 10))
    assert ((answer.confidence >= 0) & (answer.confidence <= 1)).all()


@pytest.mark.parametrize("lengths", [[3, 60, 60], [10, 60, 60], [47, 60, 60]])
def test_any_length_can_be_learned_from(lengths):
    recordings = [part(r, 0, n) for r, n in zip(RECORDINGS, lengths, strict=False)]
    answers = tiny(batch_size=1).fit_predict(recordings)
    assert [len(answer.actions) for answer in answers] == lengths


def test_every_subaction_has_one_action(fitted):
    answers = fitted.predict(RECORDINGS)
    pairs = {
        pair
        for answer in answers
        for pair in zip(answer.subactions.tolist(), answer.actions.tolist(), strict=True)
    }
    assert len(pairs) == len({subaction for subaction, _ in pairs})


@pytest.mark.parametrize("n_levels", [1, 2, 3])
def test_codes_are_numbered_by_use(n_levels):
    # Whole patches only, so that patches and frames agree on what is used most.
    # Much dropout: counting with it still on would count other codes.
    model = tiny(n_levels=n_levels, n_actions=4, epochs=3, dropout=0.6)
    answers = model.fit_predict(RECORDINGS)
    levels = {"action": 4, "subaction": 4 * 2 ** (n_levels - 1)}
    for level, n_codes in list(levels.items())[: min(n_levels, 2)]:
        labels = np.concatenate([answer.labels(level) for answer in answers])
        counts = np.bincount(labels, minlength=n_codes)
        assert len(counts) == n_codes
        assert all(one >= next_ for one, next_ in pairwise(counts)), (level, counts)


def test_one_level_has_one_sort_of_code():
    for answer in tiny(n_levels=1, epochs=2).fit_predict(RECORDINGS):
        assert answer.subactions is None
        assert set(answer.segments()["level"]) == {"action"}


def test_confidence_is_0_between_two_actions_and_1_on_a_prototype(fitted):
    """By its definition, from distances to prototypes counted here with cdist."""
    recording = part(RECORDINGS[0], 0, 40)
    answer = fitted.predict(recording)
    batch = fitted._pack([(recording, (0, 40))])
    patches = fitted.network_.encode(batch.skeleton, batch.real).patches.detach().flatten(1)
    prototypes = fitted.network_.quantiser.codebooks[0].prototypes.flatten(1)
    parents = fitted.network_.quantiser.actions().numpy()
    for place, row in enumerate(torch.cdist(patches.double(), prototypes.double()).numpy()):
        assert row.argmin() == answer.subactions[10 * place]
        rivals = row[parents != parents[row.argmin()]]
        margin = 1 - row.min() / rivals.min() if len(rivals) else 1
        np.testing.assert_allclose(answer.confidence[10 * place : 10 * place + 10], margin, 1e-4)


# Missing values


def holed(start, stop, joints=slice(None)):
    recording = part(RECORDINGS[0], 0, 47)
    recording.skeleton[start:stop, joints] = np.nan
    return recording


def test_only_a_patch_of_nothing_gets_no_label(fitted):
    answer = fitted.predict(holed(20, 30))
    expected = (np.arange(47) >= 20) & (np.arange(47) < 30)
    np.testing.assert_array_equal(answer.actions == -1, expected)
    np.testing.assert_array_equal(answer.subactions == -1, expected)
    assert (answer.confidence[expected] == 0).all()


@pytest.mark.parametrize(
    "recording", [holed(23, 24), holed(20, 29), holed(15, 25), holed(0, 47, joints=1)]
)
def test_a_patch_with_anything_in_it_gets_a_label(fitted, recording):
    answer = fitted.predict(recording)
    assert (answer.actions >= 0).all()
    assert (answer.subactions >= 0).all()


def test_a_recording_of_nothing_gets_no_label(fitted):
    assert (fitted.predict(holed(0, 47)).actions == -1).all()


@pytest.mark.parametrize(
    "recording",
    [holed(20, 30), holed(23, 24), holed(0, 47, joints=1), holed(0, 47)],
    ids=["patch", "frame", "joint", "everything"],
)
@pytest.mark.parametrize("batch_size", [1, 8])
def test_missing_values_can_be_learned_from(recording, batch_size):
    model = tiny(batch_size=batch_size).fit([recording, *RECORDINGS[1:3]])
    assert np.isfinite(model.history_[0]["total"])
    assert all(value.isfinite().all() for value in model.network_.state_dict().values())


def test_a_piece_of_nothing_can_be_learned_from():
    model = tiny(batch_size=1, piece_seconds=1).fit([holed(20, 30), *RECORDINGS[1:3]])
    assert np.isfinite(model.history_[0]["total"])


# Rates


def slowed(recording, step):
    return Recording(id=recording.id, skeleton=recording.skeleton[::step], fps=recording.fps / step)


def test_a_whole_ratio_gives_each_frame_the_label_of_its_moment(fitted):
    fast = exercises(seed=0, fps=2 * FPS)[0]
    for recording in fast:
        answer = fitted.predict(recording)
        slow = fitted.predict(slowed(recording, 2))
        assert answer.fps == 2 * FPS
        np.testing.assert_array_equal(answer.subactions, np.repeat(slow.subactions, 2))
        assert len(set(answer.subactions)) > 1


@pytest.mark.parametrize("fps", [4.0, 7.3, 14.985, 59.94])
def test_any_rate_gets_a_label_a_frame(fitted, fps):
    # Another posture every second; a new label begins where a new second begins, and only there.
    seconds = np.floor(np.arange(183) / fps + 1e-6).astype(int)
    answer = fitted.predict(Recording(id="odd", skeleton=POSTURES[seconds % 3], fps=fps))
    assert answer.actions.shape == (183,)
    assert (answer.actions >= 0).all()
    assert answer.fps == fps
    begins = np.flatnonzero(np.diff(answer.subactions)) + 1
    assert len(begins) > 0
    assert set(begins) <= set(np.flatnonzero(np.diff(seconds)) + 1)


def test_rates_may_be_mixed_and_the_lowest_is_used():
    model = tiny().fit([*exercises(2, fps=20)[0], part(RECORDINGS[5], 0, 100)])
    assert (model.fps_, model.patch_frames_) == (FPS, 10)


@pytest.mark.parametrize(("fps", "patch_frames"), [(5.0, 5), (20.0, 20), (7.4, 7), (0.3, 1)])
def test_the_rate_can_be_set(fps, patch_frames):
    model = tiny(fps=fps, n_actions=2, alpha=1).fit(RECORDINGS)
    assert (model.fps_, model.patch_frames_) == (fps, patch_frames)
    for recording in RECORDINGS:
        assert len(model.predict(recording).actions) == recording.n_frames


def test_where_a_person_stands_does_not_matter_once_centred():
    centred = exercises(parents=(-1, 0, 1))[0]
    model = tiny(epochs=2).fit(centred)
    far = [
        Recording(id=r.id, skeleton=r.skeleton + 64, fps=FPS, parents=r.parents) for r in centred
    ]
    for one, other in zip(model.predict(centred), model.predict(far), strict=True):
        assert np.mean(one.actions == other.actions) > 0.98
    stays = tiny(epochs=1, centre=False).fit(centred)
    assert abs(stays.scale_.offset).max() > 0.1
    assert stays.predict(centred[0]).n_frames == centred[0].n_frames


# Settings

ABLATIONS = [
    *({"alpha": alpha} for alpha in (1, 2, 3)),
    *({"n_levels": n_levels} for n_levels in (1, 2, 3)),
    *({name: 0.0} for name in ("lambda_commit", "lambda_spat", "lambda_temp")),
    {"lambda_spat": 0.0, "lambda_temp": 0.0},
    *({"spatial_input": feed} for feed in ("subaction", "action", "both")),
    *({"temporal_input": feed} for feed in ("subaction", "action", "both")),
    {"n_levels": 1, "spatial_input": "both", "temporal_input": "both"},
    {"distance": "frame"},
    {"commitment": "sum"},
    {"joint_distance": "squared"},
    {"input_scale": "none"},
    {"ema_decay": 0.0},
    {"min_usage_patches": 0.0, "min_usage_prototypes": 0.0},
    {"n_layers": 1},
    {"n_actions": 1},
    {"piece_seconds": 2.5},
    {"patch_seconds": 0.04},
]


@pytest.mark.parametrize("settings", ABLATIONS, ids=str)
def test_every_setting_runs(settings):
    recordings = [part(recording, 0, 65) for recording in RECORDINGS[:4]]
    model = tiny(batch_size=2, **settings).fit(recordings)
    levels = settings.get("n_levels", 2)
    assert np.isfinite(model.history_[0]["total"])
    assert len(model.network_.quantiser.codebooks) == levels
    assert sum(name.startswith("commit") for name in model.history_[0]) == levels
    for name, term in (("lambda_spat", "spatial"), ("lambda_temp", "temporal")):
        assert (term in model.history_[0]) == (settings.get(name) != 0)
    for answer in model.predict(recordings):
        assert (answer.actions >= 0).all()


def test_several_people_in_one_recording():
    two = [
        Recording(
            id=r.id,
            skeleton=np.concatenate((r.skeleton, r.skeleton + 5), axis=1),
            fps=FPS,
            parents=(-1, 0, 1, -1, 3, 4),
            joint_persons=(0, 0, 0, 1, 1, 1),
        )
        for r in RECORDINGS[:3]
    ]
    model = tiny().fit(two)
    assert (model.predict(two[0]).actions >= 0).all()


def test_the_last_epoch_is_kept_or_the_steadiest():
    model = tiny(epochs=6, keep="last").fit(RECORDINGS)
    assert (model.n_iter_, model.kept_epoch_) == (6, 6)
    model = tiny(epochs=6, keep="steadiest", random_state=1).fit(RECORDINGS)
    marks = [(-entry["actions_in_use"], entry["changed"]) for entry in model.history_]
    assert model.kept_epoch_ == marks.index(min(marks)) + 1
    # It is the network of that epoch: training just so long gives it too.
    shorter = tiny(epochs=model.kept_epoch_, random_state=1).fit(RECORDINGS)
    assert_same(model.predict(RECORDINGS), shorter.predict(RECORDINGS))


def test_little_data_gets_more_epochs():
    model = tiny(batch_size=2, min_steps=8).fit(RECORDINGS)  # 3 batches an epoch
    assert model.n_iter_ == 3


def test_progress_is_told():
    events = []
    tiny(batch_size=2, epochs=2).fit(RECORDINGS, progress=events.append)
    assert [(e.epoch, e.batch) for e in events] == [
        *((0, k) for k in (1, 2, 3, 3)),
        *((1, k) for k in (1, 2, 3, 3)),
    ]
    assert "changed" in events[-1].scores


# scikit-learn's contract


def test_clone_takes_the_settings_and_nothing_learned(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(RECORDINGS)
    assert_same(copy.fit_predict(RECORDINGS), fitted.predict(RECORDINGS))


def test_a_wrong_value_changes_nothing():
    model = tiny()
    before = model.get_params()
    with pytest.raises(ConfigError, match="alpha=0"):
        model.set_params(n_actions=7, alpha=0)
    assert model.get_params() == before
    assert model.set_params(n_actions=7).n_actions == 7


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"n_action": 3}, "there is no parameter 'n_action'; did you mean 'n_actions'"),
        ({"lambda_spatial": 3}, "'lambda_spatial'; did you mean 'lambda_spat'"),
        ({"n_actions": 0}, "n_actions=0: input should be greater than 0"),
        ({"alpha": 0}, "alpha=0"),
        ({"n_levels": 4}, "n_levels=4: input should be less than or equal to 3"),
        ({"n_levels": 0}, "n_levels=0"),
        ({"patch_seconds": 0}, "patch_seconds=0"),
        ({"n_latent": 5}, "n_latent=5: input should be a multiple of 2"),
        ({"dropout": 1.0}, "dropout=1.0: input should be less than 1"),
        ({"ema_decay": 1.0}, "ema_decay=1.0"),
        ({"distance": "euclid"}, "distance='euclid': input should be 'patch' or 'frame'"),
        ({"spatial_input": "none"}, "spatial_input='none'"),
        ({"lambda_commit": -1}, "lambda_commit=-1"),
        ({"min_usage_patches": -1}, "min_usage_patches=-1"),
        ({"epochs": 0}, "epochs=0"),
        ({"learning_rate": 0}, "learning_rate=0"),
        ({"fps": 0}, "fps=0"),
        ({"keep": "best"}, "keep='best': input should be 'last' or 'steadiest'"),
    ],
)
def test_settings_out_of_bounds(params, words):
    with pytest.raises(ConfigError, match=f"HiSTVQ: .*{words}"):
        HiSTVQ(**{"n_actions": 3, **params})


@pytest.mark.parametrize("number", [np.int64(3), np.int32(3), 3.0])
def test_numbers_of_numpy_are_numbers(number, tmp_path):
    model = tiny(n_actions=number, learning_rate=np.float32(1e-3)).fit(RECORDINGS)
    model.save(tmp_path / "model")
    loaded = HiSTVQ.load(tmp_path / "model")
    assert loaded.n_actions == 3
    assert_same(loaded.predict(RECORDINGS), model.predict(RECORDINGS))


# What goes wrong


def shaped(n_joints=3, n_channels=3, n_frames=60, **about):
    skeleton = np.random.default_rng(0).normal(size=(n_frames, n_joints, n_channels))
    return Recording(**{"id": "new", "skeleton": skeleton, "fps": FPS, **about})


NOTHING = shaped(skeleton=np.full((60, 3, 3), np.nan))


@pytest.mark.parametrize(
    ("recordings", "words"),
    [
        ([], "no recordings to learn from; give at least one"),
        ([RECORDINGS[0], RECORDINGS[0]], "recordings with the same id: r0"),
        ([RECORDINGS[0], shaped(4)], "'r0' does not fit .*joint names .*missing joint3"),
        ([RECORDINGS[0], shaped(2)], "'new' does not fit .*joint names .*missing joint2"),
        ([RECORDINGS[0], shaped(3, 2)], "'new' does not fit .*channel names .*missing z"),
        ([RECORDINGS[0], shaped(unit="mm")], "'new' .*unit differ .mm instead of unknown"),
        ([RECORDINGS[0], shaped(joint_persons=(0, 0, 1))], "joint persons differ"),
        ([RECORDINGS[0].skeleton], "a recording is wanted, not ndarray"),
        ([shaped(n_frames=49)], r"5 patches of 1 s for 6 codes: .*lower n_actions or alpha"),
        ([NOTHING], "every value of every recording is missing"),
        ([RECORDINGS[0], shaped(n_frames=0)], "recording 'new' has no frames; leave it out"),
    ],
)
def test_recordings_that_cannot_be_learned_from(recordings, words):
    with pytest.raises(ConfigError, match=words):
        tiny().fit(recordings)


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        (shaped(4), "joint names differ"),
        (shaped(3, 2), "channel names differ"),
        (shaped(unit="mm"), "unit differ .mm instead of unknown"),
        (shaped(n_frames=0), "'new' has no frames"),
    ],
)
def test_recordings_that_do_not_fit_the_model(fitted, recording, words):
    with pytest.raises(ConfigError, match=words):
        fitted.predict(recording)


def test_a_channel_that_is_nowhere_measured():
    recording = shaped()
    recording.skeleton[..., 2] = np.nan
    with pytest.raises(ConfigError, match="there is nothing to learn from"):
        tiny().fit([recording])


def test_one_recording_is_enough():
    answer = tiny().fit(RECORDINGS[0]).predict(RECORDINGS[0])
    assert answer.recording_id == "r0"


def test_before_fitting():
    for ask in (lambda m: m.predict(RECORDINGS), lambda m: m.save("nowhere")):
        with pytest.raises(NotFittedError, match="HiSTVQ is not fitted yet: call fit"):
            ask(tiny())


def test_a_damaged_model(fitted, tmp_path):
    fitted.save(tmp_path)
    place = tmp_path / TENSORS
    place.write_bytes(place.read_bytes()[:-100])
    with pytest.raises(FileFormatError, match=r"model\.safetensors: not the arrays that"):
        HiSTVQ.load(tmp_path)
