from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq import chunks
from histvq.chain import Chain
from histvq.errors import ConfigError, DataWarning
from histvq.methods.histvq import HiSTVQ
from histvq.methods.smq import SMQ
from histvq.models import make_method
from histvq.prepared import Prepared, inner, prepared
from histvq.recording import Recording
from histvq.report.names import Named, Names
from histvq.streaming import StreamingSegmenter
from oracles.spread import spread

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = {
    "n_maps": 4, "n_latent": 4, "n_layers": 2, "epochs": 1, "min_steps": 0, "random_state": 0,
}  # fmt: skip
HISTVQ = {"n_actions": 3, "temporal_hidden": 4, **SMALL}


def motion(n_frames, *, seed=0, fps=8, gaps=0.05, **about):
    rng = np.random.default_rng(seed)
    place = np.array([[0, 3, 0], [0, -3, 3], [0, 0, -4]])[(np.arange(n_frames) + seed) // 30 % 3]
    skeleton = rng.standard_normal((n_frames, 3, 3)) * 0.1 + place[:, :, None]
    skeleton[rng.random((n_frames, 3)) < gaps] = np.nan
    return Recording(id="r", skeleton=skeleton, fps=fps, unit="m", **about)


@pytest.fixture(autouse=True, scope="module")
def small_chunks():
    """Of three patches, so that streams are of several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_ROWS", 3 * 24)
        yield


ROOTED = {"parents": (-1, 0, 1)}


@pytest.fixture(scope="module")
def models():
    made = {
        "plain": HiSTVQ(**HISTVQ).fit([motion(200)]),
        "centred": HiSTVQ(**HISTVQ).fit([motion(200, **ROOTED)]),
        "every second": HiSTVQ(fps=4.0, **HISTVQ).fit([motion(200)]),
        "one level": SMQ(n_actions=3, **SMALL).fit([motion(200)]),
        "behind transforms": prepared(HiSTVQ(**HISTVQ), ["unit=mm", "select=joint2,joint0"]).fit(
            [motion(200)]
        ),
    }
    for model in made.values():
        chain = model.chain if isinstance(model, Prepared) else Chain()
        recording = motion(200, **ROOTED)
        spread(inner(model), chain(recording))
        assert len(set(model.predict(recording).actions.tolist())) == 3
    return made


@settings(max_examples=40)
@given(
    kind=st.sampled_from(["plain", "centred", "every second", "one level", "behind transforms"]),
    n_frames=st.integers(1, 120),
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=5),
    flat=st.booleans(),
)
def test_a_stream_says_what_predict_says(models, kind, n_frames, sizes, flat):
    model, recording = models[kind], motion(n_frames, seed=1, **ROOTED)
    whole = model.predict(recording)
    stream = StreamingSegmenter(model, like=recording)
    answers, given = [], 0
    while given < n_frames:
        for size in [*sizes, 1]:
            frames = recording.skeleton[given : given + size]
            given += len(frames)
            answers += stream.push(frames.reshape(len(frames), 9) if flat else frames)
    answers += stream.finish()
    assert [a.patch for a in answers] == list(range(len(answers)))
    assert [a.start_frame for a in answers[1:]] == [a.stop_frame for a in answers[:-1]]
    assert (answers[0].start_frame, answers[-1].stop_frame) == (0, n_frames)
    lengths = [a.stop_frame - a.start_frame for a in answers]
    np.testing.assert_array_equal(np.repeat([a.action for a in answers], lengths), whole.actions)
    np.testing.assert_array_equal(
        np.repeat(np.float32([a.confidence for a in answers]), lengths), whole.confidence
    )
    if whole.subactions is None:
        assert {a.subaction for a in answers} == {None}
    else:
        said = np.repeat([a.subaction for a in answers], lengths)
        np.testing.assert_array_equal(said, whole.subactions)
    for answer in answers:
        assert answer.start_s == pytest.approx(answer.start_frame / 8)
        assert answer.stop_s == pytest.approx(answer.stop_frame / 8)
        assert answer.name == (f"action {answer.action}" if answer.action >= 0 else "")


@pytest.mark.parametrize("kind", ["plain", "every second", "one level"])
def test_a_label_comes_within_the_delay_and_not_before_it_is_known(models, kind):
    stream = StreamingSegmenter(models[kind], fps=8)
    frames = motion(150, gaps=0).skeleton
    reach_frames = stream.reach_s * 8
    assert stream.delay_s == pytest.approx(stream.reach_s + 1)  # a patch is a second
    for now in range(1, 151):
        for answer in stream.push(frames[now - 1 : now]):
            first_frame_came = (answer.start_frame + 1) / 8
            assert now / 8 - first_frame_came <= stream.delay_s
            assert 0 < now - answer.stop_frame <= reach_frames


def test_frames_without_a_root_wait_until_it_is_seen_again(models):
    recording = motion(80, gaps=0, **ROOTED)
    recording.skeleton[20:50, 0] = np.nan
    stream = StreamingSegmenter(models["centred"], like=recording)
    answered = [len(stream.push(recording.skeleton[k : k + 1])) for k in range(80)]
    assert sum(answered[:50]) == (20 - 6) // 8  # of the frames before the gap
    assert sum(answered[:51]) == (51 - 6) // 8  # the root is back in frame 50


def test_names_merge_and_call_actions(models):
    names = Names(actions={0: Named("rest"), 1: Named("swing"), 2: Named("rest")})
    frames = motion(150, seed=2).skeleton
    bare, named = (StreamingSegmenter(models["plain"], names=given) for given in (None, names))
    for before, after in zip(
        [*bare.push(frames), *bare.finish()], [*named.push(frames), *named.finish()], strict=True
    ):
        code = {0: 0, 1: 1, 2: 0, -1: -1}[before.action]
        called = {0: "rest", 1: "swing", -1: ""}[code]
        assert (after.action, after.name) == (code, called)
        assert astuple(after)[6:8] == astuple(before)[6:8]


def test_joints_come_into_the_models_order_and_lacking_ones_are_told_of_once(models):
    recording = motion(60, gaps=0)
    shuffled = Recording(
        id="s", skeleton=recording.skeleton[:, [2, 0, 1]] * 1000, fps=8, unit="mm",
        joint_names=("joint2", "joint0", "joint1"),
    )  # fmt: skip
    stream = StreamingSegmenter(models["plain"], like=shuffled)
    answers = [*stream.push(shuffled.skeleton), *stream.finish()]
    assert [a.action for a in answers] == models["plain"].predict(shuffled).actions[::8].tolist()
    named = HiSTVQ(**HISTVQ).fit([motion(100, joint_names=("hip", "knee", "foot"))])
    lacking = Recording(
        id="l", skeleton=recording.skeleton[:, 1:], fps=8, unit="m", joint_names=("knee", "foot")
    )
    with pytest.warns(DataWarning, match="lacks joints, taken as missing throughout: hip") as told:
        stream = StreamingSegmenter(named, like=lacking)
    assert len(told) == 1
    stream.push(lacking.skeleton)  # a warning would be an error


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("plain", {"fps": 16}, "16 frames a second; a stream must come at the model's 8 "),
        ("plain", {"fps": 7}, "7 frames a second"),
        ("every second", {"fps": 10}, "at the model's 4 or a whole multiple of that. Send"),
        ("every second", {}, "say how many come a second: fps="),
        ("centred", {}, r"parents are not known, so there is no root: .*--option parents="),
        ("behind transforms", {}, r"unit=mm, select=joint2,joint0\), so what it takes"),
    ],
)
def test_what_cannot_stream_says_why(models, kind, options, words):
    with pytest.raises(ConfigError, match=words):
        StreamingSegmenter(models[kind], **options)


def test_methods_and_transforms_that_need_all_frames_are_named():
    kmeans = make_method("window-kmeans", n_actions=2).fit([motion(200, gaps=0)])
    with pytest.raises(ConfigError, match=r"methods that stream are histvq, smq$"):
        StreamingSegmenter(kmeans)
    filtered = prepared(HiSTVQ(**HISTVQ), ["unit=mm", "low-pass=2"])
    with pytest.raises(ConfigError, match="transform low-pass=2 needs frames that have not come"):
        StreamingSegmenter(filtered, like=motion(1))


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (np.zeros((2, 8)), r"shape \(2, 8\); expected \(frame, 3, 3\), or \(frame, 9\)"),
        (
            np.zeros((3, 3)),
            "9 numbers a frame, in the order joint0_x, joint0_y, joint0_z, joint1_x",
        ),
        (np.array([["a"] * 9]), "no numbers"),
        (np.where(np.arange(18).reshape(2, 9) == 13, np.inf, 0), "frame 11, joint1 y"),
    ],
)
def test_frames_that_are_none_change_nothing(models, frames, words):
    stream, other = (StreamingSegmenter(models["plain"]) for _ in range(2))
    good = motion(40).skeleton
    stream.push(good[:10])
    with pytest.raises(ConfigError, match=words):
        stream.push(frames)
    assert [*stream.push(good[10:]), *stream.finish()] == [*other.push(good), *other.finish()]


def test_a_finished_stream_takes_no_more(models):
    stream = StreamingSegmenter(models["plain"])
    assert stream.finish() == []
    assert stream.finish() == []
    with pytest.raises(ConfigError, match="finished"):
        stream.push(motion(1).skeleton)
