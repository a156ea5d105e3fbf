"""What is installed, what is missing, and whether it works: for people whose installation does not.

Only the standard library and packaging are needed for all but `torch_here` and `self_test`, so a broken
package is told of instead of breaking this too.
"""

import os
import platform
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import histvq
from histvq.doctor.needs import (
    FOR_DEVELOPERS,
    Extra,
    Package,
    extras,
    installed_version,
    packages,
)

__all__ = [
    "FOR_DEVELOPERS",
    "Extra",
    "Package",
    "extras",
    "faults",
    "histvq_here",
    "in_words",
    "machine",
    "packages",
    "self_test",
    "torch_here",
]

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def histvq_here() -> dict[str, str | None]:
    """The version of the code, of the installed package (None: there is none), and the code's folder."""
    return {
        "version": histvq.__version__,
        "installed": installed_version("histvq"),
        "folder": str(Path(histvq.__file__).parent),
    }


def machine() -> dict[str, object]:
    """Python, system, cores this process may use, what limits threads, and room for passing copies."""
    temporary = Path(tempfile.gettempdir())
    allowed = getattr(os, "sched_getaffinity", None)
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": len(allowed(0)) if allowed else os.cpu_count(),
        "thread_limits": {name: os.environ[name] for name in _THREADS if name in os.environ},
        "temporary_folder": str(temporary),
        "temporary_free_gb": round(shutil.disk_usage(temporary).free / 1e9, 1),
    }


def torch_here() -> dict[str, object]:
    """PyTorch as it is found when imported: build, threads, devices; or `error`, and only that."""
    try:
        import torch

        cuda = torch.cuda.is_available()
        devices = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
        apple = torch.backends.mps.is_available()
        build = torch.version.cuda and f"CUDA {torch.version.cuda}"
        build = build or (torch.version.hip and f"ROCm {torch.version.hip}") or "CPU"
        found: dict[str, object] = {
            "version": torch.__version__,
            "build": build,
            "threads": torch.get_num_threads(),
            "gpus": devices if cuda else ["Apple (mps)"] if apple else [],
        }
    except Exception as error:  # a library it wants is missing, of the wrong kind, or too old
        return {"error": _in_short(error)}
    return {**found, "hint": _hint(found, seen=shutil.which("nvidia-smi") is not None)}


def self_test() -> dict[str, object]:
    """Fit preset `best`, for two epochs, on four made-up recordings; segment and score them.

    Returns:
        `works`, `seconds`, `mof` and `constant_answer` (percent of frames right, and those of the best
        answer that never changes); or `works` False and `error`.
    """
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # so short a training may well warn
            scores = _fitted_and_scored()
    except Exception as error:  # whatever it is, it is what the person has to know
        return {"works": False, "error": _in_short(error)}
    return {
        "works": scores["mof"] > scores["constant_answer"],
        "seconds": round(time.perf_counter() - started, 1),
        **{name: round(value, 1) for name, value in scores.items()},
    }


def in_words(tried: Mapping[str, object]) -> str:
    """What came of the self-test."""
    if "error" in tried:
        return str(tried["error"])
    return (
        f"{tried['mof']} % of the frames right, {tried['constant_answer']} by an answer that never "
        f"changes, in {tried['seconds']} s"
    )


def faults(
    ours: Mapping[str, str | None],
    needed: Sequence[Package],
    torch: Mapping[str, object],
    tried: Mapping[str, object],
) -> list[str]:
    """All that has to be mended, of what the functions above found; an extra that is missing need not."""
    found = [package.fault for package in needed if package.fault]
    if ours["installed"] != ours["version"]:
        found.append(
            f"the code is version {ours['version']}, the installed package {ours['installed']}: "
            "install it anew"
        )
    if "error" in torch:
        found.append(f"PyTorch cannot be imported ({torch['error']}): install it anew")
    elif not tried["works"]:
        found.append(f"the self-test failed: {in_words(tried)}")
    return found


def _fitted_and_scored() -> dict[str, float]:
    data = histvq.load_dataset("synthetic", n_people=2, recordings_per_person=2, seconds=20.0)
    few = {"epochs": 2, "n_starts": 5}  # the answer is as good, and there in a second
    method = histvq.make_method(
        "histvq", preset="best", n_actions=data.n_actions, random_state=0, **few
    )
    answers = method.fit(data.recordings).predict(data.recordings)
    scores = histvq.evaluate(answers, data.annotations)
    return {"mof": scores.mof, "constant_answer": float(str(scores.protocol["majority_percent"]))}


def _hint(torch: Mapping[str, object], *, seen: bool) -> str:
    """What a person might want to change about PyTorch; `seen`: whether there is an NVIDIA driver."""
    if torch["gpus"]:
        return ""
    if torch["build"] == "CPU" and seen:
        return "there is an NVIDIA GPU, which PyTorch's CPU build does not use"
    if torch["build"] != "CPU" and not seen:
        return "PyTorch's CPU build does the same here, and is several GB smaller"
    if torch["build"] != "CPU":
        return "PyTorch does not find the GPU that the driver is for; the CPU is used"
    return ""


def _in_short(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
