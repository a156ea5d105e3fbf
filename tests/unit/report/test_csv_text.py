"""Rows as text are those that pandas writes."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from histvq.report.csv_text import csv_rows, rounded

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
rows = st.lists(
    st.tuples(
        texts,
        st.integers(-(2**40), 2**40),
        st.one_of(st.floats(-1e20, 1e20), st.floats(-2, 2), st.just(np.nan)),
        st.sampled_from(['a "b", c', "line\nbreak", "", "ß", "\r", "'"]),
    ),
    min_size=1,
    max_size=20,
)


@given(rows)
def test_rows_are_those_of_pandas(rows):
    ids, numbers, values, names = zip(*rows, strict=True)
    table = pd.DataFrame({"id": ids, "n": numbers, "x": np.round(values, 6), "name": names})
    expected = table.to_csv(header=False, index=False, lineterminator="\n")
    found = csv_rows([ids, numbers, rounded(np.array(values, dtype=float), 6), names])
    assert found.decode() == expected


def test_nothing_stands_for_none():
    assert csv_rows([["a", "b"], [None, 1.5]]) == b"a,\nb,1.5\n"
