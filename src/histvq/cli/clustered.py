"""`histvq predict --cluster` and `histvq run --cluster`."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from histvq import console
from histvq.cli.clusters import cluster_of
from histvq.cli.common import How, closing, data_settings, status_of
from histvq.remote import is_remote, shown

if TYPE_CHECKING:
    from histvq.cluster import Cluster
    from histvq.corpus import Fitted, Reading, SavedModel

Workers = Annotated[
    int | None,
    typer.Option("-j", "--jobs", min=0, help="With --cluster: how many workers to start."),
]
# How often a training elsewhere is looked after.
EVERY_S = 2.0


def predict_on(
    cluster: str,
    model: Path,
    files: list[Path],
    out: Path,
    how: How,
    *,
    given: Path,
    saved: Path,
    jobs: int | None,
    options: list[str] | None,
    method: str | None,
    names: Path | None,
    strict: bool,
) -> int:
    """As `predict`, by the workers of a cluster.

    Args:
        cluster: Which.
        model: Its folder on this machine.
        files: Files and folders.
        out: The folder of the results, ours already.
        how: How files are read.
        given: What was named for that folder: it, or the address it is brought to.
        saved: What was named for the model.
        jobs: How many workers to start.
        options: Of the cluster.
        method: The model's class, if it is one of the user's own.
        names: Of its actions.
        strict: Stop at any fault.
    """
    from histvq.corpus import saved_model

    sent = saved_model(model, method)
    with cluster_of(cluster, jobs, options) as connected:
        return _answered(
            connected,
            sent,
            files,
            out,
            how,
            given=given,
            names=names,
            strict=strict,
            settings={"model": shown(saved), **data_settings(files, how)},
        )


def run_on(
    cluster: str,
    method: Any,
    files: list[Path],
    out: Path,
    how: How,
    *,
    given: Path,
    jobs: int | None,
    options: list[str] | None,
    steps: Sequence[str],
    preset: str | None,
    strict: bool,
    overwrite: bool,
) -> int:
    """As `run`, by the workers of a cluster: one fits, all answer; arguments as for `predict_on`."""
    from histvq.corpus import Fit, brought_here, claimed, fitted_on, saved_model
    from histvq.experiment import write_versions
    from histvq.models import name_of

    fit = Fit(
        claim=claimed(given),
        folder=None if is_remote(given) else str(out.absolute()),
        method=method,
        files=tuple(map(str, files)),
        reading=_reading(how),
        steps=tuple(steps),
        strict=strict,
        overwrite=overwrite,
    )
    with cluster_of(cluster, jobs, options) as connected:
        with _epochs_told(out / "metrics.jsonl"):
            fitted = fitted_on(connected, fit)
        if is_remote(given):
            brought_here(fit, out)
        console.warn(fitted.said)
        if fitted.n_actions is not None:
            console.say(f"{fitted.n_actions} actions; histvq choose-k says why")
        write_versions(out, fitted.versions)
        return _answered(
            connected,
            saved_model(out / "model", name_of(method)),
            files,
            out,
            how,
            given=given,
            names=None,
            strict=strict,
            settings={"method": fitted.noted, "preset": preset, **data_settings(files, how)},
            fitted=fitted,
        )


def _answered(
    cluster: "Cluster",
    sent: "SavedModel",
    files: list[Path],
    out: Path,
    how: How,
    *,
    given: Path,
    names: Path | None,
    strict: bool,
    settings: Mapping[str, Any],
    fitted: "Fitted | None" = None,
) -> int:
    """Have all files answered for, and write the run's folder."""
    from histvq.corpus import answers_of, cleared, played
    from histvq.results import write_answers

    reading, started = _reading(how), time.perf_counter()
    with (
        console.file_progress() as progress,
        answers_of(
            cluster,
            sent,
            files,
            out,
            out=given,
            reading=reading,
            strict=strict,
            left_out={} if fitted is None else fitted.left_out,
            progress=progress,
        ) as work,
    ):
        found = work.gathered
        if work.n_before:
            console.say(f"{work.n_before} of {work.n_files} files were done before")
        console.warn([*found.warnings, *found.said])
        if found.ignored:
            console.say(f"{found.ignored} other files ignored")
        said = found.warnings
        if fitted is not None:
            said = tuple(dict.fromkeys([*said, *fitted.said, *found.said]))
            seconds = {"fit": fitted.seconds, "predict": time.perf_counter() - started}
            settings = {**settings, "seconds": {k: round(s, 1) for k, s in seconds.items()}}
        scores, written = write_answers(
            out,
            found.answers,
            recordings=played(found, reading),
            annotations=found.annotations,
            names=names,
            warnings=said,
            skipped=found.skipped,
            settings=settings,
            ready=found.ready,
        )
    if scores:
        console.say(str(scores))
    console.list_skipped(found.skipped)
    if found.skipped:
        console.say(
            f"{shown(given / 'pieces')} keeps what was answered: once those files are mended, the same "
            "command with --overwrite goes over them alone. Delete it where they will not be"
        )
    else:
        cleared(given)
    closing(written["report"], f"open {written['report']} in a browser")
    return status_of(found.skipped)


def _reading(how: How) -> "Reading":
    from histvq.corpus import Reading

    return Reading(format=how.format, people=how.people, options=how.for_readers())


@contextmanager
def _epochs_told(place: Path) -> Iterator[None]:
    """While this lasts, say how far a training elsewhere is, by what it writes of its epochs."""
    over = threading.Event()

    def follow() -> None:
        latest = _last_line(place)
        while not over.wait(EVERY_S):
            line = _last_line(place)
            if line and line != latest:
                latest = line
                console.note(f"epoch {line['epoch']}: loss {line.get('total', float('nan')):.4g}")

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _last_line(place: Path) -> dict[str, Any]:
    """What was said of the latest epoch; nothing where there was none yet."""
    try:
        lines = place.read_text(encoding="utf-8", errors="replace").splitlines()
        found = json.loads(lines[-1])
    except (OSError, IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) and "epoch" in found else {}
