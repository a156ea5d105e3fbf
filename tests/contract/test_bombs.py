"""Small files that claim, or become, much: refused in our words, with little memory taken.

All are read in one process that may take 256 MiB more than by itself, and must never ask for more.
"""

import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
import zlib
from functools import cache

import h5py
import numpy as np
import pytest
import torch

import histvq
from histvq.recording import Recording
from oracles.example_files import EXAMPLES
from oracles.limited import outcomes

MIB = 2**20
TEN_GB = 10 * 2**30
DEEP = 1_000_000
LARGE_LAYOUT = {
    "joint_names": ["a"] * 10**5, "channel_names": ["x"] * 1000, "joint_persons": None, "unit": "mm",
}  # fmt: skip
LAUGHS = "\n".join(
    ["a0: &a0 [lol, lol]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
)
MERGES = "\n".join(
    ["a0: &a0 {k: 1}"]
    + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 30)]
)


def npy(shape, dtype="<f8", data=bytes(64)):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return file.getvalue() + data


@cache
def many(pack, n_bytes=TEN_GB):
    """So many zeros as the same packed megabytes again and again, each a stream of its own."""
    return pack(bytes(16 * MIB)) * (n_bytes // (16 * MIB))


def deflated(n_bytes):
    """The same as one stream of deflate, made of the same flushed block."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    begin = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return begin + block * (n_bytes // MIB - 1) + packer.flush()


def archive(path, members, *, claimed=None, packed=zipfile.ZIP_DEFLATED):
    """A zip of these members; the last may claim any size."""
    with zipfile.ZipFile(path, "w", packed) as made:
        for name, data in members.items():
            made.writestr(name, data)
    data = bytearray(path.read_bytes())
    if claimed is not None:
        at = data.rfind(b"PK\x01\x02")
        data[at + 24 : at + 28] = struct.pack("<I", claimed)
        at = data.rfind(b"PK\x03\x04")
        data[at + 22 : at + 26] = struct.pack("<I", claimed)
        path.write_bytes(data)
    return path


def tar(path, *, size, kind=tarfile.REGTYPE, n_bytes=0):
    """A tar whose one member claims a size; so many zeros follow."""
    info = tarfile.TarInfo("a.csv")
    info.size, info.type = size, kind
    path.write_bytes(
        lzma.compress(info.tobuf()) + (many(lzma.compress, n_bytes) if n_bytes else b"")
    )
    return path


class Bombs:
    """Files, and what reads each."""

    def __init__(self, folder):
        self.folder, self.calls, self.n_places = folder, {}, 0

    def place(self, name):
        self.n_places += 1
        inside = self.folder / str(self.n_places)
        inside.mkdir()
        return inside / name

    def call(self, what, function, path, *more, **options):
        self.calls[what] = [function, [str(path), *more], options]

    def file(self, what, name, data, function, *more, **options):
        path = self.place(name)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        self.call(what, function, path, *more, **options)

    def reader(self, what, format, change, name=None):
        """An example of a format with its bytes changed; or of another name, new ones."""
        make, options = EXAMPLES[format]
        path = make(self.place("x").parent)
        data = change(path.read_bytes()) if callable(change) else change
        path = path.with_name(name) if name else path
        path.write_bytes(data)
        self.call(what, "histvq.io:read", path, format, **options)

    def model(self, what, folder, change, file="model.json"):
        place = self.place("x").parent
        for other in folder.iterdir():
            (place / other.name).write_bytes(other.read_bytes())
        said = json.loads((place / "model.json").read_text())
        del said["tensors_sha256"]  # whoever means harm can work it out anew
        (place / "model.json").write_text(json.dumps(said))
        data = (place / file).read_bytes() if (place / file).exists() else b""
        (place / file).write_bytes(change(data))
        self.call(what, "oracles_load:load_and_predict", place)

    def run(self, what, **files):
        place = self.place("x").parent
        (place / "frames.csv").write_text(
            "recording,frame,time_s,action,subaction,confidence\na,0,0,0,,\na,1,0.1,1,,\n"
        )
        for name, text in files.items():
            (place / name.replace("_", ".")).write_text(text)
        self.call(what, "histvq.report.run_folder:read_run", place)


def arrays(bombs):
    huge = npy((2**40, 4, 3))
    bombs.reader("npy: shape", "arrays", huge)
    bombs.reader("npy: shape beyond 64 bits", "arrays", npy((2**70, 4, 3)))
    bombs.reader("npy: nothing in it", "arrays", npy((2**40, 0, 3), data=b""))
    bombs.reader("npy: length of the header", "arrays", b"\x93NUMPY\x02\0\xff\xff\xff\x7f{}")
    bombs.reader("freemocap: shape", "freemocap", npy((2**40, 33, 3)))
    bombs.reader("smq: shape", "smq", npy((3, 2**40, 3, 1)))
    for name, member in (("amass", "poses.npy"), ("histvq", "skeleton.npy")):
        make, _ = EXAMPLES[name]
        path = make(bombs.place("x").parent)
        with zipfile.ZipFile(path) as whole:
            members = {n: whole.read(n) for n in whole.namelist() if n != member}
        for what, data, claimed in (
            ("shape", npy((2**34, 156)), None),
            ("shape and size", npy((2**34, 156)), 0xFFFFFFF0),
            ("zeros", npy((2**31 // 8, 1, 1), data=b"") + bytes(64 * MIB), None),
        ):
            place = archive(bombs.place(path.name), members | {member: data}, claimed=claimed)
            bombs.call(f"{name}: {what}", "histvq.io:read", place, name)
    place = archive(bombs.place("one.npz"), {"x.npy": npy((2**30,))}, packed=zipfile.ZIP_LZMA)
    bombs.call(
        "npz: packed by LZMA", "histvq.io:read", place, "arrays", layout="frame joint", fps=1
    )
    header = {"version": 1, "recording": json.loads("[" * 500 + "]" * 500), "annotation": None}
    header = np.frombuffer(json.dumps(header).encode(), np.uint8)
    place = bombs.place("one.npz")
    np.savez(place, histvq_header=header, skeleton=np.zeros((1, 1, 1)))
    bombs.call("histvq: depth", "histvq.io:read", place, "histvq")


def counts(bombs):
    def said(old, new):
        return lambda data: data.replace(old, new, 1)

    for n in (b"1000000000", b"9" * 5000):
        bombs.reader(f"bvh: {len(n)} digits", "bvh", said(b"Frames: 40", b"Frames: " + n))
        bombs.reader(f"trc: {len(n)} digits", "trc", said(b"\t40\t2\t", b"\t" + n + b"\t2\t"))
        bombs.reader(
            f"trc: {len(n)} digits of markers", "trc", said(b"\t40\t2\t", b"\t40\t" + n + b"\t")
        )
        bombs.reader(f"acclaim: {len(n)} digits", "acclaim", said(b"\n3\n", b"\n" + n + b"\n"))
    bombs.reader(
        "bvh: depth", "bvh", b"HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\n" + b"JOINT b\n{\n" * 100_000
    )
    bombs.reader(
        "c3d: counts",
        "c3d",
        lambda data: data[:2] + b"\xff\xff" + data[4:6] + b"\1\0\xff\xff" + data[10:],
    )
    for name, text in (
        ("skip_rows", "skip_rows: 999999999999"), ("fps", "fps: 1.0e+300"), ("aliases", LAUGHS),
        ("merges", MERGES), ("digits", f"fps: {'9' * 5000}"),
    ):  # fmt: skip
        make, options = EXAMPLES["table"]
        path = make(bombs.place("x").parent)
        path.with_name("one.table.yaml").write_text(text)
        bombs.call(f"table notes: {name}", "histvq.io:read", path, "table", **options)
    bombs.reader(
        "table: frames that leap", "table", lambda d: d.replace(b"\n39,0.39", b"\n99999999999,0.39")
    )


def packed(bombs):
    bombs.reader(
        "xz: ten gigabytes", "hugadb", many(lzma.compress), "HuGaDB_v1_various_01_00.txt.xz"
    )
    huge = bytearray(lzma.compress(b"x"))
    huge[16] = 40  # says how large a dictionary is wanted: 4 GiB
    huge[20:24] = zlib.crc32(huge[12:20]).to_bytes(4, "little")
    bombs.reader("xz: dictionary", "hugadb", bytes(huge), "HuGaDB_v1_various_01_00.txt.xz")
    labels = "oracles_load:labels"
    bombs.file("boris: ten gigabytes", "p.boris.gz", many(gzip.compress, TEN_GB // 8), labels)
    unpack = "oracles_load:unpack"
    bombs.file(
        "tar: claims ten gigabytes",
        "a.tar.xz",
        tar(bombs.place("t"), size=8 * 2**30 - 1).read_bytes(),
        unpack,
    )
    bombs.file(
        "tar: is ten gigabytes", "b.tar.xz",
        tar(bombs.place("t"), size=8 * 2**30 - 1, n_bytes=8 * 2**30).read_bytes(), unpack,
    )  # fmt: skip
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE):
        data = tar(bombs.place("t"), size=2**30, kind=kind, n_bytes=2**30).read_bytes()
        bombs.file(f"tar: header {kind!r}", "c.tar.xz", data, unpack)
    place = archive(bombs.place("a.zip"), {"a.csv": bytes(64 * MIB)})
    bombs.call("zip: zeros", unpack, place)
    place = archive(bombs.place("b.zip"), {"a.csv": b"x" * 1000}, claimed=0xFFFFFFF0)
    bombs.call("zip: claims four gigabytes", unpack, place)
    place = archive(bombs.place("c.zip"), {"a.csv": bytes(MIB)}, packed=zipfile.ZIP_LZMA)
    bombs.call("zip: LZMA", unpack, place)
    nested = archive(
        bombs.place("d.zip"), {"inner.zip": place.read_bytes(), "x": deflated(32 * MIB)}
    )
    bombs.call("zip: in a zip is a file", unpack, nested)


def texts(bombs):
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 20))
    lol = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "lol">{entities}]>'
    body = "<ANNOTATION_DOCUMENT>&a19;</ANNOTATION_DOCUMENT>"
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    labels = "oracles_load:labels"
    bombs.file("elan: entities", "a.eaf", lol + body, labels)
    bombs.file("elan: another file", "a.eaf", outside + body.replace("a19", "a"), labels)
    bombs.file("elan: depth", "a.eaf", "<ANNOTATION_DOCUMENT>" + "<a>" * DEEP, labels)
    bombs.file("boris: depth", "p.boris", "[" * DEEP, labels)
    bombs.file("boris: digits", "p.boris", "9" * 5000, labels)
    for name in ("coco", "mediapipe", "openpose"):
        bombs.reader(f"{name}: depth", name, b"[" * DEEP)
        bombs.reader(f"{name}: depth of objects", name, b'{"a":' * DEEP)
        bombs.reader(f"{name}: digits", name, b"[" + b"9" * 5000 + b"]")
    read_preset, names = "histvq.presets:load_preset", "histvq.report.names:read_names"
    bombs.file("preset: depth", "a.toml", "a = " + "[" * DEEP, read_preset)
    bombs.file("preset: dots", "a.toml", ".".join(["a"] * 5000) + " = 1", read_preset)
    bombs.file("preset: digits", "a.toml", f"a = {'9' * 5000}", read_preset)
    for what, text in {
        "aliases": LAUGHS, "merges": MERGES, "depth": "[" * DEEP, "itself": "&a [*a]",
        "digits": f"a: {'9' * 5000}", "date": "a: 2001-99-99", "tag": "a: !!timestamp x",
        "escape": 'a: "\\UFFFFFFFF"', "empty int": "a: !!int ''",
    }.items():  # fmt: skip
        bombs.file(f"names: {what}", "names.yaml", text, names)
        bombs.file(f"skeleton: {what}", "skeleton.yaml", text, "histvq.skeletons:read_skeleton")
        if what != "date":
            bombs.run(f"config: {what}", config_yaml=text)
    bombs.run(
        "config: codes",
        config_yaml="method: {n_actions: 1000000000000, alpha: 1000}",
        names_yaml="actions:\n  9: x\n",
    )
    bombs.run("recordings: depth", recordings_json="[" * DEEP)
    bombs.run("recordings: digits", recordings_json="9" * 5000)
    bombs.file(
        "names: a sparse terabyte",
        "names.yaml",
        b"",
        "oracles_load:sparse",
        "histvq.report.names:read_names",
    )
    bombs.file("preset: a sparse terabyte", "a.toml", b"", "oracles_load:sparse", read_preset)


def hdf5(bombs):
    place = bombs.place("one.analysis.h5")
    EXAMPLES["sleap"][0](place.parent)
    with h5py.File(place, "r+") as file:
        del file["tracks"]
        file.create_dataset(
            "tracks", (2, 2, 3, 2**40), "f8", chunks=(2, 2, 3, 2**20), compression="gzip"
        )
    bombs.call("sleap: shape", "histvq.io:read", place, "sleap", fps=30)
    for what in ("shape", "dimensions", "a link", "another file"):
        place = EXAMPLES["movement"][0](bombs.place("x").parent)
        with h5py.File(place, "r+") as file:
            if what == "shape":
                file.create_dataset("more", (2**40,), "f8", chunks=(2**20,))
            elif what == "dimensions":  # HDF5 wrote over its own memory
                names = file["position"].attrs["DIMENSION_LIST"]
                del file["position"]
                file["position"] = np.zeros((1, 90))
                file["position"].attrs["DIMENSION_LIST"] = names
            elif what == "a link":
                del file["position"]
                file["position"] = h5py.ExternalLink("/etc/hostname.h5", "/position")
            else:
                del file["position"]
                file.create_dataset(
                    "position", (40, 3, 3, 1), "f8", external=[("/etc/passwd", 0, 2880)]
                )
        bombs.call(f"movement: {what}", "histvq.io:read", place, "movement")


def tensors(bombs, model):
    def header(claim, length=None):
        text = json.dumps(claim).encode()
        return lambda _: (
            (len(text) if length is None else length).to_bytes(8, "little") + text + bytes(64)
        )

    one = {"dtype": "F64", "shape": [2**40], "data_offsets": [0, 2**43]}
    for what, change in {
        "length": header({}, 2**63 - 1), "shape": header({"x": one}),
        "offsets": header({"x": one | {"shape": [8]}}),
        "depth": lambda _: (DEEP).to_bytes(8, "little") + b"[" * DEEP,
    }.items():  # fmt: skip
        bombs.model(f"safetensors: {what}", model, change, "model.safetensors")

    def saying(holder, **values):
        def change(data):
            said = json.loads(data)
            (said[holder] if holder else said).update(values)
            return json.dumps(said).encode()

        return change

    for name in ("n_actions", "n_maps", "n_layers", "n_latent", "alpha", "temporal_hidden"):
        for value in (10**9, 10**30):
            bombs.model(f"model: {name} {value:.0e}", model, saying("params", **{name: value}))
    for values in (
        {"patch_frames": 10**9}, {"patch_frames": 10**6}, {"fps": 1e12}, {"fps": 1e-300}, {"seed": "x"},
        {"layout": LARGE_LAYOUT},
        {"history": json.loads("[" * 100 + "]" * 100)}, {"statistics": {"kind": "x"}},
    ):  # fmt: skip
        bombs.model(f"model: {str(values)[:30]}", model, saying(None, **values))
    bombs.model("model: depth", model, lambda _: b"[" * DEEP)
    bombs.model("model: digits", model, lambda _: b'{"format": ' + b"9" * 5000 + b"}")
    for steps in (["resample=1e12"], ["resample=30"] * 10**5, "resample", [["x"]]):
        text = json.dumps({"transforms": steps}).encode()
        bombs.model(
            f"transforms: {str(steps)[:30]}", model, lambda _, text=text: text, "transforms.json"
        )


def pickles(bombs):
    # () and then sixty times a tuple of twice the one before: to hash it takes 2 ** 60 steps.
    nested = b")" + b"".join(b"q%c(h%ch%ct" % (n, n, n) for n in range(60))
    dtype = b"cnumpy\ndtype\n(S'f8'\ntR"
    reconstruct = b"cnumpy.core.multiarray\n_reconstruct\n(tR"
    state = b"(I1\n(S'a'\nL100000000000L\nt" + dtype + b"I00\nC\x01xtb."
    load = "histvq.io.parts.safe_pickle:load_numbers"
    for what, data in {
        "a text times a number": b"\x80\x03" + reconstruct + state,
        "bytes it has not": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
        "text it has not": b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b".",
        "a frame it has not": b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b".",
        "a key that takes for ever": b"\x80\x02}" + nested + b"K\x01s.",
        "a set that takes for ever": b"\x80\x04\x8f(" + nested + b"\x90.",
        "depth": b"]" * 200_000 + b"a" * 199_999 + b".",
    }.items():
        bombs.file(f"pickle: {what}", "a.pkl", data, load)
    for what, tensor in {
        "repeated": torch.ones(1).expand(2**20, 2**20), "as it is": torch.ones(3)
    }.items():  # fmt: skip
        place = bombs.place("a.model")
        torch.save({"vq._embedding": tensor}, place)
        if what != "repeated":  # says of its storage what is not so
            data = place.read_bytes()
            with zipfile.ZipFile(io.BytesIO(data)) as whole, zipfile.ZipFile(place, "w") as made:
                for name in whole.namelist():
                    was = whole.read(name)
                    made.writestr(name, was.replace(b"K\x03tq", b"J\xff\xff\xff\x7ftq"))
        bombs.call(f"pytorch: {what}", "histvq.checkpoints:import_checkpoint", "smq", str(place))
    old = io.BytesIO()
    torch.save({"a": torch.ones(2)}, old, _use_new_zipfile_serialization=False)
    data = old.getvalue().replace(b"K\x02Nt", b"J\xff\xff\xff\x7fNt")
    bombs.file("pytorch: before 1.6", "b.model", data, "oracles_load:weights")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What came of each, and how much memory it took."""
    folder = tmp_path_factory.mktemp("bombs")
    rng = np.random.default_rng(0)
    recordings = [Recording(id=f"r{n}", skeleton=rng.normal(size=(90, 3, 3)), fps=30) for n in "ab"]
    made = histvq.HiSTVQ(n_actions=2, n_maps=4, n_latent=4, epochs=1, min_steps=1, random_state=0)
    made.fit(recordings).save(folder / "model")
    bombs = Bombs(folder)
    for add in (arrays, counts, packed, texts, hdf5, pickles):
        add(bombs)
    tensors(bombs, folder / "model")
    calls = [
        [function.replace("oracles_load", "limited"), arguments, options]
        for function, arguments, options in bombs.calls.values()
    ]
    return dict(zip(bombs.calls, outcomes(calls, folder), strict=True))


HARMLESS = {
    "c3d: counts",  # those in its parameters hold
    "npy: nothing in it",
    "config: itself",
    "config: codes",
    "config: empty int",
    "zip: in a zip is a file",
}


def test_all_are_refused_in_words_and_no_memory_is_asked_for_in_vain(found):
    others = {what: said for what, (said, _) in found.items() if not said.startswith("refused: ")}
    assert {w: s for w, s in others.items() if w not in HARMLESS or s != "read"} == {}


def test_none_takes_much_memory(found):
    # 16 MiB are the arrays of the largest files here, and what Python makes of their text.
    assert {what: n for what, (_, n) in found.items() if n > 160 * MIB} == {}
