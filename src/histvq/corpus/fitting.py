"""On a worker: a method fitted to all recordings of a corpus, in the folder of the results."""

import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from histvq import io
from histvq.chain import Chain
from histvq.cluster import Cluster, Failed, work_through
from histvq.corpus.asked import Reading
from histvq.corpus.near import as_typed
from histvq.corpus.seen import Claim, check_seen
from histvq.errors import ConfigError, DataWarning, HistvqError, NotWrittenError
from histvq.experiment import described, fit_and_save
from histvq.majority import odd_ones
from histvq.modelfile import FILES as MODEL
from histvq.remote import as_path, is_remote
from histvq.results import versions
from histvq.segmenter import AUTO
from histvq.writing import write_bytes

# What a fit leaves in its folder.
FILES = (*(f"model/{name}" for name in MODEL), "metrics.jsonl")


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What is to be fitted.

    Attributes:
        claim: Where pieces are kept.
        folder: That of the results; None where these go to an address: a fit that is lost begins anew.
        method: Not fitted yet.
        files: Files and folders, as they were named.
        reading: How to read them.
        steps: Transforms recordings go through.
        strict: As for `histvq.io.read_many`; and leave no recording out that does not fit the others.
        overwrite: Begin anew where a training of other settings or data was stopped.
    """

    claim: Claim
    folder: str | None
    method: Any
    files: tuple[str, ...]
    reading: Reading
    steps: tuple[str, ...] = ()
    strict: bool = False
    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What the client hears; the model is in the folder.

    Attributes:
        noted: The method, for `config.yaml`.
        left_out: Why some recordings were not learned from, by id.
        said: What was warned of.
        seconds: How long it took.
        versions: Of what the model may depend on.
        n_actions: How many actions it has, where nobody said how many to find.
        refused: Why there is no model; None where there is one.
        usage: Whether that is a fault in what was asked.
    """

    noted: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    n_actions: int | None = None
    refused: str | None = None
    usage: bool = False


def fitted_on(cluster: Cluster, fit: Fit) -> Fitted:
    """Have a method fitted by one worker; where that is lost, another goes on from its checkpoint.

    Raises:
        ConfigError: If the recordings do not suit the method, or the worker does not see the folder.
        HistvqError: If no recording can be read, or the fit fails.
    """
    ((_, done),) = work_through(cluster, fitted, [fit], n_tasks=1, retries=0)
    if isinstance(done, Failed):
        raise HistvqError(
            f"the model could not be fitted: {done.why}. The same command goes on from where it was"
        )
    if done.refused is not None:
        raise (ConfigError if done.usage else HistvqError)(done.refused)
    return done


def fitted(fit: Fit) -> Fitted:
    """Read all recordings, fit the method to those that fit together, and save it in the folder."""
    try:
        check_seen(fit.claim)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataWarning)
            done = _fitted(fit)
        said = [str(w.message) for w in caught if issubclass(w.category, DataWarning)]
        return replace(done, said=tuple(dict.fromkeys(said)))
    except (HistvqError, NotWrittenError) as error:
        words = as_typed(str(error), fit.reading.base)
        return Fitted(refused=words, usage=isinstance(error, ConfigError))


def _fitted(fit: Fit) -> Fitted:
    reading = fit.reading
    readings = io.read_many(
        [_at(file, reading.base) for file in fit.files],
        format=reading.format,
        strict=fit.strict,
        people=reading.people,  # type: ignore[arg-type]
        **reading.options,
    )
    odd = {} if fit.strict else _odd(readings.recordings, fit.steps)
    kept = readings.without(odd).recordings
    started = time.perf_counter()
    with _folder(fit) as folder:
        fit_and_save(folder, fit.method, kept, overwrite=fit.overwrite)
    auto = getattr(fit.method, "n_actions", None) == AUTO
    return Fitted(
        noted=described(fit.method),
        left_out={readings.recordings[place].id: why for place, why in odd.items()},
        seconds=time.perf_counter() - started,
        versions=versions(),
        n_actions=fit.method.n_actions_ if auto else None,
    )


@contextmanager
def _folder(fit: Fit) -> Iterator[Path]:
    """The folder of the results, or one whose files are kept beside the pieces at its address."""
    if fit.folder is not None:
        yield Path(fit.folder)
        return
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)
        for name in FILES:
            if (Path(place) / name).is_file():
                fit.claim.store.write(name, (Path(place) / name).read_bytes())


def brought_here(fit: Fit, folder: Path) -> None:
    """Bring what `fitted` kept at an address into the folder of the results."""
    for name in FILES:
        if (content := fit.claim.store.read(name)) is not None:
            write_bytes(folder / name, content)


def _at(file: str, base: str) -> Path:
    return as_path(file) if is_remote(file) else Path(os.path.join(base, file))


def _odd(recordings: Sequence[Any], steps: Sequence[str]) -> dict[int, str]:
    return odd_ones(recordings, Chain.of(list(steps)) if steps else None)
