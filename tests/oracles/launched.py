"""Fits by several processes, each a Python of its own, as `torchrun` starts them."""

import json
import os
import signal
import socket
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment(rank: int, n: int, port: int) -> dict[str, str]:
    """What `torchrun` says to one of its processes."""
    paths = os.pathsep.join(map(str, (ROOT / "src", ROOT / "tests", ROOT)))
    said = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": n, "MASTER_PORT": port}
    given = {name: str(value) for name, value in said.items()}
    return os.environ | given | {
        "MASTER_ADDR": "127.0.0.1", "PYTHONPATH": paths, "OMP_NUM_THREADS": "1",
    }  # fmt: skip


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def started(n: int, *command: str) -> list[subprocess.Popen]:
    port = free_port()
    return [
        subprocess.Popen(
            [sys.executable, *command],
            env=environment(rank, n, port),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(n)
    ]


def ended(
    processes: list[subprocess.Popen], *, within_s: float = 900
) -> list[tuple[int, str, str]]:
    """Exit status and what was said, of each."""
    try:
        found = []
        for process in processes:
            out, err = process.communicate(timeout=within_s)
            found.append((process.returncode, out, err))
        return found
    finally:
        for process in processes:
            process.kill()


def fitted(n: int, folder: Path, **job) -> list[dict]:
    """What each of `n` processes found that did a job together, see `main`."""
    place = folder / f"job-{n}-{len(list(folder.iterdir()))}.json"
    place.write_text(json.dumps(job))
    said = ended(started(n, "-m", "oracles.launched", str(place)))
    assert all(status == job.get("status", 0) for status, *_ in said), said
    return [json.loads(out.splitlines()[-1]) for _, out, _ in said]


def main(place: str) -> None:
    """Do a job: fit a method, and print the digest of the network after each batch, losses, labels.

    Of the job: `method`, `settings`; `data`, a folder of HuGaDB, or else made-up recordings; `n_fit`, how
    many of them to learn from, the others being the test set; `checkpoint`, where to keep the training;
    `deadly`, the rank and the number of the batch after which this process kills itself.
    """
    import warnings

    from histvq import training
    from histvq.datasets import load_dataset
    from histvq.errors import DataWarning, ProcessLost
    from histvq.models import make_method
    from histvq.processes import all_processes
    from histvq.resuming.checkpoint import digest_of_tensors

    warnings.simplefilter("ignore", DataWarning)
    job = json.loads(Path(place).read_text())
    data = (
        load_dataset("hugadb", job["data"], stride=2)
        if "data" in job
        else load_dataset("synthetic")
    )
    recordings = list(data.recordings)
    method = make_method(job["method"], **job["settings"])
    steps: list[dict] = []
    learn, build = training._learn, method._build

    def built(generator):
        method.now = build(generator)
        return method.now

    def learned(*args, where):
        found = learn(*args, where=where)
        books = {k: v for k, v in method.now.state_dict().items() if k.startswith("quantiser")}
        steps.append(
            {
                "losses": found,
                "network": digest_of_tensors(method.now.state_dict()),
                "codebooks": digest_of_tensors(books),
            }
        )
        if job.get("deadly") == [here.rank, len(steps)]:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    training._learn, method._build = learned, built
    with all_processes() as here:
        try:
            method.fit(recordings[: job.get("n_fit", 6)], checkpoint=job.get("checkpoint"))
        except ProcessLost as error:
            print(json.dumps({"rank": here.rank, "lost": str(error), "steps": steps}))
            return
    told = blake2b(digest_size=16)
    for answer in method.predict(recordings[job.get("n_fit", 6) :]):
        told.update(
            b"".join(x.tobytes() for x in (answer.actions, answer.subactions) if x is not None)
        )
    weights = digest_of_tensors(method.network_.state_dict())
    print(
        json.dumps(
            {"rank": here.rank, "steps": steps, "labels": told.hexdigest(), "model": weights}
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
