"""Places named on the command line: paths of this machine, or addresses of others (docs/remote)."""

from contextlib import ExitStack
from contextvars import ContextVar
from pathlib import Path

from typer import BadParameter

from histvq import console
from histvq.remote import as_path, copies, is_remote, names_at, shown, worked_on

# What the command that runs holds until it ends.
held: ContextVar[ExitStack] = ContextVar("held")


def place(text: str) -> Path:
    """What is typed for a file or folder: a path, or an `Address` as it stands, for typer."""
    return as_path(text)


def local_place(text: str) -> Path:
    """What is typed for a file or folder where no address will do, for typer.

    Raises:
        BadParameter: If it is one.
    """
    if is_remote(text):
        raise BadParameter(f"{shown(text)}: no address can be named here; copy what is there first")
    return Path(text)


def here(place: Path) -> Path:
    """The file or folder itself, or a copy of what is at the address; gone when the command ends.

    Raises:
        FileFormatError: If there is nothing, or files of it cannot be kept here.
        ConfigError, OSError: If it cannot be brought.
    """
    if not is_remote(place):
        return place
    made = held.get().enter_context(copies())
    console.name_places(made.in_words)
    found = made.bring(str(place))
    made.check()
    return found


def at_work(place: Path, *, earlier: bool = True) -> Path:
    """The file or folder itself, or a copy; what changes in it changes at the address at the end.

    Args:
        place: Where it is, or will be.
        earlier: Bring what is there.

    Raises:
        ConfigError, OSError: If it cannot be brought, or not be written to.
    """
    if not is_remote(place):
        return place
    found, in_words = held.get().enter_context(worked_on(str(place), earlier=earlier))
    console.name_places(in_words)
    return found


def claimed_at(out: Path, *, overwrite: bool) -> Path:
    """A local folder for results at an address, with those of an earlier run if there are any.

    Raises:
        ConfigError: If there are and they are not to be overwritten, or nothing can be written there.
    """
    from histvq.claiming import RESULTS, TRAINING, UNFINISHED, check_free

    there = names_at(str(out))
    check_free(out, there, overwrite=overwrite)
    return at_work(out, earlier=not there.isdisjoint((*RESULTS, TRAINING, UNFINISHED)))
