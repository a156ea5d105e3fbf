import numpy as np
import pytest

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io.layout import read_feature_file, read_layout, read_mapping, write_layout
from histvq.recording import Recording


@pytest.fixture
def folder(tmp_path):
    """Two recordings of 3 frames, 4 joints, 2 channels, 1 person, as the text format describes."""
    for part in ("features", "groundTruth", "mapping"):
        (tmp_path / part).mkdir()
    array = np.arange(2 * 3 * 4).reshape(2, 3, 4, 1)
    for name in ("a", "b"):
        np.save(tmp_path / "features" / f"{name}.npy", array)
        (tmp_path / "groundTruth" / f"{name}.txt").write_text("jump up\nwalk\nwalk")
    (tmp_path / "mapping" / "mapping.txt").write_text("2 jump up\n1 walk\n3 rest")
    return tmp_path


def fault(call, *args, **options):
    with pytest.raises(FileFormatError) as caught:
        call(*args, **options)
    return str(caught.value)


def test_a_folder_made_by_hand(folder):
    (folder / "features" / "notes.txt").write_text("")
    layout = read_layout(folder, fps=30, unit="mm")
    assert [recording.id for recording in layout.recordings] == ["a", "b"]
    skeleton = layout.recordings[0].skeleton
    assert skeleton.shape == (3, 4, 2)
    # Channel 1, frame 2, joint 3 of arange(24) in (2, 3, 4, 1): 1 * 12 + 2 * 4 + 3.
    assert skeleton[2, 3, 1] == 23
    annotation = layout.annotations[0]
    assert annotation.actions == ("walk", "jump up", "rest")
    assert annotation.labels.tolist() == [1, 0, 0]
    assert layout.unread == ("notes.txt",)


def test_two_people_become_joints_side_by_side(folder):
    array = np.random.default_rng(0).normal(size=(3, 5, 4, 2))
    path = folder / "features" / "a.npy"
    np.save(path, array)
    (folder / "groundTruth" / "a.txt").unlink()
    names, parents = ("hip", "knee", "foot", "head"), (-1, 0, 1, 0)
    recording, annotation = read_feature_file(
        path, fps=30, unit="mm", joint_names=names, parents=parents
    )
    assert annotation is None
    assert recording.joint_persons == (0, 0, 0, 0, 1, 1, 1, 1)
    assert recording.joint_names[5] == "person1/knee"
    assert recording.parents == (-1, 0, 1, 0, -1, 4, 5, 4)
    for joint, person in [(0, 0), (3, 0), (2, 1)]:
        expected = array[:, :, joint, person].T.astype(np.float32)
        np.testing.assert_array_equal(recording.skeleton[:, 4 * person + joint], expected)


def test_the_rate_is_asked_for(folder):
    assert "no frame rate in features/*.npy files. Pass fps=" in fault(read_layout, folder)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 5, 4)), "expected four axes"),
        (np.zeros((3, 5, 4, 1), dtype=complex), "complex"),
        (
            np.full((3, 5, 4, 1), np.nan),
            "nan at frame 0, joint 0, channel 0, person 0, and 60 such",
        ),
    ],
)
def test_an_array_that_does_not_fit(folder, array, words):
    path = folder / "features" / "a.npy"
    np.save(path, array)
    message = fault(read_feature_file, path, fps=30, unit="mm")
    assert words in message
    assert "a.npy" in message


def test_python_objects_and_cut_files(folder):
    path = folder / "features" / "a.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    assert "a.npy: not an array numpy can load" in fault(read_feature_file, path, fps=30, unit="mm")
    np.save(path, np.zeros((3, 5, 4, 1)))
    path.write_bytes(path.read_bytes()[:-50])
    assert "a.npy: not an array numpy can load" in fault(read_feature_file, path, fps=30, unit="mm")


def test_as_many_labels_as_frames(folder):
    (folder / "groundTruth" / "b.txt").write_text("walk\nwalk\nwalk\nwalk")
    message = fault(read_layout, folder, fps=30, unit="mm")
    assert "b.npy: 3 frames but" in message
    assert "has 4 lines" in message


def test_one_line_end_after_the_last_label_is_accepted(folder):
    (folder / "groundTruth" / "b.txt").write_text("walk\nwalk\nwalk\n")
    assert read_layout(folder, fps=30, unit="mm").annotations[1].n_frames == 3


def test_every_label_is_in_the_mapping(folder):
    (folder / "groundTruth" / "b.txt").write_text("walk\nwlak\nwalk")
    message = fault(read_layout, folder, fps=30, unit="mm")
    assert "b.txt, line 2: 'wlak' is not in mapping/mapping.txt" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 walk\n1 run", "line 2: '1 run' names an id or an action a second time"),
        ("1 walk\n2 walk", "line 2: '2 walk' names an id or an action a second time"),
        ("1 walk\nrun", "line 2: 'run'; expected an integer, a space and a name"),
    ],
)
def test_a_mapping_that_is_none(tmp_path, text, words):
    (tmp_path / "mapping.txt").write_text(text)
    assert words in fault(read_mapping, tmp_path / "mapping.txt")


def test_labels_without_a_mapping(folder):
    (folder / "mapping" / "mapping.txt").unlink()
    assert "mapping.txt: cannot be read" in fault(read_layout, folder, fps=30, unit="mm")


def test_recordings_of_different_shapes(folder):
    np.save(folder / "features" / "b.npy", np.zeros((2, 3, 5, 1)))
    assert "(5, 2, 1)" in fault(read_layout, folder, fps=30, unit="mm")


def test_one_recording_is_worth_a_warning(folder):
    (folder / "features" / "b.npy").unlink()
    with pytest.warns(DataWarning, match="one recording only, a"):
        read_layout(folder, fps=30, unit="mm")


def test_an_empty_folder(tmp_path):
    assert "no features/*.npy" in fault(read_layout, tmp_path, fps=30, unit="mm")


@pytest.mark.parametrize("n_persons", [1, 2])
def test_written_and_read_again(tmp_path, n_persons):
    rng = np.random.default_rng(1)
    persons = None if n_persons == 1 else (0, 0, 0, 1, 1, 1)
    made = [
        Recording(
            id=name,
            skeleton=rng.normal(size=(n, 3 * n_persons, 2)),
            fps=25,
            joint_persons=persons,
        )
        for name, n in [("x", 7), ("y", 4)]
    ]
    labels = [
        Annotation(
            recording_id=r.id, labels=np.arange(r.n_frames) % 2, actions=("a b", "c"), fps=25
        )
        for r in made
    ]
    write_layout(tmp_path, made, labels)
    assert np.load(tmp_path / "features" / "x.npy").shape == (2, 7, 3, n_persons)
    assert (tmp_path / "groundTruth" / "y.txt").read_bytes() == b"a b\nc\na b\nc"
    assert (tmp_path / "mapping" / "mapping.txt").read_bytes() == b"1 a b\n2 c"
    layout = read_layout(tmp_path, fps=25, unit="mm")
    for before, after in zip(made, layout.recordings, strict=True):
        np.testing.assert_array_equal(after.skeleton, before.skeleton)
        assert after.joint_persons == before.joint_persons
    for before, after in zip(labels, layout.annotations, strict=True):
        np.testing.assert_array_equal(after.labels, before.labels)


def test_frames_without_a_label_are_written_as_background(tmp_path):
    recording = Recording(id="x", skeleton=np.zeros((2, 1, 1)), fps=25)
    annotation = Annotation(recording_id="x", labels=np.array([-1, 0]), actions=("a",), fps=25)
    write_layout(tmp_path, [recording], [annotation])
    assert (tmp_path / "groundTruth" / "x.txt").read_text() == "background\na"
    assert (tmp_path / "mapping" / "mapping.txt").read_text() == "1 a\n2 background"


def test_all_that_cannot_be_written_is_said_at_once(tmp_path):
    good = Recording(id="x", skeleton=np.zeros((2, 1, 1)), fps=25)
    holes = Recording(id="y", skeleton=np.full((2, 1, 1), np.nan), fps=25)
    wider = Recording(id="x", skeleton=np.zeros((2, 2, 1)), fps=25)
    with pytest.raises(ConfigError) as caught:
        write_layout(tmp_path, [good, holes, wider])
    for words in ("y: missing values", "x: other joints", "share an id"):
        assert words in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "id",
    ["", "a/b", "a\\b", "c:", "*", "?", '"', "<", ">", "|", "a\nb", "..", ".a", "a.", " a", "a ",
     "CON", "nul", "Com1", "lpt9.txt", "aux .b"],
)  # fmt: skip
def test_ids_that_are_no_file_name_on_some_system(tmp_path, id):
    good, odd = (Recording(id=i, skeleton=np.zeros((2, 1, 1)), fps=25) for i in ("good", id))
    with pytest.raises(FileFormatError, match=r"cannot be names of files.*Give other ids") as e:
        write_layout(tmp_path / "out", [good, odd])
    assert repr(id) in str(e.value)
    assert "'good'" not in str(e.value)
    assert not list(tmp_path.iterdir())


def test_ids_that_are_file_names_everywhere(tmp_path):
    ids = ["walk 1", "v1.2", "größe", "console", "com10", "a(b)"]
    write_layout(tmp_path, [Recording(id=i, skeleton=np.zeros((2, 1, 1)), fps=25) for i in ids])
    assert len(read_layout(tmp_path, fps=25, unit="mm").recordings) == len(ids)
    with pytest.raises(FileFormatError, match="'Walk' differs from 'walk' in capitals only"):
        write_layout(
            tmp_path,
            [Recording(id=i, skeleton=np.zeros((2, 1, 1)), fps=25) for i in ("walk", "Walk")],
        )
