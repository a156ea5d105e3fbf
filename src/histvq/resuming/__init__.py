"""Trainings that go on where they were stopped, kept by one process or by several that train together."""

from histvq.resuming.belonging import Belonging, belonging, differences
from histvq.resuming.checkpoint import Checkpoint, Stateful
from histvq.resuming.course import Course
from histvq.resuming.keeper import Keeper
from histvq.resuming.telling import done_by_first, shared_out, told_by_all

__all__ = [
    "Belonging",
    "Checkpoint",
    "Course",
    "Keeper",
    "Stateful",
    "belonging",
    "differences",
    "done_by_first",
    "shared_out",
    "told_by_all",
]
