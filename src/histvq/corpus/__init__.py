"""Thousands of files answered for by the workers of a cluster, with a run folder as from one machine.

`answers_of` lists names, has pieces of them read and answered by the workers, which keep what came of
each in a file of its own (`store`), and puts these together.
"""

from histvq.corpus.asked import Reading, SavedModel, saved_model
from histvq.corpus.fitting import Fit, Fitted, brought_here, fitted_on
from histvq.corpus.gathering import played
from histvq.corpus.running import Work, answers_of, cleared
from histvq.corpus.seen import claimed

__all__ = [
    "Fit",
    "Fitted",
    "Reading",
    "SavedModel",
    "Work",
    "answers_of",
    "brought_here",
    "claimed",
    "cleared",
    "fitted_on",
    "played",
    "saved_model",
]
