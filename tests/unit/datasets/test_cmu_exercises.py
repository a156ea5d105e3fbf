import shutil

import numpy as np
import pytest

from histvq.datasets import load_dataset
from histvq.errors import FileFormatError


@pytest.fixture
def folder(shared_data, tmp_path):
    for name in ("13_30.amc.xz", "13_30.labels.txt", "86.asf"):
        shutil.copy(shared_data / "cmu_exercises" / name, tmp_path / name)
    return tmp_path


@pytest.fixture(scope="module")
def data(shared_data):
    return load_dataset("cmu-exercises", shared_data / "cmu_exercises")


@pytest.mark.real_data
def test_labels_by_the_block(data, shared_data):
    # Twelve frames at 120 a second are three at 30.
    for annotation in data.annotations:
        name = annotation.recording_id
        given = (shared_data / "cmu_exercises" / f"{name}.labels.txt").read_text().split()
        blocks = [data.actions[label] for label in annotation.labels[1::3]]
        names = (
            "JumpJack", "Jog", "Squat", "KneeRaise", "ArmCircle", "Twist", "SideReach", "Box",
            "UpDown", "ToeTouchOneHand", "SideBend", "ToeTouchTwoHands",
        )  # fmt: skip
        assert blocks == [names[int(label) - 1] for label in given][: len(blocks)]
        assert len(given) - len(blocks) in (0, 1)


@pytest.mark.real_data
def test_what_is_in_it(data):
    assert [r.id for r in data.recordings] == ["13_29", "13_30", "13_31", "14_14", "14_20"]
    assert [r.person for r in data.recordings] == ["13", "13", "13", "14", "14"]
    # 19,371 frames at 120 a second; every fourth of each recording, the first among them.
    assert data.n_frames == 4845
    assert {r.fps for r in data.recordings} == {30}
    assert len(data.actions) == 9
    assert all((r.skeleton[:, 0] == 0).all() for r in data.recordings)
    assert any("subject 86" in note for note in data.notes)
    assert any("14_20.labels.txt: the last label is left out" in note for note in data.notes)


@pytest.mark.real_data
def test_a_part_of_it_and_another_rate(folder):
    data = load_dataset("cmu-exercises", folder, fps=120)
    assert [r.id for r in data.recordings] == ["13_30"]
    assert data.recordings[0].fps == data.annotations[0].fps == 120
    assert "not there: 13_29, 13_31, 14_14, 14_20" in data.notes
    slow = load_dataset("cmu-exercises", folder, fps=30)
    np.testing.assert_array_equal(data.annotations[0].labels[::4], slow.annotations[0].labels)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("13_30.labels.txt", "1 1 6", "3 labels for"),
        ("13_30.labels.txt", "1 13", "label 13, expected 1 to 12"),
        ("13_30.labels.txt", "one", "no labels to be read"),
        ("13_30.labels.txt", None, "no labels to be read"),
        ("86.asf", None, "no 86.asf in it"),
        ("13_30.amc.xz", None, "none of 13_29"),
    ],
)
def test_what_is_missing_or_wrong(folder, file, content, words):
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content)
    with pytest.raises(FileFormatError, match=words):
        load_dataset("cmu-exercises", folder)
