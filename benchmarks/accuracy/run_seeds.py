"""Run a preset on its dataset with several seeds and table the scores.

    python benchmarks/accuracy/run_seeds.py hugadb-fast DATA_DIR --seeds 5 --out runs/hugadb-fast

Finished seeds are not run again, so an interrupted call goes on where it stopped. The table goes to
benchmarks/accuracy/results/PRESET.json and PRESET.md.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"
SCORES = ("mof", "edit", "f1@10", "f1@25", "f1@50", "jsd")
TITLES = ("MoF", "Edit", "F1@10", "F1@25", "F1@50", "JSD")
PAPER = {"hugadb": (48.2, 44.3, 49.4, 39.8, 28.3, 89.0)}  # Tables 1 and 3


def one_seed(preset: str, data: Path, folder: Path, seed: int) -> None:
    """Train, score and measure one seed; called in a process of its own, so its memory is its own."""
    import yaml

    from histvq.datasets import load_dataset
    from histvq.experiment import load_preset, make_method, run

    chosen = load_preset(preset)
    dataset = load_dataset(chosen.dataset["name"], data)
    method = make_method(chosen.method.name, preset=preset, random_state=seed)
    done = run(
        dataset.recordings,
        method,
        folder,
        annotations=dataset.annotations,
        warnings=dataset.warnings,
        settings={"preset": preset},
        overwrite=True,
    )
    config = yaml.safe_load((folder / "config.yaml").read_text())
    row = {
        "seed": seed,
        "epochs": config["method"]["n_iter"],
        "kept": config["method"]["kept_epoch"],
        "minutes": round(sum(done.seconds.values()) / 60, 1),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        **{name: round(value, 2) for name, value in done.scores.values.items()},
        "method": config["method"],
    }
    (folder / "row.json").write_text(json.dumps(row))


def tabled(preset: str, dataset: str, rows: list[dict], protocol: dict) -> str:
    """The rows, their mean and standard deviation, and the paper's numbers, in Markdown."""
    columns = ["seed", "epochs", "kept", "minutes", "peak_gb", *SCORES]
    titles = ["seed", "epochs", "kept", "min", "peak GB", *TITLES]

    def line(cells: list) -> str:
        return "| " + " | ".join(str(cell) for cell in cells) + " |"

    values = np.array([[row[name] for name in SCORES] for row in rows])
    lines = [f"# {preset}", "", line(titles), line(["---"] * len(titles))]
    lines += [line([row[name] for name in columns]) for row in rows]
    if len(rows) > 1:
        lines.append(line(["mean", "", "", "", "", *values.mean(axis=0).round(1)]))
        lines.append(line(["sd", "", "", "", "", *values.std(axis=0, ddof=1).round(1)]))
    if dataset in PAPER:
        lines.append(line(["paper", "", "", "", "", *PAPER[dataset]]))
    lines += [
        "",
        "Protocol: " + "; ".join(f"{key}: {value}" for key, value in protocol.items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("preset")
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1, help="seeds side by side, sharing the cores")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only is not None:
        return one_seed(options.preset, options.data, options.out / str(options.only), options.only)
    missing = [s for s in range(options.seeds) if not (options.out / str(s) / "row.json").exists()]
    threads = str(max(1, (os.cpu_count() or 1) // options.jobs))

    def separately(seed: int) -> None:
        command = [sys.executable, *sys.argv, "--only", str(seed)]
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": threads})

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(separately, missing))
    from histvq.experiment import load_preset, versions

    chosen, stem = load_preset(options.preset), Path(options.preset).stem
    folders = [options.out / str(seed) for seed in range(options.seeds)]
    rows = [json.loads((folder / "row.json").read_text()) for folder in folders]
    protocol = json.loads((folders[0] / "scores.json").read_text())["protocol"]
    used = [row.pop("method") for row in rows]
    settings = [
        {k: v for k, v in u.items() if k in (chosen.method.model_extra or {})} for u in used
    ]
    if any(other != settings[0] for other in settings):
        raise SystemExit(f"{options.out} holds seeds of different settings; use another folder")
    RESULTS.mkdir(exist_ok=True)
    record = {
        "preset": stem,
        "settings": settings[0],
        "protocol": protocol,
        "versions": versions(),
        "rows": rows,
    }
    (RESULTS / f"{stem}.json").write_text(json.dumps(record, indent=1) + "\n")
    text = tabled(stem, chosen.dataset["name"], rows, protocol)
    (RESULTS / f"{stem}.md").write_text(text)
    print(text)
    return None


if __name__ == "__main__":
    main()
