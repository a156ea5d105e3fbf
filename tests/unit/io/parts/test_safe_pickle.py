import io
import os
import pickle
import pickletools
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.errors import FileFormatError
from histvq.io.parts import safe_pickle
from histvq.io.parts.safe_pickle import load_numbers

GOOD = {
    "sid": [7, 12],
    "X": [np.arange(12.0).reshape(3, 2, 2).transpose(2, 0, 1), np.zeros((3, 0, 1), np.float32)],
    "L": [np.arange(4), np.array([1, 2], ">i2")],
    "Y": [(np.int64(3), True, None), "text", b"bytes", 2.5, np.float32(0.5)],
    "same": [[1, 2]] * 2,
}


@pytest.fixture
def write(tmp_path):
    def write_(content):
        path = tmp_path / "one.pkl"
        path.write_bytes(content)
        return path

    return write_


@pytest.mark.parametrize("protocol", range(3, pickle.HIGHEST_PROTOCOL + 1))
def test_what_pickle_wrote_comes_back(protocol, write):
    found = load_numbers(write(pickle.dumps(GOOD, protocol=protocol)))
    assert found.keys() == GOOD.keys()
    for name in ("X", "L"):
        for one, other in zip(found[name], GOOD[name], strict=True):
            np.testing.assert_array_equal(one, other, strict=True)
    for name in ("sid", "Y", "same"):
        assert found[name] == GOOD[name]


def test_names_of_older_and_newer_numpy(write):
    content = pickle.dumps(GOOD, protocol=3)
    newer, older = b"cnumpy._core.", b"cnumpy.core."
    either = content.replace(newer, older) if newer in content else content.replace(older, newer)
    assert either != content
    np.testing.assert_array_equal(load_numbers(write(either))["L"][0], GOOD["L"][0])


class Runs:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_a_pickle_asks_for_is_run(protocol, write, tmp_path):
    ran = tmp_path / "ran"
    for call in (
        Runs(os.mkdir, str(ran)),
        Runs(eval, f"__import__('os').mkdir({str(ran)!r})"),
        Runs(getattr, "x", "upper"),
        Runs(np.load, str(ran)),
        Runs(np.fromfile, str(ran)),
    ):
        content = pickle.dumps({"X": [call]}, protocol=protocol)
        with pytest.raises(FileFormatError, match=r"one\.pkl: .* it asks for \w+"):
            load_numbers(write(content))
    assert not ran.exists()
    pickle.loads(pickle.dumps(Runs(os.mkdir, str(ran))))
    assert ran.exists()  # as it would have been


NAMED = b"\x80\x03cnumpy.core.multiarray\n_reconstruct\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (NAMED + b"}X\x04\x00\x00\x00nameK\x01sb.", "it sets the state of type"),
        (b"\x80\x03cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85R.", "not callable"),
        (b"\x80\x03cnumpy\ndtype\nX\x01\x00\x00\x00OK\x00K\x01\x87R.", "an array of type 'O'"),
        (
            NAMED + b")R(K\x01(J\xff\xff\xff\x7ft" + b"NN" + b"C\x00tb.",
            "something else than numbers",
        ),
        (NAMED + b".", "it holds type"),
        (b"\x80\x05\x96" + struct.pack("<Q", 10**15) + b"x.", "EOFError"),
        (b"\x80\x04C\xffabc.", "EOFError"),
        (b"\x80\x03]q\x00h\x00a.", "RecursionError"),  # a list that holds itself
        (b"", "EOFError"),
        (b"PK\x03\x04", "no pickle of numbers"),
    ],
)
def test_what_is_wrong(content, words, write):
    path = write(content)
    with pytest.raises(FileFormatError, match=words) as caught:
        load_numbers(path)
    assert "one.pkl" in str(caught.value)


def test_a_shape_that_promises_more_than_there_is(write):
    content = pickle.dumps(np.arange(4), protocol=3)
    wrong = content.replace(b"K\x04\x85", b"J\xff\xff\xff\x7f\x85")
    assert wrong != content
    with pytest.raises(FileFormatError, match=r"32 bytes for an array of shape \(2147483647,\)"):
        load_numbers(write(wrong))


def test_a_number_that_would_make_the_unpickler_in_c_take_64_gb(write):
    assert load_numbers(write(b"\x80\x03]r\xff\xff\xff\xff.")) == []


def test_much_out_of_little_takes_no_time(write):
    value = [1]
    for _ in range(200):
        value = [value, value]
    found = load_numbers(write(pickle.dumps(value)))
    assert found[0] is found[1]


@given(st.data())
def test_whatever_happened_to_it_comes_out_as_words(tmp_path_factory, data):
    content = bytearray(pickle.dumps(GOOD, protocol=data.draw(st.integers(2, 5))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "fuzzed.pkl"
    path.write_bytes(content)
    try:
        load_numbers(path)
    except FileFormatError as error:
        assert "fuzzed.pkl" in str(error)  # noqa: PT017


@given(st.binary(max_size=60))
def test_noise_comes_out_as_words(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "noise.pkl"
    path.write_bytes(content)
    try:
        load_numbers(path)
    except FileFormatError as error:
        assert "noise.pkl" in str(error)  # noqa: PT017


def test_every_command_of_a_pickle_is_one_that_was_thought_of():
    # Commands that call something, or name it; a new one in a new Python is to be looked at.
    calling = {"REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "GLOBAL", "STACK_GLOBAL"}
    calling |= {"PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER"}
    names = {opcode.name for opcode in pickletools.opcodes}
    assert calling <= names
    assert len(names) == 68
    reader = safe_pickle.SafeUnpickler(io.BytesIO(b""))
    with pytest.raises(pickle.UnpicklingError):
        reader.persistent_load("x")
