"""What happens to files: cut, with bytes lost or overwritten, with lines twice or gone."""

from hypothesis import strategies as st

STRAY = [
    b",", b";", b"\t", b" ", b"\n", b"\r", b'"', b"-", b"nan", b"1e999", b"9999999", b"\x00", b"\xff",
]  # fmt: skip
ACCIDENTS = ["cut", "lose", "twice", "noise", "digits", "zeros", "stray", "line"]


@st.composite
def spoilt(draw, good: bytes) -> bytes:
    """The bytes after one to three accidents; now and then others altogether."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
    for _ in range(draw(st.integers(1, 3))):
        good = _after(good, draw)
    return good


def _after(data: bytes, draw) -> bytes:
    at = draw(st.integers(0, max(len(data) - 1, 0)))
    length = draw(st.sampled_from([1, 2, 8, 64, 1000]))
    accident = draw(st.sampled_from(ACCIDENTS))
    if accident == "cut":
        return data[:at]
    if accident == "lose":
        return data[:at] + data[at + length :]
    if accident == "twice":
        return data[:at] + data[at : at + length] + data[at:]
    if accident == "stray":
        return data[:at] + draw(st.sampled_from(STRAY)) + data[at + draw(st.integers(0, 12)) :]
    if accident == "line":
        lines = data.splitlines(keepends=True)
        line = draw(st.integers(0, max(len(lines) - 1, 0)))
        lines[line : line + 1] = lines[line : line + 1] * draw(st.sampled_from([0, 2]))
        return b"".join(lines)
    put = {
        "noise": draw(st.binary(min_size=1, max_size=length)),
        "digits": b"9" * length,
        "zeros": bytes(length),
    }[accident]
    return data[:at] + put + data[at + len(put) :]
