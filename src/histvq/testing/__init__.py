"""Checks for plug-ins of your own: what every method, dataset, reader, score and export keeps to.

Each takes the plug-in as you name it on the command line (`module:Name`), tries it on small made-up
data, and raises AssertionError with words at the first thing that is not as it must be. Made for a test
of yours:

    from histvq.testing import check_method

    def test_my_method():
        check_method("my_method:SpeedMixture")
"""

from histvq.testing.dataset import check_dataset
from histvq.testing.export import check_export
from histvq.testing.method import check_method
from histvq.testing.reader import check_reader
from histvq.testing.score import check_score

__all__ = ["check_dataset", "check_export", "check_method", "check_reader", "check_score"]
