"""NetCDF files as xarray data sets: what a header claims is checked before memory is taken for it."""

import importlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histvq.errors import ConfigError, FileFormatError
from histvq.io.parts.hdf5 import check_heaps, member
from histvq.io.parts.packed import AGAIN
from histvq.io.parts.reader import head

if TYPE_CHECKING:
    import xarray as xr

HDF5 = b"\x89HDF\r\n\x1a\n"  # version 4 files are HDF5 files
CLASSIC = (b"CDF\x01", b"CDF\x02")
# The deflate filter packs at most 1032 to 1; what claims more than that was never written.
DENSEST = 1100
DIMENSIONS = "DIMENSION_LIST"


def load_netcdf(path: Path) -> "xr.Dataset":
    """Read a netCDF file of version 3 or 4 into memory; times stay the numbers they are.

    Raises:
        FileFormatError: If the file is no netCDF, damaged, or claims more than it can hold.
        ConfigError: If the extra `xarray` is not installed.
    """
    engine = _engine(path)
    xarray = needed("xarray")
    try:
        if engine == "h5netcdf":
            # Or files that it could not open would be complained of when they are forgotten.
            needed("h5netcdf").File._writable = False
            _check_claim(path)
        # From memory: of a file on disk scipy asks for as many bytes as a header claims.
        # And h5netcdf would warn of axes without names.
        source = io.BytesIO(path.read_bytes()) if engine == "scipy" else path
        options = {} if engine == "scipy" else {"phony_dims": "access"}
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Duplicate dimension names")
            with xarray.open_dataset(
                source, engine=engine, decode_times=False, decode_timedelta=False, **options
            ) as dataset:
                return dataset.load()
    except (FileFormatError, ConfigError):
        raise
    # A damaged file can make any of the four libraries below raise anything, MemoryError included.
    except Exception as error:
        raise FileFormatError(
            f"{path}: cannot be read as netCDF ({type(error).__name__}: {error}). {AGAIN}"
        ) from error


def needed(module: str) -> Any:
    """A module of the extra `xarray`.

    Raises:
        ConfigError: If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f'netCDF files and xarray data sets need {module}: pip install "histvq[xarray]"'
        ) from error


def is_netcdf(path: Path) -> bool:
    """Whether the first bytes are those of netCDF, version 3 or 4."""
    return head(path, 8).startswith((HDF5, *CLASSIC))


def _engine(path: Path) -> str:
    """Which of xarray's engines reads this file."""
    first = head(path, 8)
    if first.startswith(CLASSIC):
        return "scipy"
    if first == HDF5:
        return "h5netcdf"
    if not path.is_file():
        raise FileFormatError(f"{path}: there is no such file. Check the path")
    raise FileFormatError(
        f"{path}: begins with {first!r}, not as netCDF files of version 3 or 4 do. {AGAIN}"
    )


def _check_claim(path: Path) -> None:
    """Raise where h5netcdf, or the library below it, would take what the file says on trust."""
    h5py = needed("h5py")
    check_heaps(path)
    claimed = {}
    with h5py.File(path) as file:
        for name in file:
            member(file, name, path)
            found = file[name]
            if isinstance(found, h5py.Dataset):
                claimed[name] = found.nbytes
                _check_variable(found, path)
    size = path.stat().st_size
    if sum(claimed.values()) > DENSEST * size:
        most = max(claimed, key=lambda name: claimed[name])
        raise FileFormatError(
            f"{path}: claims {claimed[most]} bytes of {most}, but is only {size} bytes long, and no "
            f"packing is that dense. {AGAIN}"
        )


def _check_variable(found: Any, path: Path) -> None:
    """See that a variable's values are in this file, and that it names as many dimensions as it has.

    HDF5 makes room for a name an axis, and reads as many as there are: more of them overwrite whatever
    lies behind.
    """
    if found.is_virtual or found.external:
        raise FileFormatError(
            f"{path}: {found.name!r} is a link to elsewhere. Write it into one file"
        )
    if DIMENSIONS in found.attrs and found.attrs.get_id(DIMENSIONS).shape != (found.ndim,):
        raise FileFormatError(
            f"{path}: {found.name!r} has {found.ndim} axes, but names other dimensions. {AGAIN}"
        )
