"""Videos of recordings: which belongs to which, whether they keep step, and what part to show."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from histvq.clips.ffmpeg import Seen
from histvq.errors import ConfigError, did_you_mean
from histvq.recording import Recording

TOLERANCE = 2  # frames; encoders add or drop one or two at the ends
MARGIN = 0.1  # left around a skeleton, as a share of its extent
LEAST_MARGIN = 8  # pixels
ENDINGS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv")
COLUMNS = ("recording", "video", "offset_s")

_SAME_RATE = 1e-3  # rates that differ by less than this share are one


class NotInStepError(ConfigError):
    """A video and its recording do not go together."""


@dataclass(frozen=True, kw_only=True)
class Video:
    """The video of a recording.

    Attributes:
        path: The file.
        offset_s: When in the video the recording's first frame is; None: both begin and end together.
    """

    path: Path
    offset_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """Frame `first + step * n` of the video shows frame `n` of the recording."""

    first: float
    step: float

    def frames(self, start: int, stop: int, *, n_frames: int) -> tuple[int, int]:
        """Those of the video that show these of the recording; at least one, within the video."""
        low = min(max(round(self.first + self.step * start), 0), n_frames - 1)
        high = min(round(self.first + self.step * stop), n_frames)
        return low, max(high, low + 1)


def find_videos(place: str | Path, ids: Iterable[str]) -> dict[str, Video]:
    """The video of each recording that has one.

    Args:
        place: A table (CSV) with columns `recording`, `video` (relative to the table) and, if wanted,
            `offset_s`; or a folder of videos named exactly as the recordings.
        ids: Of the recordings.

    Raises:
        ConfigError: If there is no such place, the table names unknown recordings or missing files, or
            two videos of a folder have the name of one recording.
    """
    place, ids = Path(place), list(ids)
    if place.is_dir():
        return _in_folder(place, ids)
    if not place.is_file():
        raise ConfigError(
            f"{place}: no such folder of videos, nor a table with columns recording, video"
        )
    return _in_table(place, ids)


def _in_folder(folder: Path, ids: Sequence[str]) -> dict[str, Video]:
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS)
    found: dict[str, Video] = {}
    for file in files:
        if file.stem not in ids:
            continue
        if file.stem in found:
            raise ConfigError(
                f"{folder}: {found[file.stem].path.name} and {file.name} are both named after recording "
                f"{file.stem!r}; leave one, or name it in a table with columns recording, video"
            )
        found[file.stem] = Video(path=file)
    if not found:
        raise ConfigError(
            f"{folder}: none of its {len(files)} videos ({', '.join(ENDINGS)}) is named exactly after a "
            f"recording, as {ids[0] if ids else ''}.mp4; rename them, or write a table with columns "
            "recording, video"
        )
    return found


def _in_table(path: Path, ids: Sequence[str]) -> dict[str, Video]:
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:  # ParserError and UnicodeDecodeError are ValueErrors
        raise ConfigError(f"{path}: no table of videos ({error})") from error
    lacking = [name for name in COLUMNS[:2] if name not in table.columns]
    if lacking:
        raise ConfigError(
            f"{path}: no column {' and no '.join(lacking)}; expected recording, video and, if wanted, "
            "offset_s"
        )
    if "offset_s" not in table.columns:
        table["offset_s"] = ""
    found: dict[str, Video] = {}
    for line, (name, video, offset) in enumerate(
        table[list(COLUMNS)].itertuples(index=False, name=None), start=2
    ):
        where = f"{path}, line {line}"
        if name not in ids:
            raise ConfigError(
                f"{where}: no recording {name!r} in this run{did_you_mean(name, ids)}"
            )
        if name in found:
            raise ConfigError(f"{where}: recording {name!r} a second time; give it one video")
        file = path.parent / video
        if not video or not file.is_file():
            raise ConfigError(
                f"{where}: no video {str(file)!r}; paths count from the table's folder"
            )
        found[name] = Video(path=file, offset_s=_offset(offset, where))
    return found


def _offset(text: str, where: str) -> float | None:
    try:
        seconds = float(text) if text.strip() else None
    except ValueError:
        seconds = np.nan
    if seconds is not None and not abs(seconds) < 1e7:
        raise ConfigError(
            f"{where}: offset_s {text!r}; expected the seconds into the video at which the recording "
            "begins, as 12.5"
        )
    return seconds


def in_step(
    video: Video, seen: Seen, *, n_frames: int, fps: float, tolerance: int = TOLERANCE
) -> Step:
    """How the frames of a video and of its recording go together.

    Without an offset both must begin and end together: a video with as many frames, to the tolerance,
    goes frame by frame, whatever its rate is said to be; else one of another rate that lasts as long.
    With an offset it must hold all of the recording.

    Raises:
        NotInStepError: If they do not.
    """
    ratio = seen.fps / fps
    ratio = 1.0 if abs(ratio - 1) < _SAME_RATE else ratio
    said = (
        f"{video.path}: {seen.n_frames} frames at {seen.fps:g} a second ({seen.n_frames / seen.fps:.2f} "
        f"s), the recording {n_frames} at {fps:g} ({n_frames / fps:.2f} s)"
    )
    if video.offset_s is None:
        for step in (1.0, ratio):
            if abs(seen.n_frames - step * n_frames) <= tolerance:
                return Step(first=0.0, step=step)
        raise NotInStepError(
            f"{said}: more than {tolerance} frames apart. Give the video as it was recorded, or, if it "
            "runs longer, when the recording begins in it, as offset_s in the table of videos"
        )
    first = video.offset_s * seen.fps
    if first < -tolerance or first + ratio * n_frames > seen.n_frames + tolerance:
        raise NotInStepError(
            f"{said}, which begins {video.offset_s:g} s into the video: not all of it is in there. Put "
            "offset_s right"
        )
    return Step(first=first, step=ratio)


def box_around(
    recording: Recording, start: int, stop: int, seen: Seen
) -> tuple[int, int, int, int]:
    """The part of the picture around all joints in these frames: x, y, width, height, all even.

    Raises:
        ConfigError: If positions are not in pixels, or no joint is in the picture.
    """
    if recording.unit != "px" or not {"x", "y"} <= set(recording.channel_names):
        raise ConfigError(
            f"not cropped: positions are in {recording.unit}, not in pixels of the video (unit px)"
        )
    columns = [recording.channel_names.index(axis) for axis in "xy"]
    points = recording.skeleton[start:stop][..., columns].reshape(-1, 2)
    size = np.array([seen.width, seen.height])
    inside = points[((points >= 0) & (points < size)).all(axis=1)]  # NaN is not
    if not len(inside):
        raise ConfigError("not cropped: no joint is within the picture")
    low, high = inside.min(axis=0), inside.max(axis=0)
    margin = np.maximum(MARGIN * (high - low), LEAST_MARGIN)
    x, y = (np.maximum(low - margin, 0) // 2 * 2).astype(int)
    right, bottom = np.minimum(np.ceil((high + margin) / 2) * 2, size // 2 * 2).astype(int)
    return int(x), int(y), int(max(right - x, 2)), int(max(bottom - y, 2))
