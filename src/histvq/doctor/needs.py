"""What histvq needs, of that what is installed, and the lines that install the rest."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata

FOR_DEVELOPERS = ("dev", "docs", "test")
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*(?P<wanted>[^;]*?)\s*"
    r"(?:;.*?extra\s*==\s*['\"](?P<extra>[^'\"]+)['\"].*)?"
)


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
            yield found["extra"], Package(name=name, wanted=wanted, version=installed_version(name))


def installed_version(name: str) -> str | None:
    """The version of a package; None where it is not installed."""
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
