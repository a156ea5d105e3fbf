"""A dataset so small that a run over it takes seconds; presets of `synthetic` fit it."""

from histvq.datasets import Dataset
from histvq.datasets.synthetic import load as synthetic


def load() -> Dataset:
    return synthetic(n_people=1, recordings_per_person=2, seconds=20.0)
