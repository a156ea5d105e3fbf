"""Whether a worker sees the folder of the results: results that nobody finds again are none."""

import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from histvq.errors import ConfigError
from histvq.writing import make_folder, write_text

TOKEN = "seen.txt"


@dataclass(frozen=True)
class Claim:
    """A folder, and what the client wrote there, by which a worker knows that it sees the same.

    Attributes:
        folder: With its whole path.
        token: What `TOKEN` in it says.
    """

    folder: str
    token: str


def claimed(folder: Path) -> Claim:
    """Leave in a folder what workers are to find there."""
    token = secrets.token_hex(16)
    make_folder(folder)
    write_text(folder / TOKEN, token)
    return Claim(str(folder.absolute()), token)


def check_seen(claim: Claim) -> None:
    """Raise ConfigError unless this machine sees what the client wrote."""
    try:
        seen = (Path(claim.folder) / TOKEN).read_text(errors="replace")
    except OSError:
        seen = ""
    if seen != claim.token:
        raise ConfigError(
            f"the machine {socket.gethostname()} does not see {claim.folder} as this one does. "
            "Recordings and results must lie where all machines of the cluster see them under the same "
            "path: choose such a folder with -o"
        )
