import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from histvq.resuming.packing import packed, unpacked

NUMBERS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.text() | st.integers()
TREES = st.recursive(
    NUMBERS,
    lambda inside: (
        st.lists(inside)
        | st.tuples(inside, inside)
        | st.lists(inside).map(tuple)
        | st.dictionaries(KEYS, inside)
    ),
    max_leaves=20,
)


@given(TREES)
def test_it_comes_back_as_it_was(tree):
    plain, tensors = packed(tree)
    back = unpacked(json.loads(json.dumps(plain)), tensors)
    assert back == tree
    assert repr(back) == repr(tree)  # tuples are no lists, 1 is not True, keys keep their kind


@pytest.mark.parametrize(
    "kind", [torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.uint8]
)
def test_tensors_and_arrays_come_back_with_their_kind(kind):
    tensor = torch.arange(6).view(2, 3).to(kind)
    array = np.arange(4, dtype=np.int32)
    plain, tensors = packed({"a": [tensor.T], "b": array, "c": tensor, "d": np.float64(2.5)})
    back = unpacked(json.loads(json.dumps(plain)), tensors)
    assert torch.equal(back["a"][0], tensor.T)
    assert back["c"].dtype == kind
    assert isinstance(back["b"], np.ndarray)
    np.testing.assert_array_equal(back["b"], array, strict=True)
    assert back["d"] == 2.5
    storages = {t.untyped_storage().data_ptr() for t in tensors.values()}
    assert len(storages) == len(tensors)  # safetensors takes no shared memory


def test_what_is_no_number_comes_back():
    plain, tensors = packed([math.inf, -math.inf, math.nan])
    back = unpacked(json.loads(json.dumps(plain)), tensors)
    assert back[:2] == [math.inf, -math.inf]
    assert math.isnan(back[2])


@pytest.mark.parametrize("thing", [object(), {1, 2}, print, b"bytes"])
def test_anything_else_is_refused(thing):
    with pytest.raises(TypeError, match="the state of a training cannot hold"):
        packed({"a": [thing]})


@pytest.mark.parametrize(
    "plain",
    [
        [1],
        {"set": [1]},
        {},
        {"list": [], "tuple": []},
        {"dict": [[1]]},
        {"dict": 3},
        {"tensor": "9"},
    ],
)
def test_what_does_not_come_from_there_is_refused(plain):
    with pytest.raises((ValueError, KeyError, TypeError)):
        unpacked(plain, {})
