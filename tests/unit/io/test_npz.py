import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from histvq.annotation import Annotation
from histvq.errors import ConfigError, FileFormatError
from histvq.io.npz import read_npz, write_npz
from histvq.recording import Recording

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
floats = st.floats(width=32, allow_infinity=False)
counts = st.integers(-(2**15), 2**15 - 1).map(float)


@st.composite
def recordings(draw):
    shape = (draw(st.integers(0, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    n_joints = shape[1]
    values = draw(st.sampled_from([floats, counts]))
    return Recording(
        id=draw(st.text(min_size=1)),
        skeleton=draw(hnp.arrays(np.float32, shape, elements=values)),
        fps=draw(st.floats(0.01, 1000)),
        joint_names=tuple(draw(st.text(min_size=1)) for _ in range(n_joints)),
        parents=draw(st.none() | st.just(tuple(range(-1, n_joints - 1)))),
        joint_persons=draw(st.none() | st.just((0,) * n_joints)),
        unit=draw(st.text()),
        person=draw(st.none() | st.text()),
        metadata=draw(st.dictionaries(st.text(), plain, max_size=3)),
        source=draw(st.none() | st.text()),
        history=tuple(draw(st.lists(st.text(), max_size=2))),
    )


def assert_same(one, other):
    assert one.skeleton.dtype == other.skeleton.dtype == np.float32
    assert one.skeleton.shape == other.skeleton.shape
    for name in vars(one).keys() - {"skeleton", "source", "metadata"}:
        assert getattr(one, name) == getattr(other, name), name
    # Bytes, not values: the sign of a zero is kept. NaN is NaN, whatever its payload.
    np.testing.assert_array_equal(one.skeleton, other.skeleton)
    np.testing.assert_array_equal(np.signbit(one.skeleton), np.signbit(other.skeleton))


@given(recordings(), st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_lost(tmp_path, recording, data):
    labels = data.draw(hnp.arrays(np.int32, recording.n_frames, elements=st.integers(-1, 2)))
    annotation = Annotation(
        recording_id=recording.id, labels=labels, actions=("a", "b b", "ö"), fps=recording.fps
    )
    write_npz(tmp_path / "r.npz", recording, annotation)
    again, labelled = read_npz(tmp_path / "r.npz")
    assert_same(again, recording)
    assert again.source == str(tmp_path / "r.npz")
    before = {} if recording.source is None else {"original_source": recording.source}
    assert again.metadata == {**before, **recording.metadata}
    np.testing.assert_array_equal(labelled.labels, labels)
    assert (labelled.actions, labelled.fps) == (annotation.actions, annotation.fps)
    assert labelled.recording_id == recording.id
    write_npz(tmp_path / "r.npz", recording)
    again, labelled = read_npz(tmp_path / "r.npz")
    assert_same(again, recording)
    assert labelled is None


@pytest.fixture
def written(tmp_path):
    skeleton = np.random.default_rng(0).integers(-999, 999, size=(300, 6, 6))
    write_npz(tmp_path / "walk.npz", Recording(id="walk", skeleton=skeleton, fps=60))
    return tmp_path / "walk.npz"


def test_whole_numbers_are_stored_small(written):
    with np.load(written) as archive:
        assert archive["skeleton"].dtype == np.int16
        assert json.loads(archive["histvq_header"].tobytes())["version"] == 1


def test_nothing_is_left_beside_the_file(written):
    assert list(written.parent.iterdir()) == [written]


def test_a_failed_write_leaves_the_old_file(written, monkeypatch):
    before = written.read_bytes()

    def half(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", half)
    with pytest.raises(OSError, match="disk full"):
        write_npz(written, Recording(id="walk", skeleton=np.zeros((1, 1, 1)), fps=60))
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.9])
def test_a_cut_file(written, kept):
    data = written.read_bytes()
    written.write_bytes(data[: kept if isinstance(kept, int) else int(kept * len(data))])
    with pytest.raises(FileFormatError, match=r"walk\.npz"):
        read_npz(written)


def test_every_flipped_byte_is_noticed_or_harmless(written):
    original, _ = read_npz(written)
    data = written.read_bytes()
    for place in range(0, len(data), max(1, len(data) // 150)):
        broken = bytearray(data)
        broken[place] ^= 0xFF
        written.write_bytes(broken)
        with suppress(FileFormatError):
            recording, _ = read_npz(written)
            np.testing.assert_array_equal(recording.skeleton, original.skeleton)


def test_somebody_elses_archive(tmp_path):
    np.savez(tmp_path / "amass.npz", poses=np.zeros((4, 156)))
    with pytest.raises(FileFormatError, match=r"amass\.npz: an \.npz without 'histvq_header'"):
        read_npz(tmp_path / "amass.npz")


def test_python_objects_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "evil.npz", histvq_header=np.array([{"a": 1}], dtype=object))
    with pytest.raises(FileFormatError, match=r"evil\.npz"):
        read_npz(tmp_path / "evil.npz")


def test_a_newer_version(tmp_path):
    header = np.frombuffer(json.dumps({"version": 99}).encode(), np.uint8)
    np.savez(tmp_path / "new.npz", histvq_header=header)
    with pytest.raises(FileFormatError, match=r"new\.npz: format version 99.*up to 1"):
        read_npz(tmp_path / "new.npz")


def test_metadata_json_cannot_hold(tmp_path):
    recording = Recording(
        id="r", skeleton=np.zeros((1, 1, 1)), fps=1, metadata={"n": np.int64(3), "bad": {1, 2}}
    )
    with pytest.raises(ConfigError, match=r"'r': metadata cannot be written as JSON.*set"):
        write_npz(tmp_path / "r.npz", recording)


def test_the_annotation_of_another_recording(tmp_path):
    recording = Recording(id="r", skeleton=np.zeros((1, 1, 1)), fps=1)
    other = Annotation(recording_id="s", labels=np.array([0]), actions=("a",), fps=1)
    with pytest.raises(ConfigError, match="of 's', the recording is 'r'"):
        write_npz(tmp_path / "r.npz", recording, other)


def test_the_first_source_is_kept_over_two_copies(tmp_path):
    made = Recording(id="r", skeleton=np.zeros((1, 1, 1)), fps=1, source="raw.txt")
    for name in ("a.npz", "b.npz"):
        write_npz(tmp_path / name, made)
        made, _ = read_npz(tmp_path / name)
    assert made.source == str(tmp_path / "b.npz")
    assert made.metadata == {"original_source": "raw.txt"}


def test_one_label_a_frame(tmp_path):
    recording = Recording(id="r", skeleton=np.zeros((3, 1, 1)), fps=1)
    labels = Annotation(recording_id="r", labels=np.zeros(2, int), actions=("a",), fps=1)
    with pytest.raises(ConfigError, match="'r': 2 labels for 3 frames"):
        write_npz(tmp_path / "r.npz", recording, labels)
    labels = Annotation(recording_id="r", labels=np.zeros(3, int), actions=("a",), fps=1)
    write_npz(tmp_path / "r.npz", recording, labels)
    with np.load(tmp_path / "r.npz") as archive:
        arrays = {**archive, "labels": archive["labels"][:2]}
    np.savez(tmp_path / "r.npz", **arrays)
    with pytest.raises(FileFormatError, match=r"r\.npz: 3 frames but 2 labels"):
        read_npz(tmp_path / "r.npz")
