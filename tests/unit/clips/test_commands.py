import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from histvq.cli import Exit
from histvq.io import read
from histvq.segments import to_segments
from oracles.commands import histvq

try:
    import imageio_ffmpeg
except ImportError:
    imageio_ffmpeg = None
with_ffmpeg = pytest.mark.skipif(imageio_ffmpeg is None, reason="imageio-ffmpeg is not installed")

N_FRAMES = 200
TAUGHT = np.repeat([0, 1, 0, 1], N_FRAMES // 4)


def put_tracks(folder):
    """Two recordings of two points in pixels, still and shaking by turns, as tables with labels."""
    rng = np.random.default_rng(0)
    for name in ("ada", "ben"):
        moves = np.where(TAUGHT == 1, 12, 0.5)[:, None] * rng.standard_normal((N_FRAMES, 4))
        points = np.array([100, 80, 140, 100]) + moves
        rows = [
            ",".join([f"{value:.3f}" for value in row] + [("rest", "shake")[label]])
            for row, label in zip(points, TAUGHT, strict=True)
        ]
        text = "\n".join(["nose_x,nose_y,tail_x,tail_y,label", *rows])
        (folder / f"{name}.csv").write_text(text + "\n")


@pytest.fixture
def run(tmp_path):
    (tmp_path / "files").mkdir()
    put_tracks(tmp_path / "files")
    place = tmp_path / "run"
    status, _ = histvq(
        "run", tmp_path / "files", "--fps", 25, "--unit", "px", "-k", 2, "--method", "window-kmeans",
        "-o", place,
    )  # fmt: skip
    assert status == Exit.ALL
    return place


def put_video(path, n_frames=N_FRAMES):
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run(
        [program, "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-frames:v",
         str(n_frames), "-c:v", "libx264", str(path)],
        check=True,
    )  # fmt: skip


def listed(run):
    return pd.read_csv(run / "clips" / "clips.csv", keep_default_na=False)


def test_clips_are_parts_of_their_sources_and_of_their_actions(run, tmp_path):
    status, said = histvq("clips", run, "--per-action", 2)
    assert status == Exit.ALL
    assert "4 takes of 2 actions: 4 files of motion, 0 videos" in said
    assert f"wrote {run / 'clips' / 'clips.csv'}; next: look at the clips" in said
    table = listed(run)
    frames = pd.read_csv(run / "frames.csv")
    for row in table.itertuples():
        clip = (run / "clips" / row.file).read_text().splitlines()
        whole = (tmp_path / "files" / f"{row.recording}.csv").read_text().splitlines()
        assert clip == [whole[0], *whole[1 + row.start_frame : 1 + row.stop_frame]]
        mine = frames[(frames.recording == row.recording)].action[row.start_frame : row.stop_frame]
        assert set(mine) == {row.action}
    assert table.kind.tolist()[:2] == ["typical", "borderline"]


def test_same_seed_same_clips_and_earlier_ones_are_replaced_only_when_asked(run):
    histvq("clips", run, "--per-action", 4)
    first = sorted(file.name for file in (run / "clips").iterdir())
    (run / "clips" / "mine.txt").write_text("keep")
    status, said = histvq("clips", run, "--per-action", 1)
    assert status == Exit.USAGE
    assert "holds clips already" in said
    status, _ = histvq("clips", run, "--per-action", 1, "--overwrite")
    assert status == Exit.ALL
    left = {file.name for file in (run / "clips").iterdir()}
    assert left == {"mine.txt", "clips.csv", *listed(run).file}
    histvq("clips", run, "--per-action", 4, "--overwrite")
    assert sorted(file.name for file in (run / "clips").iterdir()) == sorted([*first, "mine.txt"])


def test_a_changed_list_of_clips_removes_nothing_elsewhere(run):
    histvq("clips", run, "--per-action", 1)
    table = listed(run)
    table.loc[0, "file"] = "../frames.csv"
    table.to_csv(run / "clips" / "clips.csv", index=False)
    histvq("clips", run, "--per-action", 1, "--overwrite")
    assert (run / "frames.csv").exists()


def test_recordings_that_moved_are_named(run, tmp_path):
    (tmp_path / "files").rename(tmp_path / "elsewhere")
    status, said = histvq("clips", run)
    assert status == Exit.USAGE
    assert f"name the recordings, as histvq clips {run} FILES" in said
    status, said = histvq(
        "clips", run, tmp_path / "elsewhere", "--per-action", 1, "-o", tmp_path / "c"
    )
    assert status == Exit.ALL
    assert len(list((tmp_path / "c").glob("*.csv"))) == 3


def test_names_given_since_are_in_the_names_of_files(run):
    (run / "names.yaml").write_text('actions:\n  0: "../<b>still</b>"\n')
    histvq("clips", run, "--per-action", 1)
    table = listed(run)
    assert table.name[0] == "../<b>still</b>"
    assert table.file[0].startswith("action00-b-still-b_")


@with_ffmpeg
def test_videos_are_cut_in_step_and_cropped(run, tmp_path):
    films = tmp_path / "films"
    films.mkdir()
    put_video(films / "ada.mp4")
    put_video(films / "ben.MP4", N_FRAMES + 3)
    status, said = histvq("clips", run, "--video", films, "--crop", "--per-action", 6)
    assert status == Exit.SOME_SKIPPED
    assert "ben.MP4: 203 frames at 25 a second" in said
    assert "more than 2 frames apart" in said
    table = listed(run)
    assert set(table.note[table.recording == "ben"]) == {"its video was refused"}
    ada = table[table.recording == "ada"]
    assert len(ada)
    for row in ada.itertuples():
        assert row.video == row.file.replace(".csv", ".mp4")
        frames = imageio_ffmpeg.count_frames_and_secs(str(run / "clips" / row.video))[0]
        assert frames == row.stop_frame - row.start_frame
        points = read(run / "clips" / row.file, fps=25, unit="px")[0].skeleton
        width, height = next(imageio_ffmpeg.read_frames(str(run / "clips" / row.video)))["size"]
        assert np.ptp(points[..., 0]) < width < 1.2 * np.ptp(points[..., 0]) + 40
        assert np.ptp(points[..., 1]) < height < 1.2 * np.ptp(points[..., 1]) + 40
    status, _ = histvq(
        "clips", run, "--video", films, "--video-tolerance", 3, "--overwrite", "--per-action", 1
    )
    assert status == Exit.ALL
    assert (listed(run).video != "").all()


@with_ffmpeg
def test_videos_alone_will_do_where_the_motion_is_gone(run, tmp_path):
    put_video(tmp_path / "long.mkv", N_FRAMES + 100)
    table = tmp_path / "videos.csv"
    table.write_text("recording,video,offset_s\nada,long.mkv,2\nben,long.mkv,3.96\n")
    (tmp_path / "files").rename(tmp_path / "elsewhere")
    status, said = histvq("clips", run, "--video", table, "--per-action", 2)
    assert status == Exit.ALL
    assert "4 takes of 2 actions: 0 files of motion, 4 videos" in said
    assert (listed(run).file == "").all()


def test_crop_without_video_makes_no_sense(run):
    status, said = histvq("clips", run, "--crop")
    assert status == Exit.USAGE
    assert "--crop is about videos" in said


def test_without_the_extra_nothing_is_begun(run, tmp_path, monkeypatch):
    (tmp_path / "ada.mp4").touch()
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    status, said = histvq("clips", run, "--video", tmp_path)
    assert status == Exit.USAGE
    assert 'pip install "histvq[video]"' in said
    assert not (run / "clips").exists()


def test_figures_of_a_run_with_labels(run):
    status, said = histvq("figures", run, "--recording", "ben")
    assert status == Exit.ALL
    assert "confusion, durations, lengths, strips, transitions, usage" in said
    folder = run / "figures"
    assert f"wrote {folder}; next: each figure" in said
    strips = pd.read_csv(folder / "strips.csv")
    assert set(strips.recording) == {"ben"}
    assert (strips.strip == "true").sum() == len(to_segments(TAUGHT))
    confusion = pd.read_csv(folder / "confusion.csv")
    assert confusion.frames.sum() == 2 * N_FRAMES
    matched = json.loads((run / "scores.json").read_text())["matched"]
    right = confusion[confusion.true == confusion.matched].frames.sum()
    assert set(confusion.matched.dropna()) == set(matched.values())
    mof = json.loads((run / "scores.json").read_text())["scores"]["mof"]
    assert 100 * right / (2 * N_FRAMES) == pytest.approx(mof)


def test_figures_take_the_names_and_colours_given_since(run):
    (run / "names.yaml").write_text('actions:\n  0: {name: "still", colour: "#123456"}\n')
    histvq("figures", run)
    for name in ("usage", "durations", "strips"):
        assert "#123456" in (run / "figures" / f"{name}.svg").read_text()
    assert pd.read_csv(run / "figures" / "usage.csv").name[0].startswith("still")


def test_view_needs_a_recording_of_the_run(run):
    status, said = histvq("view", run, "adda")
    assert status == Exit.USAGE
    assert "no recording 'adda'" in said
    assert "did you mean 'ada'?" in said
