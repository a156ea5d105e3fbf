import warnings
from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_samples

from histvq.datasets import load_dataset
from histvq.errors import ConfigError, DataWarning
from histvq.methods.window_kmeans import WindowKMeans
from histvq.recording import Recording
from histvq.report.analysis import cards
from histvq.report.analysis.points import means_within, points_of
from histvq.report.analysis.spans import segments_of
from histvq.segments import Segmentation

FPS = 20.0


def answer(name, actions, *, fps=FPS, **more):
    return Segmentation(
        recording_id=name, fps=fps, actions=np.array(actions, dtype=np.int32), **more
    )


def moving(name, actions, *, seed=0, n_joints=3, unclear=(), **more):
    """A recording in which each action is a posture of its own, and the answer for it.

    In the frames `unclear` the posture is half way to that of the action 1 above.
    """
    generator = np.random.default_rng(seed)
    posture = np.random.default_rng(99).normal(size=(10, n_joints, 3)) * 100
    shown = np.maximum(np.array(actions), 0)
    skeleton = posture[shown] + generator.normal(size=(len(shown), n_joints, 3))
    for frame in unclear:
        skeleton[frame] = (posture[shown[frame]] + posture[shown[frame] + 1]) / 2
    return Recording(id=name, skeleton=skeleton, fps=FPS, **more), answer(name, actions)


def runs(*pairs):
    """Frames of (action, seconds)."""
    return [action for action, seconds in pairs for _ in range(round(seconds * FPS))]


@pytest.fixture
def four():
    """Four recordings: action 0 and 1 in all, 2 only in r2, 3 only with Eve, who is in r2 and r3."""
    plan = [
        runs((0, 6), (1, 4), (0, 3), (1, 3)),
        runs((1, 5), (0, 4), (1, 4)),
        runs((0, 5), (2, 3), (1, 4), (3, 3), (2, 3), (0, 4)),
        runs((1, 5), (3, 4), (0, 5)),
    ]
    people = ["Ann", "Ann", "Eve", "Eve"]
    pairs = [
        moving(f"r{k}", plan, seed=k, person=person)
        for k, (plan, person) in enumerate(zip(plan, people, strict=True))
    ]
    return [a for _, a in pairs], [r for r, _ in pairs]


def by_action(made):
    return {card.action: card for card in made}


def plain(made):
    """Cards as something that can be compared."""
    return [
        (c.action, c.name, c.clips, c.durations_s.tolist(), c.seconds_in, c.seconds_of,
         c.distinctness and round(c.distinctness, 9), c.nearest, c.remark)
        for c in made
    ]  # fmt: skip


def test_where_and_how_long(four):
    found = by_action(cards(*four))
    assert sorted(found) == [0, 1, 2, 3]
    assert found[0].durations_s.tolist() == [6, 3, 4, 5, 4, 5]
    assert found[0].seconds_in == {"r0": 9, "r1": 4, "r2": 9, "r3": 5}
    assert found[0].seconds_of == {
        "Ann": 13,
        "Eve": 14,
    }  # the answers don't say who, the recordings do
    assert (found[2].seconds_in, found[3].seconds_of) == ({"r2": 6}, {"Eve": 7})
    assert found[0].name == "action 0"


def test_remarks_on_where_it_lives(four):
    found = by_action(cards(*four))
    assert [found[k].remark for k in range(4)] == [
        "",
        "",
        "only in recording r2",
        "only in person Eve",
    ]
    one = cards(four[0][2:3], four[1][2:3])
    assert [card.remark for card in one] == [""] * 4  # one recording, one person: nothing to say


def test_clear_actions_are_distinct_and_their_nearest_is_nearest(four):
    answers, recordings = four
    found = by_action(cards(answers, recordings))
    assert all(card.distinctness > 0.5 for card in found.values())
    points = points_of(recordings)
    segments = segments_of(answers)
    inside = means_within([points[a.recording_id] for a in answers], segments)
    expected = silhouette_samples(inside, segments.action)
    for code, card in found.items():
        assert card.distinctness == pytest.approx(expected[segments.action == code].mean())
        assert card.nearest in set(found) - {code}


def test_clips_show_the_action_and_are_long_enough(four):
    answers, recordings = four
    labels = {a.recording_id: a.actions for a in answers}
    for card in cards(answers, recordings):
        assert card.clips
        assert len({astuple(clip)[:3] for clip in card.clips}) == len(card.clips)
        for clip in card.clips:
            assert set(labels[clip.recording_id][clip.start : clip.stop]) == {card.action}
            assert 1 <= (clip.stop - clip.start) / FPS <= 4
    typical = [c.recording_id for c in by_action(cards(*four))[0].clips if c.kind == "typical"]
    assert len({*typical} & {"r0", "r1"}) == len({*typical} & {"r2", "r3"}) == 1  # of Ann, of Eve


def test_the_unclear_clip_is_borderline():
    plan = [runs((0, 3), (1, 3), (0, 3), (1, 3), (0, 3), (1, 3), (0, 3))] * 3
    unclear = [(), range(120, 180), ()]
    pairs = [
        moving(f"r{k}", p, seed=k, unclear=u)
        for k, (p, u) in enumerate(zip(plan, unclear, strict=True))
    ]
    made = cards([a for _, a in pairs], [r for r, _ in pairs], clips_per_kind=1)
    clips = {clip.kind: clip for clip in by_action(made)[0].clips}
    assert astuple(clips["borderline"])[:3] == ("r1", 120, 180)


def test_two_names_for_one_thing_are_hardly_distinct():
    recording, _ = moving("r", [0] * 1200)
    labels = np.arange(1200) // 50 * 7 // 3 % 2
    made = cards([answer("r", labels, names={1: "wave"})], [recording])
    assert all(abs(card.distinctness) < 0.2 for card in made)


def test_an_action_on_both_sides_of_another_is_hardly_distinct():
    skeleton = np.repeat([-9.0, 0, 9], 100)[:, None, None]
    given = answer("r", [0] * 100 + [1] * 100 + [0] * 100)
    made = cards([given], [Recording(id="r", skeleton=skeleton, fps=FPS)])
    assert by_action(made)[0].remark == "hardly distinct: nearest to it is action 1"


def test_a_remark_on_what_hardly_ever_occurs_and_on_flicker():
    flicker = [2, 2, 2, 0] * 6
    made = by_action(cards([answer("r", runs((0, 50), (1, 2), (0, 50)) + flicker)]))
    assert made[1].remark == "hardly ever occurs: 2.0 s, 1.9% of the time"
    assert "flickers: 6 of 6 segments are shorter than 0.5 s" in made[2].remark
    assert "too short to see, 0.15 s at most" in made[2].remark
    assert made[2].clips == ()
    assert made[0].clips
    assert made[0].remark == "flickers: 6 of 8 segments are shorter than 0.5 s"


@pytest.mark.parametrize(
    ("short", "long", "flickers"), [(4, 1, 0), (5, 5, 0), (6, 5, 1), (5, 4, 1)]
)
def test_flicker_is_many_and_more_than_half(short, long, flickers):
    (card,) = cards([answer("r", runs(*[(0, 0.4), (-1, 1)] * short, *[(0, 0.5), (-1, 1)] * long))])
    assert ("flickers" in card.remark) == flickers


def test_what_has_a_name_but_never_occurs_says_so():
    made = cards([answer("r", [0] * 40, names={0: "walk", 3: "<b>fly</b>"})])
    assert [(c.name, c.remark, len(c.clips), len(c.durations_s)) for c in made] == [
        ("walk", "", 1, 1),
        ("<b>fly</b>", "never occurs", 0, 0),
    ]


def test_without_recordings_the_surest_are_typical_and_the_least_sure_borderline():
    sure = [0.5, 0.9, 0.7, 0.1, 0.6, 0.3, 0.2, 0.8]
    answers = [
        answer(f"r{k}", [0] * 40, confidence=np.array([np.nan] + [c] * 39))
        for k, c in enumerate(sure)
    ]
    (card,) = cards(answers)
    assert (card.distinctness, card.nearest) == (None, None)
    assert [(c.recording_id, c.kind) for c in card.clips[:4]] == [
        ("r1", "typical"), ("r7", "typical"), ("r3", "borderline"), ("r6", "borderline"),
    ]  # fmt: skip
    (card,) = cards([replace(a, confidence=None) for a in answers])
    assert [clip.kind for clip in card.clips] == ["random", "random"]


def test_one_action_is_compared_with_nothing():
    recording, given = moving("r", [4] * 400)
    (card,) = cards([given], [recording])
    assert (card.distinctness, card.nearest) == (None, None)
    assert {clip.kind for clip in card.clips} == {"typical", "random"}


def test_recordings_that_are_not_at_hand_give_no_clips(four):
    answers, recordings = four
    made = by_action(cards(answers, recordings[:2]))
    assert made[0].clips
    assert {clip.recording_id for clip in made[0].clips} <= {"r0", "r1"}
    assert made[2].clips == ()
    assert "its recordings are not at hand" in made[2].remark
    assert (made[2].distinctness, made[2].nearest) == (None, None)


def test_nothing_measured_is_nothing_to_see():
    recording, given = moving("r", runs((0, 4), (1, 4), (0, 4), (2, 4)))
    recording.skeleton[80:160] = np.nan
    recording.skeleton[:30, 1] = np.nan
    made = by_action(cards([given], [recording]))
    assert made[1].clips == ()
    assert made[1].distinctness is None
    assert "nothing was measured" in made[1].remark
    assert made[0].clips
    everything = replace(recording, skeleton=np.full_like(recording.skeleton, np.nan))
    assert all(not c.clips and c.distinctness is None for c in cards([given], [everything]))


def test_a_joint_that_one_recording_lacks_does_not_set_it_apart(four):
    answers, recordings = four
    recordings[0].skeleton[:, 1] = np.nan
    made = by_action(cards(answers, recordings))
    assert made[0].distinctness > 0.5
    assert made[1].distinctness > 0.5


def test_recordings_that_do_not_fit_together_are_shown_but_not_compared(four):
    answers, recordings = four
    recordings[0] = replace(recordings[0], joint_names=("a", "b", "c"))
    with pytest.warns(
        DataWarning, match="not compared with one another: recording .* does not fit"
    ):
        made = cards(answers, recordings)
    assert all(c.clips and c.distinctness is None for c in made)


def test_an_answer_out_of_step_is_refused(four):
    answers, recordings = four
    answers[1] = answer("r1", [0] * 7)
    with pytest.raises(ValueError, match="'r1': the answer has 7 frames, the recording 260"):
        cards(answers, recordings)
    with pytest.raises(ConfigError, match="clips_per_kind -1"):
        cards(answers, clips_per_kind=-1)


def test_the_same_run_gives_the_same_cards_in_any_order(four):
    answers, recordings = four
    first = plain(cards(answers, recordings, seed=3))
    assert plain(cards(answers, recordings, seed=3)) == first
    assert plain(cards(answers[::-1], recordings[::-1], seed=3)) == first


def test_another_seed_gives_other_random_clips_and_the_same_others():
    recording, given = moving("r", runs(*[(k % 2, 4) for k in range(60)]))
    found = [by_action(cards([given], [recording], seed=seed))[0].clips for seed in range(3)]
    assert found[0][:4] == found[1][:4] == found[2][:4]
    assert len({clips[4:] for clips in found}) == 3


@pytest.mark.parametrize("answers", [[], [answer("a", [])], [answer("a", [-1, -1])]])
def test_nothing_found_has_no_cards(answers):
    assert cards(answers) == []


def test_no_clips_wanted_is_no_reason_to_remark(four):
    made = cards(*four, clips_per_kind=0)
    assert not any(card.clips or "no clips" in card.remark for card in made)


@settings(max_examples=40)
@given(
    rows=st.lists(
        st.lists(st.tuples(st.integers(-1, 3), st.integers(1, 90)), min_size=1, max_size=6),
        min_size=1, max_size=4,
    ),
    channels=st.sampled_from([("x", "y"), ("x", "y", "z"), ("acc_x", "gyro_x"), ("angle",)]),
    n_joints=st.integers(1, 3),
    missing=st.sampled_from([0, 0.3, 0.95]),
)  # fmt: skip
def test_whatever_was_recorded_every_action_has_a_card(rows, channels, n_joints, missing):
    generator = np.random.default_rng(0)
    answers, recordings = [], []
    for k, row in enumerate(rows):
        labels = [label for label, length in row for _ in range(length)]
        skeleton = generator.normal(size=(len(labels), n_joints, len(channels)))
        skeleton[generator.random(skeleton.shape) < missing] = np.nan
        answers.append(answer(f"r{k}", labels))
        recordings.append(Recording(id=f"r{k}", skeleton=skeleton, fps=FPS, channel_names=channels))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = cards(answers, recordings)
    found = {label for row in rows for label, _ in row if label >= 0}
    assert [card.action for card in made] == sorted(found)
    for card in made:
        assert card.clips or card.remark
        assert card.distinctness is None or -1 <= card.distinctness <= 1
        assert sum(card.seconds_in.values()) == pytest.approx(card.durations_s.sum())
        for clip in card.clips:
            shown = answers[int(clip.recording_id[1:])].actions[clip.start : clip.stop]
            assert set(shown.tolist()) == {card.action}


def test_sixty_actions_in_many_recordings():
    generator = np.random.default_rng(0)
    answers = [answer(f"r{k}", np.repeat(generator.integers(60, size=20), 30)) for k in range(300)]
    made = cards(answers)
    assert len(made) == 60
    assert all(len(card.clips) == 2 for card in made)


@pytest.mark.real_data
def test_typical_clips_of_real_exercises_show_one_exercise(shared_data):
    """Of what window k-means finds in CMU's five recordings; truth is seen here alone."""
    data = load_dataset("cmu-exercises", shared_data / "cmu_exercises")
    model = WindowKMeans(n_actions=9, random_state=0).fit(data.recordings)
    answers = model.predict(list(data.recordings))
    truth = {annotation.recording_id: annotation.labels for annotation in data.annotations}

    def purity(kind):
        """Mean share of the commonest exercise in the clips of this kind."""
        clips = [clip for card in made for clip in card.clips if clip.kind == kind]
        labels = [truth[clip.recording_id][clip.start : clip.stop] for clip in clips]
        return np.mean([np.bincount(row).max() / len(row) for row in labels])

    made = cards(answers, data.recordings)
    assert [card.action for card in made] == list(range(9))
    assert all(card.clips for card in made)
    assert purity("typical") > 0.95
    assert purity("typical") > purity("borderline")
    assert all(card.distinctness is None or card.distinctness > 0 for card in made)
    alone = {card.action: card.remark for card in made if "only in" in card.remark}
    assert len(alone) >= 1
