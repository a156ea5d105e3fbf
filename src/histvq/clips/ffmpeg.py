"""Videos looked at and cut by ffmpeg.

The package imageio-ffmpeg (BSD-2-Clause) brings the program along (GPL-3.0), which is run, not linked.
"""

import errno
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from histvq.errors import ConfigError, FileFormatError

EXTRA = 'cutting videos needs imageio-ffmpeg: pip install "histvq[video]"'

_AT_ONCE = 8  # clips written in one reading of a video; each has an encoder of its own


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a video file holds: frames, rate, and width and height in pixels as they are shown."""

    n_frames: int
    fps: float
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A clip to be written: frames of the video, and the part of the picture (x, y, width, height)."""

    path: Path
    start: int
    stop: int
    box: tuple[int, int, int, int] | None = None


def look_at(path: Path) -> Seen:
    """Read a video through: its frames counted, its rate and size.

    What a file says of its frames, or its packets counted, is less to be trusted.

    Raises:
        FileFormatError: If it is no video.
        ConfigError: If the extra is not installed.
    """
    done = _run(
        "-hide_banner", "-i", f"file:{path.resolve()}", "-map", "0:v:0", "-fps_mode", "passthrough",
        "-progress", "pipe:1", "-nostats", "-f", "null", "-",
    )  # fmt: skip
    said = done.stderr.decode(errors="replace")
    # What comes out, for there the picture is turned as it is shown.
    stream = re.search(
        r"^Output #0.*?Video: .*?, (\d+)x(\d+)\D.*?, ([\d.]+)(k?) fps", said, re.DOTALL | re.M
    )
    counts = dict(line.split("=", 1) for line in done.stdout.decode().split() if "=" in line)
    n_frames = int(counts.get("frame", 0))
    if done.returncode or stream is None or not n_frames:
        raise FileFormatError(f"{path}: no video that ffmpeg can read")
    fps = float(stream[3]) * (1000 if stream[4] else 1)
    if counts.get("out_time_us", "").isdigit():
        # Printed with two decimals; over an hour 23.98 for 23.976 is 14 frames out of step.
        measured = n_frames / (int(counts["out_time_us"]) / 1e6)
        fps = measured if abs(measured - fps) <= 0.0051 else fps
    return Seen(n_frames=n_frames, fps=fps, width=int(stream[1]), height=int(stream[2]))


def cut_video(path: Path, cuts: Sequence[Cut]) -> None:
    """Write clips of a video as MP4 (H.264), without sound, frame by frame.

    Raises:
        FileFormatError: If ffmpeg cannot, with what it said; or a clip came out with other frames.
        OSError: If the disk is full.
        ConfigError: If the extra is not installed.
    """
    ordered = sorted(cuts, key=lambda cut: cut.stop)
    for start in range(0, len(ordered), _AT_ONCE):
        _cut_some(path, ordered[start : start + _AT_ONCE])


def _cut_some(path: Path, cuts: Sequence[Cut]) -> None:
    """One reading of the video, up to where the last clip ends; by frame numbers, so exact."""
    graph = [f"[0:v:0]split={len(cuts)}" + "".join(f"[in{n}]" for n in range(len(cuts)))]
    outputs: list[str] = []
    for n, cut in enumerate(cuts):
        # H.264 in its common form needs an even width and height.
        x, y, width, height = cut.box or (0, 0, "trunc(iw/2)*2", "trunc(ih/2)*2")
        graph.append(
            f"[in{n}]trim=start_frame={cut.start}:end_frame={cut.stop},setpts=PTS-STARTPTS,"
            f"crop={width}:{height}:{x}:{y}[out{n}]"
        )
        outputs += [
            "-map", f"[out{n}]", "-an", "-fps_mode", "passthrough", "-c:v", "libx264", "-crf", "18",
            "-pix_fmt", "yuv420p", "-movflags", "+faststart", f"file:{cut.path.resolve()}",
        ]  # fmt: skip
    done = _run(
        "-v",
        "error",
        "-y",
        "-i",
        f"file:{path.resolve()}",
        "-filter_complex",
        ";".join(graph),
        *outputs,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        if os.strerror(errno.ENOSPC) in said:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(cuts[0].path))
        words = said.strip().splitlines()
        raise FileFormatError(
            f"{path}: ffmpeg cannot cut it: {words[-1] if words else 'no reason'}"
        )
    for cut in cuts:
        n_frames = look_at(cut.path).n_frames
        if n_frames != cut.stop - cut.start:
            raise FileFormatError(
                f"{path}: {n_frames} frames came out for frames {cut.start} to {cut.stop}; the video may "
                "be damaged. Write it again"
            )


def program() -> str:
    """Where ffmpeg is.

    Raises:
        ConfigError: If the extra is not installed.
    """
    try:
        return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise ConfigError(EXTRA) from error


def _run(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([program(), "-nostdin", *arguments], capture_output=True, check=False)
