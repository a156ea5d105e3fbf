import json
from contextlib import suppress

import h5py
import numpy as np
import pytest

from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import expand
from histvq.io.parts.asked import NotSaidError
from histvq.io.sleap import read_sleap

NODES = ("head", "thorax", "tail")
EDGES = ((1, 0), (1, 2))
# Axes of each array, by the letters of (frame, track, node, xy), in the orders programs write.
MATLAB = {"tracks": "tcnf", "track_occupancy": "ft", "point_scores": "tnf"}
PYTHON = {"tracks": "fnct", "track_occupancy": "tf", "point_scores": "fnt"}
STANDARD = {"tracks": "ftnc", "track_occupancy": "ft", "point_scores": "ftn"}
CUSTOM = {"tracks": "nfct", "track_occupancy": "ft", "point_scores": "nft"}
NAMES = {"f": "frame", "t": "track", "n": "node", "c": "xy"}


def positions(n_frames=20, n_tracks=2, n_nodes=3):
    """Where each node of each track is: (frame, track, node, xy), with gaps."""
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 500, size=(n_frames, n_tracks, n_nodes, 2))
    values[rng.uniform(size=values.shape[:3]) < 0.2] = np.nan
    return values


def write(path, values, *, axes=MATLAB, dims=False, scores=None, names=None, **others):
    """Write an analysis file by SLEAP's description of it."""
    found = np.isfinite(values).any(axis=3)
    names = [f"track_{n}" for n in range(values.shape[1])] if names is None else names
    arrays = {
        "tracks": (values, "ftnc"),
        "track_occupancy": (found.any(axis=2).astype(np.uint8), "ft"),
        "point_scores": (np.where(found, 0.9 if scores is None else scores, np.nan), "ftn"),
    }
    with h5py.File(path, "w") as file:
        for name, (array, order) in arrays.items():
            turned = np.einsum(f"{order}->{axes[name]}", array)
            written = file.create_dataset(name, data=turned, compression="gzip", compression_opts=9)
            if dims:
                written.attrs["dims"] = json.dumps([NAMES[letter] for letter in axes[name]])
        file["node_names"] = [name.encode() for name in NODES[: values.shape[2]]]
        file["track_names"] = [name.encode() for name in names]
        for name, array in others.items():
            if name in file:
                del file[name]
            if array is not None:
                file[name] = array
    return path


def read(path, **options):
    return read_sleap(path, **{"fps": 30, **options})[0]


def flat(values):
    return values.reshape(len(values), -1, 2).astype(np.float32)


@pytest.mark.parametrize("dims", [False, True])
@pytest.mark.parametrize("axes", [MATLAB, PYTHON, STANDARD])
@pytest.mark.parametrize(
    "shape", [(20, 2, 3), (20, 1, 3), (3, 3, 3), (3, 2, 3), (7, 5, 2), (1, 2, 3)]
)
@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_every_order_of_axes(shape, axes, dims, tmp_path):
    values = positions(*shape)
    recording = read(write(tmp_path / "fly.analysis.h5", values, axes=axes, dims=dims))
    np.testing.assert_array_equal(recording.skeleton, flat(values))


def test_any_order_of_axes_the_file_names(tmp_path):
    values = positions()
    recording = read(write(tmp_path / "fly.h5", values, axes=CUSTOM, dims=True))
    np.testing.assert_array_equal(recording.skeleton, flat(values))
    with pytest.raises(FileFormatError, match="do not fit 3 nodes and 2 tracks"):
        read(write(tmp_path / "fly.h5", values, axes=CUSTOM))


def test_an_order_that_cannot_be_told(tmp_path):
    values = positions(4, 4, 2)
    path = write(tmp_path / "fly.h5", values)
    with pytest.raises(FileFormatError, match=r"which axis of tracks \(4, 2, 2, 4\).*sleap-io"):
        read(path)
    recording = read(write(path, values, dims=True))
    np.testing.assert_array_equal(recording.skeleton, flat(values))


def test_what_it_says(tmp_path):
    path = write(tmp_path / "fly.v001.analysis.h5", positions(), edge_inds=EDGES)
    recording, annotation = read_sleap(path, fps=25)
    assert annotation is None
    assert (recording.id, recording.fps, recording.unit) == ("fly.v001", 25, "px")
    assert recording.joint_names == tuple(f"track_{t}/{node}" for t in range(2) for node in NODES)
    assert recording.joint_persons == (0, 0, 0, 1, 1, 1)
    assert recording.parents == (1, -1, 1, 4, -1, 4)
    assert recording.metadata == {"individuals": ["track_0", "track_1"]}
    assert expand(path) == [("sleap", path)]
    assert read(path, unit="millimeters").unit == "mm"


def test_a_video_without_tracks(tmp_path):
    path = write(tmp_path / "fly.h5", positions(n_tracks=1), names=[], edge_inds=EDGES)
    recording = read(path)
    assert recording.joint_names == NODES
    assert recording.joint_persons is None
    assert recording.parents == (1, -1, 1)
    assert recording.metadata == {}
    path = write(tmp_path / "fly.h5", positions(n_tracks=1), track_names=None)
    assert read(path).joint_names == NODES


@pytest.mark.parametrize(
    "edges", [((0, 1), (2, 1)), ((0, 1), (1, 0)), ((0, 0),), ((0, 1), (1, 2), (2, 0))]
)
def test_edges_that_are_no_tree(edges, tmp_path):
    assert read(write(tmp_path / "fly.h5", positions(), edge_inds=edges)).parents is None


def test_no_edges(tmp_path):
    assert read(write(tmp_path / "fly.h5", positions(), edge_inds=[])).parents is None
    assert read(write(tmp_path / "fly.h5", positions())).parents is None


def test_scores_take_nothing_out_unasked(tmp_path):
    values = np.abs(positions())
    scores = np.where(np.arange(20) < 18, 0.1, np.nan)[:, None, None]  # the last are set by hand
    path = write(tmp_path / "fly.h5", values, scores=scores)
    np.testing.assert_array_equal(read(path).skeleton, flat(values))
    with pytest.warns(DataWarning, match=r"min_confidence=0.2 takes more than half .* 6 of 6"):
        recording = read(path, min_confidence=0.2)
    assert np.isnan(recording.skeleton[:18]).all()
    np.testing.assert_array_equal(recording.skeleton[18:], flat(values)[18:])
    n_known = np.isfinite(values[..., 0]).sum()
    n_low = np.isfinite(values[:18, ..., 0]).sum()
    assert recording.history == (
        f"min_confidence(0.2): {n_low} of {n_known} positions set missing",
    )


def test_without_scores_or_occupancy(tmp_path):
    path = write(tmp_path / "fly.h5", positions(), point_scores=None, track_occupancy=None)
    assert read(path, min_confidence=0.9).history == ()


def test_a_track_never_seen_stays_as_missing(tmp_path):
    values = positions()
    values[:, 1] = np.nan
    with pytest.warns(DataWarning, match="never seen: track_1; kept as missing"):
        assert read(write(tmp_path / "fly.h5", values)).skeleton.shape == (20, 6, 2)


def test_one_frame(tmp_path):
    assert read(write(tmp_path / "fly.h5", np.ones((1, 2, 3, 2)))).n_frames == 1


def test_what_must_be_given(tmp_path):
    path = write(tmp_path / "fly.h5", positions())
    with pytest.raises(NotSaidError, match="no frame rate in SLEAP files"):
        read_sleap(path)
    with pytest.raises(ConfigError, match="min_confidence is -1"):
        read(path, min_confidence=-1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tracks": None}, "no 'tracks' in it, .*sleap-convert"),
        ({"node_names": None}, "no 'node_names' in it"),
        ({"tracks": np.zeros((2, 2, 3))}, "do not fit 3 nodes and 2 tracks"),
        ({"tracks": np.zeros((2, 3, 3, 20))}, "do not fit 3 nodes and 2 tracks"),
        ({"tracks": np.zeros((2, 2, 3, 20), complex)}, "tracks holds complex128, no plain numbers"),
        ({"track_occupancy": np.ones((19, 2))}, r"track_occupancy \(19, 2\).* do not fit"),
        ({"point_scores": np.ones((2, 3, 19))}, r"point_scores \(2, 3, 19\).* do not fit"),
        ({"node_names": np.arange(3)}, "node_names holds int64, no text"),
        ({"node_names": np.array([[b"a", b"b", b"c"]])}, r"node_names has the shape \(1, 3\)"),
        ({"node_names": np.array([b"a", b"b", b"a"])}, "'track_0/a' is there 2 times"),
        ({"node_names": np.array([b"a", b"b", b"\xff"])}, "no whole HDF5 file"),
        ({"node_names": []}, "a skeleton without nodes"),
        ({"edge_inds": [[0, 3]]}, "edges between the nodes 0 to 3, but there are 3"),
        ({"edge_inds": [[-1, 0]]}, "edges between the nodes -1 to 0"),
        ({"edge_inds": [[0, 1, 2]]}, r"edge_inds has the shape \(1, 3\)"),
        ({"edge_inds": [[0.0, 1.0]]}, "the type float64"),
        ({"tracks": np.full((2, 2, 3, 20), np.inf)}, "frame 0, track_0/head: inf is no position"),
    ],
)
def test_what_is_wrong_and_where(changes, words, tmp_path):
    path = write(tmp_path / "fly.h5", positions(), **changes)
    with pytest.raises(FileFormatError, match=words) as caught:
        read(path)
    assert "fly.h5" in str(caught.value)


def test_no_frame(tmp_path):
    path = tmp_path / "fly.h5"
    empty = {"tracks": np.zeros((2, 2, 3, 0)), "track_occupancy": None, "point_scores": None}
    with pytest.raises(FileFormatError, match="no frame in it"):
        read(write(path, positions(), **empty))


@pytest.mark.parametrize(
    ("dims", "words"),
    [
        ("frame", None), ("[1", None), ("{}", None), ("3", None),  # no list: told from the counts
        ("[1]", "do not fit"), ('["frame", "track", "node"]', "do not fit"),
        ('["frame", "frame", "node", "xy"]', "do not fit"),
    ],
)  # fmt: skip
def test_names_of_axes_that_are_none(dims, words, tmp_path):
    path = write(tmp_path / "fly.h5", positions(), dims=True)
    with h5py.File(path, "r+") as file:
        file["tracks"].attrs["dims"] = dims
    if words is None:
        np.testing.assert_array_equal(read(path).skeleton, flat(positions()))
    else:
        with pytest.raises(FileFormatError, match=words):
            read(path)


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_flipped_bytes_end_in_errors_of_ours(tmp_path):
    path = write(tmp_path / "fly.h5", positions(), edge_inds=EDGES)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(data), size=200):
        broken = bytearray(data)
        broken[place] ^= 1 << rng.integers(8)
        path.write_bytes(broken)
        with suppress(FileFormatError):
            read(path)
