"""What windows of a recording tell of the motion in them, joint by joint: the input of preset `best`."""

from histvq.statistics.channels import Tempo
from histvq.statistics.front_end import FrontEnd, Whose, fit_front_end, kind_of, tempo_of

__all__ = ["FrontEnd", "Tempo", "Whose", "fit_front_end", "kind_of", "tempo_of"]
