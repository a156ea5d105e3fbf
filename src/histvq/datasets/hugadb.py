"""HuGaDB: 364 walks of 18 people with six inertial sensors on the legs, ten activities.

Source: R. Chereshnev and A. Kertesz-Farkas, "HuGaDB: Human Gait Database for Activity Recognition
from Wearable Inertial Sensor Networks", AIST 2017; the choice of files and columns is that of SMQ
and HiST-VQ.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from histvq.datasets import Dataset, DatasetInfo, Fingerprint, Prepared, Source
from histvq.datasets._benchmark import Layout, as_dataset, check_choice, short, write_prepared
from histvq.errors import ConfigError, FileFormatError
from histvq.io import Readings, ReadProgress, read_many
from histvq.io.hugadb import ACTIVITIES, FPS, JOINTS, SUFFIXES, UNIT, BadValues, parse_name
from histvq.recording import Recording

KIND = "various"
PATCH_SECONDS = 1.0
SOURCE = "https://github.com/romanchereshnev/HuGaDB"
COMMIT = (
    "e429ddd9504176c7f4d14358451fe5adf34d2c5a"  # its archive's size and SHA-256 stand there too
)
# How many recordings each person made, and the counters that were never given out.
_PER_PERSON = (17, 7, 25, 20, 21, 28, 25, 26, 21, 17, 21, 19, 23, 22, 12, 20, 23, 17)
_NO_SUCH = {(13, 5), (13, 6), (17, 3)}

INFO = DatasetInfo(
    name="hugadb",
    title="Walking, stairs, lifts, sitting and running with six inertial sensors on the legs",
    n_recordings=364,
    n_persons=18,
    n_frames=1_137_986,
    fps=FPS,
    unit=UNIT,
    joint_names=JOINTS,
    actions=tuple(a for a in ACTIVITIES if a not in ("bicycling", "sitting_in_car")),
    patch_seconds=PATCH_SECONDS,
    terms="no licence stated: use and cite, do not publish again",
    source=SOURCE,
    citation="R. Chereshnev and A. Kertesz-Farkas, HuGaDB: Human Gait Database for Activity "
    "Recognition from Wearable Inertial Sensor Networks, AIST 2017",
    sources=(
        Source(
            url=f"{SOURCE}/raw/{COMMIT}/HumanGaitDataBase.zip",
            path="HumanGaitDataBase.zip",
            size=162_827_155,
            sha256="26ab06de5aed2eead220358f4d3fee5d0e7e7a79bb67e17657edf9b951daa13c",
            packed=True,
        ),
    ),
    by_hand="labels of version 2, as in the papers (and a second copy of version 1): by links in the "
    f"README of {SOURCE}",
    fingerprint=Fingerprint(
        pattern="HuGaDB_v1_various_*.txt",
        n_files=364,
        sha256="976d66577c39f3a58a89d929ea13a188837bb6324ed7560d3b97a974ef449f09",
    ),
)


def load(
    root: str | Path,
    *,
    version: int | None = None,
    bad_values: BadValues = "interpolate",
    benchmark: bool = False,
    strict: bool = False,
    progress: ReadProgress | None = None,
) -> Dataset:
    """Load the `various` recordings from raw text, or from what `prepare` made of it.

    Units: counts, as in the files; see `histvq.io.hugadb.read_hugadb`.

    Args:
        root: Folder of the files, of either sort.
        version: 1 or 2, where the folder holds both; their labels differ.
        bad_values: `interpolate` values outside the sensors' range, `keep` them as the published
            experiments did, or `error`.
        benchmark: Stop unless all 364 recordings are there.
        strict: Stop instead of skipping files and mending values.
        progress: As in `histvq.io.read_many`.

    Raises:
        FileFormatError: If there are no such files, versions are mixed, prepared files have no
            labels, or, by `benchmark` or `strict`, files are missing or faulty.
        ConfigError: If the prepared files were made with other `bad_values`.
    """
    chosen = _choose(Path(root), version=version, benchmark=benchmark)
    readings = _read(chosen, bad_values=bad_values, strict=strict, progress=progress)
    _check_prepared(readings.recordings, bad_values=bad_values)
    return as_dataset(
        "hugadb",
        readings,
        notes=(
            *chosen.notes,
            *_mended(chosen, readings.recordings),
            *short(readings.recordings, patch_seconds=PATCH_SECONDS),
        ),
    )


def prepare(
    raw: str | Path,
    out: str | Path,
    *,
    layout: Layout = "npz",
    version: int | None = None,
    bad_values: BadValues = "interpolate",
    benchmark: bool = False,
    strict: bool = False,
    progress: ReadProgress | None = None,
) -> Prepared:
    """Convert the raw `various` recordings, one whole file after another.

    Args:
        raw: Folder of the raw text files.
        out: Folder to write to; files of the same name are replaced.
        layout: `npz` keeps everything and is what `load` reads; `smq` is the folder layout that
            other tools read.
        version: As in `load`.
        bad_values: As in `load`.
        benchmark: As in `load`.
        strict: As in `load`.
        progress: As in `load`.

    Raises:
        FileFormatError: As `load`; also if an id cannot be a file's name.
        ConfigError: If the layout is neither.
    """
    check_choice("layout", layout, Layout)
    chosen = _choose(Path(raw), version=version, benchmark=benchmark)
    readings = _read(chosen, bad_values=bad_values, strict=strict, progress=progress)
    return write_prepared(Path(out), readings, layout=layout, notes=chosen.notes)


@dataclass(frozen=True)
class _Chosen:
    format: str
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def _choose(root: Path, *, version: int | None, benchmark: bool) -> _Chosen:
    """Files of the benchmark in the folder, one version of them, and what was left aside."""
    format, files = _find(root)
    various = [file for file in files if _name(file)[1] == KIND]
    if not various:
        raise FileFormatError(
            f"{root}: {len(files)} HuGaDB files, none of them '{KIND}', the only kind the "
            "benchmark uses. Give the folder of HuGaDB_v1_various_*.txt"
        )
    counts = Counter(int(_name(file)[0]) for file in various)
    if version is None and len(counts) > 1:
        both = ", ".join(f"{n} of version {v}" for v, n in sorted(counts.items()))
        raise FileFormatError(
            f"{root}: {both}: their labels differ. Pass version= to choose, as version=1, or "
            "give the folder of one of them"
        )
    if version is not None and not counts[version]:
        raise FileFormatError(f"{root}: no files of version {version}; it has {sorted(counts)}")
    version = version or next(iter(counts))
    kept = [file for file in various if int(_name(file)[0]) == version]
    notes = _left_out(files, kept)
    if version == 1:
        notes.append(
            "labels of version 1; the papers used version 2, in which borders between sitting, "
            "standing and what leads from one to the other were set anew by hand"
        )
    missing = _missing(kept, version)
    if missing and benchmark:
        raise FileFormatError(
            f"{root}: {len(kept)} of the benchmark's {INFO.n_recordings} recordings; missing: "
            f"{', '.join(missing[:10])}{' ...' if len(missing) > 10 else ''}. Get them from "
            f"{SOURCE}, or leave out benchmark=True"
        )
    if missing:
        notes.append(f"{len(kept)} of the benchmark's {INFO.n_recordings} recordings")
    return _Chosen(format, tuple(kept), tuple(notes))


def _find(root: Path) -> tuple[str, list[Path]]:
    """Format and HuGaDB files of a folder: raw text if there is any, else prepared files."""
    if not root.is_dir():
        raise FileFormatError(f"{root}: not a folder. Give the folder of the HuGaDB files")
    for candidates in (root.iterdir(), root.rglob("*")):
        known = sorted(file for file in candidates if _known(file))
        for format, suffixes in (("hugadb", SUFFIXES), ("histvq", (".npz",))):
            if files := [file for file in known if file.name.lower().endswith(suffixes)]:
                return format, files
    raise FileFormatError(
        f"{root}: no HuGaDB files, as HuGaDB_v1_various_01_00.txt (or .npz, as `histvq data "
        f"prepare` writes them). Get them from {SOURCE}"
    )


def _known(file: Path) -> bool:
    return file.name.lower().endswith((*SUFFIXES, ".npz")) and parse_name(file) is not None


def _name(file: Path) -> tuple[str, str, str, str]:
    name = parse_name(file)
    assert name is not None, file
    return name


def _left_out(files: list[Path], kept: list[Path]) -> list[str]:
    kinds = Counter(_name(file)[1] for file in files if file not in set(kept))
    if not kinds:
        return []
    parts = ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items()))
    return [f"{kinds.total()} files left out, the benchmark does not use them: {parts}"]


def _missing(files: Iterable[Path], version: int) -> list[str]:
    """Names of the benchmark's recordings that are not among the files."""
    present = {_name(file)[2:] for file in files}
    return [
        f"HuGaDB_v{version}_{KIND}_{person}_{counter}"
        for person, counter in _benchmark()
        if (person, counter) not in present
    ]


def _benchmark() -> list[tuple[str, str]]:
    """Person and counter of each of the 364 recordings."""
    found = []
    for person, n_recordings in enumerate(_PER_PERSON, start=1):
        counters = (c for c in range(99) if (person, c) not in _NO_SUCH)
        found += [(f"{person:02}", f"{next(counters):02}") for _ in range(n_recordings)]
    return found


def _read(
    chosen: _Chosen, *, bad_values: BadValues, strict: bool, progress: ReadProgress | None
) -> Readings:
    if chosen.format == "histvq":
        return read_many(chosen.files, format="histvq", strict=strict, progress=progress)
    return read_many(
        chosen.files, format="hugadb", strict=strict, progress=progress, bad_values=bad_values
    )


def _check_prepared(recordings: Iterable[Recording], *, bad_values: BadValues) -> None:
    """Raise where prepared files hold what another choice of `bad_values` made of them."""
    for recording in recordings:
        done = recording.metadata.get("bad_values", bad_values)
        if done != bad_values:
            raise ConfigError(
                f"{recording.source}: prepared with bad_values={done!r}, asked for {bad_values!r}. "
                f"Pass bad_values={done!r}, or prepare the raw files again"
            )


def _mended(chosen: _Chosen, recordings: Iterable[Recording]) -> list[str]:
    """What was done to prepared recordings: reading raw ones warns of it, these no longer do."""
    if chosen.format == "hugadb":
        return []
    return [f"{r.id}: {note}" for r in recordings for note in r.history]
