"""What is installed, what is missing, and whether it works: for people whose installation does not.

Only the standard library is needed for all but `torch_here` and `self_test`, so a broken package is
told of instead of breaking this too.
"""

import os
import platform
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import histvq

FOR_DEVELOPERS = ("dev", "docs", "test")
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*(?P<wanted>[^;]*?)\s*"
    r"(?:;.*?extra\s*==\s*['\"](?P<extra>[^'\"]+)['\"].*)?"
)
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package that is wanted.

    Attributes:
        name: As one installs it.
        wanted: Versions that will do, as `>=1.26`; empty if any.
        version: The one installed; None if there is none.
    """

    name: str
    wanted: str
    version: str | None

    @property
    def fault(self) -> str:
        """What is wrong with it, in words; empty where nothing is."""
        if self.version is None:
            return f"{self.name} is not installed"
        if not _fits(self.version, self.wanted):
            return f"{self.name} {self.version} is installed, {self.wanted} is needed"
        return ""


@dataclass(frozen=True, kw_only=True)
class Extra:
    """Packages that one part of histvq needs, and nobody else.

    Attributes:
        name: As in `histvq[name]`.
        packages: What it needs.
    """

    name: str
    packages: Sequence[Package]

    @property
    def faults(self) -> list[str]:
        """What is wrong with its packages; empty where it can be used."""
        return [package.fault for package in self.packages if package.fault]

    @property
    def install(self) -> str:
        """The line that installs it."""
        return f'pip install "histvq[{self.name}]"'


def histvq_here() -> dict[str, str | None]:
    """The version of the code, of the installed package (None: there is none), and the code's folder."""
    return {
        "version": histvq.__version__,
        "installed": _installed("histvq"),
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


def packages() -> list[Package]:
    """What histvq cannot do without."""
    return [package for extra, package in _requirements() if extra is None]


def extras() -> list[Extra]:
    """What single parts need, in order of name; those of people who develop histvq are left out."""
    found: dict[str, list[Package]] = {}
    for extra, package in _requirements():
        if extra is not None and extra not in FOR_DEVELOPERS:
            found.setdefault(extra, []).append(package)
    return [Extra(name=name, packages=found[name]) for name in sorted(found)]


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


def _fitted_and_scored() -> dict[str, float]:
    data = histvq.load_dataset("synthetic", n_people=2, recordings_per_person=2, seconds=20.0)
    few = {"epochs": 2, "n_starts": 5}  # the answer is as good, and there in a second
    method = histvq.make_method(
        "histvq", preset="best", n_actions=data.n_actions, random_state=0, **few
    )
    answers = method.fit(data.recordings).predict(data.recordings)
    scores = histvq.evaluate(answers, data.annotations)
    return {"mof": scores.mof, "constant_answer": float(str(scores.protocol["majority_percent"]))}


def _requirements() -> Iterator[tuple[str | None, Package]]:
    """What the installed package says it needs: the extra, None for what everybody needs, and what."""
    try:
        lines = metadata.requires("histvq") or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        found = _REQUIREMENT.fullmatch(line)
        if found and found["name"] != "histvq":
            name, wanted = found["name"], found["wanted"].strip("() ")
            yield found["extra"], Package(name=name, wanted=wanted, version=_installed(name))


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _fits(version: str, wanted: str) -> bool:
    """Whether a version is as wanted; of what may be said of versions, `>=` and `==` are looked at."""
    for part in wanted.split(","):
        sign, number = part.strip()[:2], part.strip()[2:]
        if sign == ">=" and _numbers(version) < _numbers(number):
            return False
        if sign == "==" and _numbers(version) != _numbers(number):
            return False
    return True


def _numbers(version: str) -> list[int]:
    """The numbers a version begins with, without zeros at the end: 2.0 is 2."""
    begun = re.match(r"\d+(\.\d+)*", version.strip())
    numbers = [int(number) for number in begun[0].split(".")] if begun else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers


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
