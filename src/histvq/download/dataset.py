"""What can be fetched of a dataset without a person, and fetching it."""

from dataclasses import dataclass
from pathlib import Path

from histvq.datasets import DatasetInfo, Source, dataset_info
from histvq.download.fetch import Progress, fetch
from histvq.download.unpack import unpack
from histvq.errors import ConfigError

# Datasets of the papers that cannot be fetched without a person: on what terms, and where they are.


@dataclass(frozen=True, kw_only=True)
class Downloaded:
    """What `download_dataset` did.

    Attributes:
        folder: Where the files lie.
        notes: What was fetched, file by file, and by what it is known to be whole; then what has to
            be got by hand.
        warnings: What is not as it should be.
    """

    folder: Path
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What can be fetched of a dataset, and on what terms.

    Attributes:
        name: Name of the dataset.
        sources: Its files; empty where none can be fetched without a person.
        terms: What one may do with it; empty where `by_hand` says it.
        by_hand: Where to get what cannot be fetched; empty where there is no such thing.
    """

    name: str
    sources: tuple[Source, ...]
    terms: str
    by_hand: str

    def __str__(self) -> str:
        if self.sources:
            files = f"{len(self.sources)} file{'s' if len(self.sources) > 1 else ''}"
            rest = f"; by hand: {self.by_hand}" if self.by_hand else ""
            size = f"{sum(source.size or 0 for source in self.sources) / 1e6:.1f} MB"
            return f"histvq data download {self.name} ({files}, {size}){rest}"
        return f"by hand: {self.by_hand}" if self.by_hand else "made up: nothing to fetch"

    def words(self, folder: Path) -> str:
        """What to do about a dataset that cannot be fetched without a person."""
        if not self.by_hand:
            return f"dataset {self.name!r} is made up: there is nothing to fetch"
        terms = f"; terms: {self.terms}" if self.terms else ""
        return (
            f"dataset {self.name!r} cannot be fetched without a person: {self.by_hand}{terms}. Put "
            f"what you get into {folder}"
        )


def offer(name: str) -> Offer:
    """What can be fetched of a dataset.

    Raises:
        ConfigError: If nobody knows such a dataset.
    """
    info = dataset_info(name)
    return Offer(
        name=name,
        sources=info.sources,
        terms=info.terms,
        by_hand=info.by_hand or _page(info),
    )


def _page(info: DatasetInfo) -> str:
    """Where its maker says to get it, if it is on the web and has no files to fetch."""
    return info.source if "://" in info.source and not info.sources else ""


def download_dataset(
    name: str,
    folder: str | Path,
    *,
    terms_accepted: bool = False,
    progress: Progress | None = None,
) -> Downloaded:
    """Fetch a dataset's files; what is there already is not fetched again.

    A broken download goes on where it stopped when this is called once more.

    Args:
        name: A name of `DATASETS`.
        folder: Folder to put the files in; `load_dataset` and `prepare_dataset` read it.
        terms_accepted: That its terms have been read and agreed to; they stand in `offer(name)`.
        progress: Called with a file's path, bytes so far, and bytes in all where known.

    Raises:
        ConfigError: If there is no such dataset, none of it can be fetched without a person, or its
            terms have not been accepted.
        DownloadError: If a file cannot be had; says where to get it by hand.
        FileFormatError: If an archive cannot be unpacked.
    """
    offered = offer(name)
    folder = Path(folder)
    if not offered.sources:
        raise ConfigError(offered.words(folder))
    if not terms_accepted:
        raise ConfigError(
            f"dataset {name!r} comes on these terms: {offered.terms}. Read them, then pass "
            "terms_accepted=True (--yes)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    notes = [_one(source, folder, progress) for source in offered.sources]
    notes += [f"not fetched: {offered.by_hand}"] if offered.by_hand else []
    expected = dataset_info(name).fingerprint
    fault = "" if expected is None else expected.fault(folder)
    return Downloaded(folder=folder, notes=tuple(notes), warnings=(fault,) if fault else ())


def _one(source: Source, folder: Path, progress: Progress | None) -> str:
    note = fetch(source, folder, progress=progress)
    if source.packed:
        note += f"; {unpack(folder / source.path, folder)} files in it, unpacked beside it"
    return note
