from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from histvq.errors import FileFormatError
from histvq.io.parts.number_table import read_numbers, unix_text

PATH = Path("some.csv")
ODD = ("1_0", "\uff11")  # numbers to Python alone
CELLS = st.one_of(
    st.floats(width=32).map(str),
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(
        ["", " ", "nan", "NaN", "inf", "1e40", "1e5", "+2", ".5", "5.", "1_0", "a", "-"]
    ),
)
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=5)


def by_hand(lines, *, n_columns, missing):
    """The same table cell by cell; None where it is none."""
    table = []
    for cells in lines:
        if len(cells) != n_columns:
            return None
        numbers = []
        for cell in cells:
            cell = cell.strip()
            if cell.lower() in ("", "nan") and missing:
                numbers.append(np.nan)
                continue
            try:
                numbers.append(float(cell))
            except ValueError:
                return None
            if cell in ODD or cell.lower() == "nan":
                return None
        table.append(numbers)
    table = np.array(table)
    return None if (np.abs(table) > np.finfo(np.float32).max).any() else table.astype(np.float32)


@given(lines=LINES, missing=st.booleans(), blanks=st.booleans())
@example(lines=[["1", "2"], ["3"]], missing=True, blanks=False)
@example(lines=[["1", ""], ["", "2"]], missing=True, blanks=False)
def test_as_read_cell_by_cell(lines, missing, blanks):
    if blanks:
        lines = [[cell.strip() or "7" for cell in cells] for cells in lines]
    n_columns = len(lines[0])
    text = "\n".join((" \t " if blanks else ",").join(cells) for cells in lines)
    if not text.strip() or text != text.strip():
        return  # lines of nothing at either end are none
    expected = by_hand(lines, n_columns=n_columns, missing=missing)

    def read():
        return read_numbers(
            text.encode(), path=PATH, columns=["c"] * n_columns, missing=missing,
            separator=" " if blanks else ",",
        )  # fmt: skip

    if expected is None:
        with pytest.raises(FileFormatError, match=r"some.csv, (last )?line \d"):
            read()
    else:
        np.testing.assert_allclose(read(), expected, rtol=1e-7)


def test_leading_columns_may_hold_anything():
    found = read_numbers(b'"x,1,2\n\xff\xfe,3,4', path=PATH, columns=["a", "b"], leading=1)
    assert found.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(FileFormatError, match="line 8, column 3 b: 'x' is not a finite number"):
        read_numbers(b"s,1,2\ns,3,x", path=PATH, columns=["a", "b"], leading=1, first_line=7)


def test_plain_text():
    assert unix_text(b"\xef\xbb\xbf1\r\n2\r\n\r\n", path=PATH) == b"1\n2"
    with pytest.raises(FileFormatError, match="UTF-16"):
        unix_text("1,2".encode("utf-16"), path=PATH)
