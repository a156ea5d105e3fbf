import pickle
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.errors import FileFormatError
from histvq.io.parts.pickled import names_of

names = st.lists(st.lists(st.text(), max_size=5).map(tuple), max_size=8)


@given(names=names, protocol=st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_the_same_as_unpickling(names, protocol):
    data = pickle.dumps(names, protocol)
    assert names_of(data) == names == pickle.loads(data)


def test_the_names_as_python_2_wrote_them():
    assert names_of(b"(lp0\n(S'net'\np1\nS'nose'\np2\ntp3\na(g1\nS'x'\ntp4\na.") == [
        ("net", "nose"),
        ("net", "x"),
    ]


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_is_run(protocol, tmp_path):
    data = pickle.dumps([("net", "nose", Evil(tmp_path / "evil"))], protocol)
    with pytest.raises(FileFormatError, match=r"operation (STACK_)?GLOBAL, which is not run"):
        names_of(data)
    assert not list(tmp_path.iterdir())
    pickle.loads(data)
    assert list(tmp_path.iterdir())  # it would have


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pickle.dumps([("net", 3)]), "operation BININT1"),
        (pickle.dumps({"net": 1}), "operation EMPTY_DICT"),
        (pickle.dumps("net"), "no list of texts"),
        (pickle.dumps(["net"]), "no list of texts"),
        (pickle.dumps([[["net"]]]), "no list of texts"),
        (b"(lp0\ng0\na.", "no list of texts"),  # a list that holds itself
        (b"(lp0\n.."[:-2], "pickle exhausted"),
        (b"(lp0\ng7\na.", "cannot be read"),
        (b"a.", "cannot be read"),
        (b"t.", "cannot be read"),
        (b"\x85.", "nothing to make a tuple of"),
        (b"Vnet\nVnose\na.", "added to what is no list"),
        (b"((.", "cannot be read"),
        (b"", "pickle exhausted"),
        (b"X\xff\xff\xff\x7fnet.", "cannot be read"),  # a text that claims 2 GB
    ],
)
def test_what_is_no_list_of_names(data, words):
    with pytest.raises(FileFormatError, match=words):
        names_of(data)


@given(
    names=names,
    protocol=st.integers(0, 5),
    place=st.floats(0, 1),
    new=st.binary(max_size=4),
    cut=st.booleans(),
)
@settings(max_examples=500)
def test_whatever_it_holds_errors_are_ours(names, protocol, place, new, cut):
    data = pickle.dumps(names, protocol)
    at = int(place * len(data))
    with suppress(FileFormatError):
        names_of(data[:at] + new + (b"" if cut else data[at + len(new) :]))


@given(data=st.binary(max_size=60))
@settings(max_examples=500)
def test_noise(data):
    with suppress(FileFormatError):
        names_of(data)
