"""Thousands of files answered for by the workers of a cluster, with a run folder as from one machine.

`answers_of` lists names, has pieces of them read and answered by the workers, which keep what came of
each in a file of its own (`store`), and puts these together.
"""

from histvq.corpus.asked import Reading, SavedModel, saved_model
from histvq.corpus.gathering import played
from histvq.corpus.running import Work, answers_of, cleared

__all__ = ["Reading", "SavedModel", "Work", "answers_of", "cleared", "played", "saved_model"]
