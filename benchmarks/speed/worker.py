"""Measures one thing: a job as JSON on standard input, the answer as JSON on standard output.

Every answer has `peak`, the most memory the process held, and `imported`, what it held once PyTorch and
histvq were there and before anything was done (on a GPU: 0, and `peak` is the most the GPU held).
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.speed.measure import peak_bytes, seconds, watched_memory
from benchmarks.speed.plain import PlainHiSTVQ, pad
from benchmarks.speed.shapes import SHAPES, load, random_walk, sizes_of
from histvq import HiSTVQ, Recording, load_model, make_method

Job = dict[str, Any]


def limit(job: Job) -> Job:
    """Rate of a product of two large square matrices, in FLOP a second."""
    n, device = job["size"], job["device"]
    dtype = torch.bfloat16 if job["precision"] == "bfloat16" else torch.float32
    left, right = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))

    def product() -> None:
        left @ right
        _wait(device)

    product()
    return {"flop_per_s": 2 * n**3 / float(np.median(seconds(product, repetitions=5)))}


def train_ours(job: Job) -> Job:
    """Seconds of each batch of `fit`: the same recordings, one batch an epoch, the first left out."""
    recordings = _recordings(job)
    method = _method(job, epochs=1 + job["batches"], batch_size=len(recordings))
    method.fit(recordings, progress=(marks := Marks()))
    return {"frames": _frames(recordings), "seconds": marks.batches()}


class Marks:
    """A progress callback that keeps the time."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, bool]] = []

    def __call__(self, progress: Any) -> None:
        self.marks.append((time.perf_counter(), progress.epoch_over))

    def batches(self) -> list[float]:
        """From the end of an epoch to the end of the next one's first batch: answers left out."""
        pairs = zip(self.marks, self.marks[1:], strict=False)
        return [now - before for (before, over), (now, _) in pairs if over]

    def last_epoch(self) -> float:
        """Of the last epoch, answers included."""
        before, now = [time for time, over in self.marks if over][-2:]
        return now - before


def train_plain(job: Job) -> Job:
    """Seconds of each training step of one padded batch, after one of short recordings."""
    recordings, device = _recordings(job), job["device"]
    network, luck = _plain(job).train(), torch.Generator()
    optimizer = torch.optim.Adam(network.parameters())

    def step(skeletons: list[np.ndarray]) -> None:
        skeleton, real, times = pad([torch.from_numpy(s) for s in skeletons], _patch(network))
        total = network.losses(skeleton.to(device), real.to(device), times.to(device), luck)[
            "total"
        ]
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        _wait(device)

    whole = [recording.skeleton for recording in recordings]
    step([skeleton[: 1 + len(skeleton) // 8] for skeleton in whole])
    took = seconds(lambda: step(whole), repetitions=job["batches"])
    return {"frames": _frames(recordings), "seconds": took}


def keep_model(job: Job) -> Job:
    """Train for one batch and save the model, for others to predict with."""
    recordings = _recordings(job)
    _method(job, epochs=1, batch_size=len(recordings)).fit(recordings).save(job["model"])
    return {}


def predict_ours(job: Job) -> Job:
    """Seconds of `predict` on all recordings, a few times."""
    method = load_model(job["model"], device=job["device"])
    recordings = _recordings(job)
    method.predict(recordings[0])
    took = seconds(lambda: method.predict(recordings), repetitions=job["batches"])
    return {"frames": _frames(recordings), "seconds": took}


@torch.no_grad()
def predict_plain(job: Job) -> Job:
    """Seconds for all recordings in one padded batch: `half` says both halves or the encoder alone."""
    network, recordings, device = _plain(job).eval(), _recordings(job), job["device"]

    def answer(skeletons: list[np.ndarray]) -> np.ndarray:
        skeleton, real, _ = pad([torch.from_numpy(s) for s in skeletons], _patch(network))
        skeleton, real = skeleton.to(device), real.to(device)
        if job["half"] == "both":
            return network(skeleton, real).actions.cpu().numpy()
        return network.codes(network.encode(skeleton, real), real)[0].cpu().numpy()

    whole = [recording.skeleton for recording in recordings]
    answer([skeleton[: 1 + len(skeleton) // 8] for skeleton in whole])
    took = seconds(lambda: answer(whole), repetitions=job["batches"])
    return {"frames": _frames(recordings), "seconds": took}


def growth(job: Job) -> Job:
    """Seconds of one epoch of a small network, or of predicting with it, at the given sizes."""
    rng = np.random.default_rng(0)
    recordings = [
        Recording(id=str(n), skeleton=random_walk(job["T"], job["V"], 3, rng), fps=30.0)
        for n in range(job["N"])
    ]
    if job["what"] == "predict":
        method = load_model(job["model"])
        method.predict(recordings[0])
        return {"seconds": seconds(lambda: method.predict(recordings), repetitions=3)}
    settings = {"n_actions": job["K"], "batch_size": 4, "epochs": 2, "min_steps": 0}
    method = HiSTVQ(**settings, piece_seconds=0, random_state=0, centre=False)
    method.fit(recordings, progress=(marks := Marks())).save(job["model"])
    return {"seconds": [marks.last_epoch()]}


def predict_long(job: Job) -> Job:
    """Seconds and memory of predicting one recording mapped from its file."""
    method = load_model(job["model"])
    with watched_memory() as seen:
        skeleton = np.load(job["file"], mmap_mode="r")
        recording = Recording(id="long", skeleton=skeleton, fps=job["fps"])
        took = seconds(lambda: method.predict(recording))
    return {"frames": recording.n_frames, "seconds": took, **seen}


def imported(_: Job) -> Job:
    """Nothing, to tell what a process holds that has done nothing."""
    return {}


JOBS: dict[str, Callable[[Job], Job]] = {
    job.__name__: job
    for job in (
        *(limit, train_ours, train_plain, keep_model, predict_ours, predict_plain),
        *(growth, predict_long, imported),
    )
}


def _recordings(job: Job) -> list[Recording]:
    return load(Path(job["data"]), job["numbers"], SHAPES[job["shape"]].fps)


def _method(job: Job, **settings: Any) -> Any:
    """Ours with the paper's settings; `tf32` is float32 for us, and a switch of PyTorch's."""
    if "precision" in HiSTVQ.Config.model_fields:
        settings["precision"] = "bfloat16" if job["precision"] == "bfloat16" else "float32"
    fixed = {"random_state": 0, "device": job["device"], "min_gain": 0.0}
    preset = SHAPES[job["shape"]].preset
    return make_method("histvq", preset=preset, **fixed, **settings)


def _plain(job: Job) -> PlainHiSTVQ:
    shape = SHAPES[job["shape"]]
    config = _method({**job, "device": "cpu"}).config
    torch.manual_seed(0)
    return PlainHiSTVQ(sizes_of(shape, config)).to(job["device"])


def _patch(network: PlainHiSTVQ) -> int:
    return network.sizes.patch_frames


def _frames(recordings: list[Recording]) -> int:
    return sum(recording.n_frames for recording in recordings)


def _wait(device: str) -> None:
    """Until the GPU is done."""
    if device != "cpu":
        torch.cuda.synchronize()


def answer(job: Job) -> Job:
    """Do a job, and tell the memory it took."""
    on_gpu = job.get("device", "cpu") != "cpu"
    before = 0 if on_gpu else peak_bytes()
    tf32 = job.get("precision") == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    result = JOBS[job["kind"]](job)
    peak = torch.cuda.max_memory_allocated() if on_gpu else peak_bytes()
    return {**result, "imported": before, "peak": peak}


def main() -> None:
    job = json.load(sys.stdin)
    torch.set_num_threads(job["threads"])
    print(json.dumps(answer(job)))


if __name__ == "__main__":
    main()
