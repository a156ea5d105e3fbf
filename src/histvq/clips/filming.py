"""The same takes out of the recordings' videos."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from histvq.clips.cutting import Origin
from histvq.clips.ffmpeg import Cut, cut_video, look_at
from histvq.clips.video import TOLERANCE, NotInStepError, Video, box_around, in_step
from histvq.clips.writing import Written
from histvq.errors import ConfigError, FileFormatError
from histvq.segments import Segmentation
from histvq.writing import together


def add_videos(
    folder: str | Path,
    written: Sequence[Written],
    videos: Mapping[str, Video],
    answers: Sequence[Segmentation],
    *,
    origins: Mapping[str, Origin],
    tolerance: int = TOLERANCE,
    crop: bool = False,
) -> tuple[list[Written], list[tuple[Path, str]]]:
    """Cut the takes of recordings that have a video out of it, as MP4 beside their motion.

    Args:
        folder: Where to write to.
        written: The takes.
        videos: By id of the recording.
        answers: What was found, for frames and rates of the recordings.
        origins: The recordings by id, to crop around their joints.
        tolerance: So many frames a video may be longer or shorter than its recording.
        crop: Show the part of the picture around the joints alone, where these are in pixels.

    Returns:
        The takes with their videos, and the videos refused, each with the reason.

    Raises:
        ConfigError: If the extra is not installed.
    """
    found = list(written)
    refused: list[tuple[Path, str]] = []
    for answer in answers:
        video = videos.get(answer.recording_id)
        mine = [n for n, one in enumerate(written) if one.take.recording_id == answer.recording_id]
        if video is None or not mine:
            continue
        origin = origins.get(answer.recording_id)
        takes = [written[n] for n in mine]
        try:
            filmed = _filmed(Path(folder), takes, video, answer, origin, tolerance, crop)
        except (FileFormatError, NotInStepError) as error:
            refused.append((video.path, str(error)))
            filmed = [replace(one, notes=(*one.notes, "its video was refused")) for one in takes]
        for n, one in zip(mine, filmed, strict=True):
            found[n] = one
    return found, refused


def _filmed(
    folder: Path,
    takes: Sequence[Written],
    video: Video,
    answer: Segmentation,
    origin: Origin | None,
    tolerance: int,
    crop: bool,
) -> list[Written]:
    """The takes of one recording, with their videos."""
    seen = look_at(video.path)
    step = in_step(video, seen, n_frames=answer.n_frames, fps=answer.fps, tolerance=tolerance)
    cuts: list[Cut] = []
    notes: list[tuple[str, ...]] = []
    for one in takes:
        start, stop = one.take.start, one.take.stop
        box, note = None, ""
        if crop:
            try:
                if origin is None:
                    raise ConfigError("not cropped: the recording is not at hand")
                box = box_around(origin.recording, start, stop, seen)
            except ConfigError as error:
                note = str(error)
        first, last = step.frames(start, stop, n_frames=seen.n_frames)
        cuts.append(Cut(path=folder / f"{one.stem}.mp4", start=first, stop=last, box=box))
        notes.append((note,) if note else ())
    with together(folder) as place:
        cut_video(video.path, [replace(cut, path=place / cut.path.name) for cut in cuts])
    return [
        replace(one, video=cut.path, notes=(*one.notes, *note))
        for one, cut, note in zip(takes, cuts, notes, strict=True)
    ]
