"""Trainings stopped again and again: each ends with what one that is never stopped ends with."""

from pathlib import Path

import numpy as np
import pytest

from histvq.datasets import load_dataset
from histvq.models import ALL_METHODS, make_method
from histvq.resuming import checkpoint as checkpoints
from histvq.supervised import SUPERVISED

SETTINGS = {
    "histvq": {"epochs": 3, "min_steps": 0, "n_maps": 4, "n_layers": 1},
    "hvq": {"epochs": 3, "min_steps": 0, "n_layers": 2, "n_maps": 8},
    "smq": {"epochs": 3, "min_steps": 0, "n_maps": 4, "n_layers": 1},
    "cte": {"epochs": 3, "min_steps": 0, "batch_frames": 1000, "halve_every": 1},
    "tot": {"steps": 12, "frozen": 0.5},
    "asot": {"epochs": 3, "min_steps": 0, "sample_frames": 32},
    "ed-tcn": {"epochs": 3, "min_steps": 0},
    "single-stage-tcn": {"epochs": 3, "min_steps": 0, "n_maps": 4, "n_layers": 2},
    "st-gcn": {"epochs": 2, "min_steps": 0, "n_maps": 4, "n_layers": 2},
    "ms-tcn": {"epochs": 2, "min_steps": 0, "n_maps": 4, "n_layers": 2},
    "ms-gcn": {"epochs": 2, "min_steps": 0, "n_maps": 4, "n_layers": 2},
}
VARIANTS = {
    **{name: (name, None, params) for name, params in SETTINGS.items()},
    "histvq, best": ("histvq", "best", {"n_starts": 3, "min_steps": 0, "epochs": 3}),
    "histvq, dead codes": (
        "histvq", None, {"epochs": 3, "min_steps": 0, "n_maps": 4, "n_layers": 1,
                           "min_usage_patches": 5.0},
    ),
    "smq, as published": (
        "smq", None, {"epochs": 3, "min_steps": 0, "n_maps": 4, "n_layers": 1, "min_usage": 3,
                      "revival": "representative", "fixed_luck": True, "short_patches": "zeros"},
    ),
    "hvq, shuffled": ("hvq", None, {**SETTINGS["hvq"], "shuffle": True}),
}  # fmt: skip
every_variant = pytest.mark.parametrize("variant", VARIANTS)


class Cut(BaseException):
    """Stands for whatever ends a program without asking."""


@pytest.fixture(scope="module")
def data():
    return load_dataset("synthetic", seed=0)


@pytest.fixture(autouse=True)
def kept_after_every_batch(monkeypatch):
    monkeypatch.setattr(checkpoints, "EVERY_S", 0.0)
    monkeypatch.setattr(checkpoints, "MOST_TIME", 1e9)


def made(variant: str, **others):
    name, preset, params = VARIANTS[variant]
    count = {} if name in SUPERVISED else {"n_actions": 4}
    return make_method(name, preset=preset, **{**count, "random_state": 3, **params, **others})


def given(variant: str, data):
    recordings = data.recordings[:5]
    return (
        (recordings, data.annotations[:5]) if VARIANTS[variant][0] in SUPERVISED else (recordings,)
    )


def saved(model, folder: Path) -> dict[str, bytes]:
    model.save(folder)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def fitted_with_cuts(variant: str, data, place: Path, rng: np.random.Generator, n_cuts: int):
    """A model whose training was cut off so many times, each time after a few events at random."""
    for _ in range(n_cuts):
        left = int(rng.integers(1, 5))

        def cut(_):
            nonlocal left
            left -= 1
            if not left:
                raise Cut

        try:
            return made(variant).fit(*given(variant, data), progress=cut, checkpoint=place)
        except Cut:
            pass
    return made(variant).fit(*given(variant, data), checkpoint=place)


def test_every_method_with_a_network_is_here():
    assert {name for name, _, _ in VARIANTS.values()} == set(ALL_METHODS) - {"window-kmeans"}


@every_variant
def test_a_training_cut_off_again_and_again_ends_as_one_that_never_was(variant, data, tmp_path):
    whole = saved(made(variant).fit(*given(variant, data)), tmp_path / "whole")
    place, rng = tmp_path / "kept.safetensors", np.random.default_rng(0)
    model = fitted_with_cuts(variant, data, place, rng, n_cuts=5)
    assert saved(model, tmp_path / "cut") == whole
    # And once more from the end, as after a stop before the model was saved.
    again = made(variant).fit(*given(variant, data), checkpoint=place)
    assert saved(again, tmp_path / "again") == whole
