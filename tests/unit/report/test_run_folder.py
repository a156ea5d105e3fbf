import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import read_many
from histvq.io.npz import write_npz
from histvq.recording import Recording
from histvq.report import read_frames
from histvq.report.run_folder import corrected_by_hand, out_of_date, read_run, read_sources
from histvq.results import rewrite_report, write_answers
from histvq.segments import Segmentation

ACTIONS = ("sit", "walk", "swim")
TABLES = ("frames.csv", "segments.csv", "usage.csv")
METHOD = {"name": "WindowKMeans", "n_actions": 4, "alpha": 2}


@pytest.fixture
def recordings():
    rng = np.random.default_rng(0)
    return [
        Recording(id=name, skeleton=rng.standard_normal((60, 2, 3)), fps=10, person=person)
        for name, person in (("ada 1", "ada"), ("ada 2", "ada"), ("ben", "b,e\nn"))
    ]


@pytest.fixture
def answers(recordings):
    """Action 2 in one recording only, and a recording nothing can be said of."""
    rng = np.random.default_rng(1)
    rows = [[0] * 20 + [1] * 20 + [2] * 20, [1] * 30 + [0] * 30, [-1] * 60]
    return [
        Segmentation(
            recording_id=recording.id,
            fps=recording.fps,
            actions=np.array(row, np.int32),
            subactions=np.array(row, np.int32) * 2,
            confidence=rng.random(60),
            person=recording.person,
        )
        for recording, row in zip(recordings, rows, strict=True)
    ]


@pytest.fixture
def truth():
    rows = {"ada 1": [1] * 20 + [0] * 40, "ada 2": [0] * 30 + [1] * 30, "ben": [-1] * 50 + [1] * 10}
    return [
        Annotation(recording_id=id, labels=np.array(row), actions=ACTIONS, fps=10)
        for id, row in rows.items()
    ]


@pytest.fixture
def folder(tmp_path, recordings, answers, truth, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for recording in recordings:
        write_npz(tmp_path / "data" / f"{recording.id}.npz", recording)
    write_answers(
        tmp_path / "runs" / "r",
        answers,
        annotations=truth,
        warnings=["odd"],
        skipped=[(Path("x.npz"), "cut")],
        settings={"method": METHOD, "data": ["data"]},
    )
    return tmp_path / "runs" / "r"


def name(folder, text):
    (folder / "names.yaml").write_text(text, encoding="utf-8")


def tables(folder):
    return {table: (folder / table).read_text() for table in (*TABLES, "scores.json")}


def test_a_run_comes_back_as_it_was(folder, answers, truth):
    run = read_run(folder)
    for found, answer in zip(run.answers, answers, strict=True):
        assert (found.recording_id, found.person, found.fps) == (
            answer.recording_id, answer.person, answer.fps,
        )  # fmt: skip
        assert np.array_equal(found.actions, answer.actions)
        assert found.predicted is None
    assert [a.recording_id for a in run.annotations] == ["ada 1", "ada 2", "ben"]
    for found, annotation in zip(run.annotations, truth, strict=True):
        assert found.actions == ACTIONS
        assert np.array_equal(found.labels, annotation.labels)
    assert run.settings == {"method": METHOD, "data": ["data"]}
    assert (run.names, run.warnings, run.skipped) == (None, ("odd",), ((Path("x.npz"), "cut"),))


def test_a_report_anew_changes_nothing_without_names(folder):
    before = tables(folder)
    rewrite_report(read_run(folder))
    assert tables(folder) == before
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert "odd" in html
    assert "cut" in html


def test_names_changed_time_and_again(folder):
    before = tables(folder)
    name(folder, "actions:\n  1: walk\n  2: walk\n")
    for _ in range(2):  # what is merged already is not merged again
        rewrite_report(read_run(folder))
        first = read_frames(folder / "frames.csv")[0]
        assert first.actions.tolist() == [0] * 20 + [1] * 40
        assert first.predicted.actions.tolist() == [0] * 20 + [1] * 20 + [2] * 20
        assert ",walk," in (folder / "segments.csv").read_text()
        assert "action 2" not in (folder / "usage.csv").read_text()
    name(folder, "actions:\n  2: run\n  0: walk\n")
    rewrite_report(read_run(folder))
    first = read_frames(folder / "frames.csv")[0]
    assert first.actions.tolist() == [0] * 20 + [1] * 20 + [2] * 20
    assert first.names == {0: "walk", 2: "run"}
    name(folder, "actions:\n")
    rewrite_report(read_run(folder))
    assert tables(folder) == before


def test_scores_are_those_of_the_merged_actions(folder):
    """0 is walk, 1 and 2 are sit; of 130 frames 2 has 20, and 10 have no answer."""
    scores, _ = rewrite_report(read_run(folder))
    assert scores.mof == pytest.approx(100 * 100 / 130)
    name(folder, "actions:\n  1: a\n  2: a\n")
    scores, _ = rewrite_report(read_run(folder))
    assert scores.mof == pytest.approx(100 * 120 / 130)
    assert scores.matched == {0: "walk", 1: "sit"}
    assert "Hungarian" in scores.protocol["matching"]


def test_names_count_in_scores_where_all_are_the_truths(folder):
    name(folder, "actions:\n  0: sit\n  1: walk\n  2: swim\n")
    scores, _ = rewrite_report(read_run(folder))
    assert scores.mof == 0
    assert scores.protocol["matching"].startswith("none")


def test_a_method_that_knows_names_is_scored_by_them(tmp_path, answers, truth):
    named = [replace(answer, names=dict(enumerate(ACTIONS))) for answer in answers]
    before, _ = write_answers(tmp_path, named, annotations=truth)
    name(tmp_path, "actions:\n  0: crouch\n  1: gait\n")
    after, _ = rewrite_report(read_run(tmp_path))
    assert after.values == before.values
    assert "gait" in (tmp_path / "segments.csv").read_text()


def test_codes_the_run_cannot_have(folder):
    name(folder, "actions:\n  3: never seen\n  4: no such\n")
    with pytest.raises(FileFormatError, match=r"line 3: there is no action 4; there are 0 to 3$"):
        read_run(folder)


def test_new_answers_put_names_of_earlier_ones_aside(folder, answers):
    name(folder, "actions:\n  0: mine\n")
    with pytest.warns(DataWarning, match="about an earlier run: kept as names-earlier.yaml"):
        write_answers(folder, answers, annotations=[])
    assert read_run(folder).names is None
    assert "mine" in (folder / "names-earlier.yaml").read_text()


def test_a_table_corrected_by_hand_is_seen(folder):
    place = folder / "segments.csv"
    assert not corrected_by_hand(read_run(folder))
    name(folder, "actions:\n  0: mine\n")
    assert not corrected_by_hand(read_run(folder))
    assert out_of_date(read_run(folder))
    rewrite_report(read_run(folder))
    assert not corrected_by_hand(read_run(folder))
    assert not out_of_date(read_run(folder))
    place.write_text(place.read_text().replace("mine", "yours"))
    assert corrected_by_hand(read_run(folder))


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("config.yaml", "a: [", "not to be read"),
        ("config.yaml", "- a", "holds no settings"),
        ("recordings.json", "{}", "not to be read"),
        ("frames.csv", "a,b\n", "no column recording"),
        ("names.yaml", "actions: 3", "line 1"),
    ],
)
def test_damaged_folders(folder, file, text, words):
    (folder / file).write_text(text)
    with pytest.raises(FileFormatError, match=words) as caught:
        read_run(folder)
    assert file in str(caught.value)


def test_no_run(folder):
    with pytest.raises(FileFormatError, match="a file; name the folder of the run"):
        read_run(folder / "frames.csv")
    with pytest.raises(FileFormatError, match="there is no such file"):
        read_run(folder.parent)


def ids(readings):
    return [recording.id for recording in readings.recordings]


def test_recordings_are_found_from_elsewhere(folder, recordings, monkeypatch):
    run = read_run(folder)
    assert ids(read_sources(run)) == ["ada 1", "ada 2", "ben"]
    monkeypatch.chdir("/")
    found = read_sources(run)
    assert ids(found) == ["ada 1", "ada 2", "ben"]
    assert np.array_equal(found.recordings[0].skeleton, recordings[0].skeleton.astype(np.float32))


def test_recordings_that_are_gone(folder):
    (folder.parents[1] / "data").rename(folder.parents[1] / "moved")
    run = read_run(folder)
    with pytest.warns(DataWarning, match="no longer at data; name the files or folders"):
        assert read_sources(run) is None
    assert len(ids(read_sources(run, [folder.parents[1] / "moved"]))) == 3
    with pytest.warns(DataWarning, match="no files are noted"):
        assert read_sources(replace(run, settings={})) is None
    with pytest.warns(DataWarning, match="of its data: made up"):
        assert read_sources(replace(run, settings={"data": "made up"})) is None
    with pytest.warns(DataWarning):  # a name longer than names can be
        assert read_sources(replace(run, settings={"data": ["x" * 5000]})) is None


def test_recordings_that_changed_since(folder, recordings):
    data = folder.parents[1] / "data"
    write_npz(data / "ada 1.npz", replace(recordings[0], skeleton=recordings[0].skeleton[:50]))
    (data / "ben.npz").unlink()
    words = "without motion: ada 1 has 50 frames now, 60 when it was run; ben is not in the files"
    with pytest.warns(DataWarning, match=words):
        assert ids(read_sources(read_run(folder))) == ["ada 2"]


def test_files_that_are_of_another_run(folder, recordings, tmp_path):
    write_npz(tmp_path / "other" / "zoe.npz", replace(recordings[0], id="zoe"))
    with pytest.raises(ConfigError, match=r"hold no recording of .*ada 1 is not in the files"):
        read_sources(read_run(folder), [tmp_path / "other"])


def test_people_apart_are_read_apart_again(tmp_path):
    motion = np.random.default_rng(0).standard_normal((40, 4, 3))
    both = Recording(
        id="two", skeleton=motion, fps=10, joint_names=("a/x", "a/y", "b/x", "b/y"),
        joint_persons=(0, 0, 1, 1),
    )  # fmt: skip
    write_npz(tmp_path / "two.npz", both)
    alone = read_many(tmp_path / "two.npz", people="apart").recordings
    assert len(alone) == 2
    found = [Segmentation(recording_id=one.id, fps=10, actions=np.zeros(40, int)) for one in alone]
    said = {"data": [str(tmp_path / "two.npz")], "reading": {"people": "apart"}}
    write_answers(tmp_path / "r", found, annotations=[], settings=said)
    assert ids(read_sources(read_run(tmp_path / "r"))) == [one.id for one in alone]


def test_settings_stand_in_the_folder_for_people_to_read(folder):
    assert yaml.safe_load((folder / "config.yaml").read_text())["data"] == ["data"]


def test_a_folder_says_of_which_format_it_is_and_a_newer_one_is_refused(folder):
    place = folder / "recordings.json"
    said = json.loads(place.read_text())
    assert said["format"] == 1
    place.write_text(json.dumps({**said, "format": 2, "people": 3}))
    with pytest.raises(FileFormatError, match=r"newer histvq \(format 2, .* up to 1\); upgrade"):
        read_run(folder)
    del said["format"]  # as before it was noted
    place.write_text(json.dumps(said))
    assert len(read_run(folder).answers) == 3


@pytest.mark.parametrize("format", ["two", None, [], 1e999])
def test_a_format_that_is_none(folder, format):
    place = folder / "recordings.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "format": format}))
    with pytest.raises(FileFormatError, match=r"recordings.json: not to be read"):
        read_run(folder)


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_a_run_from_before_there_was_a_file_of_what_was_said(tmp_path):
    """As the first versions wrote it, by hand: who was recorded stands in the table of segments alone."""
    (tmp_path / "frames.csv").write_text(
        "recording,frame,time_s,action,subaction,confidence,true_action\n"
        "one,0,0.0,0,0,1.0,sit\none,1,0.5,0,1,0.75,walk\none,2,1.0,1,2,0.5,\n"
    )
    (tmp_path / "segments.csv").write_text(
        "recording,individual,level,segment,start_frame,stop_frame,start_s,stop_s,duration_s,label,name,"
        "confidence,parent\n"
        "one,ada,action,0,0,2,0.0,1.0,1.0,0,action 0,0.875,\n"
        "one,ada,action,1,2,3,1.0,1.5,0.5,1,action 1,0.5,\n"
        "one,ada,subaction,0,0,1,0.0,0.5,0.5,0,subaction 0,1.0,0\n"
        "one,ada,subaction,1,1,2,0.5,1.0,0.5,1,subaction 1,0.75,0\n"
        "one,ada,subaction,2,2,3,1.0,1.5,0.5,2,subaction 2,0.5,1\n"
    )
    (tmp_path / "config.yaml").write_text("method:\n  name: HiSTVQ\n  n_actions: 2\n  alpha: 2\n")
    before = (tmp_path / "segments.csv").read_text()
    run = read_run(tmp_path)
    assert not corrected_by_hand(run)
    assert [answer.person for answer in run.answers] == ["ada"]
    assert run.annotations[0].labels.tolist() == [0, 1, -1]
    rewrite_report(run)
    assert (tmp_path / "segments.csv").read_text() == before


def test_a_run_that_was_stopped_before_its_labels_were_written(folder):
    (folder / "frames.csv").unlink()
    with pytest.raises(FileFormatError, match=r"frames.csv"):
        read_run(folder)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("time_s", "1e308"), ("time_s", "inf"), ("time_s", "9" * 500), ("confidence", "-1e300"),
        ("confidence", "inf"), ("action", "9" * 500), ("action", "1e30"), ("subaction", "-9" * 300),
        ("frame", "99999999999"),
    ],
)  # fmt: skip
def test_numbers_that_nobody_wrote(column, cell, tmp_path):
    rows = [["a", str(n), str(n / 10), "0", "0", "0.5"] for n in range(4)]
    head = ["recording", "frame", "time_s", "action", "subaction", "confidence"]
    rows[2][head.index(column)] = cell
    (tmp_path / "frames.csv").write_text("\n".join(map(",".join, [head, *rows])) + "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FileFormatError, match=rf"frames.csv, line 4: {column} is "):
            read_frames(tmp_path / "frames.csv")
