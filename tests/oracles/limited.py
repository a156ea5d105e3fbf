"""Reads files in a process of its own that may not take more memory, and tells what came of each.

    python limited.py MANIFEST

The manifest, JSON, lists what to call (`module:function`) with which arguments. A line of JSON comes back
for each: what came of it, and by how many bytes the most memory taken was more than before.
"""

import json
import resource
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path

SPARE = 256 * 2**20


def outcomes(calls, folder):
    """What comes of these (function, arguments, options), in order."""
    manifest = Path(folder) / "manifest.json"
    manifest.write_text(json.dumps(calls))
    done = subprocess.run(
        [sys.executable, __file__, manifest],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(calls), f"ended at {len(found)} of {len(calls)}: {done.stderr[-2000:]}"
    return found


def _main(manifest):
    from histvq.errors import HistvqError

    for module in (
        "h5netcdf",
        "pandas",
        "histvq.checkpoints.smq",
        "histvq.methods.histvq",
        "scipy.signal",
    ):
        import_module(module)
    warnings.simplefilter("ignore")
    calls = [(_function(name), *rest) for name, *rest in json.loads(Path(manifest).read_text())]
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + SPARE, resource.RLIM_INFINITY))
    for function, arguments, options in calls:
        Path("/proc/self/clear_refs").write_text("5")
        before = _status("VmRSS")
        try:
            function(*arguments, **options)
            found = "read"
        except HistvqError as error:
            vain = isinstance(error.__cause__ or error.__context__, MemoryError)
            found = "memory asked for in vain" if vain else f"refused: {error}"
        except BaseException as error:
            found = f"{type(error).__name__}: {error}"
        print(json.dumps([found[:300], _status("VmHWM") - before]), flush=True)


# What is called here for files that take more than one call.


def load_and_predict(folder):
    """Load a model, and answer for four seconds of motion."""
    import numpy as np

    from histvq.models import load_model
    from histvq.recording import Recording

    skeleton = np.random.default_rng(0).normal(size=(120, 3, 3))
    load_model(folder).predict(Recording(id="x", skeleton=skeleton, fps=30))


def labels(path):
    """Read labels of a recording of ten frames."""
    import numpy as np

    from histvq.io.labels.reading import read_any_labels
    from histvq.recording import Recording

    read_any_labels(Path(path), [Recording(id="a", skeleton=np.zeros((10, 1, 2)), fps=10)])


def unpack(archive):
    """Unpack beside it."""
    from histvq.download.unpack import unpack

    unpack(Path(archive), Path(archive).parent)


def weights(path):
    """The weights in a file of PyTorch's."""
    from histvq.checkpoints.file import state_dict

    state_dict(Path(path))


def sparse(path, function):
    """Read a file of a terabyte that takes no room."""
    with open(path, "wb") as file:
        file.truncate(2**40)
    try:
        _function(function)(path)
    finally:
        Path(path).unlink()


def _function(name):
    module, _, attribute = name.partition(":")
    function = import_module(module)
    for part in attribute.split("."):
        function = getattr(function, part)
    return function


def _status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) * 1024


if __name__ == "__main__":
    _main(sys.argv[1])
