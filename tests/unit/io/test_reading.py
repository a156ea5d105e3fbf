import sys
import warnings

import numpy as np
import pytest

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import READERS, expand, read, read_many
from histvq.io.npz import write_npz
from histvq.recording import Recording


def store(path, value=0.0, *, id=None):
    recording = Recording(
        id=id or path.stem, skeleton=np.full((4, 2, 3), value), fps=30, source=str(path)
    )
    annotation = Annotation(
        recording_id=recording.id, labels=np.zeros(4, int), actions=("a",), fps=30
    )
    write_npz(path, recording, annotation)
    return path


def broken(path):
    store(path)
    path.write_bytes(path.read_bytes()[:-40])
    return path


@pytest.fixture
def layout(tmp_path):
    root = tmp_path / "smq"
    (root / "features").mkdir(parents=True)
    for name in "ba":
        np.save(root / "features" / f"{name}.npy", np.zeros((3, 5, 4, 1)))
    return root


def test_the_format_is_found_from_the_file(tmp_path):
    recording, annotation = read(store(tmp_path / "walk.npz"))
    assert recording.id == annotation.recording_id == "walk"


def test_a_file_no_reader_knows(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"")
    with pytest.raises(FileFormatError, match=r"film\.mp4: none of the known formats") as caught:
        read(tmp_path / "film.mp4")
    for name in (*READERS, "format="):
        assert name in str(caught.value)
    # What was said of it has no reader to be said to; that is not what is wrong.
    with pytest.raises(FileFormatError, match="none of the known formats"):
        read_many(tmp_path / "film.mp4", fps=30)


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(FileFormatError, match="no such file or folder"):
        read(tmp_path / "gone.npz")


def test_a_misspelt_format_and_a_misspelt_option(tmp_path, layout):
    with pytest.raises(ConfigError, match="did you mean 'hugadb'"):
        read(store(tmp_path / "walk.npz"), format="hugdab")
    with pytest.raises(ConfigError, match="no option 'fsp'; did you mean 'fps'"):
        read(layout / "features" / "a.npy", fsp=30)


def test_a_reader_of_ones_own_is_a_plain_function(tmp_path, monkeypatch):
    (tmp_path / "my_reader.py").write_text(
        "import numpy as np\n"
        "from histvq.recording import Recording\n"
        "def load(path, *, fps):\n"
        "    return Recording(id=path.stem, skeleton=np.ones((2, 1, 1)), fps=fps), None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.xyz").write_bytes(b"")
    recording, _ = read(tmp_path / "in" / "a.xyz", format="my_reader:load", fps=12)
    assert recording.fps == 12
    many = read_many(tmp_path / "in", format="my_reader:load", fps=12)
    assert [r.id for r in many.recordings] == ["a"]
    sys.modules.pop("my_reader", None)


def test_a_folder_gives_its_known_files_in_order_and_once(tmp_path):
    for name in ("b", "a", "sub/c", ".hidden/d"):
        store(tmp_path / f"{name}.npz")
    (tmp_path / "notes.txt").write_text("hello")
    found = expand([tmp_path, tmp_path / "a.npz"])
    assert [(name, file.name) for name, file in found] == [
        ("histvq", "a.npz"),
        ("histvq", "b.npz"),
        ("histvq", "c.npz"),
    ]


def test_a_folder_without_recordings(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(FileFormatError, match="no recordings among its 1 files; looked for") as e:
        expand(tmp_path)
    assert "HuGaDB text" in str(e.value)


def test_a_features_folder_is_one_recording_a_file(layout):
    for given in (layout, layout / "features", [layout / "features" / "a.npy", layout]):
        assert [(n, f.stem) for n, f in expand(given)] == [("smq", "a"), ("smq", "b")]
    assert [r.fps for r in read_many(layout, fps=25, unit="mm").recordings] == [25, 25]
    with pytest.raises(FileFormatError, match=r"2 recordings, a\.npy the first"):
        read(layout, fps=25)


def test_options_go_to_the_readers_that_take_them(tmp_path, layout):
    store(tmp_path / "own.npz")
    many = read_many([tmp_path / "own.npz", layout], fps=25, unit="mm")
    assert [r.fps for r in many.recordings] == [30, 25, 25]
    with pytest.raises(ConfigError, match="histvq or smq has no option 'colour'"):
        read_many([tmp_path / "own.npz", layout], fps=25, colour="red")


def test_bad_files_are_skipped_and_listed(tmp_path):
    store(tmp_path / "a.npz")
    broken(tmp_path / "b.npz")
    seen = []
    many = read_many(tmp_path, progress=lambda *state: seen.append(state))
    assert [r.id for r in many.recordings] == ["a"]
    assert len(many.annotations) == 1
    ((path, message),) = many.skipped
    assert path.name == "b.npz"
    assert "b.npz" in message
    assert seen == [(1, 2, tmp_path / "a.npz"), (2, 2, tmp_path / "b.npz")]


def test_strict_looks_at_every_file_and_shows_ten_faults(tmp_path):
    store(tmp_path / "good.npz")
    for n in range(12):
        broken(tmp_path / f"bad{n:02}.npz")
    with pytest.raises(FileFormatError) as caught:
        read_many(tmp_path, strict=True)
    message = str(caught.value)
    assert message.startswith("12 files: no .npz, or a damaged one")
    assert message.endswith("bad09.npz and 2 more)")
    assert "bad10.npz" not in message
    assert message.count("no .npz") == 1


def test_nothing_could_be_read(tmp_path):
    broken(tmp_path / "b.npz")
    with pytest.raises(FileFormatError, match=r"no file could be read: .*b\.npz"):
        read_many(tmp_path)


def test_warnings_are_collected_once_each_and_strict_makes_them_errors(tmp_path, monkeypatch):
    for name in "ab":
        store(tmp_path / f"{name}.npz")
    (tmp_path / "loud_reader.py").write_text(
        "import warnings\n"
        "from histvq.errors import DataWarning\n"
        "from histvq.io.npz import read_npz\n"
        "def load(path):\n"
        "    warnings.warn('something about all', DataWarning)\n"
        "    warnings.warn(f'something about {path.stem}', DataWarning)\n"
        "    warnings.warn('not ours', FutureWarning)\n"
        "    return read_npz(path)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    files = [tmp_path / "a.npz", tmp_path / "b.npz"]
    with pytest.warns(FutureWarning, match="not ours") as seen:
        many = read_many(files, format="loud_reader:load")
    assert not [w for w in seen if issubclass(w.category, DataWarning)]
    assert many.warnings == ("something about all", "something about a", "something about b")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        with pytest.raises(FileFormatError, match="3 faults"):
            read_many(files, format="loud_reader:load", strict=True)
    sys.modules.pop("loud_reader", None)


def test_same_names_in_two_folders_get_the_folders_name(tmp_path):
    for folder in ("anna", "bob"):
        store(tmp_path / folder / "walk.npz")
    store(tmp_path / "anna" / "run.npz")
    many = read_many(tmp_path)
    assert [r.id for r in many.recordings] == ["run", "anna_walk", "bob_walk"]
    assert [a.recording_id for a in many.annotations] == ["run", "anna_walk", "bob_walk"]


def test_the_folder_that_tells_them_apart_need_not_be_the_nearest(tmp_path):
    for folder in ("anna", "bob"):
        store(tmp_path / folder / "features" / "walk.npz")
    assert [r.id for r in read_many(tmp_path).recordings] == ["anna_walk", "bob_walk"]


def test_same_ids_within_a_folder_become_the_files_names(tmp_path):
    for name in ("dup/a", "dup/b", "c"):
        store(tmp_path / f"{name}.npz", id="c" if name == "c" else "walk")
    many = read_many(tmp_path)
    assert [r.id for r in many.recordings] == ["c", "a", "b"]
    assert [a.recording_id for a in many.annotations] == ["c", "a", "b"]


def test_where_neither_folder_nor_name_tells_them_apart_both_do(tmp_path):
    for name in ("anna/walk", "bob/walk", "bob/again"):
        store(tmp_path / f"{name}.npz", id="x")
    found = [r.id for r in read_many(tmp_path).recordings]
    assert found == ["anna_walk", "bob_again", "bob_walk"]


def test_an_id_that_is_taken_is_not_given_again(tmp_path):
    store(tmp_path / "x" / "a.npz", id="walk")
    store(tmp_path / "x" / "b.npz", id="walk")
    store(tmp_path / "x" / "c.npz", id="a")
    assert [r.id for r in read_many(tmp_path).recordings] == ["x_a", "x_b", "a"]


def test_ids_nothing_can_tell_apart(tmp_path, monkeypatch):
    for name in ("a.x", "a.y"):
        (tmp_path / name).write_bytes(b"")
    own_reader(
        tmp_path, monkeypatch, "return Recording(id='same', skeleton=np.ones((2, 1, 1)), fps=1)"
    )
    with pytest.raises(FileFormatError, match=r"'same' is held by .*a\.x and .*a\.y"):
        read_many([tmp_path / "a.x", tmp_path / "a.y"], format="own_reader:load")


def own_reader(folder, monkeypatch, body):
    (folder / "own_reader.py").write_text(
        "import numpy as np\nfrom histvq.recording import Recording\n"
        f"def load(path):\n    def make():\n        {body}\n    return make(), None\n"
    )
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "own_reader", raising=False)


def make(path, skeleton, **about):
    write_npz(path, Recording(**{"id": path.stem, "skeleton": skeleton, "fps": 30, **about}))
    return path


def test_unknown_and_missing_paths_are_skipped_among_good_ones(tmp_path):
    (tmp_path / "notes.csv").write_text("a,b\n")
    good = [store(tmp_path / "a.npz"), store(tmp_path / "b.npz", 1)]
    paths = [*good, tmp_path / "notes.csv", tmp_path / "gone.npz"]
    many = read_many(paths)
    assert [r.id for r in many.recordings] == ["a", "b"]
    reasons = {path.name: reason for path, reason in many.skipped}
    assert "none of the known formats" in reasons.pop("notes.csv")
    assert "no such file or folder" in reasons.pop("gone.npz")
    assert not reasons
    with pytest.raises(FileFormatError, match="2 faults"):
        read_many(paths, strict=True)
    with pytest.raises(FileFormatError, match=r"none of the known formats"):
        read_many(paths[2:])
    with pytest.raises(FileFormatError, match="no such file or folder"):
        expand(paths)
    with pytest.raises(FileFormatError, match="no file was given"):
        read_many([])


def test_an_empty_folder_is_skipped_among_good_files(tmp_path):
    (tmp_path / "empty").mkdir()
    many = read_many([store(tmp_path / "a.npz"), tmp_path / "empty"])
    ((path, reason),) = many.skipped
    assert path == tmp_path / "empty"
    assert "no recordings among its 0 files" in reason


@pytest.fixture
def mixed(tmp_path):
    """One good file among damaged and other ones."""
    store(tmp_path / "a.npz")
    (tmp_path / "c.npz").write_bytes(b"")
    (tmp_path / "d.npz").write_bytes(b"rubbish" * 50)
    np.save(tmp_path / "stray.npy", np.zeros(3))
    (tmp_path / "HuGaDB_v1_various_01_00.txt").write_bytes(b"")
    for name in ("README.txt", "ages.csv", "film.mp4", ".hidden"):
        (tmp_path / name).write_text("hello")
    return tmp_path


def test_no_file_of_a_folder_vanishes(mixed):
    for paths in (mixed, [mixed, mixed / "a.npz", mixed / "d.npz"]):
        many = read_many(paths)
        assert [r.id for r in many.recordings] == ["a"]
        reasons = {path.name: reason for path, reason in many.skipped}
        assert reasons.keys() == {"c.npz", "d.npz", "stray.npy", "HuGaDB_v1_various_01_00.txt"}
        assert "c.npz: the file is empty" in reasons["c.npz"]
        assert "damaged" in reasons["d.npz"]
        assert "the file is empty" in reasons["HuGaDB_v1_various_01_00.txt"]
        assert many.ignored == 3
    with pytest.raises(FileFormatError, match="4 faults"):
        read_many(mixed, strict=True)


def test_a_named_format_leaves_side_files_alone_and_reads_its_own_endings(mixed):
    many = read_many(mixed, format="histvq")
    assert {path.name for path, _ in many.skipped} == {"c.npz", "d.npz"}
    assert "no .npz, or a damaged one" in dict(many.skipped)[mixed / "d.npz"]
    assert many.ignored == 5


def test_reading_one_warns_of_what_lies_damaged_beside_it(tmp_path):
    store(tmp_path / "a.npz")
    (tmp_path / "c.npz").write_bytes(b"")
    with pytest.warns(DataWarning, match=r"c\.npz: the file is empty"):
        assert read(tmp_path)[0].id == "a"


def test_only_damaged_files(tmp_path):
    (tmp_path / "c.npz").write_bytes(b"")
    for call in (expand, read_many, read):
        with pytest.raises(FileFormatError, match=r"c\.npz: the file is empty"):
            call(tmp_path)


def test_files_beside_a_features_folder_are_told(layout):
    for part in ("groundTruth", "mapping"):
        (layout / part).mkdir()
        (layout / part / "mapping.txt").write_text("1 walk")
    # By its name it would be a recording of HuGaDB's.
    (layout / "groundTruth" / "HuGaDB_v1_various_01_00.txt").write_text("walk\nwalk\n")
    (layout / "notes.md").write_text("")
    (layout / "bad.npz").write_bytes(b"rubbish")
    make(layout / "own.npz", np.zeros((4, 4, 5)), fps=25)
    many = read_many(layout, fps=25, unit="mm")
    assert [r.id for r in many.recordings] == ["a", "b", "own"]
    assert [path.name for path, _ in many.skipped] == ["bad.npz"]
    assert many.ignored == 1


def test_no_frames_is_skipped_and_no_values_is_warned_of(tmp_path):
    make(tmp_path / "a.npz", np.zeros((4, 1, 3)))
    make(tmp_path / "none.npz", np.zeros((0, 1, 3)))
    make(tmp_path / "void.npz", np.full((4, 1, 3), np.nan))
    many = read_many(tmp_path)
    assert [r.id for r in many.recordings] == ["a", "void"]
    ((path, reason),) = many.skipped
    assert path.name == "none.npz"
    assert "none.npz: no frame in it" in reason
    assert many.warnings == ("void: every value is missing: nothing can be said of it",)
    with pytest.raises(FileFormatError, match="void: every value is missing"):
        read_many([tmp_path / "a.npz", tmp_path / "void.npz"], strict=True)


def test_recordings_that_differ_are_told_and_strict_lets_them_pass(tmp_path):
    make(tmp_path / "a.npz", np.zeros((4, 2, 3)))
    make(tmp_path / "b.npz", np.zeros((4, 2, 3)), fps=60)
    make(tmp_path / "c.npz", np.zeros((4, 1, 2)))
    make(tmp_path / "d.npz", np.zeros((4, 1, 2)))
    rates, joints, channels = read_many(tmp_path, strict=True).warnings
    assert "3 at 30, 1 at 60; they will be brought to the lowest" in rates
    assert "differ in joints: a has 2 (joint0, joint1), c has 1 (joint0)" in joints
    assert "differ in channels: a has 3 (x, y, z), c has 2 (x, y)" in channels


def test_a_rate_for_files_that_say_theirs(tmp_path):
    store(tmp_path / "a.npz")
    with pytest.raises(ConfigError, match="histvq has no option 'fps': these files say their own"):
        read_many(tmp_path, fps=60)
    with pytest.raises(ConfigError, match="no option 'colour': it has none"):
        read_many(tmp_path, colour="red")
