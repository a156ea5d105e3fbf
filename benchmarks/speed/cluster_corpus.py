"""How the client, the scheduler and the workers fare with 1,000, 10,000 and 100,000 recordings.

    PYTHONPATH=src python benchmarks/speed/cluster_corpus.py -o benchmarks/speed/results/cluster_corpus.md
    PYTHONPATH=src python benchmarks/speed/cluster_corpus.py --sizes 1000 --hugadb FOLDER

Made-up recordings of 60 frames, 3 joints and 3 channels, a file each, are answered for by window k-means
(as cheap a method as there is, so that what is around it shows) on a scheduler and two worker processes
of one thread. `listing` is the client's before anything is sent, `working` until the last piece is done,
`putting together` from then until the run's folder is whole, report included. Peaks are the kernel's
(`VmHWM`), of processes begun anew for each size, with what they have mapped of files. CPU seconds are of
the same processes from beginning to end, imports included.

With `--hugadb` the recordings there are answered for by HiST-VQ with one worker and with two, in turn.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

from histvq.annotation import Annotation  # noqa: E402
from histvq.io.npz import write_npz  # noqa: E402
from histvq.recording import Recording  # noqa: E402

FRAMES = 60
SRC = Path(__file__).resolve().parents[2] / "src"


def made_up(n, seed):
    """A recording of two motions in turn, and its labels."""
    labels = np.repeat([0, 1, 0, 1], FRAMES // 4)
    skeleton = np.random.default_rng(seed).standard_normal((FRAMES, 3, 3), dtype=np.float32)
    skeleton *= np.where(labels == 1, 50, 1)[:, None, None]
    name = f"mouse{n:06}"
    recording = Recording(id=name, skeleton=skeleton, fps=10, unit="mm")
    return recording, Annotation(
        recording_id=name, labels=labels, actions=("rest", "shake"), fps=10
    )


def write_corpus(folder, n):
    """So many files in folders of a thousand; what is in them is of 50 sorts."""
    sorts = [made_up(0, seed) for seed in range(50)]
    to_disk, os.fsync = os.fsync, lambda descriptor: None
    try:
        for number in range(n):
            recording, truth = sorts[number % 50]
            name = f"mouse{number:06}"
            place = folder / f"day{number // 1000:03}" / f"{name}.npz"
            place.parent.mkdir(parents=True, exist_ok=True)
            write_npz(place, replace(recording, id=name), replace(truth, recording_id=name))
    finally:
        os.fsync = to_disk


def small_model(folder):
    from histvq.methods.window_kmeans import WindowKMeans

    given = [made_up(n, n)[0] for n in range(20)]
    method = WindowKMeans(n_actions=2, patch_seconds=1.0, random_state=0, n_init=2)
    method.fit(given).save(folder)


def network(folder, files):
    """HiST-VQ of the paper's width, trained for one epoch on a few recordings."""
    from histvq.io import read_many
    from histvq.models import make_method

    read = read_many(sorted(files.iterdir())[:4])
    method = make_method(
        "histvq",
        preset="hugadb-fast",
        n_actions=10,
        n_maps=128,
        patch_seconds=1.0,
        epochs=1,
        random_state=0,
    )
    method.fit(read.recordings).save(folder)


@contextmanager
def cluster(folder, n_workers):
    """A scheduler and workers, processes of their own; gives the scheduler's file and all processes."""
    place = folder / "scheduler.json"
    place.unlink(missing_ok=True)
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    quiet["env"] = {**os.environ, "PYTHONPATH": str(SRC)}  # these run elsewhere
    with ExitStack() as stack:

        def begin(command):
            process = subprocess.Popen(command, **quiet)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        ours = ["--scheduler-file", str(place), "--no-dashboard"]
        scheduler = begin([*dask, *ours, "--port", "0"])
        workers = [
            begin([*worker, *ours, "--nthreads", "1", "--no-nanny"]) for _ in range(n_workers)
        ]
        until = time.monotonic() + 60
        while not place.exists() and time.monotonic() < until:
            time.sleep(0.1)
        yield place, scheduler, workers


def peak_mb(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if "VmHWM" in line) / 1024


def cpu_s(pid):
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(files, model, *, n_workers, folder):
    """What a client in a process of its own says, with the peaks of all processes."""
    with cluster(folder, n_workers) as (place, scheduler, workers):
        out = folder / f"out{time.monotonic_ns()}"
        command = [sys.executable, __file__, "--client", str(place), str(n_workers)]
        found = subprocess.run(
            [*command, str(model), str(files), str(out)],
            capture_output=True,
            text=True,
            check=False,
        )
        if found.returncode:
            raise SystemExit(found.stderr)
        said = json.loads(found.stdout.splitlines()[-1])
        said["scheduler_cpu_s"] = cpu_s(scheduler.pid)
        said["workers_cpu_s"] = sum(cpu_s(worker.pid) for worker in workers)
        said["scheduler_mb"] = peak_mb(scheduler.pid)
        said["worker_mb"] = max(peak_mb(worker.pid) for worker in workers)
        return said


def client(place, n_workers, model, files, out):
    """One prediction, as `histvq predict --cluster` does it, with the time of its parts."""
    import histvq.results
    from histvq.cluster import connected
    from histvq.corpus import Reading, answers_of, cleared, played, saved_model
    from histvq.corpus.pieces import cut, usual_size
    from histvq.io import readers_for
    from histvq.io.parts.finding import places

    out = Path(out)
    out.mkdir()
    readers = readers_for()
    started, imported_s = time.perf_counter(), time.process_time()
    entries = [entry for at in places(files, readers) for entry in at.entries]
    n_pieces = len(list(cut(entries, size=usual_size(len(entries)), about="")))
    listed = time.perf_counter()
    last = [listed]
    with connected(place) as found:
        while found.n_threads < int(n_workers):
            time.sleep(0.1)
        begun = time.perf_counter()
        cpu_after = []

        def heard(done, total):
            last.append(time.perf_counter())
            cpu_after.append(time.process_time())

        with answers_of(
            found,
            saved_model(model),
            [files],
            out,
            reading=Reading(),
            progress=heard,
        ) as work:
            gathered = work.gathered
            n_recordings = len(gathered.answers)
            histvq.results.write_answers(
                out,
                gathered.answers,
                recordings=played(gathered, Reading()),
                annotations=gathered.annotations,
                settings={"model": model},
                ready=gathered.ready,
            )
        cleared(out)
        ended = time.perf_counter()
    said = {
        "recordings": n_recordings,
        "pieces": n_pieces,
        "listing_s": listed - started,
        "working_s": last[-1] - begun - (listed - started),  # it lists once more
        "together_s": ended - last[-1],
        "client_cpu_s": time.process_time(),
        "client_imports_cpu_s": imported_s,
        "client_together_cpu_s": time.process_time() - cpu_after[-1],
        "client_mb": peak_mb(os.getpid()),
    }
    print(json.dumps(said))


def growth(rows, key):
    """Exponent of the last factor in the number of recordings: 1 is linear, 0 is none."""
    if len(rows) < 2:
        return ""
    (a, b) = rows[-2:]
    return f"{np.log(b[key] / a[key]) / np.log(b['recordings'] / a['recordings']):.2f}"


def corpus_table(rows):
    heads = "recordings | pieces | listing, s | working, s | putting together, s | recordings a second, "
    heads += "working | pieces a second | client, MB | scheduler, MB | worker, MB"
    lines = [f"| {heads} |", "|" + " ---: |" * 10]
    for row in rows:
        rate = row["recordings"] / row["working_s"], row["pieces"] / row["working_s"]
        lines.append(
            f"| {row['recordings']:,} | {row['pieces']:,} | {row['listing_s']:.2f} | "
            f"{row['working_s']:.1f} | {row['together_s']:.1f} | {rate[0]:.0f} | {rate[1]:.1f} | "
            f"{row['client_mb']:.0f} | {row['scheduler_mb']:.0f} | {row['worker_mb']:.0f} |"
        )
    keys = ("listing_s", "working_s", "together_s", None, None)
    keys += ("client_mb", "scheduler_mb", "worker_mb")
    exponents = " | ".join(growth(rows, key) if key else "" for key in keys)
    return [*lines, f"| growth | | {exponents} |", "", *cpu_table(rows)]


def cpu_table(rows):
    heads = (
        "recordings | client, CPU s | of these imports | and putting together | scheduler, CPU s | "
    )
    heads += "workers, CPU s | client, ms a recording | workers, ms a recording"
    lines = [f"| {heads} |", "|" + " ---: |" * 8]
    for row in rows:
        n, own = row["recordings"], row["client_cpu_s"] - row["client_imports_cpu_s"]
        lines.append(
            f"| {n:,} | {row['client_cpu_s']:.1f} | {row['client_imports_cpu_s']:.1f} | "
            f"{row['client_together_cpu_s']:.1f} | {row['scheduler_cpu_s']:.1f} | "
            f"{row['workers_cpu_s']:.1f} | {1000 * own / n:.2f} | "
            f"{1000 * row['workers_cpu_s'] / n:.2f} |"
        )
    keys = ("client_cpu_s", None, "client_together_cpu_s", "scheduler_cpu_s", "workers_cpu_s")
    return [*lines, f"| growth | {' | '.join(growth(rows, k) if k else '' for k in keys)} | | |"]


def scaling(files, folder, *, repeats):
    """Time of the workers alone, with one and with two, in turn."""
    model = folder / "network"
    network(model, files)
    rows = [
        {n: measured(files, model, n_workers=n, folder=folder) for n in (1, 2)}
        for _ in range(repeats)
    ]
    lines = [
        "| run | one worker, s | two workers, s | ratio | efficiency | one, CPU s | two, CPU s |",
        "|" + " ---: |" * 7,
    ]
    for number, row in enumerate(rows, start=1):
        one, two = (row[n]["working_s"] for n in (1, 2))
        cpu = [row[n]["workers_cpu_s"] for n in (1, 2)]
        lines.append(
            f"| {number} | {one:.1f} | {two:.1f} | {one / two:.2f} | {one / two / 2:.0%} | "
            f"{cpu[0]:.1f} | {cpu[1]:.1f} |"
        )
    return rows, lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--hugadb", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--client", nargs=5, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.client:
        return client(*asked.client)
    lines, figures = ["# A corpus on a cluster", ""], {}

    def keep():
        if asked.out:
            asked.out.write_text("\n".join(lines) + "\n")
            asked.out.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        small_model(folder / "model")
        rows = figures["corpus"] = []
        for size in asked.sizes:
            write_corpus(folder / str(size), size)
            model, files = folder / "model", folder / str(size)
            rows.append(measured(files, model, n_workers=2, folder=folder))
            lines[2:] = corpus_table(rows)
            print("\n".join(lines), flush=True)
            keep()
        if asked.hugadb:
            figures["scaling"], more = scaling(asked.hugadb, folder, repeats=asked.repeats)
            lines += ["", "## Prediction by one worker and by two", "", *more]
            keep()
    print("\n".join(lines))
    return None


if __name__ == "__main__":
    main()
