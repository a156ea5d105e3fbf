import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from histvq.clips.ffmpeg import EXTRA, Cut, Seen, cut_video, look_at
from histvq.clips.video import Step, Video, box_around, find_videos, in_step
from histvq.errors import ConfigError, FileFormatError
from histvq.recording import Recording

try:
    import imageio_ffmpeg
except ImportError:
    imageio_ffmpeg = None
with_ffmpeg = pytest.mark.skipif(imageio_ffmpeg is None, reason="imageio-ffmpeg is not installed")

SIZE = (64, 48)


def ffmpeg(*arguments, given=None):
    program = imageio_ffmpeg.get_ffmpeg_exe()
    done = subprocess.run(
        [program, "-v", "error", *map(str, arguments)], input=given, check=True, capture_output=True
    )
    return done.stdout


def make_video(path, n_frames, *, fps="25", size=SIZE):
    """Frames of one grey each, 4 brighter from one to the next, with the left half 100 brighter."""
    width, height = size
    grey = np.arange(n_frames, dtype=np.uint8) * 4
    frames = np.broadcast_to(grey[:, None, None], (n_frames, height, width)).copy()
    frames[:, :, : width // 2] += 100
    ffmpeg(
        "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", fps, "-i", "-",
        "-c:v", "libx264", "-qp", "4", "-pix_fmt", "yuv420p", path, given=frames.tobytes(),
    )  # fmt: skip
    return path


def greys(path, size):
    """Each frame of a video as numbers."""
    raw = ffmpeg("-i", path, "-f", "rawvideo", "-pix_fmt", "gray", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, size[1], size[0])


def shown(frames):
    """Which frames of a video made by `make_video` these are."""
    return np.round(np.median(frames[:, :, -4:], axis=(1, 2)) / 4).astype(int).tolist()


# Which video belongs to which recording


def test_videos_of_a_folder_go_by_exact_names(tmp_path):
    for name in ("1.avi", "10.Mp4", "walk.final.mov", "other.mp4", "10.csv"):
        (tmp_path / name).touch()
    found = find_videos(tmp_path, ["1", "10", "walk.final", "2"])
    assert {id: video.path.name for id, video in found.items()} == {
        "1": "1.avi", "10": "10.Mp4", "walk.final": "walk.final.mov",
    }  # fmt: skip
    with pytest.raises(ConfigError, match=r"none of its 4 videos .* as 100\.mp4"):
        find_videos(tmp_path, ["100"])
    (tmp_path / "10.avi").touch()
    with pytest.raises(ConfigError, match=r"10\.Mp4 and|10\.avi and"):
        find_videos(tmp_path, ["10"])


def test_a_table_says_which_video_and_when_it_begins(tmp_path):
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a b.mp4").touch()
    table = tmp_path / "videos.csv"
    table.write_text(
        "\ufeffvideo,recording,offset_s,camera\nfilms/a b.mp4,one,12.5,left\nfilms/a b.mp4,two,,right\n"
    )
    assert find_videos(table, ["one", "two", "three"]) == {
        "one": Video(path=tmp_path / "films" / "a b.mp4", offset_s=12.5),
        "two": Video(path=tmp_path / "films" / "a b.mp4"),
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("recording,film\none,a.mp4\n", "no column video; expected recording, video"),
        (
            "recording,video\nonce,a.mp4\n",
            "line 2: no recording 'once' in this run; did you mean 'one'",
        ),
        ("recording,video\none,a.mp4\none,a.mp4\n", "line 3: recording 'one' a second time"),
        ("recording,video\none,b.mp4\n", r"line 2: no video '.*b\.mp4'; paths count from"),
        ("recording,video\none,\n", "line 2: no video"),
        (
            "recording,video,offset_s\none,a.mp4,soon\n",
            "line 2: offset_s 'soon'; expected the seconds",
        ),
        ("recording,video,offset_s\none,a.mp4,nan\n", "offset_s 'nan'; expected"),
        ("", "no table of videos"),
    ],
)
def test_faults_of_the_table_are_told_by_line(tmp_path, text, fault):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "videos.csv").write_text(text)
    with pytest.raises(ConfigError, match=fault):
        find_videos(tmp_path / "videos.csv", ["one"])


def test_no_such_place(tmp_path):
    with pytest.raises(ConfigError, match="no such folder of videos, nor a table"):
        find_videos(tmp_path / "nowhere", ["one"])


# Whether they keep step: frames worked by hand.


def step(n_video, video_fps, n_frames, fps, offset_s=None, **more):
    video = Video(path=Path("a.mp4"), offset_s=offset_s)
    seen = Seen(n_frames=n_video, fps=video_fps, width=64, height=48)
    return in_step(video, seen, n_frames=n_frames, fps=fps, **more)


def test_as_many_frames_go_one_by_one_whatever_the_rates_are_said_to_be():
    assert step(1871, 60, 1873, 58.83) == Step(first=0, step=1)
    assert step(1871, 60, 1873, 58.83).frames(100, 130, n_frames=1871) == (100, 130)


def test_another_rate_goes_by_time():
    assert step(250, 25, 1200, 120).frames(480, 600, n_frames=250) == (100, 125)
    assert step(250, 25, 1200, 120).frames(480, 481, n_frames=250) == (100, 101)
    assert step(251, 25, 1200, 120).frames(1196, 1200, n_frames=251) == (249, 250)


def test_an_offset_says_when_the_recording_begins():
    assert step(1000, 25, 500, 50, offset_s=12.0).frames(50, 100, n_frames=1000) == (325, 350)
    assert step(1000, 25.0001, 500, 25, offset_s=4.0).step == 1


def test_frames_too_far_apart_are_refused():
    with pytest.raises(
        ConfigError, match=r"a\.mp4: 1871 frames at 30 .* the recording 1874 at 30 .*more than 2"
    ):
        step(1871, 30, 1874, 30)
    assert step(1871, 30, 1874, 30, tolerance=3)
    with pytest.raises(ConfigError, match="more than 0 frames apart"):
        step(251, 25, 1200, 120, tolerance=0)
    with pytest.raises(ConfigError, match="begins 30 s into the video: not all of it is in there"):
        step(1000, 25, 500, 25, offset_s=30)
    with pytest.raises(ConfigError, match="begins -1 s into"):
        step(1000, 25, 500, 25, offset_s=-1)


# The picture


def pixels(points, unit="px", names=("x", "y")):
    skeleton = np.array(points, dtype=float)[:, None, :]
    return Recording(id="a", skeleton=skeleton, fps=25, unit=unit, channel_names=names)


def test_the_box_holds_the_joints_of_the_take_and_a_margin():
    seen = Seen(n_frames=9, fps=25, width=641, height=480)
    # In x from 100 to 200 with a tenth around it, in y from 40 to 60 with 8 pixels, all even.
    moving = pixels([[5, 5], [100, 40], [np.nan, 50], [200, 60], [-3, 50], [7, 7]])
    assert box_around(moving, 1, 5, seen) == (90, 32, 120, 36)
    assert box_around(pixels([[2, 3], [640, 479]]), 0, 2, seen) == (0, 0, 640, 480)


def test_other_units_are_not_cropped():
    seen = Seen(n_frames=9, fps=25, width=640, height=480)
    with pytest.raises(ConfigError, match="not cropped: positions are in mm"):
        box_around(pixels([[1, 2]], unit="mm"), 0, 1, seen)
    with pytest.raises(ConfigError, match="not cropped: no joint is within the picture"):
        box_around(pixels([[np.nan, 2], [900, 100]]), 0, 2, seen)


def test_without_the_extra_the_pip_line_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ConfigError, match=r'pip install "histvq\[video\]"') as error:
        look_at(tmp_path / "a.mp4")
    assert str(error.value) == EXTRA


@with_ffmpeg
def test_a_video_is_seen_as_it_is(tmp_path):
    path = make_video(tmp_path / "a.mkv", 30, fps="24000/1001", size=(80, 50))
    seen = look_at(path)
    assert (seen.n_frames, seen.width, seen.height) == (30, 80, 50)
    assert seen.fps == pytest.approx(24000 / 1001, abs=2e-3)


@with_ffmpeg
@pytest.mark.parametrize("content", [b"", b"no video at all", b"\0" * 5000])
def test_what_is_no_video_is_refused(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(FileFormatError, match=r"a\.mp4: no video that ffmpeg can read"):
        look_at(tmp_path / "a.mp4")


@with_ffmpeg
def test_clips_hold_the_very_frames(tmp_path):
    source = make_video(tmp_path / "odd 'name' [x], 50 %:.mp4", 38)
    spans = [(0, 3), (7, 19), (30, 38), (5, 6), (1, 2), (2, 3), (3, 4), (4, 5), (6, 7), (8, 30)]
    cuts = [Cut(path=tmp_path / f"{a}-{b}.mp4", start=a, stop=b) for a, b in spans]
    cut_video(source, cuts)
    for cut in cuts:
        frames = greys(cut.path, SIZE)
        assert shown(frames) == list(range(cut.start, cut.stop))


@with_ffmpeg
def test_a_clip_shows_the_part_asked_for(tmp_path):
    source = make_video(tmp_path / "a.mp4", 10)
    cut_video(source, [Cut(path=tmp_path / "c.mp4", start=2, stop=5, box=(24, 10, 20, 16))])
    frames = greys(tmp_path / "c.mp4", (20, 16)).astype(int)
    # The left half ends at pixel 32 of 64, which is 8 of the box.
    assert shown(frames) == [2, 3, 4]
    assert abs(frames[:, :, :6] - frames[:, :, 12:].mean() - 100).max() < 20
    assert np.abs(frames[0, :, 10:] - 8).max() < 12


@with_ffmpeg
def test_odd_pictures_lose_a_row_and_a_column(tmp_path):
    source = tmp_path / "a.avi"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=65x49:rate=10:duration=1", "-c:v", "mjpeg", source)
    cut_video(source, [Cut(path=tmp_path / "c.mp4", start=0, stop=10)])
    seen = look_at(tmp_path / "c.mp4")
    assert (seen.n_frames, seen.width, seen.height) == (10, 64, 48)


@with_ffmpeg
def test_frames_that_are_not_there_are_told(tmp_path):
    source = make_video(tmp_path / "a.mp4", 10)
    with pytest.raises(FileFormatError, match=r"a\.mp4: "):
        cut_video(source, [Cut(path=tmp_path / "c.mp4", start=5, stop=20)])
