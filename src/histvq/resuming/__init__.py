"""Trainings that go on where they were stopped."""

from histvq.resuming.belonging import Belonging, belonging
from histvq.resuming.checkpoint import Checkpoint, Stateful
from histvq.resuming.course import Course
from histvq.resuming.keeper import Keeper

__all__ = ["Belonging", "Checkpoint", "Course", "Keeper", "Stateful", "belonging"]
