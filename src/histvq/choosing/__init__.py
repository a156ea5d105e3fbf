"""How many actions there are in recordings nobody has labelled: a suggestion, and its reasons."""

from histvq.choosing.choice import Choice, Criterion
from histvq.choosing.search import choose_k, settings_of

__all__ = ["Choice", "Criterion", "choose_k", "settings_of"]
