"""How everything around the method grows with the data, beside how long prediction takes.

    PYTHONPATH=src python benchmarks/speed/scaling.py            # two minutes, an hour of data
    PYTHONPATH=src python benchmarks/speed/scaling.py --hours 100      # hours

Made-up answers and motion (60 frames a second, 6 sensors of 6 channels), a sixteenth, a quarter and all
of the hours, cut in three ways: recordings of up to an hour, of 50 s, and one for all. HuGaDB, where it
is at hand, with the answers of window k-means.

Each step runs in a process of its own. Times are CPU seconds of one thread, so that other programs do
not count; peaks are what a step takes beside the data it is given. `growth` is the exponent of the
last factor of four: 1 is linear. `of prediction` is CPU time over that of HiST-VQ's `predict` for as many
frames with a network of the default size, measured first.
"""

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from made_up import Data, made_up  # noqa: E402
from scaling_steps import STEPS, Step  # noqa: E402

SHARED = Path(os.environ.get("HISTVQ_SHARED", Path(__file__).parents[3] / "shared"))
CUTS = {
    "hours": lambda hours: made_up(math.ceil(hours), 3600 * hours / math.ceil(hours)),
    "pieces of 50 s": lambda hours: made_up(round(72 * hours), 50),
    "one": lambda hours: made_up(1, 3600 * hours),
}


def measure(step: Step, data: Data) -> tuple[float, float]:
    """CPU seconds and peak MB of a step in a child process; NaN where it fails."""
    out, into = os.pipe()
    if (child := os.fork()) == 0:
        os.close(out)
        folder = Path(tempfile.mkdtemp())
        try:
            step.prepare(data, folder)
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
            before, started = _memory("VmRSS"), time.process_time()
            step.run(data, folder)
            seconds = time.process_time() - started
            os.write(into, json.dumps([seconds, _memory("VmHWM") - before]).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return tuple(json.loads(text)) if text else (math.nan, math.nan)


def _memory(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def predicted_per_second(*, minutes: float = 10) -> float:
    """Frames that HiST-VQ segments in a CPU second."""

    def run(data: Data, folder: Path) -> None:
        import torch

        from histvq.methods.histvq import HiSTVQ

        torch.set_num_threads(1)
        method = HiSTVQ(n_actions=12, epochs=1, min_steps=0, random_state=0)
        method.fit(made_up(2, 60).recordings)
        started = time.process_time()
        method.predict(list(data.recordings))
        (folder.parent / f"{os.getppid()}.seconds").write_text(str(time.process_time() - started))

    data = made_up(1, 60 * minutes)
    measure(Step(run), data)
    noted = Path(tempfile.gettempdir()) / f"{os.getpid()}.seconds"
    seconds = float(noted.read_text())
    noted.unlink()
    return data.n_frames / seconds


def hugadb() -> Data | None:
    folder = SHARED / "data" / "hugadb"
    if not folder.is_dir():
        return None
    from histvq import load_dataset
    from histvq.methods.window_kmeans import WindowKMeans

    found = load_dataset("hugadb", folder)
    answers = WindowKMeans(n_actions=12, random_state=0).fit_predict(found.recordings)
    return Data(answers, found.annotations, found.recordings)


def lines(sets: Mapping[str, Data], steps: Mapping[str, Step], per_second: float) -> Iterator[str]:
    """A table in Markdown: a row a step, a column a set; the last two are compared."""
    yield f"| step | {' | '.join(f'{name}, s' for name in sets)} | growth | peak, MB | of prediction |"
    yield f"| --- |{' ---: |' * (len(sets) + 3)}"
    *_, small, large = sets.values()
    for name, step in steps.items():
        found = [measure(step, data) for data in sets.values()]
        *_, (before, _), (seconds, peak) = found
        growth = math.log(seconds / before) / math.log(large.n_frames / small.n_frames)
        share = seconds * per_second / large.n_frames
        times = " | ".join(f"{t:.2f}" for t, _ in found)
        yield f"| {name} | {times} | {growth:.2f} | {peak:.0f} | {share:.1%} |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--hours", type=float, default=1, help="of the largest set")
    options.add_argument("--cut", choices=CUTS, action="append", help="all, if not given")
    options.add_argument("--step", action="append", default=[], help="those whose names begin so")
    asked = options.parse_args()
    warnings.simplefilter("ignore")
    steps = {n: s for n, s in STEPS.items() if not asked.step or n.startswith(tuple(asked.step))}
    per_second = predicted_per_second()
    print(f"HiST-VQ predicts {per_second:,.0f} frames in a CPU second.", flush=True)
    real = hugadb()
    for cut in asked.cut or CUTS:
        sets = {f"{h:g} h": CUTS[cut](h) for h in (asked.hours / 16, asked.hours / 4, asked.hours)}
        print(f"\n{cut} ({[*sets.values()][-1].megabytes:,.0f} MB of motion)\n", flush=True)
        chosen = {n: s for n, s in steps.items() if not s.once or cut == "one"}
        first = {} if real is None or cut != "hours" else {"HuGaDB": real}
        for line in lines({**first, **sets}, chosen, per_second):
            print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
