"""A process of its own that fits every method, saves what it learned and answers.

`python every_fit.py DATA ROOT FOLDER [MODELS]` leaves for each case a folder with the model and
`answers.npz`; `alone.npz` is of the recordings one by one, in another order. With MODELS, the folder of
another such process, its models are loaded and answer too: `of_loaded.npz`.
"""

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

import histvq
from histvq.annotation import Annotation
from histvq.choosing import choose_k
from histvq.errors import DataWarning
from histvq.methods import METHODS
from histvq.models import load_model, make_method
from histvq.recording import Recording
from histvq.segmenter import Segmenter
from histvq.segments import Segmentation

SHORT = {"epochs": 1, "min_steps": 0}
LIGHT = {**SHORT, "n_maps": 8, "n_latent": 8}
LABELLED = {**SHORT, "validation": 0.3, "batch_size": 2, "fps": 20.0}
CASES = {
    "window-kmeans": {"n_init": 2},
    "histvq": {**LIGHT, "piece_seconds": 0.0},
    "histvq, best": {"preset": "best", "epochs": 2, "n_starts": 3, "n_maps": 8},
    "histvq, bfloat16": {**LIGHT, "precision": "bfloat16"},
    "smq": {**LIGHT, "distance": "frame", "revival": "representative", "min_usage": 4.0},
    "hvq": {**SHORT, "epochs": 2, "n_maps": 16, "n_layers": 5},
    "asot": SHORT,
    "tot": {"steps": 20},
    "cte": {**SHORT, "epochs": 4},
    "cte, markov": {**SHORT, "decoder": "markov", "kmeans": "full"},
    "ed-tcn": {**LABELLED, "widths": (16, 24), "kernel_frames": 9},
    "ms-gcn": {**LABELLED, "n_maps": 8, "n_layers": 4, "n_stages": 2},
    "ms-tcn": {**LABELLED, "n_maps": 32, "n_layers": 5, "n_stages": 2},
    "single-stage-tcn": {**LABELLED, "n_maps": 32, "n_layers": 5},
    "st-gcn": {**LABELLED, "n_maps": 8, "n_layers": 4},
}
N_ACTIONS = 4


def method_of(case: str) -> str:
    """The method a case is of."""
    return case.partition(",")[0]


def data_of(name: str, root: str) -> tuple[Sequence[Recording], Sequence[Annotation | None]]:
    """Recordings long enough for a library to share one product among threads."""
    if name == "synthetic":
        data = histvq.load_dataset(name, n_people=2, recordings_per_person=1, seconds=40.0)
    else:
        data = histvq.load_dataset(name, root)
    return data.recordings, data.annotations


def fitted(
    case: str, recordings: Sequence[Recording], annotations: Sequence[Annotation | None]
) -> Segmenter:
    """The case's method, fitted."""
    settings = {**CASES[case], "random_state": 0}
    if method_of(case) in METHODS:
        settings["n_actions"] = N_ACTIONS
        return make_method(method_of(case), **settings).fit(recordings)
    return make_method(method_of(case), **settings).fit(recordings, annotations)


def as_arrays(answers: Sequence[Segmentation]) -> dict[str, np.ndarray]:
    """All that is answered, frame by frame."""
    found = {}
    for level in ("actions", "subactions", "confidence"):
        values = [getattr(answer, level) for answer in answers]
        if values[0] is not None:
            found[level] = np.concatenate(values)
    return found


def main(name: str, root: str, folder: Path, models: Path | None) -> None:
    """Fit, save and answer."""
    torch.set_num_threads(
        int(os.environ["OMP_NUM_THREADS"])
    )  # it takes no more than there are cores
    recordings, annotations = data_of(name, root)
    for case in CASES:
        place = folder / case
        model = fitted(case, recordings, annotations)
        model.save(place)
        np.savez(place / "answers.npz", **as_arrays(model.predict(recordings)))
        alone = [model.predict(recording) for recording in reversed(recordings)]
        np.savez(place / "alone.npz", **as_arrays(alone[::-1]))
        if models is not None:
            answers = load_model(models / case).predict(recordings)
            np.savez(place / "of_loaded.npz", **as_arrays(answers))
    choice = choose_k(recordings, k_max=4, repeats=2, seed=0)
    (folder / "choose-k.txt").write_text(repr(choice.table))


if __name__ == "__main__":
    warnings.simplefilter("ignore", DataWarning)
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]) if sys.argv[4:] else None)
