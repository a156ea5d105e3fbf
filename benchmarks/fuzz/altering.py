"""Good files made bad: by accidents, and by somebody who knows the format and means harm."""

import gzip
import io
import json
import random
import re
import struct
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

Alter = Callable[[bytes, random.Random], bytes]

WHOLE = [
    -1,
    0,
    1,
    2,
    3,
    7,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    10**6,
    10**9,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**53,
    2**62,
    2**63 - 1,
    2**63,
    2**64,
    10**30,
    -(10**9),
    -(2**63),
]
NUMBERS = [
    *map(str, WHOLE),
    "9" * 5000,
    "1e308",
    "-1e308",
    "1e999",
    "1e-320",
    "nan",
    "inf",
    "-inf",
    "-0.0",
    "0.1",
    "1e9",
    "1_000",
    "0x10",
    "007",
    "1,5",
    "",
    "+",
    "NaN",
    "Infinity",
]
WORDS = [
    "",
    " ",
    "\0",
    "\ufeff",
    "../../../../tmp/escaped",
    "/tmp/escaped",
    "C:\\x",
    "a" * 70_000,
    "<script>",
    "null",
    "None",
    "true",
    "~",
    "os:system",
    "histvq.io.bvh:READER",
    "\u202e",
    "\ud83d\ude00",
    "&a",
    "*a",
    "!!python/object/apply:os.system [id]",
    "__import__('os')",
    "{{x}}",
    "%s%n",
    "=1+1",
    "'",
    '"',
    "[",
    "{",
]
STRAY = [
    b",",
    b";",
    b"\t",
    b" ",
    b"\n",
    b"\r",
    b'"',
    b"-",
    b"\x00",
    b"\xff",
    b"[",
    b"{",
    b"<",
    b":",
]
NUMBER = re.compile(rb"-?\d+\.?\d*(?:[eE][-+]?\d+)?")
TOKEN = re.compile(rb"[A-Za-z_][\w.]*")


def accident(data: bytes, rng: random.Random) -> bytes:
    """What happens to files: cut, bytes lost, twice or overwritten, lines twice or gone."""
    at, length = rng.randrange(len(data) + 1), rng.choice([1, 2, 8, 64, 1000])
    kind = rng.choice(["cut", "lose", "twice", "stray", "line", "noise", "digits", "zeros", "flip"])
    if kind == "cut":
        return data[:at]
    if kind == "lose":
        return data[:at] + data[at + length :]
    if kind == "twice":
        return data[:at] + data[at : at + length] + data[at:]
    if kind == "stray":
        return data[:at] + rng.choice(STRAY) + data[at + rng.randrange(13) :]
    if kind == "line":
        lines = data.splitlines(keepends=True)
        line = rng.randrange(len(lines) + 1)
        lines[line : line + 1] = lines[line : line + 1] * rng.choice([0, 2])
        return b"".join(lines)
    if kind == "flip" and data:
        at %= len(data)
        return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]
    put = {"noise": rng.randbytes(length), "digits": b"9" * length}.get(kind, bytes(length))
    return data[:at] + put + data[at + len(put) :]


def binary_number(data: bytes, rng: random.Random) -> bytes:
    """An extreme number over 1 to 8 bytes, more often near the beginning, where headers are."""
    size, order = rng.choice([1, 2, 4, 8]), rng.choice(["little", "big"])
    reach = len(data) if rng.random() < 0.5 else min(len(data), 1024)
    at = rng.randrange(max(reach - size, 0) + 1)
    if rng.random() < 0.2 and size > 2:
        value = rng.choice([0.0, -1.0, 1e30, float("nan"), float("inf"), 1e-38])
        put = struct.pack(("<" if order == "little" else ">") + ("f" if size == 4 else "d"), value)
    else:
        put = (rng.choice(WHOLE) % 256**size).to_bytes(size, order)  # type: ignore[arg-type]
    return data[:at] + put + data[at + size :]


def text_number(data: bytes, rng: random.Random) -> bytes:
    """One of the first numbers of a text, or any, replaced by an extreme one."""
    return _replaced(data, NUMBER, [number.encode() for number in NUMBERS], rng)


def text_word(data: bytes, rng: random.Random) -> bytes:
    """Likewise of its words."""
    words = [word.encode("utf-8", "surrogatepass") for word in WORDS]
    return _replaced(data, TOKEN, words, rng)


def _replaced(data: bytes, what: re.Pattern[bytes], by: list[bytes], rng: random.Random) -> bytes:
    found = list(what.finditer(data, 0, 200_000))
    if not found:
        return accident(data, rng)
    match = rng.choice(found[: 30 if rng.random() < 0.5 else None])
    put = rng.choice([*by, rng.choice(found)[0]])
    return data[: match.start()] + put + data[match.end() :]


def json_value(data: bytes, rng: random.Random) -> bytes:
    """One value of a JSON text replaced, or a key lost, renamed or added."""
    try:
        top = json.loads(data)
    except ValueError:
        return accident(data, rng)
    holders = _holders(top)
    if not holders or rng.random() < 0.03:
        return json.dumps(_odd(rng)).encode()
    holder = rng.choice(holders)
    key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    kind = rng.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[rng.choice([*WORDS, *holder])] = holder.pop(key)
    elif kind == 2 and isinstance(holder, list):
        holder += [holder[key]] * rng.choice([1, 2, 100])
    elif kind == 3:
        other = rng.choice(holders)
        holder[key] = json.loads(json.dumps(other))
    else:
        holder[key] = _odd(rng)
    text = json.dumps(top)
    if rng.random() < 0.1:  # what Python's writer would not write
        text = text.replace(
            '"@@"', rng.choice(["9" * 5000, "1e999", "[" * 5000, '"\\ud800"', "-0"])
        )
    return text.encode()


def _holders(top: Any) -> list[Any]:
    """All lists and objects with something in them, but not every one of many rows."""
    found, layer = [], [top]
    while layer and len(found) < 3000:
        layer = [one for one in layer if isinstance(one, dict | list) and one]
        found += layer
        layer = [item for one in layer for item in (one.values() if isinstance(one, dict) else one)]
    return found


def _odd(rng: random.Random) -> Any:
    deep: Any = 1
    for _ in range(rng.choice([2, 40, 400])):
        deep = [deep] if rng.random() < 0.5 else {"a": deep}
    return rng.choice(
        [
            None,
            True,
            False,
            [],
            {},
            deep,
            "@@",
            rng.choice(WHOLE),
            rng.choice(WHOLE),
            float("nan"),
            1e308,
            -1e308,
            0.5,
            5e-324,
            float("inf"),
            rng.choice(WORDS),
            rng.choice(WORDS),
            [1, 2, 3],
            {"a": 1},
            [None] * 10,
            ["a"] * 1000,
            [[]] * 100,
        ]
    )


def yaml_text(data: bytes, rng: random.Random) -> bytes:
    """A line with something YAML takes for more than text."""
    lines = data.splitlines() or [b""]
    at = rng.randrange(len(lines))
    key = lines[at].partition(b":")[0]
    put = rng.choice(
        [
            b"&a [*a]",
            b"!!timestamp foo",
            b"!!int ''",
            b"!!bool x",
            b"2001-99-99",
            b"!!binary '='",
            b"<<: *a",
            b"{? [a] : b}",
            b"[" * 3000,
            b'"\\UFFFFFFFF"',
            b"!!set {a, b}",
            b"!!omap [a: 1]",
            b"1:99:99",
            b"!!float 'x'",
            b"\t- x",
            b"|\n  x",
            b".inf",
            b"*nobody",
            b"!!python/name:os.system",
            b"0b2",
            b"0o9",
            b"[&b [x,x,x,x,x,x,x,x,x],&c [*b,*b,*b,*b,*b,*b,*b,*b],&d [*c,*c,*c,*c,*c,*c,*c,*c],"
            b"&e [*d,*d,*d,*d,*d,*d,*d,*d],&f [*e,*e,*e,*e,*e,*e,*e,*e],[*f,*f,*f,*f,*f,*f,*f]]",
        ]
    )
    lines[at] = rng.choice([key + b": " + put, put, lines[at] + put])
    return b"\n".join(lines) + b"\n"


def xml_text(data: bytes, rng: random.Random) -> bytes:
    """Entities, other encodings, depths and declarations."""
    put = rng.choice(
        [
            b'<!DOCTYPE a [<!ENTITY b "cccc"><!ENTITY d "&b;&b;&b;">]>',
            b"<a>" * 5000,
            b"&#0;",
            b"&lt;" * 100,
            b'<?xml version="1.0" encoding="utf-7"?>',
            b"<![CDATA[x]]>",
            b"<!--",
            b"&nobody;",
            b"\xfe\xff",
        ]
    )
    places = [m.start() for m in re.finditer(rb"[<>]", data)] or [0]
    at = rng.choice(places)
    return data[:at] + put + data[at:]


def zipped(inside: Alter) -> Alter:
    """Another archive: a member altered, gone, twice, renamed, packed otherwise, or claimed larger."""

    def alter(data: bytes, rng: random.Random) -> bytes:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = [(info.filename, archive.read(info)) for info in archive.infolist()]
        except (zipfile.BadZipFile, ValueError):
            return accident(data, rng)
        place = rng.randrange(len(members))
        name, content = members[place]
        kind = rng.randrange(8)
        if kind < 5:
            members[place] = name, inside(content, rng)
        elif kind == 5:
            del members[place]
        elif kind == 6:
            members.append((rng.choice(members)[0], content))
        else:
            members[place] = rng.choice(["../" + name, "/" + name, name + "\\x", "x", ""]), content
        made = io.BytesIO()
        packing = rng.choice(
            [zipfile.ZIP_STORED] * 6 + [zipfile.ZIP_DEFLATED] * 3 + [zipfile.ZIP_BZIP2]
        )
        with zipfile.ZipFile(made, "w", packing) as archive:
            for member, bytes_ in members:
                archive.writestr(member.replace("\0", ""), bytes_)
        packed = made.getvalue()
        return binary_number(packed, rng) if rng.random() < 0.15 else packed

    return alter


def tarred(inside: Alter) -> Alter:
    """Another tar: a member altered, gone, renamed, or made a link."""

    def alter(data: bytes, rng: random.Random) -> bytes:
        made = io.BytesIO()
        with (
            tarfile.open(fileobj=io.BytesIO(data)) as old,
            tarfile.open(fileobj=made, mode=rng.choice(["w", "w:gz", "w:xz"])) as new,
        ):
            infos = old.getmembers()
            chosen = rng.choice(infos)
            for info in infos:
                opened = old.extractfile(info)
                content = opened.read() if opened else b""
                if info is chosen:
                    content = inside(content, rng)
                    info.size = len(content)
                    info.name = rng.choice(
                        [info.name, "../x", "/tmp/escaped", "a/../../x", info.name]
                    )
                    info.type = rng.choice(
                        [info.type] * 4 + [tarfile.SYMTYPE, tarfile.LNKTYPE, b"3"]
                    )
                    info.linkname = "/etc/passwd"
                new.addfile(info, io.BytesIO(content))
        packed = made.getvalue()
        return binary_number(packed, rng) if rng.random() < 0.2 else packed

    return alter


def gzipped(inside: Alter) -> Alter:
    """The same alterations before packing."""

    def alter(data: bytes, rng: random.Random) -> bytes:
        return gzip.compress(inside(gzip.decompress(data), rng), 1)

    return alter


def safetensors_header(data: bytes, rng: random.Random) -> bytes:
    """Another header of JSON before the same bytes."""
    length = int.from_bytes(data[:8], "little")
    header = json_value(data[8 : 8 + length], rng)
    said = len(header) if rng.random() < 0.9 else rng.choice(WHOLE) % 2**64
    return said.to_bytes(8, "little") + header + data[8 + length :]


def hdf5_member(data: bytes, rng: random.Random) -> bytes:
    """A dataset or attribute of another shape, type or content; or a link to elsewhere."""
    import h5py
    import numpy as np

    made = io.BytesIO(data)
    with h5py.File(made, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        name = rng.choice(names)
        owner = file[name]
        kind = rng.randrange(5)
        if kind == 0:
            del file[name]
        elif kind == 1:
            del file[name]
            file[name] = rng.choice([h5py.SoftLink("/x"), h5py.ExternalLink("/etc/passwd", "/")])
        elif kind == 2 and len(owner.attrs):
            key = rng.choice(list(owner.attrs))
            del owner.attrs[key]
            odd = [
                b"x",
                "y",
                3,
                np.zeros(3),
                np.nan,
                "a" * 60_000,
                np.zeros((0,)),
                -1,
                2**60,
                b"\x80\x04.",
            ]
            owner.attrs[key] = rng.choice(odd)
        elif isinstance(owner, h5py.Dataset):
            shape, type_ = owner.shape, owner.dtype
            del file[name]
            shape = rng.choice(
                [(), (0,), (1,), shape[::-1], (*shape, 1), (2**40,), (3,) * 9, shape]
            )
            type_ = rng.choice(
                [type_, "f8", "i1", "u8", "S5", "f2", "c16", "?", h5py.string_dtype()]
            )
            file.create_dataset(name, shape, type_, chunks=rng.choice([None, shape and True]))
    return made.getvalue()


def mixed(*ways: Alter) -> Alter:
    """One to three alterations, each of one of these sorts; now and then bytes of no sort at all."""

    def alter(data: bytes, rng: random.Random) -> bytes:
        if rng.random() < 0.02:
            return rng.randbytes(rng.randrange(300))
        for _ in range(rng.choice([1, 1, 2, 3])):
            try:
                data = rng.choice(ways)(data, rng)
            except Exception:  # what is spoilt already cannot always be taken apart
                data = accident(data, rng)
        return data

    return alter


TEXT = mixed(accident, text_number, text_number, text_word)
BINARY = mixed(accident, binary_number, binary_number)
JSON = mixed(accident, text_number, json_value, json_value, json_value)
YAML = mixed(accident, text_number, text_word, yaml_text)
XML = mixed(accident, text_number, text_word, xml_text)
NPY = mixed(accident, binary_number, text_number, text_word)
NPZ = mixed(accident, binary_number, zipped(mixed(NPY, JSON)), zipped(NPY))
HDF5 = mixed(accident, binary_number, binary_number, hdf5_member)
SAFETENSORS = mixed(accident, binary_number, safetensors_header, safetensors_header)
