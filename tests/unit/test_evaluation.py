import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.evaluation import confusion, evaluate, matched_labels
from histvq.segments import Segmentation
from oracles.scores import all_scores

ACTIONS = ("walk", "sit", "stand")


def truth(labels, recording_id="r0", actions=ACTIONS):
    labels = np.array(labels, dtype=int)
    return Annotation(recording_id=recording_id, labels=labels, actions=actions, fps=60.0)


def answer(labels, recording_id="r0", **more):
    return Segmentation(recording_id=recording_id, fps=60.0, actions=np.array(labels), **more)


@st.composite
def datasets(draw):
    """Recordings of short runs: (predicted, true) label lists, -1 included."""
    run = st.tuples(st.integers(-1, 4), st.integers(-1, 2), st.integers(1, 25))
    recordings = draw(st.lists(st.lists(run, max_size=8), min_size=1, max_size=4))
    recordings.append([(0, 0, 1)])  # one labelled frame at least
    return [
        tuple([row[side] for row in runs for _ in range(row[2])] for side in (0, 1))
        for runs in recordings
    ]


def as_inputs(dataset):
    annotations = [truth(true, f"r{i}") for i, (_, true) in enumerate(dataset)]
    return [np.array(predicted, dtype=int) for predicted, _ in dataset], annotations


def test_two_recordings_by_hand():
    # Code 5 is walk on 4 frames, code 2 sit on 3: 7 of 8 frames right.
    # Edit: walk sit against walk sit (100), walk sit against walk sit (100).
    scores = evaluate(
        [answer([2, 5, 5], "b"), answer([5, 5, 2, 2, 2], "a")],
        [truth([0, 0, 0, 1, 1], "a"), truth([1, 0, 0], "b")],
    )
    assert scores.mof == 87.5
    assert scores.edit == 100
    # IoUs 2/3, 2/3, 1, 1: all reach 50 %.
    assert scores.f1 == {10: 100, 25: 100, 50: 100}
    assert scores.jsd == 0
    assert scores.matched == {2: "sit", 5: "walk"}
    assert str(scores) == "MoF 87.5  Edit 100.0  F1@10 100.0  F1@25 100.0  F1@50 100.0  JSD 0.0"


@given(datasets())
def test_scores_are_the_oracles_whatever_the_matching(dataset):
    answers, annotations = as_inputs(dataset)
    activities = {a.recording_id: "odd" if i % 2 else "even" for i, a in enumerate(annotations)}
    for matching in ("global", "recording", None):
        scores = evaluate(answers, annotations, matching=matching, activities=activities)
        matched = [
            labels.tolist() for labels in matched_labels(answers, annotations, scores).values()
        ]
        expected = all_scores(matched, [true for _, true in dataset], list(activities.values()))
        assert dict(scores.values) == pytest.approx(expected, abs=1e-4)


@given(datasets(), st.permutations(range(5)))
def test_renaming_codes_changes_nothing(dataset, names):
    answers, annotations = as_inputs(dataset)
    renamed = [np.array([*names, -1])[codes] for codes in answers]
    for matching in ("global", "recording"):
        before, after = (evaluate(a, annotations, matching=matching) for a in (answers, renamed))
        assert dict(before.values) == dict(after.values)


@given(datasets())
def test_bounds_that_always_hold(dataset):
    answers, annotations = as_inputs(dataset)
    scores = evaluate(answers, annotations)
    assert all(0 <= value <= 100 for value in scores.values.values())
    assert scores.f1[10] >= scores.f1[25] >= scores.f1[50]
    assert evaluate(answers, annotations, matching="recording").mof >= scores.mof >= 0
    assert scores.mof >= evaluate(answers, annotations, matching=None).mof


@given(datasets())
def test_the_truth_under_other_names_scores_100(dataset):
    _, annotations = as_inputs(dataset)
    perfect = [np.array([8, 3, 5, -1])[a.labels] for a in annotations]
    assert dict(evaluate(perfect, annotations).values) == {
        "mof": 100, "edit": 100, "f1@10": 100, "f1@25": 100, "f1@50": 100, "jsd": 0,
    }  # fmt: skip


def test_matching_over_the_dataset_or_within_recordings():
    answers = [np.array([0, 0, 0]), np.array([0, 0])]
    annotations = [truth([0, 0, 0], "a"), truth([1, 1], "b")]
    assert evaluate(answers, annotations).mof == 60
    apart = evaluate(answers, annotations, matching="recording")
    assert apart.mof == 100
    assert apart.matched == {}
    assert apart.matches == {"a": {0: 0}, "b": {0: 1}}
    assert "by itself" in apart.protocol["matching"]


def test_codes_taken_for_action_indices():
    scores = evaluate([np.array([1, 1, 9])], [truth([1, 0, 0])], matching=None)
    assert scores.mof == pytest.approx(100 / 3)
    assert scores.matched == {1: "sit"}
    assert scores.protocol["surplus_codes"] == 1


def test_the_protocol_says_what_was_counted():
    scores = evaluate(
        [np.array([4, 4, 7, -1, 7]), np.array([3])],
        [truth([0, 0, 0, 1, -1], "a"), truth([-1], "b")],
    )
    assert scores.protocol == {
        "matching": "one Hungarian matching of codes to actions over all recordings",
        "level": "action",
        "n_codes": 3,
        "surplus_codes": 1,  # sit is left over for one of 7 and 3
        "n_recordings": 2,
        "scored_frames": 4,
        "unlabelled_frames": 2,
        "unanswered_frames": 1,
        "fps": [60.0],
        "majority_action": "walk",
        "majority_percent": 75.0,
    }
    assert json.loads(json.dumps(scores.to_dict()))["matched"] == {"4": "walk", "7": "sit"}


def test_the_subactions_are_scored_when_asked_for():
    both = answer([0, 0, 0, 0], subactions=np.array([0, 0, 1, 1]))
    annotations = [truth([0, 0, 1, 1])]
    assert evaluate([both], annotations).mof == 50
    assert evaluate([both], annotations, level="subaction").mof == 100


def test_some_scores_only():
    scores = evaluate([np.array([0, 0])], [truth([0, 1])], metrics=["edit", "jsd-true-bins"])
    assert list(scores.values) == ["edit", "jsd-true-bins"]
    assert str(scores) == "Edit 50.0  jsd-true-bins 0.0"
    with pytest.raises(ConfigError, match=r"'mof' was not computed: add it to evaluate"):
        _ = scores.mof


def test_scores_of_each_recording_under_the_common_matching():
    answers = [np.array([0, 0, 0]), np.array([0, 1]), np.array([2])]
    annotations = [truth([0, 0, 0], "a"), truth([1, 1], "b"), truth([-1], "c")]
    table = evaluate(answers, annotations).per_recording()
    assert table["mof"].tolist()[:2] == [100, 50]
    assert table["n_frames"].tolist() == [3, 2, 0]
    assert np.isnan(table.loc["c", "edit"])


def test_confusion_by_hand():
    scores = evaluate([np.array([6, 6, 2, 9, -1, 2])], [truth([0, 0, 1, 1, 1, -1])])
    table = confusion(scores)
    # 6 is walk, 2 sit (it comes before 9, with as many frames), 9 is left over.
    assert table.columns.tolist() == ["walk", "sit", "stand", "cluster 9", "no answer"]
    assert table.to_numpy().tolist() == [[2, 0, 0, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]]


def test_confusion_of_recordings_matched_apart_pools_their_surplus():
    answers = [np.array([0, 0, 1, 2]), np.array([3, 3, 0])]
    annotations = [truth([0, 0, 0, 0], "a"), truth([1, 1, 1], "b")]
    table = confusion(evaluate(answers, annotations, matching="recording"))
    assert table.columns.tolist() == ["walk", "sit", "stand", "surplus codes", "no answer"]
    assert table.loc["walk"].tolist() == [2, 0, 0, 2, 0]
    assert table.loc["sit"].tolist() == [0, 2, 0, 1, 0]


def test_matched_labels_keep_unlabelled_frames_and_surplus_codes_apart():
    answers, annotations = [np.array([6, 9, 2, 6, -1])], [truth([0, 0, -1, 0, 0])]
    labels = matched_labels(answers, annotations, evaluate(answers, annotations))
    assert labels["r0"].tolist() == [0, 3, 4, 0, -1]


def test_unsigned_codes_are_codes():
    assert evaluate([np.array([1, 0], dtype=np.uint8)], [truth([0, 1])]).mof == 100


@pytest.mark.parametrize(
    ("answers", "annotations", "options", "words"),
    [
        ([answer([0], "a")], [truth([0], "b")], {}, "no answer for 'b'; no annotation for 'a'"),
        ([answer([0], "a")] * 2, [truth([0], "a")], {}, "answers hold .* more than once: 'a'"),
        ([answer([0])], [truth([0])] * 2, {}, "annotations hold .* more than once: 'r0'"),
        ([np.array([0])] * 2, [truth([0])], {}, "2 answers for 1 annotations"),
        ([np.array([0]), answer([0])], [truth([0], "a"), truth([0])], {}, "give one kind"),
        (
            [answer([0, 0, 0])],
            [truth([0])],
            {},
            r"'r0': answer of 3 frames at 60 fps .0\.1 s., annotation of 1 at 60 fps",
        ),
        ([np.array([0.5])], [truth([0])], {}, r"shape \(1,\) and type float64, expected one int"),
        ([np.array([-2])], [truth([0])], {}, "'r0': code -2; codes start at 0"),
        ([answer([0])], [truth([0])], {"level": "subaction"}, "'r0' has no subactions"),
        ([answer([0])], [truth([0])], {"level": "motion"}, "level is 'motion'; it can be 'action'"),
        ([answer([0])], [truth([0])], {"matching": "local"}, "matching is 'local'; it can be"),
        ([answer([0])], [truth([0])], {"metrics": ["moff"]}, "no metric is called 'moff'"),
        ([answer([0])], [truth([0])], {"activities": {}}, "no activity given .* first 'r0'"),
        ([answer([0])], [truth([-1])], {}, "no frame of the 1 annotations is labelled"),
        ([], [], {}, "no annotations"),
        (
            [answer([0], "a"), answer([0], "b")],
            [truth([0], "a"), truth([0], "b", actions=("run",))],
            {},
            "'a' and 'b' have different actions",
        ),
    ],
)
def test_errors_say_what_is_wrong_and_where(answers, annotations, options, words):
    with pytest.raises(ConfigError, match=words):
        evaluate(answers, annotations, **options)


NAMED = {0: "stand", 1: "walk", 4: "fly"}


def test_names_say_which_code_is_which_action():
    # Code 1 is walk, 0 is stand, whatever they overlap with; nobody's label is fly.
    named = answer([1, 1, 0, 0, 4], names=NAMED)
    scores = evaluate([named], [truth([1, 0, 2, 2, 2])])
    assert scores.mof == 60
    assert scores.matched == {0: "stand", 1: "walk"}
    assert scores.protocol["matching"].startswith("none")
    assert (scores.protocol["surplus_codes"], scores.protocol["names_no_label_has"]) == (1, "fly")
    assert evaluate([named], [truth([1, 0, 2, 2, 2])], matching=None).mof == 60
    table = confusion(scores)
    assert table.loc["stand", "stand"] == 2
    assert table.loc["stand", "cluster 4"] == 1


def test_who_asks_for_it_has_named_codes_matched_all_the_same():
    named, true = answer([1, 1, 0, 0], names=NAMED), truth([2, 2, 0, 0])
    assert evaluate([named], [true]).mof == 0
    assert evaluate([named], [true], matching="global").mof == 100
    assert "names_no_label_has" not in evaluate([named], [true], matching="global").protocol


def test_clusters_are_matched_unless_somebody_says_not_to():
    clusters, true = answer([2, 2, 0, 0]), truth([0, 0, 2, 2])
    assert evaluate([clusters], [true]).mof == 100
    assert evaluate([clusters], [true], matching=None).mof == 0


def test_no_name_in_common_is_no_score_of_nought():
    with pytest.raises(
        ConfigError, match=r"\(fly\) and the labels' \(walk, sit, stand\) have no name"
    ):
        evaluate([answer([0, 0], names={0: "fly"})], [truth([0, 0])])


def test_answers_of_two_models_are_not_scored_together():
    true = [truth([0, 0], "a"), truth([0, 0], "b")]
    with pytest.raises(ConfigError, match="code 0 is 'walk' in one answer and 'sit' in another"):
        evaluate(
            [answer([0, 0], "a", names={0: "walk"}), answer([0, 0], "b", names={0: "sit"})], true
        )
    with pytest.raises(ConfigError, match="some answers name their actions, others don't"):
        evaluate([answer([0, 0], "a", names={0: "walk"}), answer([0, 0], "b")], true)
