"""Scores of an answer against the truth: numpy in, one number in percent out.

A score is a function of `LabelPairs` that returns a float. To add one: a new file, one line here.
"""

from histvq.metrics.edit import edit_score
from histvq.metrics.f1 import f1_score
from histvq.metrics.jsd import length_bias
from histvq.metrics.matching import best_match, contingency, match_codes, translate
from histvq.metrics.mof import mean_over_frames
from histvq.metrics.pairs import LabelPairs

METRICS = {
    "mof": "histvq.metrics.mof:mean_over_frames",
    "edit": "histvq.metrics.edit:edit_score",
    "f1@10": "histvq.metrics.f1:f1_at_10",
    "f1@25": "histvq.metrics.f1:f1_at_25",
    "f1@50": "histvq.metrics.f1:f1_at_50",
    "jsd": "histvq.metrics.jsd:length_bias",
    "jsd-true-bins": "histvq.metrics.jsd:length_bias_true_bins",
}

# The scores of the paper's tables; the others are computed when asked for by name.
PAPER_METRICS = ("mof", "edit", "f1@10", "f1@25", "f1@50", "jsd")

__all__ = [
    "METRICS",
    "PAPER_METRICS",
    "LabelPairs",
    "best_match",
    "contingency",
    "edit_score",
    "f1_score",
    "length_bias",
    "match_codes",
    "mean_over_frames",
    "translate",
]
