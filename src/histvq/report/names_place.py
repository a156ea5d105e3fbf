"""Where a `names.yaml` lies: in the folder of a run, or of a model."""

from pathlib import Path
from warnings import warn

from histvq.errors import DataWarning
from histvq.writing import write_bytes

FILE = "names.yaml"
EARLIER = "names-earlier.yaml"


def names_beside(model: str | Path) -> Path | None:
    """The names a person gave to a model's actions: in its own folder, else in that of its run."""
    own = Path(model).resolve()
    places = [own / FILE]
    if (own.parent / "frames.csv").is_file():
        places.append(own.parent / FILE)
    return next((place for place in places if place.is_file()), None)


def put_names(folder: Path, names: Path | None = None) -> None:
    """Put names of what is new into its folder, and those of what was there before aside."""
    place = folder / FILE
    same = names is not None and place.exists() and place.samefile(names)
    if place.exists() and not same:
        kept = place.with_name(EARLIER)
        if names is None:
            place.replace(kept)
        else:  # at any moment there is a file of that name, the old one or the new
            write_bytes(kept, place.read_bytes())
        warn(f"{place} was about an earlier run: kept as {kept.name}", DataWarning, stacklevel=3)
    if names is not None and not same:
        write_bytes(place, names.read_bytes())
