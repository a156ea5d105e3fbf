"""One file that holds a training as it is between two batches."""

import json
import time
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol
from warnings import warn

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from histvq.errors import CheckpointMismatch, DamagedCheckpoint, DataWarning, FileFormatError
from histvq.resuming.belonging import Belonging, differences, other_programs
from histvq.resuming.packing import packed, unpacked
from histvq.writing import written_whole

# Raised where a training would go on otherwise than it began, too.
FORMAT = 2
# A checkpoint is due after so many seconds, but never takes more than this share of the time.
EVERY_S = 60.0
MOST_TIME = 0.05


class Stateful(Protocol):
    """What can be put back as it was, as networks and optimisers can."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes while training."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> object:
        """Take it back."""
        ...


class Checkpoint:
    """Keeps a training's state, each time in place of the one before, whole or not at all.

    Args:
        place: The file, safetensors with JSON in its header.
        belongs: To which settings and data.
        seed: Of the training, if this is the first.

    Attributes:
        seed: Of the training; that of the one which was stopped, if there was one.
        state: What was kept by an earlier training that was stopped; None if this is the first.

    Raises:
        CheckpointMismatch: If the file is there and belongs to other settings or data.
        DamagedCheckpoint: If it is damaged.
        FileFormatError: If it is of a newer version.
    """

    def __init__(self, place: Path, belongs: Belonging, *, seed: int) -> None:
        self.place = place
        self.belongs = belongs
        self.seed = seed
        self.state: Any = None
        self._failed = False
        self._due = time.monotonic() + EVERY_S
        if place.is_file():
            self.seed, self.state = _read(place, belongs)

    @property
    def is_due(self) -> bool:
        """Whether it is time for another."""
        return time.monotonic() >= self._due

    def keep(self, state: Any) -> bool:
        """Write a state; whether that could be done. Where it cannot, a DataWarning says so, once."""
        started = time.monotonic()
        plain, tensors = packed(state)
        head = {"format": FORMAT, "belongs": self.belongs.plain, "seed": self.seed}
        head |= {"state": plain, "digest": _digest(plain, tensors)}
        try:
            with written_whole(self.place) as file:
                file.write(save(tensors, {"histvq": json.dumps(head)}))
        except OSError as error:
            if not self._failed:
                warn(
                    f"{self.place}: the training could not be kept ({error.strerror}) and goes on; if it "
                    "is stopped, what was learned since it was last kept is lost",
                    DataWarning,
                    stacklevel=2,
                )
            self._failed = True
        else:
            self._failed = False
        now = time.monotonic()
        self._due = now + max(EVERY_S, (now - started) / MOST_TIME)
        return not self._failed


def broken(state: Any) -> Iterator[str]:
    """Names of the tensors of a network's state that hold anything but finite numbers."""
    for name, value in state.items():
        floating = isinstance(value, Tensor) and value.is_floating_point()
        if floating and not bool(torch.isfinite(value).all()):
            yield name


def digest_of_tensors(tensors: Mapping[str, Tensor], *, beside: str = "") -> str:
    """A digest of tensors, in the order of their names, and of a text."""
    digest = blake2b(beside.encode(), digest_size=16)
    for name in sorted(tensors):
        digest.update(tensors[name].cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _digest(plain: Any, tensors: Mapping[str, Tensor]) -> str:
    """By which a state is known to be the one that was kept."""
    return digest_of_tensors(tensors, beside=json.dumps(plain, sort_keys=True))


def _read(place: Path, belongs: Belonging) -> tuple[int, Any]:
    """The seed and the state in a file.

    Raises:
        CheckpointMismatch: If it belongs to other settings or data.
        DamagedCheckpoint: If it is damaged.
        FileFormatError: If it is of a newer version.
    """
    try:
        with safe_open(place, framework="pt") as file:
            head = json.loads(file.metadata()["histvq"])
            if head["format"] > FORMAT:
                raise FileFormatError(
                    f"{place}: kept by a newer histvq (format {head['format']}, this one reads up to "
                    f"{FORMAT}); upgrade with pip install -U histvq"
                )
            if head["format"] < FORMAT:
                raise CheckpointMismatch(
                    f"{place}: a training that was stopped, of an earlier histvq that summed otherwise. "
                    "Begin anew: in another folder, or with --overwrite"
                )
            kept = Belonging.of(head["belongs"])
            if found := differences(kept, belongs):
                raise CheckpointMismatch(
                    f"{place}: a training that was stopped, of other settings or data: "
                    f"{'; '.join(found)}. Give the settings and data it was begun with, or begin anew: "
                    "in another folder, or with --overwrite"
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if head["digest"] != _digest(head["state"], tensors):
                raise ValueError("its state is not the one that was kept")
            seed, state = int(head["seed"]), unpacked(head["state"], tensors)
    except (
        SafetensorError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as e:
        if isinstance(e, FileFormatError | CheckpointMismatch):
            raise
        raise DamagedCheckpoint(
            f"{place}: a damaged checkpoint ({type(e).__name__}: {e}); delete it to begin anew"
        ) from e
    if programs := other_programs(kept, belongs):
        warn(
            f"{place}: kept by other versions ({', '.join(programs)}): the last digits may differ from "
            "those of a training that was never stopped",
            DataWarning,
            stacklevel=2,
        )
    return seed, state
