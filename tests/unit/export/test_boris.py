import json

import numpy as np
from hypothesis import given, settings

from histvq.export.boris import write_boris
from histvq.io.labels.boris import read_boris
from oracles import boris_structure
from oracles.exported import UNSAFE, answer, answers, assert_same, labelled, recordings_of


def written(run, folder, **more):
    return json.loads(write_boris(folder / "run.boris", run, **more).read_text(encoding="ascii"))


def test_events_worked_out_by_hand(tmp_path):
    run = [
        answer(
            [0, 0, 1, -1, 0],
            subactions=[2, 2, 3, 3, 3],
            confidence=[1, 0.5, 0.25, 0, 0],
            person="Ada",
        )
    ]
    project = written(run, tmp_path)
    assert project["observations"]["walk1"]["events"] == [
        [0.0, "Ada", "action 0", "", "confidence 0.75"],
        [0.0, "Ada", "subaction 2", "", "confidence 0.75"],
        [0.2, "Ada", "action 0", "", ""],
        [0.2, "Ada", "subaction 2", "", ""],
        [0.2, "Ada", "action 1", "", "confidence 0.25"],
        [0.2, "Ada", "subaction 3", "", "confidence 0.08"],
        [0.3, "Ada", "action 1", "", ""],
        [0.4, "Ada", "action 0", "", "confidence 0.00"],
        [0.5, "Ada", "action 0", "", ""],
        [0.5, "Ada", "subaction 3", "", ""],
    ]
    assert [s["name"] for s in project["subjects_conf"].values()] == ["Ada"]


def test_behaviours_are_told_apart_by_key_category_and_colour(tmp_path):
    project = written([answer([0, 1, 1], subactions=[0, 1, 2])], tmp_path)
    behaviours = list(project["behaviors_conf"].values())
    assert [(b["key"], b["code"], b["category"], b["type"]) for b in behaviours] == [
        ("a", "action 0", "action", "State event"),
        ("b", "action 1", "action", "State event"),
        ("c", "subaction 0", "subaction", "State event"),
        ("d", "subaction 1", "subaction", "State event"),
        ("e", "subaction 2", "subaction", "State event"),
    ]
    assert [b["excluded"] for b in behaviours[:3]] == [
        "action 1",
        "action 0",
        "subaction 1,subaction 2",
    ]
    assert len({b["color"] for b in behaviours[:2]}) == 2
    assert all(b["color"].startswith("#") and len(b["color"]) == 7 for b in behaviours)


@settings(max_examples=50)
@given(run=answers())
def test_any_run_has_the_structure_of_boris_own_projects(run, tmp_path_factory):
    assert boris_structure.faults(written(run, tmp_path_factory.mktemp("b"))) == []


def test_the_structure_check_finds_what_is_wrong(tmp_path):
    project = written([answer([0, 1])], tmp_path)
    project["behaviors_conf"]["0"]["key"] = "b"
    project["behaviors_conf"]["1"]["excluded"] = "walk"
    project["observations"]["walk1"]["events"].pop()
    del project["converters"]
    found = " ".join(boris_structure.faults(project))
    for fault in ("no converters", "key 'b'", "excluded 'walk'", "never stops"):
        assert fault in found


def test_sixty_actions_and_twice_as_many_subactions_have_a_key_each(tmp_path):
    project = written([answer(np.arange(60).repeat(2), subactions=np.arange(120))], tmp_path)
    assert boris_structure.faults(project) == []
    keys = "".join(b["key"] for b in project["behaviors_conf"].values())
    assert keys[:60] == "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:60]
    assert all(key.isalpha() for key in keys[62:])


@settings(max_examples=100)
@given(run=answers())
def test_export_and_reading_back_lose_nothing(run, tmp_path_factory):
    if labelled(run):
        path = write_boris(tmp_path_factory.mktemp("b") / "run.boris", run)
        assert_same(run, read_boris(path, recordings_of(run)))


def test_unsafe_ids_people_and_names(tmp_path):
    run = [answer([place, 1], id=id, person=id) for place, id in enumerate(UNSAFE)]
    project = written(run, tmp_path)
    assert boris_structure.faults(project) == []
    assert_same(run, read_boris(tmp_path / "run.boris", recordings_of(run)))


def test_names_that_boris_cannot_have_and_one_that_both_levels_have(tmp_path):
    run = [
        answer(
            [0, 1, 2],
            names={0: "walk, fast|slow", 1: "subaction 1", 2: " x "},
            subactions=[1, 1, 0],
        )
    ]
    project = written(run, tmp_path)
    assert boris_structure.faults(project) == []
    codes = [b["code"] for b in project["behaviors_conf"].values()]
    assert codes == ["walk_ fast_slow", "subaction 1", "x", "subaction 0", "subaction 1 (2)"]
    (back,) = read_boris(tmp_path / "run.boris", recordings_of(run))
    assert back.actions == ("walk_ fast_slow", "subaction 1", "x")


def test_media_lie_beside_the_project(tmp_path):
    video = tmp_path / "videos" / "walk 1.mp4"
    video.parent.mkdir()
    video.touch()
    run = [answer([0] * 25), answer([0], id="other")]
    project = written(run, tmp_path / "out", media={"walk1": (video,)})
    assert boris_structure.faults(project) == []
    one, other = project["observations"].values()
    assert one["type"] == "MEDIA"
    assert one["file"] == {"1": ["../videos/walk 1.mp4"]}
    assert one["media_info"]["length"] == {"../videos/walk 1.mp4": 2.5}
    assert other["type"] == "LIVE"
