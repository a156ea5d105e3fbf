import pickle
import resource
import sys
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from histvq.errors import ConfigError, FileFormatError
from histvq.io import expand, read
from histvq.io.parts.hdf5 import dataset, holds, numbers, opened, strings, text

KEY = "df_with_missing"
NAMES = [("net", "nose", coord) for coord in ("x", "y", "likelihood")]


def write_frame(path, format="table", **options):
    columns = pd.MultiIndex.from_tuples(NAMES, names=["scorer", "bodyparts", "coords"])
    values = np.random.default_rng(0).uniform(0.7, 1, size=(50, 3))
    pd.DataFrame(values, columns=columns).to_hdf(path, key=KEY, format=format, mode="w", **options)
    return path


@pytest.fixture(params=["table", "fixed"])
def frame(request, tmp_path):
    return write_frame(tmp_path / "mouse.h5", request.param)


def changed(path, change):
    with h5py.File(path, "r+") as file:
        change(file[KEY])
    return path


def read_frame(path):
    return read(path, format="deeplabcut", fps=30)[0]


def test_packed_tables_are_read(tmp_path):
    plain = read_frame(write_frame(tmp_path / "plain.h5"))
    packed = read_frame(write_frame(tmp_path / "packed.h5", complevel=9, complib="zlib"))
    np.testing.assert_array_equal(plain.skeleton, packed.skeleton)


def test_long_stretches_of_missing_values_pack_well_and_are_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        values = np.full((4000, 50), np.nan)
        file.create_dataset("a", data=values, compression="gzip", compression_opts=9)
    with opened(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(
            numbers(dataset(file, "a", tmp_path / "a.h5"), tmp_path), values
        )


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_malicious_pickle_does_not_run(tmp_path):
    path = write_frame(tmp_path / "mouse.h5")
    evil = np.bytes_(pickle.dumps([(*NAMES[0][:2], Evil(tmp_path / "evil"))], 0))

    def change(group):
        for holder in (group, group["table"]):
            for name, value in list(holder.attrs.items()):
                if isinstance(value, bytes) and value.startswith((b"(", b"N")):
                    holder.attrs[name] = evil

    changed(path, change)
    with pytest.raises(FileFormatError, match="GLOBAL, which is not run"):
        read_frame(path)
    assert not (tmp_path / "evil").exists()
    with suppress(ValueError):
        pd.read_hdf(path)
    assert (tmp_path / "evil").exists()  # as it does where pandas reads the file


def test_python_objects_are_not_unpacked(tmp_path):
    path = write_frame(tmp_path / "mouse.h5", "fixed")

    def change(group):
        del group["block0_items_level1"]
        kind = h5py.vlen_dtype(np.uint8)
        names = group.create_dataset("block0_items_level1", shape=(1,), dtype=kind)
        names[0] = np.frombuffer(pickle.dumps(["nose"]), np.uint8)

    with pytest.raises(FileFormatError, match="block0_items_level1 holds object, no text"):
        read_frame(changed(path, change))


@pytest.mark.parametrize(
    ("kind", "value"),
    [(h5py.vlen_dtype(float), [1.0]), ("S8", b"1.0"), (complex, 1j), (bool, True)],
)
def test_numbers_that_are_none(kind, value, tmp_path):
    path = write_frame(tmp_path / "mouse.h5", "fixed")

    def change(group):
        del group["block0_values"]
        values = group.create_dataset("block0_values", shape=(50, 3), dtype=kind)
        values[0, 0] = value

    with pytest.raises(FileFormatError, match=r"block0_values holds \S+, no plain numbers"):
        read_frame(changed(path, change))


@pytest.fixture
def little_memory():
    """Room for half a gigabyte more than is in use."""
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (in_use + (1 << 29), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded by Linux here")
@pytest.mark.parametrize("packed", [None, "gzip"])
@pytest.mark.parametrize("written", [0, 1000])
def test_a_shape_that_claims_the_world(packed, written, tmp_path, little_memory):
    path = write_frame(tmp_path / "mouse.h5")

    def change(group):
        attributes = dict(group["table"].attrs)
        del group["table"]
        dtype = [("index", "<i8"), ("values_block_0", "<f8", (3,))]
        rows = group.create_dataset(
            "table", shape=(10**12,), chunks=(1000,), dtype=dtype, compression=packed
        )
        if written:
            rows[:written] = np.zeros(written, dtype)
        rows.attrs.update({k: v for k, v in attributes.items() if isinstance(v, bytes)})

    with pytest.raises(FileFormatError, match=r"shape \(1000000000000,\), but the file does not"):
        read_frame(changed(path, change))


def test_a_part_never_written_is_no_zero(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        values = file.create_dataset("a", (100,), float, chunks=(10,), compression="gzip")
        values[:50] = np.random.default_rng(0).normal(size=50)
    with (
        pytest.raises(FileFormatError, match=r"'a' should have the shape \(100,\)"),
        opened(tmp_path / "a.h5") as file,
    ):
        dataset(file, "a", tmp_path / "a.h5")


def test_links_to_elsewhere_are_not_followed(tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["a"] = np.arange(4.0)
    (tmp_path / "secret.raw").write_bytes(bytes(32))
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["link"] = h5py.ExternalLink("secret.h5", "a")
        file["soft"] = h5py.SoftLink("/nowhere")
        layout = h5py.VirtualLayout(shape=(4,), dtype=float)
        layout[:] = h5py.VirtualSource("secret.h5", "a", shape=(4,))
        file.create_virtual_dataset("virtual", layout)
        outside = [(str(tmp_path / "secret.raw"), 0, 32)]
        file.create_dataset("outside", shape=(4,), dtype=float, external=outside)
        file.create_group("group")
    with opened(path) as file:
        for name in ("link", "soft", "virtual", "outside"):
            with pytest.raises(FileFormatError, match=rf"a\.h5: '{name}' is a link to elsewhere"):
                dataset(file, name, path)
        for name in ("group", "nothing"):
            with pytest.raises(FileFormatError, match=f"'{name}'"):
                dataset(file, name, path)


def test_text_of_every_kind(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["fixed"] = np.array(["Öhr".encode(), b"tail"])
        file["free"] = ["Öhr", "tail"]
        file.attrs.update({"bytes": np.bytes_("Öhr".encode()), "free": "Öhr", "number": 3})
    with opened(path) as file:
        for name in ("fixed", "free"):
            assert strings(dataset(file, name, path), path).tolist() == ["Öhr", "tail"]
        assert [text(file, name, path) for name in ("bytes", "free", "number", "none")] == [
            "Öhr",
            "Öhr",
            "",
            "",
        ]


@pytest.mark.parametrize("part", np.linspace(0, 0.99, 12))
def test_a_cut_file(part, frame):
    data = frame.read_bytes()
    frame.write_bytes(data[: int(part * len(data))])
    with pytest.raises(FileFormatError, match=r"mouse\.h5: no whole HDF5 file"):
        read_frame(frame)


@pytest.mark.parametrize("content", [b"scorer,net\n", "scorer,net\n".encode("utf-16"), b""])
def test_text_as_hdf5(content, tmp_path):
    path = tmp_path / "mouse.h5"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"mouse\.h5: no whole HDF5 file"):
        read_frame(path)
    with pytest.raises(FileFormatError, match=r"there is no such file"):
        read_frame(tmp_path / "other.h5")


def test_flipped_bytes_end_in_errors_of_ours(frame):
    data = frame.read_bytes()
    rng = np.random.default_rng(0)
    # Names, shapes and addresses stand within the first part of these files.
    for place in rng.integers(0, min(len(data), 12_000), size=150):
        broken = bytearray(data)
        broken[place] ^= 1 << rng.integers(8)
        frame.write_bytes(broken)
        with suppress(FileFormatError):
            read_frame(frame)


def test_without_h5py_the_file_is_known_and_the_way_out_is_said(frame, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert expand(frame) == [("deeplabcut", frame)]
    with pytest.raises(ConfigError, match=r'pip install "histvq\[poses\]"'):
        read_frame(frame)


def test_what_a_file_holds(frame, tmp_path):
    assert holds(frame, KEY)
    assert not holds(frame, KEY, "tracks")
    assert not holds(tmp_path / "none.h5", KEY)
    frame.write_bytes(frame.read_bytes()[:100])
    assert not holds(frame, KEY)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda group: group.attrs.update(pandas_type="series"), "pandas type series"),
        (lambda group: group.attrs.__delitem__("pandas_type"), "pandas type none"),
    ],
)
def test_other_things_pandas_stores(change, words, frame):
    with pytest.raises(FileFormatError, match=words):
        read_frame(changed(frame, change))


@pytest.mark.parametrize("code", [-1, 2])
def test_a_column_without_a_name(code, tmp_path):
    def change(group):
        group["block0_items_label1"][2] = code

    path = changed(write_frame(tmp_path / "mouse.h5", "fixed"), change)
    with pytest.raises(FileFormatError, match=r"mouse\.h5: block0_items: a column has no name"):
        read_frame(path)


def test_other_numbers_of_levels(tmp_path):
    path = tmp_path / "mouse.h5"
    for columns, words in (
        (pd.MultiIndex.from_product([["a"], ["b", "c"]]), "2 levels of names; expected 3 or 4"),
        (["a", "b"], "no list of texts"),
    ):
        pd.DataFrame(np.zeros((3, 2)), columns=columns).to_hdf(
            path, key=KEY, format="table", mode="w"
        )
        with pytest.raises(FileFormatError, match=words):
            read_frame(path)
    pd.DataFrame(np.zeros((3, 2)), columns=["a", "b"]).to_hdf(path, key=KEY, mode="w")
    with pytest.raises(FileFormatError, match="0 named columns"):
        read_frame(path)


@pytest.mark.parametrize("size", [0, 15])
def test_a_damaged_heap_does_not_go_round_for_ever(size, tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["free"] = "Öhr"
        file["free"] = ["Öhr", "tail"]
    data = bytearray(path.read_bytes())
    assert data.count(b"GCOL") == 1
    start = data.index(b"GCOL") + 16  # the first object: number, references, reserved, size
    data[start : start + 16] = bytes(8) + bytes([size]) + bytes(7)
    path.write_bytes(data)
    for get in (
        lambda file: text(file, "free", path),
        lambda file: strings(dataset(file, "free", path), path),
    ):
        with pytest.raises(FileFormatError, match="damaged heap"), opened(path) as file:
            get(file)
