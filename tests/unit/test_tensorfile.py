"""safetensors files: what the library writes is read; what a header claims beyond the file is refused."""

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import load, save

from histvq.errors import FileFormatError
from histvq.tensorfile import HEADER_BYTES, read_safetensors

TYPES = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?")

GOOD = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def packed(header, data=bytes(24), *, length=None):
    """A file with this header, as an object or as bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def refusal(tmp_path, data, **options):
    place = tmp_path / "model.safetensors"
    place.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(FileFormatError, match=r"model\.safetensors: cannot be read") as caught:
        read_safetensors(place, **options)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**23 + 20 * len(data), most
    return str(caught.value)


@given(
    st.dictionaries(
        st.text(max_size=8).filter(lambda name: name != "__metadata__"),
        arrays.arrays(
            st.sampled_from(TYPES).map(np.dtype),
            arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        ),
        min_size=1,  # of no arrays but with words the library writes what is no JSON
        max_size=4,
    ),
    st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=2),
)
def test_what_the_library_writes_is_read(
    tmp_path_factory, tensors, words
):  # another implementation
    place = tmp_path_factory.mktemp("files") / "one.safetensors"
    place.write_bytes(save(tensors, words))
    found, said = read_safetensors(place)
    assert said == words
    assert found.keys() == tensors.keys()
    for name, array in load(place.read_bytes()).items():
        assert found[name].dtype == tensors[name].dtype
        assert found[name].shape == tensors[name].shape
        assert found[name].tobytes() == array.tobytes() == tensors[name].tobytes()


def test_arrays_may_be_changed(tmp_path):
    (tmp_path / "one.safetensors").write_bytes(packed({"x": GOOD}))
    found, _ = read_safetensors(tmp_path / "one.safetensors")
    found["x"][0, 0] = 1  # torch.from_numpy warns of arrays that cannot be


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(8),
        packed({"x": GOOD}, length=2**63),
        packed({"x": GOOD}, length=HEADER_BYTES + 1, data=bytes(HEADER_BYTES + 30)),
        packed([GOOD]),
        packed(b"[" * 100_000),
        packed(b'{"x": ' * 100_000),
        packed(b"\xff\xfe"),
        packed(b'{"x": ' + b"9" * 5000 + b"}"),
        packed({"x": GOOD}, bytes(23)),
        packed({"x": GOOD}, bytes(25)),
        packed({}, bytes(1)),
        packed({"x": GOOD, "y": GOOD}),
        packed({"x": GOOD | {"data_offsets": [1, 25]}}, bytes(25)),
        packed({"x": GOOD | {"data_offsets": [24, 0]}}),
        packed({"x": GOOD | {"shape": [2**40, 3], "data_offsets": [0, 12 * 2**40]}}),
        packed({"x": GOOD | {"shape": [2**40] * 8}}),
        packed({"x": GOOD | {"shape": [1] * 40}}),
        packed({"x": GOOD | {"shape": [2**64]}}),
        packed({"x": GOOD | {"shape": [-2, -3]}}),
        packed({"x": GOOD | {"shape": [2.0, 3]}}),
        packed({"x": GOOD | {"shape": [True, 6]}}),
        packed({"x": GOOD | {"shape": "ab"}}),
        packed({"x": GOOD | {"data_offsets": [0, 12, 24]}}),
        packed({"x": GOOD | {"dtype": "O"}}),
        packed({"x": GOOD | {"dtype": ["F32"]}}),
        packed({"x": 3}),
        packed({"__metadata__": {"a": 1}, "x": GOOD}),
        packed({"__metadata__": "a", "x": GOOD}),
        packed(json.dumps({"x": GOOD})[:-1].encode() + b', "x": 3}'),
    ],
)
def test_claims_that_are_not_so(tmp_path, data):
    refusal(tmp_path, data)


def test_larger_than_allowed(tmp_path):
    assert "the most" in refusal(tmp_path, packed({"x": GOOD}), at_most_bytes=30)


def test_missing(tmp_path):
    with pytest.raises(FileFormatError, match="No such file"):
        read_safetensors(tmp_path / "gone.safetensors")
