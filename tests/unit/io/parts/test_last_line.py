import warnings
from pathlib import Path

import pytest

from histvq.errors import DataWarning
from histvq.io.parts.last_line import warn_if_cut

PATH = Path("a.bvh")


@pytest.mark.parametrize(
    "text", ["", "1 2 3\n", "1 2 3\r", "1.25\t", "1.25 2.50", "1.250000\n-0.125 7.125"]
)
def test_whole(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_cut(text, PATH)


@pytest.mark.parametrize(
    "text", ["1.25 2.5", "1.25 2.", "1.25 2", "1.25\n-", "1 2", "7", "1.25 -0"]
)
def test_perhaps_cut(text):
    with pytest.warns(
        DataWarning, match=rf"a\.bvh: .* number, {text.split()[-1]}, may be cut short"
    ):
        warn_if_cut(text, PATH)
