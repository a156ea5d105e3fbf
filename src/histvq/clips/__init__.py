"""Takes of each action as files of their own: of the motion, and of its video."""

from histvq.clips.cutting import Origin
from histvq.clips.filming import add_videos
from histvq.clips.takes import Take, takes_of
from histvq.clips.video import TOLERANCE, find_videos
from histvq.clips.writing import COLUMNS, TABLE, Written, clear, write_clips, write_table

__all__ = [
    "COLUMNS",
    "TABLE",
    "TOLERANCE",
    "Origin",
    "Take",
    "Written",
    "add_videos",
    "clear",
    "find_videos",
    "takes_of",
    "write_clips",
    "write_table",
]
