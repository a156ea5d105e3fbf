"""Sizes and times of the supervised rows, from the runs that `histvq reproduce` left.

histvq reproduce table1 --dataset hugadb --data RAW_DIR --seeds 4 -o OUT --only tcn --only ms-gcn ...
python benchmarks/accuracy/supervised.py OUT > benchmarks/accuracy/results/supervised-hugadb.md
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

SCORES = ("mof", "edit", "f1@10", "f1@25", "f1@50")
BUFFERS = ("running_mean", "running_var", "num_batches_tracked", "adjacency")


def n_parameters(model):
    tensors = load_file(model / "model.safetensors")
    return sum(
        value.size
        for name, value in tensors.items()
        if name.startswith("network.") and not name.endswith(BUFFERS)
    )


def main(out):
    found = defaultdict(list)
    for place in sorted(Path(out).glob("runs/*/seed-*/run.json")):
        run = json.loads(place.read_text(encoding="utf-8"))
        if "test" in run:
            times = json.loads(place.with_name("times.json").read_text(encoding="utf-8"))
            found[run["settings"]["method"]].append((run, times, place.parent / "model"))
    print("# Supervised methods: every fold, sizes and times\n")
    print(
        "| method | parameters | epochs | tested on | MoF | Edit | F1@10 | F1@25 | F1@50 | fit, s |"
    )
    print("| --- " * 10 + "|")
    for method, runs in found.items():
        for run, times, model in sorted(runs, key=lambda r: (r[0]["seed"], r[0]["test"])):
            cells = [f"{run['scores'][name]:.1f}" for name in SCORES]
            print(
                f"| {method} | {n_parameters(model):,} | {run['epochs']} | {', '.join(run['test'])} | "
                f"{' | '.join(cells)} | {times['fit']:.0f} |"
            )
        means = [np.mean([run["scores"][name] for run, *_ in runs]) for name in SCORES]
        spread = [np.std([run["scores"][name] for run, *_ in runs], ddof=1) for name in SCORES]
        cells = [f"{m:.1f} ({s:.1f})" for m, s in zip(means, spread, strict=True)]
        seconds = np.mean([times["fit"] for _, times, _ in runs])
        print(f"| **{method}** | | | mean (sd) | {' | '.join(cells)} | {seconds:.0f} |")


if __name__ == "__main__":
    main(sys.argv[1])
