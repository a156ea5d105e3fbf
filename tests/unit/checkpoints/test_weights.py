import collections
import io
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from histvq.checkpoints.file import state_dict
from histvq.errors import FileFormatError

TYPES = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
]
TYPES += [torch.uint8, torch.bool]
both_formats = pytest.mark.parametrize("zipped", [True, False])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("files") / "some.model"


@both_formats
@given(
    st.dictionaries(
        st.text(max_size=5),
        st.tuples(st.sampled_from(TYPES), st.lists(st.integers(0, 4), max_size=4), st.booleans()),
        max_size=4,
    )
)
def test_tensors_are_those_pytorch_reads(place, zipped, given_):  # another implementation
    tensors = collections.OrderedDict()
    for name, (type_, shape, turned) in given_.items():
        tensor = (torch.rand(shape) * 3).to(type_)
        tensors[name] = tensor.T if turned and len(shape) == 2 else tensor
    torch.save(tensors, place, _use_new_zipfile_serialization=zipped)
    expected = torch.load(place, weights_only=True)
    found = state_dict(place)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=0, equal_nan=True)


@both_formats
def test_a_state_of_modules_and_parts_of_a_storage(place, zipped):
    layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    state = layer.state_dict()  # an OrderedDict with notes beside its items
    state["part"] = torch.arange(10)[2:8:2]
    state["parameter"] = torch.nn.Parameter(torch.ones(2))
    torch.save(state, place, _use_new_zipfile_serialization=zipped)
    found = state_dict(place)
    assert found["part"].tolist() == [2, 4, 6]
    for name, value in state.items():
        torch.testing.assert_close(found[name], value.detach())


@both_formats
def test_numbers_that_count_for_several(place, zipped):
    torch.save(
        {"a": torch.ones(1).expand(1000, 1000)}, place, _use_new_zipfile_serialization=zipped
    )
    with pytest.raises(FileFormatError, match="a tensor of shape"):
        state_dict(place)


@pytest.mark.parametrize(
    "value", [[torch.ones(2)], {"a": 3}, torch.ones(2), torch.nn.Linear(2, 2), np.ones(2)]
)
def test_no_table_of_weights(place, value):
    torch.save(value, place)
    with pytest.raises(FileFormatError, match=r"not a (table|file)"):
        state_dict(place)


def test_an_archive_in_which_a_storage_is_cut_or_packed(place):
    whole = io.BytesIO()
    torch.save({"a": torch.arange(100)}, whole)
    with zipfile.ZipFile(whole) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    storage = next(name for name in members if name.endswith("data/0"))
    for packing, data in (
        (zipfile.ZIP_STORED, members[storage][:-8]),
        (zipfile.ZIP_DEFLATED, members[storage]),
    ):
        with zipfile.ZipFile(place, "w", packing) as archive:
            for name, content in (members | {storage: data}).items():
                archive.writestr(name, content)
        with pytest.raises(FileFormatError, match="not a file of PyTorch weights alone"):
            state_dict(place)
