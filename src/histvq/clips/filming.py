"""The same takes out of the recordings' videos."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from histvq.clips.cutting import Origin
from histvq.clips.ffmpeg import Cut, Seen, cut_video, look_at
from histvq.clips.video import TOLERANCE, Step, Video, box_around, in_step
from histvq.clips.writing import Written
from histvq.errors import ConfigError, FileFormatError
from histvq.segments import Segmentation


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
    found = {number: one for number, one in enumerate(written)}
    refused: list[tuple[Path, str]] = []
    by_id = {answer.recording_id: answer for answer in answers}
    for recording_id, video in videos.items():
        mine = {n: one for n, one in found.items() if one.take.recording_id == recording_id}
        if not mine:
            continue
        try:
            seen, answer = look_at(video.path), by_id[recording_id]
            step = in_step(
                video, seen, n_frames=answer.n_frames, fps=answer.fps, tolerance=tolerance
            )
            origin = origins.get(recording_id) if crop else None
            filmed = {n: _cut_of(Path(folder), one, seen, step, origin, crop) for n, one in mine.items()}
            cut_video(video.path, [cut for cut, _ in filmed.values()])
        except (FileFormatError, NotInStepError) as error:
            refused.append((video.path, str(error)))
            found |= {n: replace(one, notes=(*one.notes, "no video: see what was said")) for n, one in mine.items()}
            continue
        for n, (cut, note) in filmed.items():
            notes = (*mine[n].notes, *([note] if note else []))
            found[n] = replace(mine[n], video=cut.path, notes=notes)
    return [found[n] for n in range(len(written))], refused
