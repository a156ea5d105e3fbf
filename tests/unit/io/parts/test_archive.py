import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.errors import FileFormatError
from histvq.io.parts.archive import array_names, opened

GOOD = {
    "a": np.arange(6.0).reshape(2, 3),
    "b": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "c": "x",
}


def packed(arrays=None, *, compressed=False):
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **(GOOD if arrays is None else arrays))
    return file.getvalue()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "one.npz"
    path.write_bytes(packed())
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_what_numpy_wrote_comes_back(path, compressed):
    path.write_bytes(packed(compressed=compressed))
    assert array_names(path) == ["a", "b", "c"]
    with opened(path) as archive, np.load(path) as expected:
        for name in "ab":
            np.testing.assert_array_equal(
                archive.array(name, shape=(2, None)), expected[name], strict=True
            )
        assert archive.array("c", shape=(), kinds="U") == "x"
        assert archive.numbers("b", shape=(2, 3)).dtype == np.float64


def test_a_header_that_promises_more_than_there_is(path):
    header = io.BytesIO()
    about = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 156)}
    np.lib.format.write_array_header_1_0(header, about)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a.npy", header.getvalue() + b"\0" * 1000)
    with (
        opened(path) as archive,
        pytest.raises(FileFormatError, match="promises 1248000000000000 bytes"),
    ):
        archive.array("a", shape=(None, 156))


def test_objects_and_other_shapes(path):
    path.write_bytes(packed({"a": np.array([{}, None], dtype=object), "b": np.zeros(3)}))
    with opened(path) as archive:
        with pytest.raises(
            FileFormatError, match="array 'a': holds Python objects, which are never"
        ):
            archive.array("a", shape=(2,))
        with pytest.raises(FileFormatError, match=r"array 'b': shape \(3,\), expected \(any, 3\)"):
            archive.array("b", shape=(None, 3))
        with pytest.raises(FileFormatError, match="array 'b': holds float64; expected text"):
            archive.array("b", shape=(3,), kinds="US")
        with pytest.raises(FileFormatError, match="array 'x': not in the file, which has a, b"):
            archive.array("x", shape=())


@given(st.data())
def test_whatever_happened_to_it_comes_out_as_words(tmp_path_factory, data):
    content = bytearray(packed(compressed=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = (
        content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    )
    path = tmp_path_factory.getbasetemp() / "fuzzed.npz"
    path.write_bytes(content)
    array_names(path)
    try:
        with opened(path) as archive:
            archive.array("a", shape=(None, 3))
            archive.numbers("b", shape=(2, None))
            archive.array("c", shape=(), kinds="US")
    except FileFormatError as error:
        assert "fuzzed.npz" in str(error)  # noqa: PT017
