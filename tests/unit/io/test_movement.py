import contextlib
import json
import sys
import warnings

import h5py
import numpy as np
import pytest
import xarray as xr

from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import expand, read, read_many
from histvq.io.movement import from_movement, read_movement, to_movement
from histvq.io.parts.asked import NotSaidError
from histvq.recording import Recording
from histvq.segments import Segmentation

N = 6


def poses(*, names=("keypoints", "individuals"), fps=30.0, **attrs):
    """As movement makes them: at frame t, animal i's point k is at (t, 10 i + k)."""
    keypoints, individuals = names
    time, k, i = np.arange(N), np.arange(3), np.arange(2)
    x = np.broadcast_to(time[:, None, None], (N, 3, 2))
    y = np.broadcast_to(10 * i[None, None, :] + k[None, :, None], (N, 3, 2))
    return xr.Dataset(
        {
            "position": (
                ("time", "space", keypoints, individuals),
                np.stack([x, y], axis=1).astype(float),
            ),
            "confidence": (("time", keypoints, individuals), np.full((N, 3, 2), 0.9)),
        },
        coords={
            "time": time / fps,
            "space": ["x", "y"],
            keypoints: ["nose", "ear", "tail"],
            individuals: ["ada", "ben"],
        },
        attrs={
            "fps": fps,
            "time_unit": "seconds",
            "source_software": "SLEAP",
            "source_file": "/data/mouse.slp",
            "ds_type": "poses",
        }
        | attrs,
    )


def one_animal(**options):
    return poses(**options).isel(individuals=[0])


def imu():
    """Sensor k's channel c at frame t is 100 t + 10 k + c."""
    t, c, k = np.ogrid[:N, :6, :2]
    return xr.Dataset(
        {"features": (("time", "channel", "keypoint"), (100 * t + 10 * k + c).astype(float))},
        coords={
            "time": np.arange(N) / 50,
            "channel": ["acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"],
            "keypoint": ["shin", "thigh"],
        },
        attrs={"fps": 50, "time_unit": "seconds"},
    )


@pytest.fixture
def save(tmp_path):
    def save_(dataset, name="mouse.nc", engine="h5netcdf"):
        dataset.to_netcdf(tmp_path / name, engine=engine)
        return tmp_path / name

    return save_


def expected(frame, individual, keypoint):
    return [frame, 10 * individual + keypoint]


def check_poses(recording):
    assert recording.skeleton.shape == (N, 6, 2)
    for joint, (i, k) in enumerate((i, k) for i in range(2) for k in range(3)):
        for frame in range(N):
            assert recording.skeleton[frame, joint].tolist() == expected(frame, i, k)
    assert recording.joint_names == (
        "ada/nose", "ada/ear", "ada/tail", "ben/nose", "ben/ear", "ben/tail",
    )  # fmt: skip
    assert recording.joint_persons == (0, 0, 0, 1, 1, 1)
    assert recording.channel_names == ("x", "y")


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_two_animals_as_movement_saves_them(save, engine):
    path = save(poses(), engine=engine)
    recording, annotation = read(path, unit="pixels")
    check_poses(recording)
    assert annotation is None
    assert (recording.id, recording.fps, recording.unit, recording.person) == (
        "mouse", 30, "px", None,
    )  # fmt: skip
    assert recording.metadata == {
        "fps": 30.0,
        "time_unit": "seconds",
        "source_software": "SLEAP",
        "source_file": "/data/mouse.slp",
        "ds_type": "poses",
    }
    json.dumps(recording.metadata)
    assert recording.source == str(path)
    assert expand(path) == expand(path.parent) == [("movement", path)]


def test_axes_go_by_name_in_either_spelling():
    turned = poses(names=("keypoint", "individual")).transpose(
        "individual", "keypoint", "space", "time"
    )
    check_poses(from_movement(turned, unit="px"))
    upside_down = poses().isel(space=[1, 0])
    check_poses(from_movement(upside_down, unit="px"))


def test_three_dimensions_come_as_x_y_z():
    flat = one_animal()
    deep = xr.concat([flat.position, flat.position.isel(space=[0]) + 0.5], dim="space")
    deep = deep.assign_coords(space=["x", "y", "z"]).isel(space=[2, 0, 1])
    recording = from_movement(flat.drop_dims("space").assign(position=deep), unit="mm")
    assert recording.channel_names == ("x", "y", "z")
    assert recording.skeleton[4, 2].tolist() == [4, 2, 4.5]


@pytest.mark.parametrize("drop", [False, True])
def test_one_animal_has_plain_names(save, drop):
    dataset = one_animal()
    if drop:
        dataset = dataset.isel(individuals=0, drop=True)
    recording, _ = read_movement(save(dataset), unit="px")
    assert recording.joint_names == ("nose", "ear", "tail")
    assert recording.joint_persons is None
    assert recording.person == (None if drop else "ada")
    assert recording.skeleton[5, 1].tolist() == expected(5, 0, 1)


def test_a_made_up_name_is_nobody():
    dataset = one_animal().assign_coords(individuals=["id_0"])
    assert from_movement(dataset, unit="px").person is None


def test_sensors_by_their_named_channels(save):
    recording, _ = read_movement(save(imu()), unit="counts")
    assert recording.joint_names == ("shin", "thigh")
    assert recording.channel_names[3:] == ("gyro_x", "gyro_y", "gyro_z")
    assert recording.skeleton[2, 1].tolist() == [210, 211, 212, 213, 214, 215]
    assert (recording.fps, recording.unit) == (50, "counts")


def test_positions_and_features_side_by_side():
    dataset = one_animal(names=("keypoint", "individuals"))
    speed = np.arange(N * 3.0).reshape(N, 1, 3)
    dataset["features"] = ("time", "channel", "keypoint"), speed
    dataset = dataset.assign_coords(channel=["speed"])
    recording = from_movement(dataset, unit="px")
    assert recording.channel_names == ("x", "y", "speed")
    assert recording.skeleton[1, 2].tolist() == [1, 2, 5]
    two = poses(names=("keypoint", "individuals"))
    two["features"] = ("time", "channel", "keypoint"), speed
    with pytest.raises(FileFormatError, match="positions have an axis individual and features"):
        from_movement(two, unit="px")


def test_a_view_of_one_camera_goes_and_of_two_is_asked_for():
    dataset = one_animal()
    views = dataset.assign(position=dataset.position.expand_dims(view=["left"]))
    assert from_movement(views, unit="px").skeleton.shape == (N, 3, 2)
    both = dataset.assign(
        position=xr.concat([dataset.position] * 2, dim="view").assign_coords(view=[0, 1])
    )
    with pytest.raises(FileFormatError, match=r"Choose one view, as dataset.sel\(view=...\)"):
        from_movement(both, unit="px")


# Confidence


def test_unsure_positions_become_missing(save):
    dataset = one_animal()
    dataset.confidence[1, 2, 0] = 0.59
    dataset.confidence[2, 2, 0] = 0.6
    dataset.confidence[3, 0, 0] = np.nan
    path = save(dataset)
    recording, _ = read_movement(path, unit="px")
    assert np.argwhere(np.isnan(recording.skeleton)).tolist() == [[1, 2, 0], [1, 2, 1]]
    assert recording.history == ("min_confidence(0.6): 1 of 18 positions missing",)
    whole, _ = read_movement(path, unit="px", min_confidence=None)
    assert np.isfinite(whole.skeleton).all()
    assert not whole.history
    assert np.isnan(from_movement(dataset, unit="px", min_confidence=0.6).skeleton).sum() == 2
    assert dataset.position.notnull().all()  # what was handed over stays as it was
    assert np.isfinite(from_movement(dataset, unit="px").skeleton).all()


def test_a_keypoint_mostly_unsure_is_told(save):
    dataset = poses()
    dataset.confidence[:4, 1, 1] = 0.1
    dataset.confidence[:3, 2, 0] = 0.1
    with pytest.warns(DataWarning, match=r"mouse.nc: .* below 0.6 .* missing: ben/ear \(67%\)\."):
        read_movement(save(dataset), unit="px")


def test_gaps_movement_has_filled_are_not_torn_open():
    dataset = one_animal()
    dataset.confidence[1] = 0.1
    dataset.position.attrs["log"] = json.dumps(
        [{"operation": "filter_by_confidence"}, {"operation": "interpolate_over_time"}]
    )
    recording = from_movement(dataset, unit="px", min_confidence=0.6)
    assert np.isfinite(recording.skeleton).all()
    assert recording.history == (
        "movement: filter_by_confidence, interpolate_over_time",
        "confidence not looked at: movement has filled gaps",
    )


def test_who_is_never_seen_is_told():
    dataset = poses()
    dataset.position[..., 1] = np.nan
    with pytest.warns(DataWarning, match="mouse.slp: never seen: ben"):
        from_movement(dataset, unit="px")


@pytest.mark.parametrize("limit", [-0.1, 1.1, float("nan")])
def test_a_limit_that_is_no_share(limit):
    with pytest.raises(ConfigError, match="must be between 0 and 1"):
        from_movement(poses(), unit="px", min_confidence=limit)


# Rate and unit


def test_the_rate_comes_from_times_where_no_attribute_says_it():
    dataset = poses(fps=25.0)
    del dataset.attrs["fps"]
    recording = from_movement(dataset, unit="px", fps=60)
    assert (recording.fps, recording.history) == (25, ("fps 25 from the times",))
    stamps = dataset.assign_coords(time=dataset.time * np.timedelta64(1_000_000_000, "ns"))
    del stamps.attrs["time_unit"]
    assert from_movement(stamps, unit="px").fps == 25


def test_frames_have_no_rate_of_their_own(save):
    dataset = poses(time_unit="frames").assign_coords(time=np.arange(N))
    del dataset.attrs["fps"]
    path = save(dataset)
    with pytest.raises(NotSaidError, match=r"mouse.nc: no frame rate .* Pass fps="):
        read_movement(path, unit="px")
    assert read_movement(path, unit="px", fps=58.8)[0].fps == 58.8


def test_every_second_frame_is_half_the_rate():
    with pytest.warns(DataWarning, match="30 by the attribute but 15 by the times"):
        recording = from_movement(poses().isel(time=slice(None, None, 2)), unit="px")
    assert recording.fps == 15


@pytest.mark.parametrize("kept", [[0, 1, 2, 4, 5], [0, 1, 1, 2], [3, 2, 1, 0]])
def test_uneven_times(kept):
    with pytest.raises(FileFormatError, match=r"mouse.slp: times are uneven: "):
        from_movement(poses().isel(time=kept), unit="px")
    with pytest.raises(FileFormatError, match=r"from frame 2 to 3, usually 0.0333"):
        from_movement(poses().isel(time=[0, 1, 2, 4, 5]), unit="px")


def test_a_time_that_is_missing_is_uneven():
    time = np.arange(N) / 30
    time[2] = np.nan
    with pytest.raises(FileFormatError, match="times are uneven: nan from frame 1 to 2"):
        from_movement(poses().assign_coords(time=time), unit="px")
    time[[2, 3]] = np.inf
    with pytest.raises(FileFormatError, match=r"times are uneven: (inf|nan) from frame"):
        from_movement(poses().assign_coords(time=time), unit="px")


def test_what_netcdf_libraries_complain_of_is_told_as_an_error(tmp_path):
    import h5netcdf

    poses().to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    with pytest.raises(FileFormatError, match="cannot be read as netCDF"):
        read_movement(_with_one_axis_twice(tmp_path / "one.nc"))
    half = object.__new__(h5netcdf.File)  # as one is left that could not be opened
    half._closed, half._close_h5file = False, False
    half.close()


def _with_one_axis_twice(path):
    import h5py

    with h5py.File(path, "r+") as file:
        confidence, time = file["confidence"], file["time"]
        for axis in range(confidence.ndim):
            for scale in confidence.dims[axis].values():
                confidence.dims[axis].detach_scale(scale)
            confidence.dims[axis].attach_scale(time)
    return path


@pytest.mark.parametrize("place", ["position", "dataset"])
@pytest.mark.parametrize("name", ["units", "space_unit"])
def test_the_unit_is_the_files_or_as_given(place, name):
    dataset = poses()
    with pytest.raises(NotSaidError, match=r"no unit .* as unit='px'"):
        from_movement(dataset)
    holder = dataset.position if place == "position" else dataset
    holder.attrs[name] = "Millimetres"
    assert from_movement(dataset, unit="px").unit == "mm"


# Labels


def test_labels_are_the_truth_only_where_named(save):
    dataset = poses().assign_coords(action=("time", ["walk", "walk", "", "rest", "rest", "rest"]))
    path = save(dataset)
    recording, annotation = read_movement(path, unit="px")
    assert annotation is None
    assert recording.history == ("left out: action",)
    _, annotation = read_movement(path, unit="px", labels="action")
    assert annotation.actions == ("rest", "walk")
    assert annotation.labels.tolist() == [1, 1, -1, 0, 0, 0]
    with pytest.raises(FileFormatError, match=r"no labels 'actoin' .* did you mean 'action'"):
        read_movement(path, unit="px", labels="actoin")


# Out


def segmentation(n=N, id="mouse"):
    actions = np.array([0, 0, 1, 1, -1, -1])[:n]
    return Segmentation(
        recording_id=id,
        fps=30,
        actions=actions,
        subactions=np.where(actions < 0, -1, 2 * actions),
        names={1: "walk"},
    )


@pytest.mark.parametrize("plural", [False, True])
@pytest.mark.parametrize("make", [poses, one_animal, imu])
def test_what_goes_out_comes_back(save, make, plural):
    recording = from_movement(make(), unit="px", id="mouse")
    out = to_movement(recording, segmentation(), plural=plural)
    assert set(out.dims) >= ({"keypoints", "individuals"} if plural else {"keypoint", "individual"})
    again, annotation = read_movement(save(out), labels="action")
    np.testing.assert_array_equal(again.skeleton, recording.skeleton)
    for name in (
        "id", "fps", "joint_names", "joint_persons", "channel_names", "unit", "person",
    ):  # fmt: skip
        assert getattr(again, name) == getattr(recording, name), name
    assert annotation.labels.tolist() == [0, 0, 1, 1, -1, -1]
    assert annotation.actions == ("action 0", "walk")
    assert again.metadata["source_file"] == recording.metadata.get(
        "source_file", recording.source or ""
    )


def test_frames_of_an_action_are_chosen_by_name():
    out = to_movement(from_movement(poses(), unit="px", id="mouse"), segmentation())
    assert out.position.dims == ("time", "space", "keypoint", "individual")
    walk = out.sel(time=out.action == "walk")
    assert walk.position.sel(space="x", keypoint="ear", individual="ben").values.tolist() == [2, 3]
    assert out.subaction.values.tolist()[:4] == ["subaction 0"] * 2 + ["subaction 2"] * 2
    assert out.subaction.values.tolist()[4:] == ["", ""]


def test_people_without_names_and_with_different_joints():
    recording = Recording(
        id="r",
        skeleton=np.arange(9.0).reshape(1, 3, 3),
        fps=1,
        joint_names=("head", "hand", "ada/head"),
        joint_persons=(0, 0, 1),
    )
    out = to_movement(recording)
    assert out.individual.values.tolist() == ["id_0", "ada"]
    assert out.position.sel(individual="ada", keypoint="head").values.tolist() == [[6, 7, 8]]
    assert out.position.sel(individual="ada", keypoint="hand").isnull().all()


@pytest.mark.parametrize("other", [{"n": 4}, {"id": "rat"}])
def test_a_segmentation_of_something_else(other):
    recording = from_movement(poses(), unit="px", id="mouse")
    with pytest.raises(ConfigError, match="give those that belong together"):
        to_movement(recording, segmentation(**other))


# Files that are wrong


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.drop_vars("position"), "no variable 'position' .* it has: confidence"),
        (lambda d: d.isel(time=slice(0, 0)), r"no value in it \(time 0"),
        (lambda d: d.isel(keypoints=slice(0, 0)), "no value in it .*keypoint 0"),
        (lambda d: d.rename(space="axis"), "expected time, individual, keypoint, space"),
        (lambda d: d.isel(keypoints=0), "position has the axes .* add keypoint"),
        (lambda d: d.assign_coords(space=["rho", "phi"]), "space is rho, phi; expected x, y"),
        (lambda d: d.isel(space=[0]), "space is x; expected"),
        (lambda d: d.assign_coords(keypoints=["b", "a", "a"]), "two keypoints are called 'a'"),
        (lambda d: d.assign(position=d.position.astype(str)), "position holds .*, expected num"),
        (lambda d: d.assign(confidence=d.confidence[..., 0]), "confidence for 3 of 6 joints"),
        (
            lambda d: d.assign(position=d.position / 0),
            "infinite value at frame 0, joint 1, channel 1",
        ),
        (
            lambda d: d.assign(position=d.position * 1e300),
            "infinite value at frame 0, joint 1, channel 1",
        ),
        (lambda d: d.assign_coords(time=list("abcdef")), "time holds .*, expected numbers"),
    ],
)
def test_what_is_wrong_and_where(change, words, save):
    path = save(change(poses()))
    with pytest.raises(FileFormatError, match=rf"mouse.nc: .*{words}"):
        read_movement(path, unit="px")


def test_one_frame(save):
    recording, _ = read_movement(save(poses().isel(time=[0])), unit="px")
    assert recording.n_frames == 1


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
@pytest.mark.parametrize("part", [0, 4, 200, 0.5, 0.95])
def test_a_cut_file(save, engine, part):
    path = save(poses(), engine=engine)
    data = path.read_bytes()
    path.write_bytes(data[: part if isinstance(part, int) else int(part * len(data))])
    with pytest.raises(FileFormatError, match=r"mouse.nc: .*fetch it again"):
        read_movement(path, unit="px")


@pytest.mark.parametrize(
    "content", [b"hello", "time,x,y".encode("utf-16"), b"\xff" * 300, b"CDF\x05" + bytes(90)]
)
def test_text_and_noise_are_not_netcdf(tmp_path, content):
    path = tmp_path / "mouse.nc"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"mouse.nc: begins with"):
        read_movement(path, unit="px")
    with pytest.raises(FileFormatError, match="ends like netCDF of movement"):
        read(path)


def test_no_such_file(tmp_path):
    with pytest.raises(FileFormatError, match="there is no such file"):
        read_movement(tmp_path / "no.nc")


def huge_hdf5(path):
    """A header that claims 160 GB, of which nothing is there."""
    with h5py.File(path, "w") as file:
        sizes = {"time": 10**9, "space": 2, "keypoint": 10, "individual": 1}
        for name, length in sizes.items():
            file.create_dataset(name, (length,), "f8", chunks=True).make_scale(name)
        position = file.create_dataset("position", tuple(sizes.values()), "f8", chunks=True)
        for axis, name in enumerate(sizes):
            position.dims[axis].attach_scale(file[name])


def huge_classic(path):
    """A classic file whose count of frames is 2e9 while its data are of six."""
    poses().to_netcdf(path, engine="scipy", unlimited_dims=["time"])
    data = bytearray(path.read_bytes())
    data[4:8] = (2_000_000_000).to_bytes(4, "big")
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (huge_hdf5, "claims 160000000000 bytes of position, but is only"),
        (huge_classic, "cannot be read as netCDF"),
    ],
)
def test_a_header_that_claims_too_much_takes_no_memory(tmp_path, make, words):
    path = tmp_path / "huge.nc"
    make(path)
    with pytest.raises(FileFormatError, match=rf"huge.nc: {words}"):
        read_movement(path, unit="px")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
@pytest.mark.parametrize("seed", range(15))
def test_damaged_bytes_never_end_in_a_traceback(save, engine, seed):
    """Whatever a byte of the header is turned into: words, or a file that can still be read."""
    rng = np.random.default_rng(seed)
    path = save(poses(), engine=engine)
    whole = path.read_bytes()
    for _ in range(4):
        data = bytearray(whole)
        for place in rng.integers(8, len(data), size=12):
            data[place] = rng.integers(256)
        path.write_bytes(data)
        with warnings.catch_warnings(), contextlib.suppress(FileFormatError):
            warnings.simplefilter("ignore")
            read_movement(path, unit="px", fps=30)


# Whose file it is


def test_h5_only_where_it_is_clearly_ours(save, tmp_path):
    assert expand(save(poses(), "ours.h5")) == [("movement", tmp_path / "ours.h5")]
    assert expand(save(imu(), "sensors.h5")) == [("movement", tmp_path / "sensors.h5")]
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["position"] = np.zeros(3)
    (tmp_path / "noise.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert len(expand(tmp_path)) == 2
    assert read_many(tmp_path, unit="px").ignored == 2


@pytest.mark.parametrize("lacking", ["xarray", "h5netcdf", "h5py"])
def test_without_the_extra_the_words_say_how_to_get_it(save, lacking, monkeypatch):
    path = save(poses())
    monkeypatch.setitem(sys.modules, lacking, None)
    with pytest.raises(ConfigError, match=rf'need {lacking}: pip install "histvq\[xarray\]"'):
        read_movement(path, unit="px")
