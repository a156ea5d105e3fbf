"""The paper's tables, made anew: `reproduce` runs what is missing and writes what came out."""

from collections.abc import Sequence
from pathlib import Path

from histvq.claiming import claim, under_way
from histvq.cluster import Cluster
from histvq.datasets import load_dataset
from histvq.errors import ConfigError
from histvq.reproduction.plan import Job, digest_of, jobs_of, row_on
from histvq.reproduction.running import Told, outcome, run_missing
from histvq.reproduction.spread import run_missing_on
from histvq.reproduction.tables import load_table, table_names
from histvq.reproduction.writing import Outcome, RowResult, write_outcome

__all__ = ["Job", "Outcome", "RowResult", "load_table", "reproduce", "table_names"]


def reproduce(
    table: str,
    *,
    dataset: str,
    data: str | Path | None,
    out: str | Path,
    seeds: int = 5,
    scale: str = "fast",
    only: Sequence[str] = (),
    jobs: int = 1,
    threads: int = 1,
    told: Told | None = None,
    cluster: Cluster | None = None,
) -> Outcome:
    """Run what is missing of a table of the paper and write it beside the paper's numbers.

    Runs live in `out/runs`, named by their settings: what is finished is not done again, in another
    table neither. The tables' files are written anew after each call.

    Args:
        table: As `table4`.
        dataset: Name of the dataset, or `module:function` of your own that loads one of that name.
        data: Folder of its files; None for a dataset that is made up.
        out: Folder for runs and tables.
        seeds: How many runs a row, with seeds 0, 1, ...; a supervised row has its folds for runs.
        scale: `fast`, made light, or `full`, the published size.
        only: Names of the rows to run and write; all if empty.
        jobs: How many runs side by side.
        threads: How many threads each run uses. Another number is another run: sums in another
            order differ in the last digit, and training carries that on.
        told: Called with a line when it begins and as each run ends.
        cluster: Where to do the runs instead of here, `jobs` does not count then. Its workers see the
            folders of data and runs under the same names.

    Returns:
        The table, with the reasons of runs that failed in `failed`.

    Raises:
        ConfigError: If there is no such table, row, dataset or preset.
        FileFormatError: If the dataset cannot be read.
    """
    if min(seeds, jobs, threads) < 1:
        raise ConfigError(f"seeds={seeds}, jobs={jobs}, threads={threads}: all must be 1 or more")
    chosen = load_table(table)
    wished = chosen.chosen(tuple(only))
    loaded = load_dataset(dataset, data)
    here = [row for row in wished if not row.on or loaded.name in row.on]
    rows = [row_on(row, chosen, dataset=loaded.name, scale=scale) for row in here]
    out = claim(out, overwrite=True)
    digest = digest_of(loaded)
    place = None if data is None else str(Path(data).resolve())
    planned = {
        row.name: jobs_of(
            chosen,
            row,
            name=dataset,
            dataset=loaded,
            data=place,
            digest=digest,
            scale=scale,
            seeds=seeds,
            threads=threads,
        )
        for row in rows
    }
    # Seed by seed over all rows, so that an interruption leaves every row some runs.
    ordered = sorted((job for found in planned.values() for job in found), key=lambda j: j.seed)
    with under_way(out):
        tell = told or (lambda words: None)
        if cluster is not None:
            failed = run_missing_on(cluster, ordered, out, told=tell)
        else:
            failed = run_missing(ordered, out, side_by_side=jobs, told=tell)
        results = tuple(
            RowResult(
                row=row,
                runs=tuple(
                    {**found, "folder": job.folder(out).relative_to(out).as_posix()}
                    for job in planned[row.name]
                    if (found := outcome(job, out))
                ),
                asked=len(planned[row.name]),
                failed=tuple(
                    f"{job.called}: {failed[folder]}"
                    for job in planned[row.name]
                    if (folder := job.folder(out)) in failed
                ),
            )
            for row in rows
        )
        made = Outcome(
            name=table,
            table=chosen,
            dataset=loaded.name,
            scale=scale,
            results=results,
            dataset_notes=(*loaded.notes, *loaded.warnings),
            folder=out,
        )
        write_outcome(made)
    return made
