"""What the report says of each action: clips to look at, how distinct it is, what follows what."""

from histvq.report.analysis.card import Card
from histvq.report.analysis.cards import cards
from histvq.report.analysis.choosing import Clip
from histvq.report.analysis.groups import by_group
from histvq.report.analysis.lengths import segment_lengths
from histvq.report.analysis.transitions import transitions

__all__ = ["Card", "Clip", "by_group", "cards", "segment_lengths", "transitions"]
