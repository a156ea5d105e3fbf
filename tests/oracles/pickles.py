"""Pickles that make a folder when somebody unpickles them, in each way a pickle can."""

import copyreg
import os
import pickle
from pathlib import Path

EXTENSION = 0x7A


class _Made:
    """Comes back as the outcome of os.mkdir."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def payloads(place: Path) -> dict[str, bytes]:
    """By the operation that does it; all make this folder."""
    text = b"S" + repr(str(place)).encode() + b"\n"
    call = b"(" + text + b"tR."
    return {
        **{f"REDUCE, protocol {p}": pickle.dumps(_Made(place), protocol=p) for p in range(6)},
        "INST": b"(" + text + b"ios\nmkdir\n.",
        "OBJ": b"(cos\nmkdir\n" + text + b"o.",
        # partial(repr), then its state replaced by that of partial(os.mkdir, place)
        "BUILD": b"cfunctools\npartial\n(cbuiltins\nrepr\ntR(cos\nmkdir\n(" + text + b"t}Ntb)R.",
        "EXT1": b"\x80\x02\x82" + bytes([EXTENSION]) + call,
        "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x05mkdir\x93" + call,
        "in a list": pickle.dumps([("a", "b"), _Made(place)]),
        "in a key": b"}(cos\nmkdir\n(" + text + b"tRK\x01u.",
    }


class Extension:
    """While it lasts, number EXTENSION stands for os.mkdir, as an installed package could have it."""

    def __enter__(self):
        copyreg.add_extension(os.mkdir.__module__, "mkdir", EXTENSION)

    def __exit__(self, *_):
        copyreg.remove_extension(os.mkdir.__module__, "mkdir", EXTENSION)
