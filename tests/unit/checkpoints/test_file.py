import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from histvq.checkpoints.file import state_dict
from histvq.errors import FileFormatError


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("files") / "some.model"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_a_file_of_anything_else_is_said_to_be_that(place, data):
    place.write_bytes(data)
    with pytest.raises(FileFormatError, match=r"some\.model: not a file of PyTorch weights alone"):
        state_dict(place)


def test_somebody_names_a_table(place):
    """The reader of old PyTorch files takes text for instructions, and runs out of stack."""
    place.write_text("recording,individual,level\nq,1,action\n")
    with pytest.raises(FileFormatError, match="not a file of PyTorch weights alone"):
        state_dict(place)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused(place, at, value):
    torch.save({"weight": torch.arange(5.0)}, place)
    data = np.frombuffer(place.read_bytes(), np.uint8).copy()
    data[at % len(data)] = value
    place.write_bytes(data.tobytes())
    try:
        found = state_dict(place)
    except FileFormatError as error:
        assert "some.model" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert all(torch.is_tensor(tensor) for tensor in found.values())
