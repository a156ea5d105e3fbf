"""What the scale of the input makes of CTE, TOT, ASOT and HVQ: the papers that compare them on skeletons
do not say which they used.

    python benchmarks/accuracy/inputs.py hugadb DATA_DIR -o runs/inputs --seeds 3 --jobs 2

Fits every method with every input scale, answers in several ways (each decoder; ASOT with the weights it
is trained with, and without its temporal term), and writes one table of means and standard deviations. A
fit that is in the folder already is not done again. Settings beside the scale are those of the `fast`
presets.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import multiprocessing
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np

from histvq.datasets import load_dataset
from histvq.evaluation import evaluate
from histvq.models import make_method
from histvq.reproduction.plan import find_preset

SCALES = ("recording", "recording_scaled", "dataset", "frame_l2", "none")
VITERBI = {name: {"decoder": name} for name in ("none", "transcript", "transcript_skip", "markov")}
# What to answer with, once fitted: name -> settings that count in prediction alone.
ANSWERS: dict[str, dict[str, dict]] = {
    "cte": VITERBI,
    "tot": VITERBI,
    "asot": {
        "as it is": {},
        "weights of training": {
            "alpha_predict": 0.3,
            "epsilon_predict": 0.07,
            "lambda_predict": 0.1,
        },
        "no temporal term": {"alpha_predict": 0.0},
    },
    "hvq": {"fifa": {"decoder": "fifa"}, "counts": {"decoder": "counts"}, **VITERBI},
}
SCORES = ("mof", "edit", "f1@10", "f1@25", "f1@50", "jsd")


def fitted_and_scored(task: dict) -> str:
    """One fit, and the scores of every decoder's answer; returns a line to print."""
    place = Path(task["out"]) / f"{task['method']}-{task['scale']}-{task['seed']}.json"
    if place.exists():
        return f"{place.stem}: there already"
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    data = load_dataset(task["dataset"], task["data"])
    preset = find_preset(data.name, task["method"], scale="fast").method.model_extra or {}
    params = {
        **preset,
        "input_scale": task["scale"],
        "random_state": task["seed"],
    }
    method = make_method(task["method"], **params)
    started = time.perf_counter()
    method.fit(data.recordings)
    found = {"seconds": round(time.perf_counter() - started, 1)}
    fitted = method.get_params()
    for answer, settings in ANSWERS[task["method"]].items():
        method.set_params(**{**fitted, **settings})
        answers = method.predict(list(data.recordings))
        scores = evaluate(answers, data.annotations)
        used = np.bincount(np.concatenate([a.actions[a.actions >= 0] for a in answers]))
        found[answer] = {
            "mof": scores.mof,
            "edit": scores.edit,
            **{f"f1@{overlap}": value for overlap, value in scores.f1.items()},
            "jsd": scores.jsd,
            "largest_share": 100 * used.max() / used.sum(),
        }
    place.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return f"{place.stem}: {found['seconds']} s"


def table(folder: Path) -> str:
    """Means (deviations) of all that is in the folder."""
    rows: dict[tuple[str, str, str], list[dict]] = {}
    for place in sorted(folder.glob("*-*-*.json")):
        method, scale, _ = place.stem.split("-")
        found = json.loads(place.read_text(encoding="utf-8"))
        for answer, scores in found.items():
            if isinstance(scores, dict) and "mof" in scores:
                rows.setdefault((method, scale, answer), []).append(scores)
    names = (*SCORES, "largest_share")
    titles = ("method", "input scale", "answer", "seeds", "MoF", "Edit", "F1@10", "F1@25", "F1@50",
              "JSD", "largest action, % of frames")  # fmt: skip
    lines = [titles, ("---",) * len(titles)]
    for (method, scale, answer), runs in rows.items():
        values = np.array([[run[name] for name in names] for run in runs])
        spread = values.std(axis=0, ddof=1) if len(runs) > 1 else np.full(len(names), np.nan)
        cells = [
            f"{mean:.1f}" + ("" if np.isnan(sd) else f" ({sd:.1f})")
            for mean, sd in zip(values.mean(axis=0), spread, strict=True)
        ]
        lines.append((method, scale, answer, str(len(runs)), *cells))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("dataset")
    parser.add_argument("data", nargs="?")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/inputs"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--methods", nargs="+", default=list(ANSWERS), choices=list(ANSWERS))
    parser.add_argument("--scales", nargs="+", default=list(SCALES), choices=list(SCALES))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    tasks = [
        {
            "dataset": given.dataset,
            "data": given.data,
            "out": str(given.out),
            "method": method,
            "scale": scale,
            "seed": seed,
        }
        for seed, method, scale in product(range(given.seeds), given.methods, given.scales)
    ]
    context = multiprocessing.get_context("spawn")
    with context.Pool(given.jobs, maxtasksperchild=1) as pool:
        for words in pool.imap_unordered(fitted_and_scored, tasks):
            print(words, flush=True)
    page = given.out / "inputs.md"
    page.write_text(table(given.out), encoding="utf-8")
    print(page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
