import io
import itertools
import mmap
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histvq.errors import ConfigError, FileFormatError
from histvq.io import expand, read, read_many
from histvq.io.arrays import read_arrays
from histvq.io.parts.asked import NotSaidError

SAID = {"layout": "frame joint channel", "fps": 30, "unit": "mm"}


@pytest.fixture
def motion():
    return np.random.default_rng(0).normal(size=(7, 4, 3)).astype(np.float32)


def test_an_array_and_what_is_said_of_it(tmp_path, motion):
    np.save(tmp_path / "walk.npy", motion)
    recording, annotation = read(
        tmp_path / "walk.npy", **SAID, joint_names="hip, knee, foot, toe", parents=[-1, 0, 1, 2]
    )
    assert annotation is None
    np.testing.assert_array_equal(recording.skeleton, motion)
    assert (recording.id, recording.fps, recording.unit) == ("walk", 30, "mm")
    assert recording.joint_names == ("hip", "knee", "foot", "toe")
    assert recording.channel_names == ("x", "y", "z")
    assert recording.parents == (-1, 0, 1, 2)
    assert recording.history == ("(7, 4, 3) read as frame joint channel",)
    assert expand(tmp_path) == [("arrays", tmp_path / "walk.npy")]


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["frame", "person", "joint", "channel"]))
)
def test_any_order_of_axes(order, tmp_path):
    sizes = {"frame": 5, "person": 2, "joint": 3, "channel": 2}
    array = np.random.default_rng(1).normal(size=[sizes[axis] for axis in order])
    np.save(tmp_path / "a.npy", np.asfortranarray(array) if order[0] == "frame" else array)
    recording, _ = read_arrays(tmp_path / "a.npy", layout=" ".join(order), fps=1, unit="m")
    letter = {"frame": "t", "person": "m", "joint": "v", "channel": "c"}
    expected = np.einsum(f"{''.join(letter[axis] for axis in order)}->tmvc", array)
    np.testing.assert_array_equal(recording.skeleton, expected.reshape(5, 6, 2).astype(np.float32))
    assert recording.joint_persons == (0, 0, 0, 1, 1, 1)
    assert recording.joint_names[::3] == ("person0/joint0", "person1/joint0")


def test_letters_and_one_person(tmp_path, motion):
    np.save(tmp_path / "a.npy", motion.transpose(2, 0, 1)[..., None])
    recording, _ = read_arrays(tmp_path / "a.npy", layout="CTVM", fps=1, unit="m")
    np.testing.assert_array_equal(recording.skeleton, motion)
    assert recording.joint_persons is None
    assert recording.joint_names[0] == "joint0"


def test_parents_of_several_persons(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 2, 3, 3)))
    said = {"layout": "frame person joint channel", "fps": 1, "unit": "m"}
    recording, _ = read_arrays(tmp_path / "a.npy", **said, parents=(-1, 0, 1))
    assert recording.parents == (-1, 0, 1, -1, 3, 4)


@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        ("frame feature", (1, 6)),
        ("frame joint", (6, 1)),
        ("channel frame", (1, 6)),
        ("frame", (1, 1)),
    ],
)
def test_fewer_axes(layout, shape, tmp_path):
    frames = np.arange(5 * np.prod(shape)).reshape(5, -1)
    array = frames[:, 0] if layout == "frame" else frames
    np.save(tmp_path / "a.npy", array if layout.startswith("frame") else array.T)
    recording, _ = read_arrays(tmp_path / "a.npy", layout=layout, fps=1, unit="unknown")
    np.testing.assert_array_equal(recording.skeleton, frames.reshape(5, *shape))


def test_several_arrays_in_a_file(tmp_path, motion):
    path = tmp_path / "a.npz"
    np.savez(path, pose=motion, fps=25.0, names=np.array(["a"]))
    recording, _ = read(path, layout="frame joint channel", unit="mm")
    assert recording.fps == 25
    assert recording.history == ("array 'pose'; fps 25; (7, 4, 3) read as frame joint channel",)
    with pytest.raises(FileFormatError, match="fps is 25, but fps=30 was given"):
        read_arrays(path, **SAID)
    np.savez_compressed(path, pose=motion, face=-motion)
    with pytest.raises(NotSaidError, match=r"2 arrays with 3 axes: pose \(7, 4, 3\), face") as no:
        read_arrays(path, **SAID)
    assert no.value.option == "array"
    np.testing.assert_array_equal(read_arrays(path, **SAID, array="face")[0].skeleton, -motion)
    with pytest.raises(FileFormatError, match=r"a\.npz: no array 'faec'; did you mean 'face'"):
        read_arrays(path, **SAID, array="faec")


@pytest.mark.parametrize("option", ["layout", "fps", "unit"])
def test_nothing_is_guessed(option, tmp_path, motion):
    np.save(tmp_path / "a.npy", motion)
    with pytest.raises(NotSaidError, match=r"a\.npy: .*Pass " + option) as no:
        read_arrays(tmp_path / "a.npy", **{k: v for k, v in SAID.items() if k != option})
    assert no.value.option == option


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("frame joints channel", "no axis 'joints'; did you mean 'joint'"),
        ("joint channel person", "`frame` must be there"),
        ("frame frame joint", "each word may stand once"),
        ("frame joint feature", "features are of no joint"),
        ("TVX", "no axis 'TVX'"),
        (3, "layout=3; expected text"),
    ],
)
def test_layouts_that_are_none(layout, words, tmp_path, motion):
    np.save(tmp_path / "a.npy", motion)
    with pytest.raises(ConfigError, match=words):
        read_arrays(tmp_path / "a.npy", **{**SAID, "layout": layout})


def with_inf(motion):
    motion = motion.copy()
    motion[2, 3, 1] = -np.inf
    return motion


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (with_inf, "infinite or far too large value at frame 2, joint 3, channel 1, 1 such"),
        (lambda m: np.full(m.shape, 1e300), "infinite or far too large value at frame 0"),
        (lambda m: m + 1j, "is of complex"),
        (lambda m: m.astype(str), "is of <U"),
        (lambda m: m.astype(object), "is of object"),
        (lambda m: m.astype("timedelta64[s]"), "is of timedelta64"),
        (lambda m: m[:0], r"shape \(0, 4, 3\), no number in it"),
        (lambda m: m[:, :0], r"shape \(7, 0, 3\), no number in it"),
        (lambda m: m[0], r"shape of a \(4, 3\), but layout 'frame joint channel' has 3 axes"),
        (lambda m: m[0, 0, 0], r"shape of a \(\), but layout"),
        (lambda m: np.zeros(3, [("x", "f4"), ("é", "f4")]), r"shape of a \(3,\), but"),
        (lambda m: np.zeros(3, [("x", "f4"), ("\u4e00", "f4")]), "version .* for tables of fields"),
    ],
)
@pytest.mark.parametrize("ending", [".npy", ".npz"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_wrong_and_where(make, words, ending, tmp_path, motion):
    path = tmp_path / f"a{ending}"
    np.save(path, make(motion)) if ending == ".npy" else np.savez(path, a=make(motion))
    with pytest.raises(FileFormatError, match=words) as caught:
        read_arrays(path, **SAID)
    assert path.name in str(caught.value)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"joint_names": ["a"]}, "1 joint names for 4 joints"),
        ({"joint_names": "abca"}, "1 joint names for 4"),
        ({"joint_names": "a,b,c,a"}, "a name stands twice among the joint names"),
        ({"channel_names": "x,y"}, "2 channel names for 3 channels"),
        ({"parents": [-1]}, "1 parents for 4 joints"),
        ({"parents": [-1, 0, 1, 4]}, "expected indices of joints"),
        ({"parents": [1, 0, 1, 2]}, "lead nowhere from joint 0"),
    ],
)
def test_names_must_fit(option, words, tmp_path, motion):
    np.save(tmp_path / "a.npy", motion)
    with pytest.raises(FileFormatError, match=rf"a\.npy: .*{words}"):
        read_arrays(tmp_path / "a.npy", **SAID, **option)


def test_missing_values_and_one_frame(tmp_path, motion):
    motion[0, 1] = np.nan
    np.save(tmp_path / "a.npy", motion[:1])
    recording, _ = read_arrays(tmp_path / "a.npy", **SAID)
    np.testing.assert_array_equal(recording.skeleton, motion[:1])


def header_of(shape):
    """The head of an .npy of float32 of this shape, with nothing behind it."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


@pytest.mark.parametrize("shape", [(10**12, 4, 3), (10**30, 4, 3), (-1, 4, 3), (3, 4, 3)])
def test_a_head_that_promises_what_is_not_there(shape, tmp_path):
    (tmp_path / "a.npy").write_bytes(header_of(shape) + bytes(100))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", header_of(shape) + bytes(100))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(FileFormatError, match=rf"{name}: .* takes .* bytes, but has 100"):
            read_arrays(tmp_path / name, **SAID)


def test_an_archive_that_claims_more_than_it_can_hold(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", header_of((10**6, 4, 3)))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = (48 * 10**6 + 128).to_bytes(4, "little")
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(FileFormatError, match=r"said to unpack to 48000128 bytes"):
        read_arrays(tmp_path / "a.npz", **SAID)


def test_pickles_are_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("loaded",))

    np.save(tmp_path / "a.npy", np.array([[[Trap()]]], object), allow_pickle=True)
    with pytest.raises(FileFormatError, match="is of object"):
        read_arrays(tmp_path / "a.npy", **SAID)


def test_a_folder_of_them(tmp_path, motion):
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", motion)
    (tmp_path / "c.npy").write_bytes(b"")
    many = read_many(tmp_path, **SAID)
    assert [recording.id for recording in many.recordings] == ["a", "b"]
    assert "c.npy: the file is empty" in dict(many.skipped)[tmp_path / "c.npy"]


@given(data=st.data(), ending=st.sampled_from([".npy", ".npz"]))
@settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_spoilt_file_is_an_error_in_words(data, ending, tmp_path, motion):
    path = tmp_path / f"a{ending}"
    np.save(path, motion) if ending == ".npy" else np.savez_compressed(path, a=motion, fps=30)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(len(content) - 1, 200)))
        content[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    path.write_bytes(content)
    try:
        read_arrays(path, **SAID)
    except FileFormatError as error:
        assert path.name in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "option", [{"array": 1}, {"joint_names": 1}, {"parents": 1}, {"fps": "60"}]
)
def test_options_of_the_wrong_kind(option, tmp_path, motion):
    np.save(tmp_path / "a.npy", motion)
    with pytest.raises(ConfigError):
        read_arrays(tmp_path / "a.npy", **{**SAID, **option})


@pytest.mark.parametrize(("dtype", "mapped"), [("f4", True), ("f8", False)])
def test_a_large_array_is_mapped_and_never_copied(tmp_path, monkeypatch, dtype, mapped):
    monkeypatch.setattr("histvq.io.parts.stored.MAPPED_BYTES", 1000)
    array = np.arange(600).reshape(100, 3, 2).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    recording, _ = read_arrays(tmp_path / "a.npy", layout="TVC", fps=10, unit="m")
    np.testing.assert_array_equal(recording.skeleton, array)
    base = recording.skeleton
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base, mmap.mmap) == mapped
