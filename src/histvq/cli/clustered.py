"""`histvq predict --cluster` and `histvq run --cluster`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histvq import console
from histvq.cli.clusters import cluster_of
from histvq.cli.common import How, closing, data_settings, status_of

if TYPE_CHECKING:
    from histvq.cluster import Cluster
    from histvq.corpus import Reading


def predict_on(
    cluster: str,
    model: Path,
    files: list[Path],
    out: Path,
    how: How,
    *,
    jobs: int | None,
    options: list[str] | None,
    method: str | None,
    names: Path | None,
    strict: bool,
) -> int:
    """As `predict`, by the workers of a cluster; `out` is ours already."""
    from histvq.corpus import saved_model

    sent = saved_model(model, method)
    with cluster_of(cluster, jobs, options) as connected:
        return _answered(
            connected,
            sent,
            files,
            out,
            how,
            names=names,
            strict=strict,
            settings={"model": str(model), **data_settings(files, how)},
        )


def _answered(
    cluster: "Cluster",
    sent: Any,
    files: list[Path],
    out: Path,
    how: How,
    *,
    names: Path | None,
    strict: bool,
    settings: Mapping[str, Any],
    said: tuple[str, ...] = (),
    left_out: Mapping[str, str] = {},
    noted: bool = False,
) -> int:
    """Have all files answered for, and write the run's folder."""
    from histvq.corpus import answers_of, cleared, played
    from histvq.results import write_answers

    reading = reading_of(how)
    with (
        console.file_progress() as progress,
        answers_of(
            cluster,
            sent,
            files,
            out,
            reading=reading,
            strict=strict,
            left_out=left_out,
            progress=progress,
        ) as work,
    ):
        found = work.gathered
        if work.n_before:
            console.say(f"{work.n_before} of {work.n_files} files were done before")
        console.warn([*found.warnings, *found.said])
        if found.ignored:
            console.say(f"{found.ignored} other files ignored")
        scores, written = write_answers(
            out,
            found.answers,
            recordings=played(found, reading.options, apart=reading.people == "apart"),
            annotations=found.annotations,
            names=names,
            warnings=[*found.warnings, *said, *(found.said if noted else ())],
            skipped=found.skipped,
            settings=settings,
        )
    if scores:
        console.say(str(scores))
    console.list_skipped(found.skipped)
    if found.skipped:
        console.say(
            f"{out / 'pieces'} keeps what was answered: once those files are mended, the same command "
            "with --overwrite goes over them alone. Delete it where they will not be"
        )
    else:
        cleared(out)
    closing(written["report"], f"open {written['report']} in a browser")
    return status_of(found.skipped)


def reading_of(how: How) -> "Reading":
    """How files are to be read, as workers are told."""
    from histvq.corpus import Reading

    return Reading(format=how.format, people=how.people, options=how.for_readers())
