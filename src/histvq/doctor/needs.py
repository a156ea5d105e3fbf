"""What histvq needs, of that what is installed, and the lines that install the rest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

FOR_DEVELOPERS = ("dev", "docs", "test")


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
        if not SpecifierSet(self.wanted).contains(self.version, prereleases=True):
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
    return list(_needed(""))


def extras() -> list[Extra]:
    """What single parts need, in order of name; those of people who develop histvq are left out."""
    try:
        named = metadata.metadata("histvq").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return []
    always = {package.name for package in packages()}
    return [
        Extra(name=name, packages=[p for p in _needed(name) if p.name not in always])
        for name in sorted(named)
        if name not in FOR_DEVELOPERS
    ]


def _needed(extra: str) -> Iterator[Package]:
    """What the installed package says it needs with an extra; with "", what it needs anyhow."""
    try:
        lines = metadata.requires("histvq") or []
    except metadata.PackageNotFoundError:
        return
    for wanted in map(Requirement, lines):
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            yield Package(
                name=wanted.name,
                wanted=str(wanted.specifier),
                version=installed_version(wanted.name),
            )


def installed_version(name: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
