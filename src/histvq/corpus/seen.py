"""Whether a worker sees the folder of the results: results that nobody finds again are none."""

import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from histvq.corpus.store import Store
from histvq.errors import ConfigError
from histvq.remote import is_remote

TOKEN, PIECES = "seen.txt", "pieces"


@dataclass(frozen=True)
class Claim:
    """A folder, and what the client wrote there, by which a worker knows that it sees the same.

    Attributes:
        store: The folder.
        token: What `TOKEN` in it says.
    """

    store: Store
    token: str


def store_in(out: Path) -> Store:
    """Where pieces are kept whose results go to this folder, or address."""
    place = out / PIECES
    return Store(str(place) if is_remote(out) else str(place.absolute()))


def claimed(out: Path) -> Claim:
    """Leave beside results what workers are to find there.

    Raises:
        ConfigError, NotWrittenError: If nothing can be written there.
    """
    claim = Claim(store_in(out), secrets.token_hex(16))
    claim.store.write(TOKEN, claim.token.encode())
    return claim


def check_seen(claim: Claim) -> None:
    """Raise ConfigError unless this machine sees what the client wrote."""
    if (claim.store.read(TOKEN) or b"").decode(errors="replace") != claim.token:
        raise ConfigError(
            f"the machine {socket.gethostname()} does not see {claim.store.place} as this one does. "
            "Recordings and results must lie where all machines of the cluster see them under the same "
            "path: choose such a folder with -o, or an address as s3://BUCKET/FOLDER"
        )
