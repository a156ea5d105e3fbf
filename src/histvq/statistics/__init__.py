"""What windows of a recording tell of the motion in them, joint by joint: the input of preset `best`."""

from histvq.statistics.front_end import FrontEnd, fit_front_end

__all__ = ["FrontEnd", "fit_front_end"]
