import warnings

import numpy as np
import pytest

from histvq.collapse import LEAST_USED, warn_if_collapsed
from histvq.datasets import load_dataset
from histvq.errors import DataWarning
from histvq.methods.histvq import HiSTVQ
from histvq.methods.smq import SMQ


@pytest.mark.parametrize(
    ("answers", "n_codes"),
    [([[0, 0, 1]], 5), ([[-1, 3], [3, -1]], 3), ([[-1]], 1), ([], 1), ([[0]], 3)],
)
def test_too_few_codes_in_use(answers, n_codes):
    answers = [np.array(a) for a in answers]
    n_used = len(set(np.concatenate([*answers, [-1]]).tolist()) - {-1})
    assert n_used < LEAST_USED * n_codes
    words = rf"only {n_used} of {n_codes} actions are in use .*Try fewer actions .*, or a way out$"
    with pytest.warns(DataWarning, match=words):
        warn_if_collapsed(answers, n_codes, level="actions", try_also=["a way out"])


@pytest.mark.parametrize(
    ("answers", "n_codes"), [([[0, 1]], 4), ([[5, 7, -1], [5, 2]], 6), ([[0]], 1)]
)
def test_enough_codes_in_use(answers, n_codes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_collapsed([np.array(a) for a in answers], n_codes, level="actions", try_also=[])


@pytest.mark.parametrize(
    ("method", "levels"),
    [
        (
            HiSTVQ(n_actions=12, min_usage_patches=0, min_usage_prototypes=0),
            ["subactions", "actions"],
        ),
        (SMQ(n_actions=12, min_usage=0), ["actions"]),
    ],
)
def test_without_replacement_of_dead_codes_codebooks_collapse_and_it_is_said(method, levels):
    recordings = load_dataset("synthetic", seed=0).recordings[:3]
    method.set_params(epochs=1, min_steps=0, n_maps=4, n_layers=1, random_state=0)
    with pytest.warns(DataWarning, match="its codebook has collapsed") as said:
        method.fit(recordings)
    assert [str(w.message).split(" are in use")[0].split()[-1] for w in said] == levels
